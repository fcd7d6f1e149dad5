//! Payloads against descriptions.

use obs_testkit::openapi::{Spec, shared};
use serde_json::{Value, json};

const OLD: &str = r"
openapi: 3.0.1
paths:
  /scores: &scores
    post:
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Score'}
      responses:
        '200': {$ref: '#/components/responses/Done'}
        default: {description: what else may come}
  /scores/{id}: *scores
components:
  responses:
    Done: {content: {application/json: {schema: {type: object, required: [id]}}}}
  schemas:
    Score:
      type: object
      required: [id, value]
      properties:
        id: {type: string, format: uuid}
        value: {type: number, minimum: 0, exclusiveMinimum: true, nullable: true}
        parent: {$ref: '#/components/schemas/Score', nullable: true}
        source: {type: string, enum: [app], nullable: true}
";

fn new() -> String {
    let score = json!({"type": "object", "properties": {
        "value": {"anyOf": [{"type": ["number", "null"], "exclusiveMinimum": 0}, {"type": "string"}]}}});
    json!({"openapi": "3.1.0",
        "paths": {"/scores": {"post": {"requestBody": {"content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/a.Score"}}}}}}},
        "components": {"schemas": {"a.Score": score}}})
    .to_string()
}

fn faults(spec: &Spec, body: &Value) -> Vec<String> {
    spec.check("POST", "/scores", "application/json; charset=utf-8", body).err().unwrap_or_default()
}

const ID: &str = "019bc0f5-8600-7000-8000-000000000001";

#[test]
fn payloads_are_held_against_version_3_0() {
    let spec = Spec::from_text(OLD).unwrap();
    let none: [&str; 0] = [];
    let parent = json!({"id": ID, "value": 1, "parent": null, "source": null});
    for (body, expected) in [
        (json!({"id": ID, "value": null, "parent": parent}), &none[..]),
        (json!({"id": "7", "value": 0.5}), &["/id: \"7\" is not a \"uuid\""]),
        (json!({"id": ID, "value": 0}), &["/value: 0 is less than or equal to the minimum of 0"]),
        (json!({"id": ID}), &["the body: \"value\" is a required property"]),
        (json!({"id": ID, "value": 1, "source": "b"}), &["/source: \"b\" is not one of \"app\" or null"]),
    ] {
        assert_eq!(faults(&spec, &body), expected, "{body}");
    }
    let deep = faults(&spec, &json!({"id": ID, "value": 1, "parent": {"id": ID}}));
    assert!(
        deep.iter().any(|line| line.contains("alternative 2: /parent: \"value\" is a required")),
        "{deep:?}"
    );
}

#[test]
fn payloads_are_held_against_version_3_1() {
    let spec = Spec::from_text(&new()).unwrap();
    assert_eq!(faults(&spec, &json!({"value": null})), Vec::<String>::new());
    assert_eq!(faults(&spec, &json!({"value": "a"})), Vec::<String>::new());
    assert_eq!(faults(&spec, &json!({"value": -1})).len(), 3);
    assert_eq!(spec.check_component("a.Score", &json!({"value": 1})), Ok(()));
    let named = spec.component("a.Score").unwrap();
    assert!(named["properties"].get("value").is_some() && spec.component("Score").is_none());
    assert!(spec.check_component("a.Score", &json!(7)).is_err());
    let unknown = spec.check_component("Score", &json!({})).unwrap_err();
    assert_eq!(unknown, ["the components have no schema `Score`"]);
}

#[test]
fn what_is_not_described_is_a_fault() {
    let spec = Spec::from_text(OLD).unwrap();
    let ask = |method: &str, path: &str, kind: &str| {
        spec.check(method, path, kind, &json!({"id": ID, "value": 1})).err().map(|faults| faults.join(" "))
    };
    assert_eq!(ask("POST", "/scores/7", "application/json"), None);
    let said = |found: Option<String>, words: &str| {
        assert!(found.as_ref().is_some_and(|text| text.contains(words)), "{found:?}");
    };
    said(ask("POST", "/score", "application/json"), "has no path /score");
    said(ask("PUT", "/scores/7", "application/json"), "no PUT for /scores/{id}, which /scores/7 is");
    said(ask("POST", "/scores", "text/plain"), "described as [application/json], not as text/plain");
}

#[test]
fn answers_are_held_by_their_status() {
    let spec = Spec::from_text(OLD).unwrap();
    assert_eq!(spec.check_answer("POST", "/scores", 200, &json!({"id": 1})), Ok(()));
    assert!(spec.check_answer("POST", "/scores", 200, &json!({})).is_err());
    assert!(spec.check_answer("POST", "/scores", 500, &json!({})).is_err(), "it says nothing of its content");
}

#[test]
fn what_is_no_description_is_refused_with_its_name() {
    let message = |text: &str| Spec::from_text(text).err().unwrap_or_default();
    assert!(message("swagger: '2.0'").contains("3.0 and 3.1 are known"));
    assert!(message("{\"openapi\"").starts_with("not JSON"));
    assert!(message("a: b: c").starts_with("not YAML"));
    assert!(Spec::load("/nowhere/a.json").unwrap_err().starts_with("/nowhere/a.json: "));
}

/// The vendors' descriptions, where they are: each compiles, takes a good payload, and refuses a bad one.
#[test]
fn the_vendors_descriptions_are_understood() {
    let good_row = json!({"events": [{"id": "a", "scores": {"x": 0.5}, "metrics": {"start": 1.5}}]});
    let bad_row = json!({"events": [{"id": "a", "scores": {"x": 1.5}}]});
    let good_run = json!({"post": [{"id": ID, "run_type": "llm"}]});
    let cases = [
        ("braintrust-openapi.json", "/v1/project_logs/7/insert", good_row, bad_row),
        (
            "langfuse-openapi.yml",
            "/api/public/scores",
            json!({"name": "a", "value": "b"}),
            json!({"name": "a"}),
        ),
        ("langsmith-openapi.json", "/runs/batch", good_run, json!({"post": [{"run_type": "nonsense"}]})),
    ];
    for (name, path, good, bad) in cases {
        let Some(spec) = shared(name) else { continue };
        assert_eq!(spec.check("POST", path, "application/json", &good), Ok(()), "{name}");
        assert!(spec.check("POST", path, "application/json", &bad).is_err(), "{name}");
    }
}
