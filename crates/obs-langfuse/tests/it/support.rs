//! What the tests share: an exporter over a server on this machine, and readers of what arrives there.

use std::collections::BTreeMap;

use obs_core::{Batch, Error, Exporter, Receipt, SpanId, TraceId};
use obs_langfuse::{LangfuseConfig, LangfuseExporter};
use obs_testkit::{Answer, CaptureServer, Captured};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use prost::Message;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const PUBLIC_KEY: &str = "pk-lf-0123456789";
pub(crate) const SECRET_KEY: &str = "sk-lf-0123456789";
pub(crate) const TRACES: &str = "/api/public/otel/v1/traces";
pub(crate) const SCORES: &str = "/api/public/scores";
pub(crate) const PROJECTS: &str = "/api/public/projects";
pub(crate) const INGESTION: &str = "/api/public/ingestion";

/// An exporter and the server it sends to.
pub(crate) struct Bench {
    pub(crate) server: CaptureServer,
    pub(crate) exporter: LangfuseExporter,
}

impl Bench {
    /// With the defaults.
    pub(crate) async fn start() -> Self {
        Self::with(|config| config).await
    }

    /// With what `set` makes of the defaults.
    pub(crate) async fn with(set: impl FnOnce(LangfuseConfig) -> LangfuseConfig) -> Self {
        let server = CaptureServer::start().await;
        server.answer_with(|request| (request.path == INGESTION).then(|| taken(&request.body, &[])));
        server.answer_for(
            "GET",
            PROJECTS,
            Answer::json(&json!({"data": [{"id": "project-1", "name": "obs"}]})),
        );
        let config = LangfuseConfig::new(PUBLIC_KEY, SECRET_KEY).with_endpoint(server.url());
        let exporter = LangfuseExporter::new(set(config)).unwrap();
        Self { server, exporter }
    }

    pub(crate) async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        self.exporter.export(batch).await
    }

    /// The observations of a batch, as they arrive.
    pub(crate) async fn observations(&self, batch: &Batch) -> Vec<Seen> {
        self.export(batch).await.unwrap();
        seen(&self.server.take_requests())
    }

    /// The JSON bodies of a batch, as they arrive.
    pub(crate) async fn bodies(&self, batch: &Batch) -> Vec<Value> {
        self.export(batch).await.unwrap();
        self.server.take_requests().iter().map(|request| request.json().unwrap()).collect()
    }
}

/// An old server's answer to a batch: these errors, and every other event is taken.
pub(crate) fn taken(body: &[u8], errors: &[Value]) -> Answer {
    let refused = |event: &&Event<'_>| !errors.iter().any(|error| error["id"] == event.id.to_string());
    let events = events(body);
    let successes: Vec<_> =
        events.iter().filter(refused).map(|event| json!({"id": event.id, "status": 201})).collect();
    Answer::status(207).with_json(&json!({ "successes": successes, "errors": errors }))
}

/// An event of a batch; its body is not read further, as documents in it may nest as deep as `serde_json` reads at all.
#[derive(Debug, Deserialize)]
pub(crate) struct Event<'a> {
    pub(crate) id: Uuid,
    pub(crate) timestamp: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl Event<'_> {
    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(self.body.get()).unwrap()
    }

    /// All of it, with a word in place of documents that `serde_json` does not hold: they nest too deep, or have too large a number.
    pub(crate) fn shallow(&self) -> Value {
        let fields: BTreeMap<&str, &RawValue> = serde_json::from_str(self.body.get()).unwrap();
        let read = |(name, raw): (&str, &RawValue)| {
            let value = serde_json::from_str(raw.get()).unwrap_or_else(|cause| {
                let is_document = ["input", "output", "metadata"].contains(&name);
                let is_held =
                    !["recursion limit", "out of range"].iter().any(|why| cause.to_string().contains(why));
                assert!(is_document && !is_held, "{name}: {cause}");
                json!("a document")
            });
            (name.to_owned(), value)
        };
        let body: serde_json::Map<_, _> = fields.into_iter().map(read).collect();
        json!({ "id": self.id, "timestamp": self.timestamp, "type": self.kind, "body": body })
    }
}

/// The events of a batch.
pub(crate) fn events(body: &[u8]) -> Vec<Event<'_>> {
    #[derive(Deserialize)]
    struct Batch<'a> {
        #[serde(borrow)]
        batch: Vec<Event<'a>>,
    }
    serde_json::from_slice::<Batch<'_>>(body).unwrap().batch
}

/// A span as it stands in a request, read by other code than wrote it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// The bytes of the parent's id as they stand there.
    pub(crate) parent: Vec<u8>,
    pub(crate) name: String,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) status: i32,
    pub(crate) attributes: BTreeMap<String, Value>,
    pub(crate) resource: BTreeMap<String, Value>,
    pub(crate) scope: BTreeMap<String, Value>,
}

impl Seen {
    pub(crate) fn text(&self, key: &str) -> &str {
        self.attributes.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.attributes.contains_key(key)
    }

    /// An attribute that is JSON in text.
    pub(crate) fn json(&self, key: &str) -> Value {
        self.attributes.get(key).and_then(Value::as_str).map_or(Value::Null, |text| {
            serde_json::from_str(text).unwrap_or_else(|cause| panic!("{key} is no JSON: {cause}: {text}"))
        })
    }

    /// A value of the observation's metadata.
    pub(crate) fn metadata(&self, key: &str) -> &Value {
        self.attributes.get(&format!("langfuse.observation.metadata.{key}")).unwrap_or(&Value::Null)
    }

    /// A value of the trace's metadata.
    pub(crate) fn trace_metadata(&self, key: &str) -> &Value {
        self.attributes.get(&format!("langfuse.trace.metadata.{key}")).unwrap_or(&Value::Null)
    }

    pub(crate) fn is_log(&self) -> bool {
        self.text("langfuse.observation.type") == "event"
    }
}

/// Every span of these requests.
pub(crate) fn seen(requests: &[Captured]) -> Vec<Seen> {
    requests
        .iter()
        .filter(|request| request.path == TRACES)
        .flat_map(|request| decoded(&request.body))
        .collect()
}

/// Every span of a body.
pub(crate) fn decoded(body: &[u8]) -> Vec<Seen> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut seen = Vec::new();
    for group in request.resource_spans {
        let resource = group.resource.map(|resource| attributes(resource.attributes)).unwrap_or_default();
        for (scope, span) in group.scope_spans.into_iter().flat_map(|group| {
            let scope = group.scope.map(|scope| attributes(scope.attributes)).unwrap_or_default();
            group.spans.into_iter().map(move |span| (scope.clone(), span))
        }) {
            seen.push(Seen {
                scope,
                trace_id: TraceId::from_bytes(span.trace_id.try_into().unwrap()).unwrap(),
                span_id: SpanId::from_bytes(span.span_id.try_into().unwrap()).unwrap(),
                parent: span.parent_span_id,
                name: span.name,
                start: span.start_time_unix_nano,
                end: span.end_time_unix_nano,
                status: span.status.map_or(0, |status| status.code),
                attributes: attributes(span.attributes),
                resource: resource.clone(),
            });
        }
    }
    seen
}

fn attributes(pairs: Vec<opentelemetry_proto::tonic::common::v1::KeyValue>) -> BTreeMap<String, Value> {
    let count = pairs.len();
    let map: BTreeMap<_, _> = pairs.into_iter().map(|pair| (pair.key, plain(pair.value))).collect();
    assert_eq!(map.len(), count, "a key stands twice: {map:?}");
    map
}

fn plain(value: Option<AnyValue>) -> Value {
    match value.and_then(|value| value.value) {
        Some(Any::StringValue(text)) => text.into(),
        Some(Any::BoolValue(value)) => value.into(),
        Some(Any::IntValue(value)) => value.into(),
        Some(Any::DoubleValue(value)) => value.into(),
        Some(Any::ArrayValue(list)) => list.values.into_iter().map(|value| plain(Some(value))).collect(),
        other => json!({ "not read by the server": format!("{other:?}") }),
    }
}

/// Whether the server would name it as feedback is named here.
pub(crate) fn is_feedback(score: &Value) -> bool {
    score["dataType"] == "CORRECTION"
        || score["name"].as_str().is_some_and(|name| name.starts_with("feedback_"))
}
