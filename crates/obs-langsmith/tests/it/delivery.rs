//! What becomes of runs and feedback when the server is not as hoped.

use std::time::Duration;

use obs_core::{Batch, ErrorKind, Exporter, Health, Retry, Signal, Span, SpanRecord};
use obs_http::{Compression, HttpConfig};
use obs_langsmith::{LangsmithConfig, LangsmithExporter, RunIds};
use obs_testkit::conformance::export_and_account;
use obs_testkit::fixtures::{self, at, span_id, trace_id};
use obs_testkit::{Answer, CaptureServer};
use serde_json::json;

use super::bench::{self, config, ended, exporter, posted, posts, scripted, sent, server, started};

fn span(nth: u32) -> Span {
    let mut span = Span::new(trace_id(1), span_id(nth), "s", at(u64::from(nth)));
    span.end = Some(at(1_000));
    span
}

fn spans(of: impl IntoIterator<Item = u32>) -> Batch {
    ended(of.into_iter().map(span))
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
async fn law_1_a_conflict_of_several_runs_is_left_for_splitting_whatever_was_answered_before() {
    let server = scripted([503, 409, 409, 409, 202]).await;
    let exporter = exporter(&server);
    let error = exporter.export(&spans([1, 2])).await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Unavailable, 2));
    let error = exporter.export(&spans([1, 2, 3, 4])).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry(), error.undelivered().len()),
        (ErrorKind::Rejected, Retry::Never, 4)
    );
    assert!(error.message().contains("some of these 4 runs"), "{error}");
    let error = exporter.export(&error.undelivered().slice(0..2)).await.unwrap_err();
    assert_eq!(error.undelivered().len(), 2);
    for nth in [1, 3] {
        assert_eq!(exporter.export(&spans([nth])).await.unwrap().delivered, 1);
    }
    let path = "/runs/multipart";
    assert_eq!(posts(&server), posted(&[(path, 2), (path, 4), (path, 2), (path, 1), (path, 1)]));
}

#[tokio::test]
async fn law_1_a_conflict_with_some_runs_keeps_the_progress_of_the_others() {
    let server = server().await;
    server.answer_for("GET", "/info", Answer::json(&json!({"batch_ingest_config": {"size_limit": 2}})));
    server.answer_with(|request| {
        let first = request.body.windows(12).any(|bytes| bytes == b"67aa00000001");
        (request.path == "/runs/multipart").then(|| Answer::status(if first { 409 } else { 202 }))
    });
    let error = exporter(&server).export(&spans([1, 2, 3, 4])).await.unwrap_err();
    assert_eq!((error.settled().delivered, error.undelivered().len()), (2, 2));
}

fn watched(server: &CaptureServer) -> LangsmithExporter {
    LangsmithExporter::new(config(server).with_post_on_start(true)).unwrap()
}

fn verbs(server: &CaptureServer) -> Vec<String> {
    sent(&server.requests()).into_iter().map(|run| run.verb).collect()
}

#[tokio::test]
async fn law_1_an_end_whose_start_is_elsewhere_is_never_settled_by_a_conflict_alone() {
    let server = scripted([503, 409, 202]).await;
    let exporter = watched(&server);
    let error = exporter.export(&spans([1])).await.unwrap_err();
    assert_eq!(exporter.export(error.undelivered()).await.unwrap().delivered, 1);
    assert_eq!(verbs(&server), ["post", "patch", "post", "patch", "patch"]);
    let sent = sent(&server.requests());
    assert!(sent.iter().all(|run| run.json == sent[0].json));
}

#[tokio::test]
async fn a_start_in_doubt_does_not_settle_its_end() {
    let server = scripted([503, 202]).await;
    let exporter = watched(&server);
    exporter.export(&started([span(1)])).await.unwrap_err();
    let records = [SpanRecord::Started(span(1)), SpanRecord::Ended(span(1))];
    assert_eq!(exporter.export(&Batch::Traces(records.into_iter().collect())).await.unwrap().delivered, 2);
    assert_eq!(verbs(&server), ["post", "post", "patch"]);
}

#[tokio::test]
async fn a_start_and_its_end_in_one_batch_are_one_run_and_an_update_where_it_is_there() {
    let server = scripted([409, 202]).await;
    let records = [SpanRecord::Started(span(1)), SpanRecord::Ended(span(1))];
    let receipt = watched(&server).export(&Batch::Traces(records.into_iter().collect())).await.unwrap();
    assert_eq!((receipt.delivered, verbs(&server)), (2, vec!["post".to_owned(), "patch".to_owned()]));
}

#[tokio::test]
async fn every_end_of_a_span_is_in_a_request_of_its_own() {
    let server = server().await;
    assert_eq!(exporter(&server).export(&spans([1, 2, 1, 1])).await.unwrap().delivered, 4);
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
        [("post", false), ("post", false), ("patch", true), ("patch", true), ("post", true), ("patch", true)];
    assert_eq!(
        verbs,
        [&wanted[..], &wanted[4..]].concat(),
        "what ended is forgotten, so that it is whole again"
    );
}

#[tokio::test]
async fn a_start_that_is_not_wanted_is_refused_with_the_option() {
    let server = server().await;
    let reasons = bench::reasons(exporter(&server).export(&started([span(1)])).await);
    assert!(reasons[0].starts_with("unsupported: ") && reasons[0].contains("post_on_start"), "{reasons:?}");
}

#[tokio::test]
async fn a_server_that_does_not_say_what_it_can_do_gets_the_defaults_for_a_minute() {
    for (status, asked) in [(503, 2), (404, 1), (401, 2)] {
        let server = server().await;
        server.answer_for("GET", "/info", Answer::status(status));
        let exporter = exporter(&server);
        for wait in [0, 59, 2] {
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(wait)).await;
            tokio::time::resume();
            exporter.export(&fixtures::trace_batches()[0]).await.unwrap();
        }
        let requests = server.requests();
        let infos = requests.iter().filter(|request| request.path == "/info").count();
        assert_eq!(infos, asked, "{status}: a minute long it is not asked again");
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
    config = config.with_app_url("https://smith.langchain.com/");
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
    for patience in [10, 2] {
        let patience = Duration::from_secs(patience);
        let outcome = tokio::time::timeout(patience, exporter.export(&spans([1]))).await;
        assert_eq!(outcome.unwrap().unwrap().delivered, 1);
    }
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
