//! What becomes of runs and feedback when the server is not as hoped.

use std::time::Duration;

use obs_core::{Batch, ErrorKind, Exporter, Health, Retry, Score, Signal, Span, SpanRecord, Target};
use obs_http::{Compression, HttpConfig};
use obs_langsmith::{FeedbackTransport, LangsmithConfig, LangsmithExporter, RunIds};
use obs_testkit::conformance::export_and_account;
use obs_testkit::fixtures::{self, at, span_id, trace_id, uuid};
use obs_testkit::{Answer, CaptureServer, Fault, FaultProxy};
use serde_json::json;

use super::bench::{self, config, ended, exporter, scores, sent, server, started};

fn span(nth: u32) -> Span {
    let mut span = Span::new(trace_id(1), span_id(nth), "s", at(u64::from(nth)));
    span.end = Some(at(1_000));
    span
}

fn spans(of: impl IntoIterator<Item = u32>) -> Batch {
    ended(of.into_iter().map(span))
}

fn score(nth: u32) -> Score {
    let target = Target::Trace { trace_id: trace_id(1), root_span_id: Some(span_id(1)) };
    Score::new(uuid(nth), at(0), target, "quality", 1.0)
}

/// The paths that were asked, each with how many runs or feedback it carried.
fn posts(server: &CaptureServer) -> Vec<(String, usize)> {
    let requests = server.take_requests();
    let posts = requests.iter().filter(|request| request.method == "POST");
    posts.map(|request| (request.path.clone(), sent(std::slice::from_ref(request)).len())).collect()
}

fn posted(of: &[(&str, usize)]) -> Vec<(String, usize)> {
    of.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect()
}

/// A server whose uploads are answered by a script.
async fn scripted(answers: impl IntoIterator<Item = u16>) -> CaptureServer {
    let server = CaptureServer::start().await;
    server.answer_for("GET", "/info", Answer::json(&bench::info()));
    server.answer_for(
        "GET",
        "/sessions",
        Answer::json(&json!([{"id": bench::PROJECT, "tenant_id": bench::TENANT}])),
    );
    server.answer(answers.into_iter().map(Answer::status));
    server
}

#[tokio::test]
async fn a_server_without_multipart_gets_the_same_runs_as_json_for_good() {
    let server = server().await;
    server.answer_for("POST", "/runs/multipart", Answer::status(404));
    let exporter = exporter(&server);
    let batch = fixtures::batch(Signal::Traces);
    let batch = batch.slice(0..batch.len() - 1);
    let multipart = bench::encoded(config(&server), &batch);
    assert_eq!(exporter.export(&batch).await.unwrap().delivered, batch.len());
    let requests = server.take_requests();
    assert_eq!(sent(&requests[2..]), multipart, "the two ways say something else");
    assert_eq!(exporter.export(&spans([1])).await.unwrap().delivered, 1);
    assert_eq!(posts(&server), posted(&[("/runs/batch", 1)]));
}

#[tokio::test]
async fn what_the_server_says_of_multipart_is_heeded() {
    let server = bench::old_server().await;
    exporter(&server).export(&spans([1, 2])).await.unwrap();
    assert_eq!(posts(&server), posted(&[("/runs/batch", 2)]));
}

#[tokio::test]
async fn a_run_that_is_there_already_is_delivered() {
    let server = scripted([409]).await;
    assert_eq!(exporter(&server).export(&spans([1])).await.unwrap().delivered, 1);
    assert_eq!(posts(&server).len(), 1);
}

#[tokio::test]
async fn a_conflict_of_several_runs_is_asked_of_each_so_that_none_is_lost() {
    let server = scripted([409, 409, 202, 202]).await;
    assert_eq!(exporter(&server).export(&spans([1, 2, 3])).await.unwrap().delivered, 3);
    let path = "/runs/multipart";
    assert_eq!(posts(&server), posted(&[(path, 3), (path, 1), (path, 1), (path, 1)]));
}

#[tokio::test]
async fn a_conflict_after_an_answer_that_never_came_settles_all() {
    let server = scripted([503, 409]).await;
    let exporter = exporter(&server);
    let error = exporter.export(&spans([1, 2, 3])).await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Unavailable, 3));
    assert_eq!(exporter.export(error.undelivered()).await.unwrap().delivered, 3);
    assert_eq!(posts(&server).len(), 2);
}

#[tokio::test]
async fn a_request_that_never_left_leaves_no_doubt() {
    let server = scripted([409, 202, 202]).await;
    let proxy = FaultProxy::start(server.address(), []).unwrap().and_then(Fault::RefuseConnections);
    let exporter = LangsmithExporter::new(config(&server).with_endpoint(proxy.url())).unwrap();
    let error = exporter.export(&spans([1, 2])).await.unwrap_err();
    assert!(error.message().ends_with("nothing was sent"), "{error}");
    proxy.set(Fault::None);
    exporter.export(error.undelivered()).await.unwrap();
    assert_eq!(posts(&server).len(), 3, "the conflict is of some, and nothing says of which");
}

#[tokio::test]
async fn feedback_that_is_there_already_is_delivered_and_the_rest_is_asked_for() {
    let server = scripted([409, 202, 409]).await;
    assert_eq!(exporter(&server).export(&scores([score(1), score(2)])).await.unwrap().delivered, 2);
    let path = "/runs/multipart";
    assert_eq!(posts(&server), posted(&[(path, 2), (path, 1), (path, 1)]));
}

#[tokio::test]
async fn refused_content_is_left_for_splitting_and_one_run_is_a_rejection() {
    let server = scripted([422, 422]).await;
    let exporter = exporter(&server);
    let error = exporter.export(&spans([1, 2])).await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Rejected, 2));
    assert_eq!(exporter.export(&spans([1])).await.unwrap().rejected_count(), 1);
}

#[tokio::test]
async fn a_start_is_posted_and_its_end_patches_it() {
    let server = server().await;
    let exporter = LangsmithExporter::new(config(&server).with_post_on_start(true)).unwrap();
    assert!(exporter.descriptor().wants_started());
    exporter.export(&started([span(1), span(2)])).await.unwrap();
    exporter.export(&spans([1, 2, 3])).await.unwrap();
    exporter.export(&spans([1])).await.unwrap();
    let verbs: Vec<_> = sent(&server.requests())
        .into_iter()
        .map(|run| (run.verb, run.json["end_time"].is_string()))
        .collect();
    let verbs: Vec<_> = verbs.iter().map(|(verb, ended)| (verb.as_str(), *ended)).collect();
    let wanted =
        [("post", false), ("post", false), ("patch", true), ("patch", true), ("post", true), ("post", true)];
    assert_eq!(verbs, wanted, "what was patched is forgotten, so that an end that comes again is whole");
}

#[tokio::test]
async fn an_end_whose_start_another_process_sent_becomes_an_update() {
    let server = scripted([409, 202]).await;
    let exporter = LangsmithExporter::new(config(&server).with_post_on_start(true)).unwrap();
    exporter.export(&spans([1])).await.unwrap();
    let sent = sent(&server.requests());
    assert_eq!((sent[0].verb.as_str(), sent[1].verb.as_str()), ("post", "patch"));
    assert_eq!(sent[0].json, sent[1].json);
}

#[tokio::test]
async fn a_start_that_is_not_wanted_is_refused_with_the_option() {
    let server = server().await;
    let reasons = bench::reasons(exporter(&server).export(&started([span(1)])).await);
    assert!(reasons[0].starts_with("unsupported: ") && reasons[0].contains("post_on_start"), "{reasons:?}");
}

#[tokio::test]
async fn a_span_that_ends_twice_is_two_requests() {
    let server = server().await;
    assert_eq!(exporter(&server).export(&spans([1, 2, 1])).await.unwrap().delivered, 3);
    assert_eq!(posts(&server), posted(&[("/runs/multipart", 2), ("/runs/multipart", 1)]));
}

#[tokio::test]
async fn a_server_that_does_not_say_what_it_can_do_gets_the_defaults_and_is_asked_again() {
    for (status, asked) in [(503, 2), (404, 1), (401, 2)] {
        let server = server().await;
        server.answer_for("GET", "/info", Answer::status(status));
        let exporter = exporter(&server);
        for _ in 0..2 {
            exporter.export(&fixtures::trace_batches()[0]).await.unwrap();
        }
        let requests = server.requests();
        let infos = requests.iter().filter(|request| request.path == "/info").count();
        assert_eq!(infos, asked, "{status}");
        assert!(requests.iter().all(|request| request.header("content-encoding").is_none()), "{status}");
    }
}

#[tokio::test]
async fn bodies_are_compressed_as_the_server_says_and_as_the_user_says() {
    for (flags, chosen, encoding) in [
        (json!({"gzip_body_enabled": true}), None, Some("gzip")),
        (json!({"gzip_body_enabled": true, "zstd_compression_enabled": true}), None, Some("gzip")),
        (json!({"zstd_compression_enabled": true}), None, Some("zstd")),
        (json!({}), None, None),
        (json!({}), Some(Compression::Zstd), Some("zstd")),
        (json!({"gzip_body_enabled": true}), Some(Compression::None), None),
    ] {
        let server = server().await;
        server.answer_for("GET", "/info", Answer::json(&json!({"version": "1", "instance_flags": flags})));
        let mut config = config(&server);
        config.http.compression = chosen;
        LangsmithExporter::new(config).unwrap().export(&fixtures::trace_batches()[0]).await.unwrap();
        let requests = server.requests();
        assert_eq!(requests[1].header("content-encoding"), encoding, "{flags} {chosen:?}");
        assert_eq!(sent(&requests).len(), 12);
    }
}

#[tokio::test]
async fn feedback_waits_a_few_times_for_its_project_and_then_goes_without() {
    let server = server().await;
    server.answer_for("GET", "/sessions", Answer::json(&json!([])));
    let exporter = exporter(&server);
    for _ in 0..5 {
        let error = exporter.export(&scores([score(1)])).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::Backoff));
        assert!(error.message().contains("no project \"support\" yet"), "{error}");
    }
    exporter.export(&scores([score(1)])).await.unwrap();
    server.answer_for("GET", "/sessions", Answer::json(&json!([{"id": bench::PROJECT}])));
    exporter.export(&scores([score(2)])).await.unwrap();
    let sent = sent(&server.requests());
    assert_eq!(sent[0].json.get("session_id"), None);
    assert_eq!(sent[1].json["session_id"], bench::PROJECT);
}

#[tokio::test]
async fn a_project_that_cannot_be_asked_for_leaves_everything() {
    for answer in [Answer::status(503), Answer::status(401), Answer::status(200).with_body("<html>")] {
        let server = server().await;
        server.answer_for("GET", "/sessions", answer);
        let error = exporter(&server).export(&scores([score(1), score(2)])).await.unwrap_err();
        assert_eq!((error.undelivered().len(), posts(&server).len()), (2, 0), "{error}");
    }
}

#[tokio::test]
async fn a_known_project_is_not_asked_for() {
    let server = server().await;
    let mut config = config(&server);
    config.project_id = bench::PROJECT.parse().ok();
    LangsmithExporter::new(config).unwrap().export(&scores([score(1)])).await.unwrap();
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.path != "/sessions"));
    assert_eq!(sent(&requests)[0].json["session_id"], bench::PROJECT);
}

fn one_by_one(server: &CaptureServer) -> LangsmithExporter {
    LangsmithExporter::new(config(server).with_feedback_transport(FeedbackTransport::Single)).unwrap()
}

#[tokio::test]
async fn feedback_on_a_run_that_is_not_there_yet_is_tried_ten_times() {
    let server = server().await;
    server.answer_with(|request| {
        let hidden = request.path == "/feedback" && request.json().unwrap()["id"] == uuid(1).to_string();
        hidden.then(|| Answer::status(404).with_body("run not found"))
    });
    let exporter = one_by_one(&server);
    let error = exporter.export(&scores([score(1), score(2)])).await.unwrap_err();
    assert_eq!((error.settled().delivered, error.undelivered().len()), (1, 1));
    for _ in 2..10 {
        let error = exporter.export(&scores([score(1)])).await.unwrap_err();
        assert_eq!((error.retry(), error.undelivered().len()), (Retry::Backoff, 1));
    }
    let reasons = bench::reasons(exporter.export(&scores([score(1)])).await);
    assert!(
        reasons[0].starts_with("unresolvable_target: after 10 tries") && reasons[0].contains("run not found")
    );
    assert!(exporter.export(&scores([score(1)])).await.is_err(), "the count begins anew");
}

#[tokio::test]
async fn feedback_one_by_one_settles_each_by_its_answer() {
    let server = server().await;
    server.answer_with(|request| {
        let id = request.json().filter(|_| request.path == "/feedback")?["id"].clone();
        let status = [(uuid(1), 409), (uuid(2), 422), (uuid(3), 200)];
        status
            .into_iter()
            .find(|(known, _)| id == known.to_string())
            .map(|(_, status)| Answer::status(status))
    });
    let receipt = one_by_one(&server).export(&scores([1, 2, 3].map(score))).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (2, 1));
    assert_eq!(receipt.rejected[0].status, Some(422));
}

#[tokio::test]
async fn feedback_goes_one_by_one_where_parts_are_not_taken() {
    let server = server().await;
    server.answer_for("POST", "/runs/multipart", Answer::status(404));
    let exporter = exporter(&server);
    let error = exporter.export(&scores([score(1), score(2)])).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry(), error.undelivered().len()),
        (ErrorKind::Unavailable, Retry::Backoff, 2)
    );
    exporter.export(error.undelivered()).await.unwrap();
    assert_eq!(posts(&server)[1..], posted(&[("/feedback", 1), ("/feedback", 1)]));
}

#[tokio::test]
async fn a_key_that_is_refused_is_named_with_its_variable() {
    let server = server().await;
    server.answer_for("GET", "/sessions", Answer::status(401));
    let Health::Unhealthy(why) = exporter(&server).check().await else { panic!("healthy") };
    assert!(why.contains("`api_key` (LANGSMITH_API_KEY)"), "{why}");
}

#[tokio::test]
async fn the_page_of_a_trace_is_known_once_its_ids_are() {
    let server = server().await;
    let mut config = config(&server);
    config.web_url = Some("https://smith.langchain.com/".into());
    let exporter = LangsmithExporter::new(config.clone()).unwrap();
    assert_eq!(exporter.trace_url(trace_id(1)), None);
    exporter.export(&spans([1])).await.unwrap();
    assert_eq!(exporter.trace_url(trace_id(1)), None, "the project's id was not asked for");
    assert_eq!(exporter.check().await, Health::Healthy);
    let page = format!("https://smith.langchain.com/o/{}/projects/p/{}/r/", bench::TENANT, bench::PROJECT);
    assert_eq!(
        exporter.trace_url(trace_id(1)).unwrap(),
        format!("{page}00000000-0000-0000-00f0-67aa00000001")
    );
    assert_eq!(exporter.trace_url(trace_id(2)), None);
    let exporter = LangsmithExporter::new(config.with_run_ids(RunIds::TraceRoot)).unwrap();
    exporter.check().await;
    assert_eq!(
        exporter.trace_url(trace_id(2)).unwrap(),
        format!("{page}0af76519-16cd-43dd-8448-eb2100000002")
    );
}

#[tokio::test]
async fn a_server_that_is_slow_to_say_what_it_can_do_holds_nobody_up() {
    let server = server().await;
    server.answer_for("GET", "/info", Answer::status(200).with_delay(Duration::from_mins(1)));
    let http = HttpConfig::new(server.url()).with_timeout(Duration::from_secs(20));
    let exporter = LangsmithExporter::new(LangsmithConfig::new(bench::KEY).with_http(http)).unwrap();
    let outcome = tokio::time::timeout(Duration::from_secs(10), exporter.export(&spans([1]))).await;
    assert_eq!(outcome.unwrap().unwrap().delivered, 1);
}

#[tokio::test]
async fn a_start_in_doubt_does_not_settle_its_end() {
    let server = scripted([503, 409, 202]).await;
    let exporter = LangsmithExporter::new(config(&server).with_post_on_start(true)).unwrap();
    exporter.export(&started([span(1)])).await.unwrap_err();
    let records = [SpanRecord::Started(span(1)), SpanRecord::Ended(span(1))];
    assert_eq!(exporter.export(&Batch::Traces(records.into_iter().collect())).await.unwrap().delivered, 2);
    let verbs: Vec<_> = sent(&server.requests()).into_iter().map(|run| run.verb).collect();
    assert_eq!(verbs, ["post", "post", "patch"]);
}

#[tokio::test]
async fn law_1_every_record_is_accounted_for_where_starts_are_wanted() {
    let server = server().await;
    let exporter = LangsmithExporter::new(config(&server).with_post_on_start(true)).unwrap();
    for batch in [fixtures::batch(Signal::Traces), fixtures::nasty(Signal::Traces)] {
        let outcome = export_and_account(&exporter, &batch).await;
        assert!(outcome.errors.is_empty() && outcome.settled.delivered == batch.len(), "{outcome:?}");
    }
}
