//! What answers mean for the records of a batch.

use std::time::Duration;

use obs_core::{Batch, ErrorKind, Exporter, Health, Retry, Signal, Span};
use obs_datadog::{DatadogConfig, DatadogExporter};
use obs_testkit::fixtures::{at, span_id, trace_id};
use obs_testkit::{Answer, CaptureServer};
use serde_json::json;

use crate::server::{self, KEY, ended, failed};
use crate::watch::Watch;

const HOLD: Retry = Retry::Hold(Duration::from_mins(1));

fn spans() -> Batch {
    ended((1..=2).map(|nth| {
        let mut span = Span::new(trace_id(1), span_id(nth), "step", at(0));
        span.end = Some(at(1));
        span
    }))
}

#[tokio::test]
async fn a_limit_of_rates_waits_as_long_as_datadog_s_own_header_says() {
    for (headers, expected) in [
        (vec![("x-ratelimit-reset", "7")], Retry::After(Duration::from_secs(7))),
        (vec![("x-ratelimit-reset", "7"), ("retry-after", "9")], Retry::After(Duration::from_secs(9))),
        (vec![("x-ratelimit-reset", "soon")], Retry::Backoff),
        (vec![], Retry::Backoff),
    ] {
        let answer =
            headers.iter().fold(Answer::status(429), |answer, (name, value)| answer.with_header(name, value));
        let error = failed(spans(), answer.with_body("slow down")).await;
        assert_eq!(
            (error.kind(), error.retry(), error.status()),
            (ErrorKind::RateLimited, expected, Some(429))
        );
        assert_eq!(error.undelivered().len(), 2);
        assert!(error.message().contains("slow down"), "{error}");
    }
}

#[tokio::test]
async fn a_limit_that_a_web_page_tells_is_one_all_the_same() {
    let error = failed(spans(), Answer::status(429).with_body("<html>Too many</html>")).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::Backoff));
}

#[tokio::test]
async fn refused_credentials_hold_the_destination_and_name_the_key() {
    for status in [401, 403] {
        let error = failed(spans(), Answer::status(status)).await;
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, HOLD));
        assert!(error.message().contains("DD_API_KEY"), "{error}");
    }
}

#[tokio::test]
async fn what_is_too_large_or_refused_is_left_to_be_halved() {
    for (status, kind) in [(413, ErrorKind::TooLarge), (400, ErrorKind::Rejected), (422, ErrorKind::Rejected)]
    {
        let error = failed(spans(), Answer::status(status)).await;
        assert_eq!((error.kind(), error.retry(), error.undelivered().len()), (kind, Retry::Never, 2));
    }
}

#[tokio::test]
async fn an_outage_leaves_everything_for_later() {
    for status in [408, 500, 502, 503, 504] {
        let error = failed(spans(), Answer::status(status)).await;
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{status}");
        assert_eq!(error.undelivered().len(), 2);
    }
}

#[tokio::test]
async fn an_agent_that_lacks_the_proxy_holds_the_destination() {
    let server = CaptureServer::start().await;
    server.answer_always(Answer::status(404));
    let exporter = server::exporter_of(server::config(&server).with_agent_url(server.url()));
    let error = exporter.export(&spans()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Config, HOLD));
}

#[tokio::test]
async fn a_check_validates_the_key() {
    for (status, body, healthy) in [
        (200, json!({"valid": true}), true),
        (200, json!({"valid": false}), false),
        (403, json!({"errors": ["Forbidden"]}), false),
        (500, json!({}), false),
    ] {
        let server = CaptureServer::start().await;
        server.answer_always(Answer::status(status).with_json(&body));
        let health = server::exporter(&server).check().await;
        assert_eq!(health == Health::Healthy, healthy, "{status} {body}: {health:?}");
        let request = &server.requests()[0];
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/api/v1/validate"));
        assert_eq!(request.header("dd-api-key"), Some(KEY));
    }
}

#[tokio::test]
async fn a_check_of_an_agent_asks_it_what_it_is() {
    let server = server::start().await;
    let exporter = DatadogExporter::new(DatadogConfig::agent(server.url())).unwrap();
    assert_eq!(exporter.check().await, Health::Healthy);
    assert_eq!(server.requests()[0].path, "/info");
    assert_eq!(server.requests().len(), 1, "there is no key to validate");
}

#[tokio::test]
async fn without_a_key_an_agent_takes_traces_and_evaluations_and_nothing_else() {
    let server = server::start().await;
    let exporter = DatadogExporter::new(DatadogConfig::agent(server.url())).unwrap();
    let taken = exporter.descriptor().signals();
    let expected = [Signal::Traces, Signal::Scores, Signal::Feedback];
    assert!(Signal::ALL.into_iter().all(|signal| taken.contains(signal) == expected.contains(&signal)));
    let error = exporter.export(&obs_testkit::fixtures::batch(Signal::Logs)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

/// Datadog answers with success before it has looked, and may say in the same answer what it did not like.
#[tokio::test]
async fn errors_in_an_answer_of_success_are_told() {
    let metrics = || crate::metrics::batch([crate::metrics::counted("m", 0, 1.0)]);
    for (errors, told) in [(json!(["bad unit"]), 1), (json!([{"detail": "bad tag"}]), 1), (json!([]), 0)] {
        let (watch, _guard) = Watch::start();
        let server = CaptureServer::start().await;
        server.answer_always(Answer::status(202).with_json(&json!({ "errors": errors })));
        let exporter = server::exporter(&server);
        assert_eq!(exporter.export(&metrics()).await.unwrap().delivered, 1);
        assert_eq!(
            exporter.export(&metrics()).await.unwrap().delivered,
            1,
            "told once, for as long as it is the same"
        );
        let lines = watch.lines();
        assert_eq!(lines.len(), told, "{lines:#?}");
        assert!(lines.iter().all(|line| line.contains("bad") && line.contains("series")), "{lines:#?}");
    }
}
