//! A server that answers as LangSmith does, an exporter before it, and readers of what arrived.

use std::collections::BTreeMap;

use obs_core::{Batch, Error, Exporter, Feedback, Receipt, Score, Span, SpanRecord};
use obs_http::HttpConfig;
use obs_langsmith::{LangsmithConfig, LangsmithExporter};
use obs_testkit::{Answer, CaptureServer, Captured, Part};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

pub(crate) const KEY: &str = "lsv2_pt_0123456789abcdef";
pub(crate) const PROJECT: &str = "b54e65f9-9a3e-4a2b-8d6b-6d6f1a0c0001";
pub(crate) const TENANT: &str = "1f0c8a55-6f4a-4a7e-9c56-0d4c1a0c0002";

/// What a server of LangSmith's own says it can do.
pub(crate) fn info() -> Value {
    json!({
        "version": "0.12.0",
        "batch_ingest_config": {"use_multipart_endpoint": true, "size_limit": 100, "size_limit_bytes": 20_971_520},
        "instance_flags": {"gzip_body_enabled": true},
    })
}

/// A server that has the project and takes everything.
pub(crate) async fn server() -> CaptureServer {
    let server = CaptureServer::start().await;
    server.answer_for("GET", "/info", Answer::json(&info()));
    server.answer_for("GET", "/sessions", Answer::json(&json!([{"id": PROJECT, "tenant_id": TENANT}])));
    server.answer_for("POST", "/runs", Answer::status(202));
    server
}

/// The same without multipart.
pub(crate) async fn old_server() -> CaptureServer {
    let server = server().await;
    let mut info = info();
    info["batch_ingest_config"]["use_multipart_endpoint"] = false.into();
    server.answer_for("GET", "/info", Answer::json(&info));
    server
}

/// The paths that were asked, each with how many runs or feedback it carried.
pub(crate) fn posts(server: &CaptureServer) -> Vec<(String, usize)> {
    let requests = server.take_requests();
    let posts = requests.iter().filter(|request| request.method == "POST");
    posts.map(|request| (request.path.clone(), sent(std::slice::from_ref(request)).len())).collect()
}

pub(crate) fn posted(of: &[(&str, usize)]) -> Vec<(String, usize)> {
    of.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect()
}

/// A server whose uploads are answered by a script.
pub(crate) async fn scripted(answers: impl IntoIterator<Item = u16>) -> CaptureServer {
    let server = CaptureServer::start().await;
    server.answer_for("GET", "/info", Answer::json(&info()));
    server.answer_for("GET", "/sessions", Answer::json(&json!([{"id": PROJECT, "tenant_id": TENANT}])));
    server.answer(answers.into_iter().map(Answer::status));
    server
}

pub(crate) fn config(server: &CaptureServer) -> LangsmithConfig {
    LangsmithConfig::new(KEY).with_project("support").with_http(HttpConfig::new(server.url()))
}

pub(crate) fn exporter(server: &CaptureServer) -> LangsmithExporter {
    LangsmithExporter::new(config(server)).unwrap()
}

pub(crate) fn ended(spans: impl IntoIterator<Item = Span>) -> Batch {
    Batch::Traces(spans.into_iter().map(SpanRecord::Ended).collect())
}

pub(crate) fn started(spans: impl IntoIterator<Item = Span>) -> Batch {
    Batch::Traces(spans.into_iter().map(SpanRecord::Started).collect())
}

pub(crate) fn scores(scores: impl IntoIterator<Item = Score>) -> Batch {
    Batch::Scores(scores.into_iter().collect())
}

pub(crate) fn given(feedback: impl IntoIterator<Item = Feedback>) -> Batch {
    Batch::Feedback(feedback.into_iter().collect())
}

/// What arrived at `POST /runs/…`, in order: `post`, `patch` or `feedback`, and the object, fields in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) verb: String,
    pub(crate) json: Value,
}

impl Sent {
    pub(crate) fn metadata(&self, name: &str) -> &Value {
        &self.json["extra"]["metadata"][name]
    }
}

/// Reads the requests apart from the exporter: parts by their names, JSON by serde_json.
pub(crate) fn sent(requests: &[Captured]) -> Vec<Sent> {
    requests.iter().filter(|request| request.method == "POST").flat_map(read).collect()
}

fn read(request: &Captured) -> Vec<Sent> {
    match request.path.as_str() {
        "/runs/multipart" => of_parts(&request.try_multipart().unwrap()),
        "/runs/batch" => {
            let body: BTreeMap<&str, Vec<BTreeMap<&str, &RawValue>>> =
                serde_json::from_slice(&request.body).unwrap();
            let of = |verb: &str| {
                let runs = body.get(verb).into_iter().flatten();
                let read = |run: &BTreeMap<&str, &RawValue>| {
                    run.iter()
                        .map(|(name, json)| ((*name).to_owned(), deep_json(json.get().as_bytes())))
                        .collect()
                };
                let sent = |run| Sent { verb: verb.to_owned(), json: Value::Object(read(run)) };
                runs.map(sent).collect::<Vec<_>>()
            };
            [of("post"), of("patch")].concat()
        }
        "/feedback" => vec![Sent { verb: "feedback".into(), json: request.json().unwrap() }],
        other => panic!("nothing is sent to {other}"),
    }
}

fn of_parts(parts: &[Part]) -> Vec<Sent> {
    let mut sent: Vec<Sent> = Vec::new();
    for part in parts {
        let json = deep_json(&part.body);
        match part.name.split('.').collect::<Vec<_>>()[..] {
            [verb, id] => {
                assert_eq!(json["id"], id, "the name of a part has the id in it");
                sent.push(Sent { verb: verb.to_owned(), json });
            }
            [verb, id, field] => {
                let run = sent.iter_mut().find(|run| run.verb == verb && run.json["id"] == id).unwrap();
                let before = run.json.as_object_mut().unwrap().insert(field.to_owned(), json);
                assert_eq!(before, None, "{} stands in its run, too", part.name);
            }
            _ => panic!("{} is no name of a part", part.name),
        }
    }
    sent
}

/// JSON that this reader may not take to the end: documents of applications are nested as deep as readers take, which
/// is one less than here, and have numbers of any size.
fn deep_json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| {
        let raw: &RawValue = serde_json::from_slice(bytes).unwrap();
        json!({"beyond this reader": raw.get()})
    })
}

/// Exports to a server, and returns what arrived.
pub(crate) async fn arrived(batch: &Batch) -> Vec<Sent> {
    let server = server().await;
    let receipt = exporter(&server).export(batch).await.unwrap();
    assert_eq!(receipt.delivered, batch.len(), "{receipt:?}");
    sent(&server.requests())
}

/// The one run that a span becomes.
pub(crate) async fn run_of(span: Span) -> Sent {
    let mut arrived = arrived(&ended([span])).await;
    assert_eq!(arrived.len(), 1);
    arrived.remove(0)
}

/// The one feedback that a score becomes.
pub(crate) async fn feedback_of(score: Score) -> Map<String, Value> {
    let mut arrived = arrived(&scores([score])).await;
    assert_eq!(arrived.len(), 1);
    arrived.remove(0).json.as_object().unwrap().clone()
}

/// Why the records of a batch were rejected.
pub(crate) fn reasons(outcome: Result<Receipt, Error>) -> Vec<String> {
    let receipt = outcome.unwrap();
    receipt.rejected.iter().map(|rejection| format!("{}: {}", rejection.kind, rejection.reason)).collect()
}

/// What an exporter of this config would send, without a server.
pub(crate) fn encoded(config: LangsmithConfig, batch: &Batch) -> Vec<Sent> {
    encoded_by(&LangsmithExporter::new(config).unwrap(), batch)
}

/// What this exporter would send, without a server.
pub(crate) fn encoded_by(exporter: &LangsmithExporter, batch: &Batch) -> Vec<Sent> {
    let request = |body: Vec<u8>| {
        let boundary = std::str::from_utf8(&body[2..38]).unwrap();
        let headers = vec![("content-type".into(), format!("multipart/form-data; boundary={boundary}"))];
        Captured { method: "POST".into(), path: "/runs/multipart".into(), query: None, headers, body }
    };
    let requests: Vec<_> = exporter.encode(batch).into_iter().map(request).collect();
    sent(&requests)
}
