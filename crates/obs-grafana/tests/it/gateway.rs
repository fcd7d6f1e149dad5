//! What Grafana Cloud's gateway is sent, and what differs from it by Loki's own way.

use std::collections::BTreeMap;

use obs_core::{Batch, Exporter, Log, Signal, Signals};
use obs_grafana::{GrafanaConfig, GrafanaExporter, LogsVia};
use obs_testkit::{Answer, CaptureServer, fixtures};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use crate::otlp;
use crate::support::{API_KEY, Bench, INSTANCE_ID, LOKI_USER};

/// Of `12345678:glc_0123456789abcdef`.
const BASIC: &str = "Basic MTIzNDU2Nzg6Z2xjXzAxMjM0NTY3ODlhYmNkZWY=";

#[tokio::test]
async fn every_signal_goes_to_its_path_as_protobuf_with_the_stacks_credential() {
    let bench = Bench::gateway().await;
    for (signal, path) in [
        (Signal::Traces, "/otlp/v1/traces"),
        (Signal::Metrics, "/otlp/v1/metrics"),
        (Signal::Logs, "/otlp/v1/logs"),
        (Signal::Scores, "/otlp/v1/logs"),
        (Signal::Feedback, "/otlp/v1/logs"),
    ] {
        let batch = bench.input(&fixtures::batch(signal));
        let receipt = bench.export(&batch).await.unwrap();
        assert_eq!(receipt.delivered, batch.len(), "{signal}");
        let request = bench.server.take_requests().remove(0);
        assert_eq!((&*request.method, &*request.path), ("POST", path));
        assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
        assert_eq!(request.header("content-encoding"), Some("gzip"));
        assert_eq!(request.header("authorization"), Some(BASIC));
        let sum: usize = otlp::counts(&request).into_iter().map(|(_, count)| count).sum();
        assert_eq!(sum, batch.len(), "{signal}");
    }
}

#[tokio::test]
async fn law_5_the_ids_of_spans_survive() {
    let bench = Bench::gateway().await;
    let batch = bench.input(&fixtures::batch(Signal::Traces));
    let Batch::Traces(records) = &batch else { unreachable!() };
    bench.export(&batch).await.unwrap();
    let request = bench.server.take_requests().remove(0);
    let found: Vec<_> = otlp::spans(&request).into_iter().map(|span| (span.trace_id, span.span_id)).collect();
    for record in records.iter() {
        let span = record.span();
        assert!(found.contains(&(span.trace_id.to_bytes().to_vec(), span.span_id.to_bytes().to_vec())));
    }
    let service =
        otlp::resource(&request).into_iter().find(|pair| pair.key == "service.instance.id").unwrap();
    assert_eq!(text(service.value), "instance-1");
}

#[tokio::test]
async fn what_the_gateway_refuses_in_part_is_counted() {
    let bench = Bench::gateway().await;
    // `partial_success { rejected_log_records: 2, error_message: "too old" }`.
    let partial = [0x0a, 0x0b, 0x08, 0x02, 0x12, 0x07, b't', b'o', b'o', b' ', b'o', b'l', b'd'];
    let answer = Answer::status(200).with_header("content-type", "application/x-protobuf").with_body(partial);
    bench.server.answer_for("POST", "/otlp/v1/logs", answer);
    let batch = fixtures::batch(Signal::Logs);
    let receipt = bench.export(&batch).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (batch.len() - 2, 2));
    assert!(receipt.rejected[0].reason.contains("too old"));
}

#[tokio::test]
async fn law_6_what_the_gateway_says_of_records_it_refuses_is_scrubbed_cut_and_one_line() {
    let bench = Bench::gateway().await;
    let said = format!("old\n\u{1b}[31m{API_KEY} {}", "x".repeat(1 << 20));
    let partial = serde_json::json!({"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": said}});
    bench.server.answer_for("POST", "/otlp/v1/logs", Answer::json(&partial));
    let receipt = bench.export(&fixtures::batch(Signal::Logs)).await.unwrap();
    let reason = &receipt.rejected[0].reason;
    assert!(reason.contains("old"), "{reason}");
    assert!(!reason.contains(API_KEY) && !reason.contains(char::is_control) && reason.len() < 4_096);
}

/// An attribute as Loki has it: text.
fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Any::StringValue(text)) => text,
        Some(Any::BoolValue(value)) => value.to_string(),
        Some(Any::IntValue(value)) => value.to_string(),
        Some(Any::DoubleValue(value)) => value.to_string(),
        Some(Any::ArrayValue(list)) => {
            let texts: Vec<String> = list.values.into_iter().map(|value| text(Some(value))).collect();
            serde_json::to_string(&texts).unwrap()
        }
        other => format!("{other:?}"),
    }
}

/// Names as Loki makes them of OTLP's.
fn pairs(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let name = |key: String| key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    attributes.into_iter().map(|pair| (name(pair.key), text(pair.value))).collect()
}

#[tokio::test]
async fn lokis_own_way_tells_all_that_otlp_tells() {
    for signal in [Signal::Logs, Signal::Scores, Signal::Feedback] {
        let batch = fixtures::batch(signal);
        let (gateway, direct) = (Bench::gateway().await, Bench::direct().await);
        gateway.export(&batch).await.unwrap();
        let by_otlp = otlp::logs(&gateway.server.take_requests()[0]);
        let by_loki = direct.pushed(&batch).await;
        assert_eq!(by_otlp.len(), batch.len());
        for log in by_otlp {
            let (time, body) = (log.time_unix_nano, text(log.body));
            let same = |stream: &crate::support::Stream| {
                let entry = stream.values.iter().find(|entry| entry.nanos() == time)?;
                Some(stream.stream.clone().into_iter().chain(entry.2.clone()).collect::<BTreeMap<_, _>>())
            };
            let found =
                by_loki.iter().find_map(same).unwrap_or_else(|| panic!("{body:?} at {time} is not there"));
            for (name, value) in pairs(log.attributes) {
                assert_eq!(found.get(&name), Some(&value), "{signal}: {name}");
            }
            assert_eq!(found["severity_number"], log.severity_number.to_string());
        }
    }
}

#[tokio::test]
async fn a_signal_without_an_address_is_not_taken_and_says_so() {
    let server = CaptureServer::start().await;
    let only = |signals: &[Signal]| signals.iter().copied().collect::<Signals>();
    let logs = [Signal::Logs, Signal::Scores, Signal::Feedback];
    let own = GrafanaConfig::self_hosted;
    for (config, taken) in [
        (own().with_tempo_endpoint(server.url()), only(&[Signal::Traces])),
        (own().with_mimir_endpoint(server.url()), only(&[Signal::Metrics])),
        (own().with_loki_endpoint(server.url()), only(&logs)),
        (own().with_loki_endpoint(server.url()).with_logs(LogsVia::Loki), only(&logs)),
        (own().with_endpoint(server.url()), Signals::ALL),
    ] {
        let exporter = GrafanaExporter::new(config).unwrap();
        assert_eq!(exporter.descriptor().signals(), taken);
        for signal in Signal::ALL.into_iter().filter(|signal| !taken.contains(*signal)) {
            let error = exporter.export(&fixtures::batch(signal)).await.unwrap_err();
            assert_eq!(error.kind(), obs_core::ErrorKind::Unsupported);
            assert!(exporter.encode(&fixtures::batch(signal)).is_empty());
        }
    }
    assert!(server.requests().is_empty());
    let error = GrafanaExporter::new(own()).unwrap_err();
    assert!(error.message().starts_with("endpoint: no address"), "{}", error.message());
}

#[tokio::test]
async fn a_tenant_goes_with_every_request_over_plain_http_too() {
    let config = |host: &str| GrafanaConfig::self_hosted().with_loki_endpoint(format!("http://{host}:3100"));
    // A tenant is no credential, a key is one.
    assert!(GrafanaExporter::new(config("loki").with_tenant("team-a")).is_ok());
    let keyed = GrafanaConfig::new(INSTANCE_ID, API_KEY).with_loki("http://loki:3100", LOKI_USER);
    let error = GrafanaExporter::new(keyed).unwrap_err();
    assert!(
        error.message().starts_with("loki_endpoint: ") && error.message().contains("plain http"),
        "{}",
        error.message()
    );
    let bench = Bench::with(|config| config.with_tenant("team-a")).await;
    for signal in [Signal::Traces, Signal::Logs] {
        bench.export(&bench.input(&fixtures::batch(signal))).await.unwrap();
    }
    let requests = bench.server.take_requests();
    assert!(requests.iter().all(|request| request.header("x-scope-orgid") == Some("team-a")));
}

#[test]
fn a_trace_has_an_address_where_grafanas_pages_are_known() {
    let of = |config| GrafanaExporter::new(config).unwrap().trace_url(fixtures::trace_id(1));
    let config = GrafanaConfig::new(INSTANCE_ID, API_KEY);
    assert_eq!(of(config.clone()), None);
    let url = of(config.with_grafana_url("https://stack.grafana.net/")).unwrap();
    assert!(url.starts_with("https://stack.grafana.net/explore?schemaVersion=1&panes=%7B"), "{url}");
    assert!(url.contains("0af7651916cd43dd8448eb2100000001") && url.contains("grafanacloud-traces"));
}

#[tokio::test]
async fn ids_of_a_log_are_no_labels() {
    let bench = Bench::direct_with(|config| config.with_loki_labels(["service.name", "order"])).await;
    let Batch::Logs(logs) = fixtures::batch(Signal::Logs) else { unreachable!() };
    let streams = bench.pushed(&Batch::Logs(logs.clone())).await;
    let ordered = streams.iter().find(|stream| stream.stream.contains_key("order")).unwrap();
    assert_eq!(ordered.stream["order"], "A-7");
    let with_trace = |log: &&Log| log.span.is_some();
    let told =
        streams.iter().flat_map(|stream| &stream.values).filter(|entry| entry.2.contains_key("trace_id"));
    assert_eq!(told.count(), logs.iter().filter(with_trace).count());
}
