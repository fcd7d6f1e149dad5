use std::collections::BTreeSet;

use obs_core::{Metric, MetricValue, Signal, SpanRef, Temporality, Timestamp};
use obs_otel::{OtelConfig, OtelExporter, Protocol};
use obs_testkit::fixtures;
use serde_json::{Value, json};

use super::normal::normal;
use super::*;
use crate::e2e::source;

const WINDOW: Window = Window {
    since: Timestamp::from_nanos(100),
    until: Timestamp::from_nanos(200),
    temporality: Temporality::Cumulative,
};

/// What the exporter writes of the fixtures in JSON, as the test agent gives it back.
fn request(signal: Signal) -> Value {
    let config = OtelConfig::new("http://127.0.0.1:1").with_protocol(Protocol::HttpJson);
    let bodies = OtelExporter::new(config).unwrap().encode(&fixtures::batch(signal));
    assert_eq!(bodies.len(), 1);
    normal(serde_json::from_slice(&bodies[0]).unwrap())
}

fn wrong(signal: Signal, request: &Value) -> Vec<String> {
    let facts = if signal == Signal::Traces { found::spans(request) } else { found::logs(request) };
    let carried = if signal == Signal::Traces { Signal::Traces } else { Signal::Logs };
    held(&source::records(&fixtures::batch(signal)), carried, facts, WINDOW).wrong
}

#[test]
fn what_is_written_of_the_fixtures_is_what_was_recorded() {
    for signal in [Signal::Traces, Signal::Logs, Signal::Scores, Signal::Feedback] {
        assert_eq!(wrong(signal, &request(signal)), Vec::<String>::new(), "{signal}");
    }
}

/// Every value within a document, by its place.
fn leaves(at: &str, value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                leaves(&format!("{at}/{name}"), value, out);
            }
        }
        Value::Array(values) => {
            for (nth, value) in values.iter().enumerate() {
                leaves(&format!("{at}/{nth}"), value, out);
            }
        }
        _ => out.push(at.to_owned()),
    }
}

/// Another value of the same form.
fn other(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => json!(number.as_f64().unwrap_or_default() + 0.5),
        Value::Number(number) => json!(number.as_i64().unwrap_or_default() + 1),
        Value::Bool(yes) => json!(!yes),
        Value::String(text) => json!(format!("{text}?")),
        other => panic!("{other} is no leaf"),
    }
}

/// The place without its numbers, and the attribute that it is of.
fn general(request: &Value, place: &str) -> String {
    let parent = place.find("/attributes/").map(|at| {
        let nth = place[at + 12..].split('/').next().unwrap();
        format!(" {}", request.pointer(&format!("{}/attributes/{nth}/key", &place[..at])).unwrap())
    });
    let names: Vec<_> = place.split('/').filter(|part| part.parse::<usize>().is_err()).collect();
    format!("{}{}", names.join("/"), parent.unwrap_or_default())
}

/// What may change without being seen, by what it begins with: what the conventions have beside what is compared, and what
/// says a second time what is compared already.
const UNSEEN: &[&str] = &[
    "/resource_spans/scope_spans/spans/attributes/",
    "/resource_spans/resource/attributes/",
    "/resource_logs/scope_logs/log_records/attributes/",
    "/resource_logs/scope_logs/log_records/observed_time_unix_nano",
    "/resource_logs/scope_logs/log_records/severity_text",
    "/resource_logs/scope_logs/log_records/flags",
    "/resource_logs/resource/attributes/",
    "/resource_spans/schema_url",
    "/resource_spans/scope_spans/schema_url",
    "/resource_logs/schema_url",
    "/resource_logs/scope_logs/schema_url",
];

#[test]
fn every_value_that_is_changed_on_the_way_is_seen() {
    for (signal, seen) in [
        (
            Signal::Traces,
            &[
                "gen_ai.request.model",
                "gen_ai.usage.input_tokens",
                "gen_ai.provider.name",
                "float",
                "input.value",
            ][..],
        ),
        (Signal::Logs, &["order", "attempt", "obs.log.data", "user.id"]),
        (Signal::Scores, &["gen_ai.evaluation.name", "gen_ai.evaluation.score.value"]),
    ] {
        let request = request(signal);
        let mut places = Vec::new();
        leaves("", &request, &mut places);
        let mut unseen = BTreeSet::new();
        // Every so many of them, since each is held against all records; which ones differs between records.
        for place in places.iter().step_by(13) {
            let mut changed = request.clone();
            let value = changed.pointer_mut(place).unwrap();
            *value = other(value);
            if wrong(signal, &changed).is_empty() {
                unseen.insert(general(&request, place));
            }
        }
        let excused = |place: &String| UNSEEN.iter().any(|known| place.starts_with(known));
        let bad: Vec<_> = unseen.iter().filter(|place| !excused(place)).collect();
        assert!(bad.is_empty(), "{signal}: changed and not seen: {bad:#?}");
        for name in seen {
            let attribute = |place: &&String| place.ends_with(&format!("value {name:?}"));
            assert_eq!(unseen.iter().find(attribute), None, "{signal}: {name} was changed and not seen");
        }
        assert!(places.len() > 100, "{signal}: {} values", places.len());
    }
}

/// A point of a request, as it comes out of the test agent.
fn point(kind: &str, of: &Value, point: &Value) -> Vec<Fact> {
    let mut data = of.clone();
    data["data_points"] = json!([point]);
    found::points(&normal(
        json!({ "resource_metrics": [{ "scope_metrics": [{ "scope": { "name": "obs", "version": env!("CARGO_PKG_VERSION") }, "metrics": [{ "name": "m", kind: data }] }] }] }),
    ))
}

fn sum(start: u64, time: u64, value: f64, temporality: u64) -> Vec<Fact> {
    let data = json!({ "is_monotonic": true, "aggregation_temporality": temporality });
    point("sum", &data, &json!({ "start_time_unix_nano": start, "time_unix_nano": time, "as_double": value }))
}

fn recorded(values: &[f64], of: fn(f64) -> MetricValue) -> Vec<Record> {
    let metric = |value: &f64| Record::Metric(Metric::new(Timestamp::from_nanos(1), "m", of(*value)));
    values.iter().map(metric).collect()
}

fn told(records: &[Record], points: Vec<Fact>, temporality: Temporality) -> Vec<String> {
    held(records, Signal::Metrics, points, Window { temporality, ..WINDOW }).wrong
}

#[test]
fn points_of_a_series_are_put_together_by_their_temporality() {
    let records = recorded(&[2.0, 3.0], MetricValue::Add);
    let both = |a: Vec<Fact>, b: Vec<Fact>| [a, b].concat();
    let well: Vec<String> = Vec::new();
    let deltas = || both(sum(110, 120, 2.0, 1), sum(120, 130, 3.0, 1));
    assert_eq!(told(&records, deltas(), Temporality::Delta), well);
    assert_eq!(
        told(&records, both(sum(110, 120, 2.0, 2), sum(110, 130, 5.0, 2)), Temporality::Cumulative),
        well
    );
    for (points, temporality, said) in [
        (sum(110, 120, 4.0, 2), Temporality::Cumulative, "value is 4.0, and 5.0 was recorded"),
        (sum(110, 120, 5.0, 1), Temporality::Cumulative, "temporality is 1, and 2 was recorded"),
        (
            both(sum(110, 120, 2.0, 1), sum(121, 130, 3.0, 1)),
            Temporality::Delta,
            "a point begins at Some(121)",
        ),
        (
            both(sum(110, 120, 2.0, 2), sum(120, 130, 5.0, 2)),
            Temporality::Cumulative,
            "a point begins at Some(120)",
        ),
        (sum(110, 250, 5.0, 2), Temporality::Cumulative, "from 110 to 250 is not within 100 to 200"),
        (sum(0, 120, 5.0, 2), Temporality::Cumulative, "from 0 to 120 is not within"),
        (Vec::new(), Temporality::Cumulative, "not there"),
    ] {
        let told = told(&records, points, temporality);
        assert!(told.len() == 1 && told[0].contains(said), "{said}: {told:?}");
    }
}

#[test]
fn samples_are_counted_into_the_buckets_that_were_found() {
    let records = recorded(&[0.5, 1.0, 7.0], MetricValue::Sample);
    let histogram = |counts: [u64; 2], min: f64, sum: f64| {
        let data = json!({ "aggregation_temporality": 2 });
        point(
            "histogram",
            &data,
            &json!({ "start_time_unix_nano": "110", "time_unix_nano": "120", "count": "3", "sum": sum,
            "min": min, "max": 7.0, "explicit_bounds": [1.0], "bucket_counts": counts.map(|count| count.to_string()) }),
        )
    };
    let told = |points| told(&records, points, Temporality::Cumulative);
    assert_eq!(told(histogram([2, 1], 0.5, 8.5)), Vec::<String>::new());
    for (points, said) in [
        (histogram([1, 2], 0.5, 8.5), "counts is [1,2], and [2,1] was recorded"),
        (histogram([2, 1], 0.4, 8.5), "min is 0.4, and 0.5 was recorded"),
        (histogram([2, 1], 0.5, 8.0), "sum is 8.0, and 8.5 was recorded"),
    ] {
        let told = told(points);
        assert!(told.len() == 1 && told[0].contains(said), "{said}: {told:?}");
    }
    let more = told(histogram([3, 1], 0.5, 8.5));
    assert!(more.iter().any(|line| line.contains("its buckets hold 4, and it counts 3")), "{more:?}");
}

#[test]
fn the_last_measurement_under_a_span_stands_for_its_bucket() {
    let exemplar = |nth: u32| obs_core::Exemplar {
        span: SpanRef { trace_id: fixtures::trace_id(1), span_id: Some(fixtures::span_id(nth)) },
        value: None,
        time: None,
    };
    let records: Vec<_> = [(1, 0.5), (2, 0.7), (3, 7.0)]
        .map(|(nth, value)| {
            let mut metric = Metric::new(Timestamp::from_nanos(nth.into()), "m", MetricValue::Sample(value));
            metric.exemplar = Some(exemplar(nth));
            Record::Metric(metric)
        })
        .into();
    let histogram = |nths: &[(u32, f64)]| {
        let exemplars = nths.iter().map(|(nth, value)| {
            json!({ "trace_id": fixtures::trace_id(1).to_string(), "span_id": fixtures::span_id(*nth).to_string(),
                "as_double": value, "time_unix_nano": nth.to_string() })
        });
        point(
            "histogram",
            &json!({ "aggregation_temporality": 2 }),
            &json!({ "start_time_unix_nano": "110",
            "time_unix_nano": "120", "count": "3", "sum": 8.2, "min": 0.5, "max": 7.0, "explicit_bounds": [1.0],
            "bucket_counts": ["2", "1"], "exemplars": exemplars.collect::<Vec<_>>() }),
        )
    };
    let told = |nths: &[(u32, f64)]| told(&records, histogram(nths), Temporality::Cumulative);
    assert_eq!(told(&[(2, 0.7), (3, 7.0)]), Vec::<String>::new());
    assert!(told(&[(1, 0.5), (3, 7.0)])[0].contains("exemplars is"));
    assert!(told(&[(2, 0.8), (3, 7.0)])[0].contains("exemplars is"));
}
