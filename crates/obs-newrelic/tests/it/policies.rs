//! What comes of answers, from the exporter's door to its receipt.

use std::time::Duration;

use obs_core::{Batch, ErrorKind, Exporter, Health, Retry, Signal};
use obs_newrelic::{NewRelicConfig, NewRelicExporter};
use obs_testkit::{Answer, fixtures};
use serde_json::json;

use crate::support::{Bench, EVENTS, KEY, METRICS};

/// A batch for each API.
async fn all() -> (Bench, [(&'static str, Batch); 3]) {
    let bench = Bench::native().await;
    let metrics = bench.input(&fixtures::batch(Signal::Metrics)).slice(0..1);
    let batches = [
        ("/v1/logs", fixtures::batch(Signal::Logs)),
        (METRICS, metrics),
        (EVENTS, fixtures::batch(Signal::Scores)),
    ];
    (bench, batches)
}

#[tokio::test]
async fn a_refused_key_holds_the_destination_and_names_it() {
    let (bench, batches) = all().await;
    bench.server.answer_with(|_| Some(Answer::status(403)));
    for (path, batch) in &batches {
        let error = bench.export(batch).await.unwrap_err();
        assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Auth, batch), "{path}");
        assert!(matches!(error.retry(), Retry::Hold(_)));
        assert!(error.message().contains("NEW_RELIC_LICENSE_KEY"), "{}", error.message());
    }
    let Health::Unhealthy(why) = bench.exporter.check().await else { panic!("healthy with a refused key") };
    assert!(why.contains("NEW_RELIC_LICENSE_KEY"), "{why}");
}

#[tokio::test]
async fn an_outage_leaves_all_of_it_and_a_wait_is_obeyed() {
    let (bench, batches) = all().await;
    for (path, batch) in &batches {
        let limit = Answer::status(429).with_header("retry-after", "7");
        bench.server.answer([limit, Answer::status(503)]);
        let error = bench.export(batch).await.unwrap_err();
        let after = Retry::After(Duration::from_secs(7));
        assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, after), "{path}");
        assert_eq!(error.undelivered(), batch);
        let error = bench.export(batch).await.unwrap_err();
        assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Unavailable, batch));
    }
}

#[tokio::test]
async fn what_the_event_api_says_it_refused_is_not_delivered() {
    let bench = Bench::account().await;
    let refused = json!({ "success": false, "error": "no such account" });
    bench.server.answer([Answer::json(&refused)]);
    let receipt = bench.export(&fixtures::batch(Signal::Scores).slice(0..1)).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (0, 1));
    assert!(receipt.rejected[0].reason.contains("no such account"));
}

#[tokio::test]
async fn a_refusal_of_another_form_is_a_refusal_all_the_same() {
    for refused in [
        json!({ "success": false, "error": { "code": "x-1" } }),
        json!({ "success": false, "error": ["x-1"], "uuid": 7 }),
        json!({ "success": false, "error": "x-1", "requestId": {} }),
    ] {
        let bench = Bench::account().await;
        bench.server.answer([Answer::json(&refused)]);
        let receipt = bench.export(&fixtures::batch(Signal::Scores).slice(0..1)).await.unwrap();
        assert_eq!((receipt.delivered, receipt.rejected_count()), (0, 1), "{refused}");
        assert!(receipt.rejected[0].reason.contains("x-1"), "{}", receipt.rejected[0].reason);
    }
}

#[tokio::test]
async fn a_key_from_a_file_has_no_line_break_and_one_that_cannot_be_sent_is_named() {
    let bench = Bench::with(|mut config| {
        config.license_key = format!(" {KEY}\r\n").into();
        config
    })
    .await;
    bench.export(&fixtures::batch(Signal::Logs)).await.unwrap();
    assert_eq!(bench.server.requests()[0].header("api-key"), Some(KEY));
    let error = NewRelicExporter::new(NewRelicConfig::new("a\nb")).unwrap_err();
    assert!(error.message().starts_with("license_key: "), "{}", error.message());
}

#[tokio::test]
async fn a_hiccup_of_otlp_loses_nothing() {
    for status in [408, 500, 502, 503, 504] {
        let bench = Bench::alone().await;
        bench.server.answer([Answer::status(status)]);
        let batch = fixtures::batch(Signal::Logs);
        let error = bench.export(&batch).await.unwrap_err();
        assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Unavailable, &batch), "{status}");
    }
}

#[tokio::test]
async fn a_request_is_settled_once_it_is_taken_before_anything_is_checked() {
    let (bench, batches) = all().await;
    let taken =
        Answer::status(202).with_json(&json!({ "requestId": "f0e7bfff-001a-b000-0000-01682bcf4565" }));
    let success = Answer::json(&json!({ "success": true, "uuid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8" }));
    for answer in [taken, success, Answer::status(202).with_body("taken"), Answer::status(200)] {
        bench.server.answer_always(answer);
        for (path, batch) in &batches {
            assert_eq!(bench.export(batch).await.unwrap().delivered, batch.len(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_part_that_otlp_refuses_is_counted() {
    let bench = Bench::account().await;
    let said = json!({ "partialSuccess": { "rejectedLogRecords": "2", "errorMessage": "too old" } });
    bench.server.answer([Answer::json(&said)]);
    let batch = fixtures::batch(Signal::Logs);
    let receipt = bench.export(&batch).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (batch.len() - 2, 2));
    assert!(receipt.rejected[0].reason.contains("too old"));
}

#[tokio::test]
async fn a_check_asks_every_api_without_content() {
    let (bench, _) = all().await;
    bench.server.answer_for("POST", EVENTS, Answer::status(400).with_body("Unable to process empty request"));
    assert_eq!(bench.exporter.check().await, Health::Healthy);
    let requests = bench.server.take_requests();
    let paths: Vec<_> = requests.iter().map(|request| &*request.path).collect();
    assert_eq!(paths, ["/v1/traces", METRICS, EVENTS]);
    assert!(requests.iter().all(|request| request.body.is_empty() && request.header("api-key").is_some()));
    let bench = all().await.0;
    let refused = json!({ "success": false, "error": "no such account" });
    bench.server.answer_for("POST", EVENTS, Answer::json(&refused));
    let Health::Unhealthy(why) = bench.exporter.check().await else { panic!("healthy though it is refused") };
    assert!(why.contains("no such account"), "{why}");
    bench.server.answer_for("POST", METRICS, Answer::status(404));
    assert!(matches!(bench.exporter.check().await, Health::Unhealthy(_)));
    let alone = Bench::alone().await;
    assert_eq!(alone.exporter.check().await, Health::Healthy);
    assert_eq!(alone.server.take_requests().len(), 1, "only what is used is asked");
}

#[tokio::test]
async fn law_6_a_key_that_new_relic_repeats_is_not_quoted() {
    let bench = Bench::account().await;
    let echoed = format!("no such key {KEY}");
    let partial = json!({ "partialSuccess": { "rejectedLogRecords": 1, "errorMessage": echoed } });
    bench.server.answer([
        Answer::json(&json!({ "success": false, "error": echoed })),
        Answer::json(&partial),
        Answer::status(400).with_body(echoed),
    ]);
    for signal in [Signal::Scores, Signal::Logs, Signal::Scores] {
        let receipt = bench.export(&fixtures::batch(signal).slice(0..1)).await.unwrap();
        let reason = &receipt.rejected[0].reason;
        assert!(reason.contains("no such key") && !reason.contains(KEY), "{reason}");
    }
}
