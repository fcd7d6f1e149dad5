//! Requests are as large as OTLP's receivers take them, and no record is lost for its size.

use obs_core::{Batch, Exporter, Level, Log, Payload, Signal, Span, SpanRecord, Str};
use obs_otel::Protocol;
use obs_testkit::fixtures::{at, span_id, trace_id};

use crate::support::{Bench, Sent, speaking};

fn span(nth: u32, output: &str) -> SpanRecord {
    let mut span = Span::new(trace_id(1), span_id(nth), "work", at(0));
    (span.end, span.output) = (Some(at(1)), Some(Payload::text(Str::copied(output))));
    SpanRecord::Ended(span)
}

fn spans(count: u32, output: &str) -> Batch {
    Batch::Traces((1..=count).map(|nth| span(nth, output)).collect())
}

fn count(sent: &Sent) -> usize {
    match sent {
        Sent::Traces(request) => request.resource_spans.iter().map(|of| of.scope_spans[0].spans.len()).sum(),
        Sent::Logs(request) => {
            request.resource_logs.iter().map(|of| of.scope_logs[0].log_records.len()).sum()
        }
        Sent::Metrics(_) => 0,
    }
}

#[tokio::test]
async fn a_request_has_at_most_512_records() {
    let bench = Bench::start().await;
    let sent = bench.sent(&spans(1_100, "")).await;
    assert_eq!(sent.iter().map(count).collect::<Vec<_>>(), [512, 512, 76]);
    let logs = Batch::Logs((0..600).map(|_| Log::new(at(0), Level::Info, "m")).collect());
    assert_eq!(bench.sent(&logs).await.iter().map(count).collect::<Vec<_>>(), [512, 88]);
}

#[tokio::test]
async fn a_request_has_at_most_the_bytes_of_the_config() {
    for protocol in [Protocol::HttpProtobuf, Protocol::HttpJson] {
        let bench = Bench::with(|config| speaking(protocol)(config).with_max_request_size(100_000)).await;
        assert_eq!(bench.exporter.descriptor().limits(Signal::Traces).bytes, 100_000);
        let receipt = bench.export(&spans(40, &"x".repeat(10_000))).await.unwrap();
        let requests = bench.server.take_requests();
        assert!(requests.len() > 4 && requests.iter().all(|request| request.body.len() <= 100_000));
        assert_eq!(
            (receipt.delivered, requests.iter().map(Sent::of).map(|sent| count(&sent)).sum()),
            (40, 40)
        );
    }
}

#[tokio::test]
async fn a_record_that_is_too_large_is_cut_with_a_mark_and_sinks_no_other() {
    let bench = Bench::with(|config| config.with_max_request_size(100_000)).await;
    let records = vec![span(1, "before"), span(2, &"y".repeat(300_000)), span(3, "after")];
    let receipt = bench.export(&Batch::Traces(records.into())).await.unwrap();
    assert_eq!(receipt.delivered, 3);
    let requests = bench.server.take_requests();
    assert!(requests.iter().all(|request| request.body.len() <= 100_000));
    let text: String =
        requests.iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect();
    assert!(text.contains("truncated by obs: 300000 bytes were too large"));
}

#[test]
fn sizes_that_cannot_work_are_refused() {
    for (config, field) in [
        (crate::support::config("http://localhost").with_max_request_size(1_000), "max_request_size"),
        (crate::support::config("http://localhost").with_max_request_size(65 << 20), "max_request_size"),
        (crate::support::config("http://localhost").with_max_request_items(0), "max_request_items"),
        (crate::support::config("http://localhost").with_span_name_prefix(" "), "span_name_prefix"),
    ] {
        let error = obs_otel::OtelExporter::new(config).unwrap_err();
        assert!(error.message().starts_with(&format!("{field}: ")), "{}", error.message());
    }
}
