//! Every request of the whole fixture set, as text.

use std::fmt::Write as _;

use obs_core::{Batch, Exporter, Signal};
use obs_otel::{Conventions, OtelConfig, Protocol};
use obs_testkit::{Captured, conformance, fixtures};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::support::{Bench, Sent};

/// A request as text: a line for each field and attribute.
fn readable(request: &Captured) -> String {
    let mut out = String::new();
    match Sent::of(request) {
        Sent::Traces(request) => {
            for of in &request.resource_spans {
                for scope in &of.scope_spans {
                    shared(&mut out, of.resource.as_ref(), scope.scope.as_ref());
                    scope.spans.iter().for_each(|it| span(&mut out, it));
                }
            }
        }
        Sent::Metrics(request) => {
            for of in &request.resource_metrics {
                for scope in &of.scope_metrics {
                    shared(&mut out, of.resource.as_ref(), scope.scope.as_ref());
                    scope.metrics.iter().for_each(|it| metric(&mut out, it));
                }
            }
        }
        Sent::Logs(request) => {
            for of in &request.resource_logs {
                for scope in &of.scope_logs {
                    shared(&mut out, of.resource.as_ref(), scope.scope.as_ref());
                    scope.log_records.iter().for_each(|it| log(&mut out, it));
                }
            }
        }
    }
    out
}

fn shared(out: &mut String, resource: Option<&Resource>, scope: Option<&InstrumentationScope>) {
    let _ = writeln!(out, "resource");
    attributes(out, &resource.unwrap().attributes);
    let scope = scope.unwrap();
    let _ = writeln!(out, "scope {} {}", scope.name, scope.version);
    attributes(out, &scope.attributes);
}

fn attributes(out: &mut String, attributes: &[KeyValue]) {
    for KeyValue { key, value, .. } in attributes {
        let value = value.as_ref().map(shown).unwrap_or_default();
        let _ = writeln!(out, "    {key} = {}", cut(&value));
    }
}

fn shown(value: &AnyValue) -> String {
    match value.value.as_ref() {
        None => "nothing".into(),
        Some(Any::StringValue(text)) => format!("{text:?}"),
        Some(Any::BoolValue(value)) => value.to_string(),
        Some(Any::IntValue(value)) => value.to_string(),
        Some(Any::DoubleValue(value)) => format!("{value:?}"),
        Some(Any::ArrayValue(list)) => {
            format!("[{}]", list.values.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        Some(Any::KvlistValue(map)) => {
            let pairs = map
                .values
                .iter()
                .map(|pair| format!("{}: {}", pair.key, pair.value.as_ref().map(shown).unwrap_or_default()));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        Some(other) => panic!("obs makes no {other:?}"),
    }
}

fn cut(text: &str) -> String {
    if text.len() <= 400 {
        return text.to_owned();
    }
    format!("{}[…] {} bytes", &text[..text.floor_char_boundary(200)], text.len())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn span(out: &mut String, span: &Span) {
    let _ = writeln!(
        out,
        "span {} of {} below {:?}",
        hex(&span.span_id),
        hex(&span.trace_id),
        hex(&span.parent_span_id)
    );
    let _ = writeln!(
        out,
        "  {:?} {:?} from {} to {}, flags {:#x}, state {:?}, status {:?}",
        span.name,
        span.kind(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.flags,
        span.trace_state,
        span.status
    );
    attributes(out, &span.attributes);
    for event in &span.events {
        let _ = writeln!(out, "  event {:?} at {}", event.name, event.time_unix_nano);
        attributes(out, &event.attributes);
    }
    for link in &span.links {
        let _ = writeln!(
            out,
            "  link to {} of {}, state {:?}",
            hex(&link.span_id),
            hex(&link.trace_id),
            link.trace_state
        );
        attributes(out, &link.attributes);
    }
}

fn log(out: &mut String, log: &LogRecord) {
    let _ = writeln!(
        out,
        "log at {} seen {}, {} {:?}, event {:?}, under {:?} of {:?}, flags {}",
        log.time_unix_nano,
        log.observed_time_unix_nano,
        log.severity_number,
        log.severity_text,
        log.event_name,
        hex(&log.span_id),
        hex(&log.trace_id),
        log.flags
    );
    let _ = writeln!(out, "  body {}", log.body.as_ref().map(shown).as_deref().map(cut).unwrap_or_default());
    attributes(out, &log.attributes);
}

fn metric(out: &mut String, metric: &Metric) {
    let _ = writeln!(out, "metric {:?} in {:?}: {:?}", metric.name, metric.unit, metric.description);
    let _ = writeln!(out, "  {:?}", metric.data.as_ref().unwrap());
}

/// The requests of a batch, each record in a request of its own where `apart`, so that all of it can be read.
async fn requests(batch: &Batch, apart: bool, set: impl Fn(OtelConfig) -> OtelConfig) -> String {
    let bench = Bench::with(set).await;
    let batch = conformance::input(batch, bench.exporter.descriptor());
    let step = if apart { 1 } else { batch.len().max(1) };
    for from in (0..batch.len()).step_by(step) {
        // A record that OTLP has no form for is a rejection, and in no request.
        let _ = bench.export(&batch.slice(from..(from + step).min(batch.len()))).await.unwrap();
    }
    bench.server.redacted_snapshot_with(|request| Some(readable(request)))
}

fn same(config: OtelConfig) -> OtelConfig {
    config
}

macro_rules! snapshot {
    ($($name:ident: $batch:expr, $apart:expr, $set:expr;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                insta::assert_snapshot!(requests(&$batch, $apart, $set).await);
            }
        )*
    };
}

snapshot! {
    spans_one_by_one: fixtures::batch(Signal::Traces), true, same;
    spans_by_openinference: fixtures::batch(Signal::Traces), true, |config| config.with_conventions(Conventions::OpenInference);
    spans_by_both: fixtures::batch(Signal::Traces), true, |config| config.with_conventions(Conventions::Both);
    spans_together: fixtures::batch(Signal::Traces), false, |config| config.with_span_name_prefix("shop");
    logs: fixtures::batch(Signal::Logs), true, same;
    series: fixtures::batch(Signal::Metrics), true, same;
    scores: fixtures::batch(Signal::Scores), true, same;
    feedback: fixtures::batch(Signal::Feedback), true, same;
}

#[tokio::test]
async fn one_agent_run() {
    let mut all = String::new();
    for batch in fixtures::trace_batches() {
        all += &requests(&batch, true, same).await;
        all += "\n\n===\n\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn in_json() {
    let bench = Bench::with(|config| config.with_protocol(Protocol::HttpJson)).await;
    for batch in fixtures::trace_batches() {
        let batch = conformance::input(&batch, bench.exporter.descriptor());
        if !batch.is_empty() {
            bench.exporter.export(&batch.slice(0..1)).await.unwrap();
        }
    }
    insta::assert_snapshot!(bench.server.redacted_snapshot());
}

#[tokio::test]
async fn nasty() {
    let mut all = String::new();
    for signal in Signal::ALL {
        all += &requests(&fixtures::nasty(signal), false, same).await;
        all += "\n\n===\n\n";
    }
    insta::assert_snapshot!(all);
}
