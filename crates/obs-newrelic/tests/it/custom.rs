//! Events of the user's own.

use obs_core::{
    Batch, Exporter, Histogram, Level, Log, Metric, MetricValue, Signal, Span, SpanRecord, Temporality,
};
use obs_newrelic::{NewRelicConfig, NewRelicExporter};
use obs_testkit::Captured;
use obs_testkit::fixtures::{self, span_id, trace_id};
use serde_json::{Value, json};

use crate::otlp;
use crate::support::{Bench, EVENTS, KEY, at, events};

fn paths(requests: &[Captured]) -> Vec<&str> {
    requests.iter().map(|request| &*request.path).collect()
}

fn span(nth: u32, attributes: &[(&'static str, Value)]) -> SpanRecord {
    let mut span = Span::new(trace_id(1), span_id(nth), "step", at(0));
    span.end = Some(at(1_500));
    for (name, value) in attributes {
        match value {
            Value::String(text) => span.attributes.insert(*name, text.clone()),
            number => span.attributes.insert(*name, number.as_f64().unwrap()),
        }
    }
    SpanRecord::Ended(span)
}

#[tokio::test]
async fn a_span_with_a_listed_attribute_is_an_event_beside_the_span() {
    let bench =
        Bench::with(|config| config.with_event_type("Trace", ["function_name", "memory_usage_mb"])).await;
    let batch = Batch::Traces(
        vec![span(1, &[("function_name", json!("f")), ("other", json!(1))]), span(2, &[("other", json!(2))])]
            .into(),
    );
    assert_eq!(bench.export(&batch).await.unwrap().delivered, 2);
    let requests = bench.server.take_requests();
    assert_eq!(paths(&requests), ["/v1/traces", EVENTS], "what decides goes first");
    assert_eq!(otlp::spans(&requests[0]).len(), 2);
    let mut events = events(&requests[1]);
    assert_eq!(events.len(), 1);
    assert!(events[0].remove("event.id").unwrap().is_string());
    assert_eq!(
        Value::from(events[0].clone()),
        json!({
            "eventType": "Trace", "timestamp": at(0).as_millis(), "function_name": "f", "name": "step",
            "duration.ms": 1_500.0, "appName": "obs-test",
            "trace.id": trace_id(1).to_string(), "trace_id": trace_id(1).to_string(),
            "span.id": span_id(1).to_string(), "span_id": span_id(1).to_string(),
        })
    );
}

#[tokio::test]
async fn a_log_with_a_listed_attribute_is_an_event_beside_the_log() {
    let bench = Bench::with(|config| config.with_event_type("Orders", ["order"])).await;
    let mut log = Log::new(at(5), Level::Warn, "late");
    log.attributes.push("order", 7);
    let batch = Batch::Logs(vec![log, Log::new(at(6), Level::Info, "other")].into());
    bench.export(&batch).await.unwrap();
    let requests = bench.server.take_requests();
    assert_eq!(otlp::logs(&requests[0]).len(), 2);
    let events = events(&requests[1]);
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&events[0]["order"], &events[0]["message"], &events[0]["level"]),
        (&json!(7), &json!("late"), &json!("warn"))
    );
}

fn gauge(name: &'static str, region: &'static str, value: f64, time: u64) -> Metric {
    let mut metric = Metric::new(at(time), name, MetricValue::Gauge(value));
    metric.labels = [("region", region)].into();
    metric
}

#[tokio::test]
async fn points_of_the_same_labels_are_one_event_and_a_second_of_a_name_is_another() {
    let bench = Bench::with(|config| config.with_event_type("Load", ["rate", "delay"])).await;
    let mut delay = gauge("delay", "eu", 0.0, 9);
    (delay.start, delay.temporality) = (Some(at(0)), Some(Temporality::Delta));
    delay.value = MetricValue::Histogram(Box::new(Histogram {
        count: 2,
        sum: 3.0,
        min: Some(1.0),
        max: Some(2.0),
        ..Histogram::default()
    }));
    let batch = Batch::Metrics(
        vec![
            gauge("rate", "eu", 5.0, 8),
            gauge("rate", "us", 6.0, 8),
            delay,
            gauge("other", "eu", 1.0, 8),
            gauge("rate", "eu", 7.0, 10),
        ]
        .into(),
    );
    let events = bench.events(&batch).await;
    let seen: Vec<_> = events
        .iter()
        .map(|event| json!([event["region"], event.get("rate"), event.get("delay"), event["timestamp"]]))
        .collect();
    let time = |millis| at(millis).as_millis();
    assert_eq!(
        seen,
        [
            json!(["eu", 5.0, 1.5, time(9)]),
            json!(["us", 6.0, null, time(8)]),
            json!(["eu", 7.0, null, time(10)])
        ]
    );
    for (name, value) in [("delay.count", 2.0), ("delay.sum", 3.0), ("delay.min", 1.0), ("delay.max", 2.0)] {
        assert_eq!(events[0][name].as_f64(), Some(value), "{name}");
    }
    assert_eq!(events[0]["interval.ms"], 9);
}

#[tokio::test]
async fn what_no_event_lists_is_no_event_and_no_request() {
    let bench = Bench::with(|config| config.with_event_type("None", ["listed_nowhere"])).await;
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        bench.export(&bench.input(&fixtures::batch(signal))).await.unwrap();
    }
    assert!(bench.server.take_requests().iter().all(|request| request.path != EVENTS));
}

#[test]
fn events_without_an_account_are_an_error_and_scores_are_not_taken() {
    let config = NewRelicConfig::new(KEY);
    let signals = NewRelicExporter::new(config.clone()).unwrap().descriptor().signals();
    assert!(!signals.contains(Signal::Scores) && !signals.contains(Signal::Feedback));
    assert!(
        signals.contains(Signal::Traces)
            && signals.contains(Signal::Metrics)
            && signals.contains(Signal::Logs)
    );
    let error = NewRelicExporter::new(config.with_event_type("Load", ["rate"])).unwrap_err();
    assert!(error.message().starts_with("account_id: missing"), "{}", error.message());
}

#[tokio::test]
async fn a_metric_that_is_listed_as_an_attribute_of_ours_stands_there_once() {
    let bench =
        Bench::with(|config| config.with_event_type("Load", ["interval.ms", "delay", "delay.count"])).await;
    let mut delay = gauge("delay", "eu", 0.0, 9);
    (delay.start, delay.temporality) = (Some(at(0)), Some(Temporality::Delta));
    delay.value = MetricValue::Histogram(Box::new(Histogram { count: 2, sum: 3.0, ..Histogram::default() }));
    let points = vec![gauge("interval.ms", "eu", 5.0, 9), gauge("delay.count", "eu", 6.0, 9), delay];
    bench.export(&Batch::Metrics(points.into())).await.unwrap();
    let requests = bench.server.take_requests();
    let body = requests.iter().find(|request| request.path == EVENTS).unwrap();
    let text = String::from_utf8_lossy(&body.body);
    for name in ["\"interval.ms\":", "\"delay.count\":", "\"delay\":"] {
        assert_eq!(text.matches(name).count(), 1, "{name} in {text}");
    }
    let event = &events(body)[0];
    assert_eq!((&event["interval.ms"], &event["metric.interval.ms"]), (&json!(9), &json!(5.0)));
    assert_eq!(event["delay.count"], 6.0);
    assert!(event["more"].as_str().unwrap().contains("\"delay.count\":2"));
}
