//! Whether the reader finds what the agent would not.

use serde_json::json;

use super::*;
use crate::e2e::fact::Fact;

const NOW: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

fn sent() -> Vec<Record> {
    records(&fresh_trace(0x019c_0000_0000_7000_8000_0000_0dd0_0001, NOW))
}

/// A span as Datadog's own clients write it by an agent.
fn span(fact: &Fact) -> Value {
    let field = |name: &str| fact.fields[name].clone();
    let number = |name: &str| fact.attributes.get(name).cloned();
    let mut metrics = json!({});
    for name in ["input_tokens", "output_tokens"] {
        if let Some(count) = number(name) {
            metrics[name] = count;
        }
    }
    json!({
        "trace_id": field("trace"), "span_id": fact.key, "parent_id": field("parent"), "name": field("name"),
        "start_ns": field("start"), "duration": field("duration"), "status": field("status"),
        "session_id": number("session"), "metrics": metrics, "tags": [format!("ml_app:{APP}")],
        "meta": { "span": { "kind": field("kind") }, "model_name": number("model"), "metadata": { "a": 1 } },
        "_dd": { "span_id": fact.key, "trace_id": field("trace"), "apm_trace_id": field("trace") },
    })
}

fn envelopes(spans: &[Value]) -> Value {
    let envelope = |span: &Value| json!({ "_dd.stage": "raw", "_dd.tracer_version": "1", "event_type": "span", "spans": [span] });
    spans.iter().map(envelope).collect()
}

/// An evaluation as Datadog's own client writes it.
fn evaluation(fact: &Fact) -> Value {
    let field = |name: &str| fact.fields[name].clone();
    let form = field("form").as_str().unwrap().to_owned();
    let mut metric = json!({
        "ml_app": APP, "label": field("label"), "timestamp_ms": field("millis"), "tags": ["a:b"],
        "metric_type": form.trim_end_matches("_value"), "reasoning": fact.attributes.get("reasoning"),
    });
    metric[&form] = field("value");
    if fact.kind == "evaluation" {
        metric["event_kind"] = "evaluation".into();
        metric["join_on"] = json!({ "span": { "trace_id": field("trace"), "span_id": field("span") } });
        metric["metadata"] = json!({ "score_id": fact.key });
    } else {
        let about = field("about");
        let (name, id) = about.as_str().unwrap().split_once(' ').unwrap();
        metric["event_kind"] = "feedback".into();
        metric["submitter"] = json!({ "id": "u", "type": "user" });
        metric["metadata"] = json!({ "feedback_id": fact.key });
        metric[name] = id.into();
    }
    metric
}

fn metrics(all: &[Value]) -> Value {
    json!({ "data": { "type": "evaluation_metric", "attributes": { "metrics": all } } })
}

#[test]
fn what_is_as_it_should_be_is_read_equal() {
    let (wanted, judged) = (spans(&sent()), evaluations(&sent()));
    assert_eq!((wanted.len(), judged.len()), (12, 3));
    let body = envelopes(&wanted.iter().map(span).collect::<Vec<_>>());
    assert_eq!(compare(&wanted, &found::spans(&body).unwrap()).wrong, Vec::<String>::new());
    let body = metrics(&judged.iter().map(evaluation).collect::<Vec<_>>());
    assert_eq!(compare(&judged, &found::evaluations(&body).unwrap()).wrong, Vec::<String>::new());
}

#[test]
fn a_span_of_another_shape_is_told_though_the_agent_takes_it() {
    let good = span(&spans(&sent())[1]);
    for (place, value, said) in [
        ("/trace_id", json!("1"), "`1` is no id of 32 digits"),
        ("/trace_id", json!(1), "1 is no text"),
        ("/span_id", json!("B7AD6B7169203331"), "`B7AD6B7169203331` is no id of 16 digits"),
        ("/parent_id", json!(null), "null is no text"),
        ("/meta/span/kind", json!("chain"), "its kind is `chain`"),
        ("/meta/span", json!("llm"), "null is no text"),
        ("/status", json!("unset"), "its status is `unset`"),
        ("/start_ns", json!("1"), "its `start_ns` is no whole number"),
        ("/duration", json!(-1), "its `duration` is no whole number"),
        ("/tags", json!(["1:a"]), "`1:a` is no tag"),
        ("/tags", json!([]), "no tag of its application"),
        ("/metrics", json!({ "n": "1" }), "its metric `n` is \"1\""),
        ("/meta/metadata", json!({ "n": {} }), "its metadata `n` is {}"),
        ("/_dd", json!({}), "its `_dd` has other ids"),
    ] {
        let mut wrong = good.clone();
        *wrong.pointer_mut(place).unwrap() = value;
        let told = format!("{:#}", found::spans(&envelopes(&[wrong])).unwrap_err());
        assert!(told.ends_with(said), "{place}: {told}");
    }
    for wrong in [json!({}), json!([{ "event_type": "span", "spans": [] }]), json!([good])] {
        assert!(found::spans(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_evaluation_of_another_shape_is_told() {
    let judged = evaluations(&sent());
    let [score, feedback] = ["evaluation", "feedback"]
        .map(|kind| evaluation(judged.iter().find(|fact| fact.kind == kind).unwrap()));
    for (good, place, value, said) in [
        (&score, "/join_on", json!({}), "null is no text"),
        (&score, "/join_on/span/trace_id", json!("77"), "`77` is no id of 32 digits"),
        (&score, "/ml_app", json!(null), "its application is null"),
        (&score, "/metric_type", json!("number"), "its type is `number`"),
        (&score, "/metric_type", json!("boolean"), "no `boolean_value`"),
        (&score, "/timestamp_ms", json!(1.5), "its `timestamp_ms` is no whole number"),
        (&score, "/event_kind", json!("span"), "its kind is `span`"),
        (&score, "/metadata", json!({}), "null is no text"),
        (&feedback, "/submitter", json!({}), "nobody gave it"),
    ] {
        let mut wrong = good.clone();
        *wrong.pointer_mut(place).unwrap() = value;
        let told = format!("{:#}", found::evaluations(&metrics(&[wrong])).unwrap_err());
        assert!(told.ends_with(said), "{place}: {told}");
    }
    let mut two = feedback.clone();
    two["session_id"] = "s".into();
    let told = format!("{:#}", found::evaluations(&metrics(&[two])).unwrap_err());
    assert!(told.ends_with("it is not about exactly one thing"), "{told}");
    assert!(found::evaluations(&json!({ "data": { "type": "span" } })).is_err());
}

#[test]
fn bodies_are_those_of_the_path_alone() {
    let request =
        |path: &str, body: &str| json!({ "url": format!("http://127.0.0.1:1{path}"), "body": body });
    let requests = json!([request(SPANS, "W10="), request("/other", "e30="), request(EVALUATIONS, "!")]);
    assert_eq!(bodies(&requests, SPANS).unwrap(), [json!([])]);
    assert!(bodies(&requests, EVALUATIONS).is_err());
    assert!(bodies(&json!({}), SPANS).is_err());
}
