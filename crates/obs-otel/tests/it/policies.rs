//! What comes of answers, from the exporter's door to its receipt.

use std::time::Duration;

use obs_core::{Batch, ErrorKind, Exporter, Health, Retry, Signal};
use obs_http::HOLD;
use obs_otel::Protocol;
use obs_testkit::{Answer, fixtures};
use serde_json::json;

use crate::support::{Bench, TOKEN, speaking};

fn spans() -> Batch {
    fixtures::trace_batches().remove(0)
}

#[tokio::test]
async fn a_status_is_retried_only_where_the_specification_says() {
    let after = Retry::After(Duration::from_secs(7));
    for (status, kind, retry) in [
        (429, ErrorKind::RateLimited, after),
        (502, ErrorKind::Unavailable, Retry::Backoff),
        (503, ErrorKind::Unavailable, after),
        (504, ErrorKind::Unavailable, Retry::Backoff),
        (400, ErrorKind::Rejected, Retry::Never),
        (408, ErrorKind::Rejected, Retry::Never),
        (500, ErrorKind::Rejected, Retry::Never),
        (413, ErrorKind::TooLarge, Retry::Never),
        (401, ErrorKind::Auth, Retry::Hold(HOLD)),
        (404, ErrorKind::Config, Retry::Hold(HOLD)),
    ] {
        let bench = Bench::start().await;
        bench.server.answer_always(Answer::status(status).with_header("retry-after", "7"));
        let error = bench.export(&spans()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{status}: {}", error.message());
        assert_eq!(error.undelivered(), &spans());
        assert_eq!(bench.server.requests().len(), 1, "nothing is retried here");
    }
}

#[tokio::test]
async fn what_a_collector_refuses_of_a_request_is_counted_and_never_sent_again() {
    for (protocol, answer, lost) in [
        (Protocol::HttpJson, json!({"partialSuccess": {"rejectedSpans": "2", "errorMessage": "old"}}), 2),
        (Protocol::HttpJson, json!({"partialSuccess": {"rejectedSpans": 2, "errorMessage": "old"}}), 2),
        (Protocol::HttpJson, json!({"partialSuccess": null}), 0),
        (Protocol::HttpJson, json!({"partialSuccess": {"errorMessage": "a warning"}}), 0),
        (Protocol::HttpProtobuf, json!({"partialSuccess": {"rejectedSpans": "9999"}}), spans().len()),
        (Protocol::HttpProtobuf, json!({}), 0),
    ] {
        let bench = Bench::with(speaking(protocol)).await;
        bench.server.answer_always(Answer::json(&answer));
        let receipt = bench.export(&spans()).await.unwrap();
        assert_eq!((receipt.delivered, receipt.rejected_count()), (spans().len() - lost, lost), "{answer}");
        assert!(receipt.rejected.iter().all(|rejection| rejection.records.is_none()));
        assert_eq!(bench.server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_partial_success_in_protobuf_is_read() {
    // partial_success { rejected_log_records: 3, error_message: "no" }
    let body = [0x0a, 6, 0x08, 3, 0x12, 2, b'n', b'o'];
    let bench = Bench::start().await;
    let answer = Answer::status(200).with_header("content-type", "application/x-protobuf").with_body(body);
    bench.server.answer_always(answer);
    for signal in [Signal::Logs, Signal::Scores, Signal::Feedback] {
        let receipt = bench.export(&fixtures::batch(signal)).await.unwrap();
        assert_eq!(receipt.rejected_count(), 3, "{signal}");
        assert!(receipt.rejected[0].reason.contains("no"));
    }
}

#[tokio::test]
async fn a_check_asks_every_service_with_a_request_without_records() {
    for (protocol, body) in [(Protocol::HttpProtobuf, &b""[..]), (Protocol::HttpJson, b"{}")] {
        let bench = Bench::with(speaking(protocol)).await;
        assert_eq!(bench.exporter.check().await, Health::Healthy);
        let requests = bench.server.take_requests();
        let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
        assert_eq!(paths, ["/v1/traces", "/v1/metrics", "/v1/logs"]);
        assert!(requests.iter().all(|request| request.body == body));
        bench.server.answer_for("POST", "/v1/logs", Answer::status(404));
        let Health::Unhealthy(why) = bench.exporter.check().await else { panic!("404 is no health") };
        assert!(why.contains("/v1/logs"), "{why}");
        let traces = Bench::with(|config| speaking(protocol)(config).with_signals([Signal::Traces])).await;
        traces.exporter.check().await;
        assert_eq!(traces.server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_signal_that_is_not_sent_is_unsupported() {
    let bench = Bench::with(|config| config.with_signals([Signal::Traces])).await;
    let error = bench.export(&fixtures::batch(Signal::Logs)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(bench.server.requests().is_empty());
}

#[tokio::test]
async fn law_6_what_a_collector_says_of_records_it_refuses_is_scrubbed_cut_and_one_line() {
    let said = format!("old\n\u{1b}[31m{TOKEN} {}", "x".repeat(1 << 20));
    let bench = Bench::start().await;
    bench.server.answer_always(Answer::json(
        &json!({"partialSuccess": {"rejectedSpans": "1", "errorMessage": said}}),
    ));
    let receipt = bench.export(&spans()).await.unwrap();
    let reason = &receipt.rejected[0].reason;
    assert!(reason.contains("old"), "{reason}");
    assert!(
        !reason.contains(TOKEN) && !reason.contains(char::is_control) && reason.len() < 4_096,
        "{reason}"
    );
}
