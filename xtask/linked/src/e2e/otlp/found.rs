//! What stands in OTLP requests, record by record.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::e2e::fact::Fact;

/// The records of a signal in a normal request, each with its resource and scope.
fn records<'a>(request: &'a Value, signal: &str, records: &str) -> Vec<(&'a Value, &'a Value, &'a Value)> {
    let (resources, scopes) = (format!("resource_{signal}"), format!("scope_{signal}"));
    let mut out = Vec::new();
    for resource in list(&request[&resources]) {
        for scope in list(&resource[&scopes]) {
            out.extend(
                list(&scope[records]).iter().map(|record| (&resource["resource"], &scope["scope"], record)),
            );
        }
    }
    out
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The spans of a normal request.
pub(super) fn spans(request: &Value) -> Vec<Fact> {
    let all = records(request, "spans", "spans").into_iter();
    all.map(|(resource, scope, span)| {
        let events = list(&span["events"]).iter().map(|event| {
            json!({ "name": text(&event["name"]), "time": number(&event["time_unix_nano"]), "attributes": pairs(&event["attributes"]) })
        });
        let links = list(&span["links"]).iter().map(|link| {
            json!({ "trace": link["trace_id"], "span": link["span_id"], "state": text(&link["trace_state"]),
                "attributes": pairs(&link["attributes"]) })
        });
        let fact = Fact::new("span", text(&span["span_id"]))
            .with("name", text(&span["name"]))
            .with("trace", span["trace_id"].clone())
            .with("parent", text(&span["parent_span_id"]))
            .with("kind", number(&span["kind"]))
            .with("start", number(&span["start_time_unix_nano"]))
            .with("end", number(&span["end_time_unix_nano"]))
            .with("flags", number(&span["flags"]))
            .with("state", text(&span["trace_state"]))
            .with("status", number(&span["status"]["code"]))
            .with("message", text(&span["status"]["message"]))
            .with("events", events.collect::<Vec<_>>())
            .with("links", links.collect::<Vec<_>>());
        beside(fact, resource, scope, span)
    })
    .collect()
}

/// The logs of a normal request; they have no ids, so that their time and what they say stand for one.
pub(super) fn logs(request: &Value) -> Vec<Fact> {
    let all = records(request, "logs", "log_records").into_iter();
    all.map(|(resource, scope, log)| {
        let (time, body) = (number(&log["time_unix_nano"]), any(&log["body"]));
        let event = text(&log["event_name"]);
        let fact = Fact::new("log", log_key(&time, event, &body))
            .with("time", time)
            .with("body", body)
            .with("event", event)
            .with("level", number(&log["severity_number"]))
            .with("trace", text(&log["trace_id"]))
            .with("span", text(&log["span_id"]));
        beside(fact, resource, scope, log)
    })
    .collect()
}

/// What a log is known by.
pub(super) fn log_key(time: &Value, event: &str, body: &Value) -> String {
    let body = body.as_str().unwrap_or_default();
    format!("{time} {event} {}", body.chars().take(40).collect::<String>().escape_debug())
}

/// The points of a normal request, one fact each.
pub(super) fn points(request: &Value) -> Vec<Fact> {
    const KINDS: [&str; 5] = ["gauge", "sum", "histogram", "exponential_histogram", "summary"];
    let mut facts = Vec::new();
    for (resource, scope, metric) in records(request, "metrics", "metrics") {
        let Some(kind) = KINDS.into_iter().find(|kind| metric[*kind].is_object()) else {
            facts.push(Fact::new("metric without data", text(&metric["name"])));
            continue;
        };
        let data = &metric[kind];
        for point in list(&data["data_points"]) {
            let labels = pairs(&point["attributes"]);
            let fact = Fact::new(SERIES, series_key(text(&metric["name"]), &labels))
                .with("kind", kind)
                .with("unit", text(&metric["unit"]))
                .with("description", text(&metric["description"]))
                .with("monotonic", data["is_monotonic"].as_bool().unwrap_or_default())
                .with("temporality", number(&data["aggregation_temporality"]))
                .with("labels", labels)
                .with("start", number(&point["start_time_unix_nano"]))
                .with("time", number(&point["time_unix_nano"]))
                .with("flags", number(&point["flags"]));
            let fact = beside(value(fact, kind, point), resource, scope, &Value::Null);
            facts.push(fact.with("exemplars", exemplars(point)));
        }
    }
    facts
}

/// What a fact of a point is called; a metric without points is another.
pub(super) const SERIES: &str = "series";

/// What a series is known by.
pub(super) fn series_key(name: &str, labels: &Value) -> String {
    format!("{name}{labels}")
}

fn value(fact: Fact, kind: &str, point: &Value) -> Fact {
    let buckets =
        |side: &Value| json!({ "offset": number(&side["offset"]), "counts": side["bucket_counts"] });
    match kind {
        "gauge" | "sum" => fact.with("value", amount(point)),
        _ => {
            let fact = fact
                .with("count", number(&point["count"]))
                .with("sum", point["sum"].clone())
                .with("min", point["min"].clone())
                .with("max", point["max"].clone());
            if kind == "histogram" {
                let (bounds, counts) = (list(&point["explicit_bounds"]), list(&point["bucket_counts"]));
                fact.with("bounds", bounds.to_vec()).with("counts", counts.to_vec())
            } else {
                fact.with("scale", number(&point["scale"]))
                    .with("zeros", number(&point["zero_count"]))
                    .with("threshold", point["zero_threshold"].clone())
                    .with("positive", buckets(&point["positive"]))
                    .with("negative", buckets(&point["negative"]))
            }
        }
    }
}

/// The number of a point, as a float.
fn amount(point: &Value) -> Value {
    point["as_int"]
        .as_i64()
        .map_or_else(|| point["as_double"].clone(), |whole| super::normal::of_float(whole as f64))
}

fn exemplars(point: &Value) -> Vec<Value> {
    let all = list(&point["exemplars"]).iter();
    all.map(|one| {
        json!({ "trace": one["trace_id"], "span": text(&one["span_id"]), "value": amount(one),
            "time": number(&one["time_unix_nano"]) })
    })
    .collect()
}

/// The attributes of a record, and what stands beside it: its scope, and its resource's attributes with a prefix.
fn beside(fact: Fact, resource: &Value, scope: &Value, record: &Value) -> Fact {
    let mut fact = fact.with(
        "scope",
        json!({ "name": text(&scope["name"]), "version": text(&scope["version"]),
        "attributes": pairs(&scope["attributes"]) }),
    );
    for (prefix, attributes) in [("", &record["attributes"]), (RESOURCE, &resource["attributes"])] {
        for pair in list(attributes) {
            let name = format!("{prefix}{}", text(&pair["key"]));
            if fact.attributes.insert(name.clone(), any(&pair["value"])).is_some() {
                // OTLP forbids a key that is there twice; as a field that nobody expects, it is told.
                fact.fields.insert("an attribute twice", name.into());
            }
        }
    }
    fact
}

/// What a resource's attribute begins with among those of a record.
pub(super) const RESOURCE: &str = "resource: ";

/// Attributes as an object in the order of their names.
fn pairs(attributes: &Value) -> Value {
    let all: BTreeMap<_, _> =
        list(attributes).iter().map(|pair| (text(&pair["key"]).to_owned(), any(&pair["value"]))).collect();
    Value::Object(all.into_iter().collect::<Map<_, _>>())
}

/// An attribute's value: its own form, so that a float is no integer.
fn any(value: &Value) -> Value {
    let Some((form, held)) = value.as_object().and_then(|forms| forms.iter().next()) else {
        return Value::Null;
    };
    match form.as_str() {
        "array_value" => list(&held["values"]).iter().map(any).collect(),
        "kvlist_value" => pairs(&held["values"]),
        "bytes_value" => json!({ "bytes": held }),
        _ => held.clone(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A number; one that is not there is zero, as protobuf has it.
fn number(value: &Value) -> Value {
    if value.is_null() { 0.into() } else { value.clone() }
}
