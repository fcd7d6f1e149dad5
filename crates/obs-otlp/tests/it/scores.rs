//! Evaluation results, which come as events.

use obs_core::{Record, ScoreValue, Target, Value};
use obs_otlp::ingest;
use serde_json::json;

use crate::request::{TRACE, attributes, logs, only_span, read, scores, span, spans};

const NAME: &str = "gen_ai.evaluation.result";

fn log(extra: &serde_json::Value, pairs: &[(&str, serde_json::Value)]) -> serde_json::Value {
    let mut record = json!({"timeUnixNano": "5", "eventName": NAME, "attributes": attributes(pairs)});
    for (key, value) in extra.as_object().unwrap() {
        record[key] = value.clone();
    }
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
}

fn evaluation() -> Vec<(&'static str, serde_json::Value)> {
    vec![
        ("gen_ai.evaluation.name", json!("relevance")),
        ("gen_ai.evaluation.score.value", json!(0.75)),
        ("gen_ai.evaluation.score.label", json!("good")),
        ("gen_ai.evaluation.explanation", json!("on topic")),
        ("gen_ai.response.id", json!("r1")),
    ]
}

#[test]
fn a_log_event_is_a_score_of_its_span() {
    let place = json!({"traceId": TRACE, "spanId": "0000000000000002", "body": {"stringValue": "said"}});
    let ingested = read(&log(&place, &evaluation()));
    let score = scores(&ingested)[0];
    assert_eq!((score.name.as_str(), score.time.as_nanos()), ("relevance", 5));
    assert_eq!(score.value, ScoreValue::numeric(0.75));
    assert_eq!(score.comment.as_deref(), Some("on topic"));
    assert_eq!(score.target.span_id().unwrap().get(), 2);
    let metadata = serde_json::to_string(&score.metadata).unwrap();
    let expected =
        r#"{"gen_ai.response.id":"r1","gen_ai.evaluation.score.label":"good","log.message":"said"}"#;
    assert_eq!(metadata, expected);
    assert_eq!(ingested.records.len(), 1);
}

#[test]
fn the_target_is_the_nearest_that_can_be_told() {
    let label = [("gen_ai.evaluation.name", json!("tone")), ("gen_ai.evaluation.score.label", json!("kind"))];
    let of_trace = read(&log(&json!({"traceId": TRACE}), &label));
    assert!(matches!(scores(&of_trace)[0].target, Target::Trace { .. }));
    assert_eq!(scores(&of_trace)[0].value, ScoreValue::Categorical("kind".into()));
    let mut with_session = label.to_vec();
    with_session.push(("session.id", json!("s")));
    let of_session = read(&log(&json!({}), &with_session));
    assert_eq!(scores(&of_session)[0].target, Target::Session { session_id: "s".into() });
    let of_nothing = read(&log(&json!({}), &label));
    assert_eq!((scores(&of_nothing).len(), logs(&of_nothing).len()), (0, 1), "it stays the log that it was");
    let nameless = read(&log(&json!({"traceId": TRACE}), &label[1..]));
    assert_eq!((scores(&nameless).len(), logs(&nameless).len()), (0, 1));
    let empty = read(&log(&json!({"traceId": TRACE}), &label[..1]));
    assert_eq!((scores(&empty).len(), logs(&empty)[0].attributes.len()), (0, 1));
}

#[test]
fn law_5_ids_survive_reading_the_same_event_twice() {
    let place = json!({"traceId": TRACE, "spanId": "0000000000000002"});
    let (first, second) = (read(&log(&place, &evaluation())), read(&log(&place, &evaluation())));
    assert_eq!(first, second);
    let mut other = evaluation();
    other[1].1 = json!(0.76);
    assert_ne!(scores(&first)[0].id, scores(&read(&log(&place, &other)))[0].id);
}

#[test]
fn a_span_event_is_a_score_of_that_span_and_finds_its_root() {
    let (root, mut child) = (span(1, &[]), span(2, &[]));
    child["parentSpanId"] = json!("0000000000000001");
    child["events"] = json!([
        {"name": NAME, "timeUnixNano": "7", "attributes": attributes(&evaluation())},
        {"name": NAME, "timeUnixNano": "8"},
    ]);
    let mut ingested = read(&spans(&[child, root]));
    ingest::link(&mut ingested.records);
    let score = scores(&ingested)[0].clone();
    let Target::Span { root_span_id, span_id, .. } = score.target else { panic!("{:?}", score.target) };
    assert_eq!((span_id.get(), root_span_id.unwrap().get()), (2, 1));
    let Record::Span(record) = &ingested.records[0] else { panic!("{:?}", ingested.records[0]) };
    assert_eq!(record.span().events.len(), 1, "an event that is no result stays");
    assert_eq!(score.metadata.get("gen_ai.response.id").and_then(Value::as_str), Some("r1"));
    let plain = only_span(&read(&spans(&[span(3, &[])])));
    assert!(plain.events.is_empty());
}
