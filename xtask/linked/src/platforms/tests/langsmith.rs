//! LangSmith's parts.

use serde_json::{Value, json};

use super::*;

const ID: &str = "00000000-0000-0000-b7ad-6b7169203331";
const KEY: (&str, &str) = ("x-api-key", "key-of-nobody");

/// A multipart request of these parts, `{name: body}` in order.
fn sent(parts: &Value) -> Captured {
    let mut body = Vec::new();
    for part in parts.as_array().unwrap() {
        let (name, content) = (part[0].as_str().unwrap(), part[1].to_string());
        let head = format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            content.len()
        );
        body.extend_from_slice(format!("{head}{content}\r\n").as_bytes());
    }
    body.extend_from_slice(b"--b--\r\n");
    request("/runs/multipart", &[KEY, ("content-type", "multipart/form-data; boundary=b")], body)
}

fn parts() -> Value {
    let dotted = format!("20251121T044000000000Z{ID}");
    json!([
        [format!("post.{ID}"), {"id": ID, "trace_id": ID, "dotted_order": dotted, "name": "chat", "run_type": "llm"}],
        [format!("post.{ID}.inputs"), {"messages": []}],
        [format!("patch.{ID}"), {"id": ID, "trace_id": ID, "dotted_order": dotted}],
        [format!("patch.{ID}.extra"), {"metadata": {"usage_metadata": {"input_tokens": 7, "total_cost": 0.25}}}],
        [format!("patch.{ID}.error"), "too late"],
        ["feedback.f", {"id": "f", "key": "fit", "score": 1, "run_id": ID, "trace_id": ID, "session_id": "s"}],
    ])
}

#[test]
fn parts_are_put_together_to_a_run() {
    let decoded = decode("langsmith", &[sent(&parts())]);
    assert_eq!(decoded.faults, Vec::<String>::new());
    let [run, feedback] = &decoded.items[..] else { panic!("{:?}", decoded.items) };
    assert_eq!((run.number("input_tokens"), run.number("cost")), (7.0, 0.25));
    assert_eq!((run.text("name"), run.fields["failed"].as_bool()), (Some("chat"), Some(true)));
    assert_eq!((feedback.text("run"), feedback.number("value")), (Some(ID), 1.0));
}

#[test]
fn a_broken_rule_is_named() {
    let cases: [Case; 8] = [
        ("was patched and never posted", |parts| {
            parts[0][0] = json!(format!("patch.{ID}"));
            parts[1][0] = json!(format!("patch.{ID}.inputs"));
        }),
        ("or no object", |parts| parts[3][1] = json!("text")),
        ("is no field of a run", |parts| parts[1][0] = json!(format!("post.{ID}.output"))),
        ("a part `put.1`", |parts| parts[1][0] = json!("put.1")),
        ("without its session_id", |parts| parts[5][1]["session_id"] = json!(null)),
        ("without its trace_id", |parts| parts[5][1]["trace_id"] = json!(null)),
        ("no dotted_order", |parts| {
            parts[0][1]["dotted_order"] = json!(null);
            parts[2][1]["dotted_order"] = json!(null);
        }),
        ("is not of its id, parent and trace", |parts| parts[2][1]["parent_run_id"] = json!(ID)),
    ];
    each_breaks(&cases, &parts(), |parts| decode("langsmith", &[sent(parts)]));
    let torn = Captured { body: b"--b\r\n".to_vec(), ..sent(&parts()) };
    assert!(faults("langsmith", torn).contains("the closing one is missing"));
}

#[test]
fn a_batch_is_read_as_the_parts_are() {
    let all = parts();
    let post = all[0][1].clone();
    let body = json!({"post": [post], "patch": [{"id": ID, "error": "too late"}]});
    let decoded = decode("langsmith", &[request("/runs/batch", &[KEY], body.to_string())]);
    assert_eq!((decoded.faults.len(), decoded.items[0].fields["failed"].as_bool()), (0, Some(true)));
}

#[test]
fn feedback_of_a_call_of_its_own_may_come_before_the_top_of_its_tree_is_known() {
    let mut body = parts()[5][1].clone();
    body["trace_id"] = json!(null);
    let alone = |body: &Value| decode("langsmith", &[request("/feedback", &[KEY], body.to_string())]);
    let decoded = alone(&body);
    assert_eq!((decoded.faults, decoded.items.len()), (Vec::new(), 1));
    body["run_id"] = json!(null);
    assert!(alone(&body).faults[0].contains("without its run_id"));
}
