//! How much goes into a request, and what becomes of a record that is larger than any.

use obs_core::{Batch, ErrorKind, Exporter, Level, Log, MetricForm, Signal};
use obs_testkit::CaptureServer;
use obs_testkit::fixtures::at;
use obs_webhook::{Format, MetricsAs, Shape, Template, WebhookConfig};

use crate::server::{self, logs, many, messages, sent};

fn long(nth: u64, bytes: usize) -> Log {
    Log::new(at(nth), Level::Info, format!("{nth} {}", "x".repeat(bytes)))
}

#[tokio::test]
async fn a_request_has_at_most_so_many_records_in_their_order() {
    let (requests, receipt) = sent(&many(10), |config| config.with_max_items(4)).await;
    let said: Vec<Vec<String>> = requests.iter().map(messages).collect();
    assert_eq!(said.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
    assert_eq!(said.concat(), (0..10).map(|nth| format!("message {nth}")).collect::<Vec<_>>());
    assert_eq!(receipt.delivered, 10);
}

#[tokio::test]
async fn no_body_is_larger_than_is_taken() {
    let batch = || logs((0..40).map(|nth| long(nth, 300)));
    let template = || Template::per_batch("{{ records }}");
    let changes: [fn(WebhookConfig) -> WebhookConfig; 5] = [
        |config| config,
        |config| config.with_format(Format::Ndjson),
        |config| config.with_format(Format::Form).with_form_value("channel", "c"),
        |config| config.with_shape(Shape::Array),
        |config| config.with_template(Template::per_record("{{ record }}")),
    ];
    for change in changes {
        let (requests, receipt) = sent(&batch(), |config| change(config).with_max_bytes(2_048)).await;
        assert!(requests.iter().all(|request| request.body.len() <= 2_048), "{:?}", requests[0].headers);
        assert!(requests.len() < 40 && receipt.delivered == 40, "{} requests", requests.len());
    }
    let (requests, receipt) =
        sent(&batch(), |config| config.with_template(template()).with_max_bytes(2_048)).await;
    assert!(requests.iter().all(|request| request.body.len() <= 2_048));
    assert!(requests.len() < 40 && receipt.delivered == 40, "{} requests", requests.len());
}

#[tokio::test]
async fn a_record_that_is_too_large_is_cut_with_a_mark() {
    let changes: [fn(WebhookConfig) -> WebhookConfig; 4] = [
        |config| config,
        |config| config.with_format(Format::Form),
        |config| config.with_template(Template::per_batch("{{ records }}")),
        |config| config.with_template(Template::per_record("{{ record }}")),
    ];
    for change in changes {
        let batch = logs([long(1, 10), long(2, 20_000), long(3, 10)]);
        let (requests, receipt) = sent(&batch, |config| change(config).with_max_bytes(8_192)).await;
        assert_eq!(receipt.delivered, 3);
        let bodies: Vec<_> = requests.iter().map(|request| String::from_utf8_lossy(&request.body)).collect();
        assert!(bodies.iter().all(|body| body.len() <= 8_192));
        let marked =
            bodies.iter().filter(|body| body.contains("20002") && body.contains("truncated")).count();
        assert_eq!(marked, 1);
    }
}

#[tokio::test]
async fn a_record_that_nothing_can_be_cut_of_is_refused_alone() {
    let mut batch = match logs([long(1, 10), long(2, 10)]) {
        Batch::Logs(records) => records.iter().cloned().collect::<Vec<_>>(),
        _ => unreachable!(),
    };
    for nth in 0..200 {
        batch[0].attributes.push(format!("name {nth}"), nth);
    }
    let (requests, receipt) = sent(&logs(batch), |config| config.with_max_bytes(1_024)).await;
    assert_eq!((receipt.delivered, receipt.rejected_count(), requests.len()), (1, 1, 1));
    assert_eq!(receipt.rejected[0].kind, ErrorKind::TooLarge);
}

#[tokio::test]
async fn several_requests_are_under_way_where_that_is_asked_for() {
    let server = CaptureServer::start().await;
    let config = server::config(&server).with_shape(Shape::Record).with_max_concurrent_requests(8);
    let receipt = server::exporter(config).export(&many(50)).await.unwrap();
    assert_eq!((receipt.delivered, server.requests().len()), (50, 50));
}

#[tokio::test]
async fn the_descriptor_tells_what_was_configured() {
    let server = CaptureServer::start().await;
    let config = server::config(&server).with_max_items(9).with_max_bytes(5_000).with_span_starts(true);
    let exporter = server::exporter(config.with_metric_form(MetricsAs::Cumulative));
    let descriptor = exporter.descriptor();
    let limits = descriptor.limits(Signal::Traces);
    assert_eq!((limits.items, limits.bytes), (9, 5_000));
    assert_eq!((descriptor.metric_form(), descriptor.wants_started()), (MetricForm::Cumulative, true));
    let exporter = server::exporter(server::config(&server));
    assert_eq!(exporter.descriptor().metric_form(), MetricForm::Records);
    assert!(!exporter.descriptor().wants_started());
}
