//! Braintrust's rows.

use serde_json::{Value, json};

use super::*;
use crate::platform::Kind;
use crate::platforms::servers::PROJECT;

const HEADERS: &[(&str, &str)] = &[("authorization", "Bearer key-of-nobody")];

fn sent(route: &str, body: &Value) -> Captured {
    request(&format!("/v1/project_logs/{PROJECT}/{route}"), HEADERS, body.to_string())
}

#[test]
fn rows_are_merged_by_their_id_whatever_comes_first() {
    let feedback =
        json!({"feedback": [{"id": "a", "scores": {"thumbs": 1}}, {"id": "a", "comment": "good"}]});
    let start = json!({"events": [{
        "id": "a", "span_id": "a", "root_span_id": "t", "span_parents": ["p"], "_is_merge": true,
        "span_attributes": {"name": "chat", "type": "llm"}, "metrics": {"start": 1.5},
    }]});
    let end = json!({"events": [{"id": "a", "_is_merge": true, "metrics": {"prompt_tokens": 7, "estimated_cost": 0.25}}]});
    let decoded =
        decode("braintrust", &[sent("feedback", &feedback), sent("insert", &start), sent("insert", &end)]);
    assert_eq!(decoded.faults, Vec::<String>::new());
    let [score, span] = &decoded.items[..] else { panic!("{:?}", decoded.items) };
    assert_eq!((score.kind, score.id.as_str(), score.number("value")), (Kind::Judgement, "a/thumbs", 1.0));
    assert_eq!(
        (span.text("parent"), span.text("name"), span.number("input_tokens")),
        (Some("p"), Some("chat"), 7.0)
    );
    let replaced = json!({"events": [{"id": "a", "span_id": "a"}]});
    let decoded = decode("braintrust", &[sent("feedback", &feedback), sent("insert", &replaced)]);
    assert_eq!(decoded.items.len(), 1, "a row that replaces takes the score away");
}

#[test]
fn a_broken_rule_is_named() {
    let cases: [Case; 4] = [
        ("row a has a score outside of 0 to 1", |body| body["events"][0]["scores"]["x"] = json!(1.5)),
        ("row a is there twice", |body| body["events"][1]["id"] = json!("a")),
        ("a row without an id", |body| body["events"][0]["id"] = json!(null)),
        ("no list `events`", |body| *body = json!({"rows": []})),
    ];
    let good = json!({"events": [{"id": "a", "scores": {"x": 1}}, {"id": "b"}]});
    each_breaks(&cases, &good, |body| decode("braintrust", &[sent("insert", body)]));
    let cases: [Case; 2] = [
        ("feedback on row a says nothing", |body| body["feedback"][0]["scores"] = json!(null)),
        ("feedback without an id", |body| body["feedback"][0]["id"] = json!(7)),
    ];
    let good = json!({"feedback": [{"id": "a", "scores": {"x": 1}}]});
    each_breaks(&cases, &good, |body| decode("braintrust", &[sent("feedback", body)]));
    assert!(faults("braintrust", sent("fetch", &json!({}))).contains("not of the API"));
    let anonymous = Captured { headers: Vec::new(), ..sent("insert", &json!({"events": []})) };
    assert!(faults("braintrust", anonymous).contains("no Bearer authorization"));
}
