//! The forms that programs write, and what becomes of them.

use std::path::Path;

use serde_json::{Value, json};

use super::*;

#[track_caller]
fn becomes(document: &Value, role: Role, wanted: &Value) {
    let payload = Payload::from(document.to_string());
    let found = messages(&payload, role).unwrap_or_else(|| panic!("no messages: {document}"));
    assert_eq!(&serde_json::from_str::<Value>(&found).unwrap(), wanted, "{found}");
}

#[test]
fn opentelemetry_parts_become_content_calls_and_messages_of_tools() {
    becomes(
        &json!([
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
            {"role": "assistant", "finish_reason": "tool_call", "parts": [
                {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Paris"}},
                {"type": "tool_call", "id": "call_2", "name": "get_time", "arguments": "{\"tz\":1}"},
                {"type": "tool_call", "id": null, "name": "bare"}
            ]},
            {"role": "tool", "parts": [
                {"type": "tool_call_response", "id": "call_1", "response": {"sky": "clear"}},
                {"type": "tool_call_response", "id": "call_2", "result": "noon"}
            ]},
            {"role": "assistant", "parts": [
                {"type": "reasoning", "content": "hm"}, {"type": "text", "content": "Clear."}
            ]}
        ]),
        Role::User,
        &json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": null, "finish_reason": "tool_call", "tool_calls": [
                {"id": "call_1", "type": "function",
                    "function": {"name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}},
                {"id": "call_2", "type": "function", "function": {"name": "get_time", "arguments": "{\"tz\":1}"}},
                {"id": null, "type": "function", "function": {"name": "bare", "arguments": "{}"}}
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "{\"sky\":\"clear\"}"},
            {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
            {"role": "assistant", "content": [
                {"type": "reasoning", "content": "hm"}, {"type": "text", "text": "Clear."}
            ]}
        ]),
    );
}

#[test]
fn anthropic_blocks_become_content_calls_and_messages_of_tools() {
    becomes(
        &json!([
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
                {"type": "image", "source": {"type": "url", "url": "https://host/a.png"}, "cache_control": {}}
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": 1}, "cache_control": {"a": 1}}
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true,
                    "content": [{"type": "text", "text": "no"}]},
                {"type": "text", "text": "And?"}
            ]}
        ]),
        Role::User,
        &json!([
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}},
                {"type": "image_url", "image_url": {"url": "https://host/a.png"}, "cache_control": {}}
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "I look."}
            ], "tool_calls": [{"id": "toolu_1", "type": "function",
                "function": {"name": "look", "arguments": "{\"at\":1}"}, "cache_control": {"a": 1}}]},
            {"role": "tool", "tool_call_id": "toolu_1", "content": "no", "is_error": true},
            {"role": "user", "content": "And?"}
        ]),
    );
    let blocks =
        json!([{"type": "text", "text": "a"}, {"type": "tool_use", "id": "1", "name": "f", "input": {}}]);
    let call = json!({"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    becomes(&blocks, Role::Assistant, &json!([{"role": "assistant", "content": "a", "tool_calls": [call]}]));
}

#[test]
fn what_is_openai_s_is_borrowed_as_it_stands() {
    for json in [
        r#"[{"role":"user","content":"the word \"parts\" in a text"}]"#,
        r#"[ {"content": "hi", "role": "user"} ]"#,
        r#"[{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{}}]}]"#,
        r#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}]"#,
    ] {
        let payload = Payload::from_json(json).unwrap();
        match messages(&payload, Role::User) {
            Some(Cow::Borrowed(found)) => assert_eq!(found, json),
            other => panic!("{json}: {other:?}"),
        }
    }
}

#[test]
fn one_message_plain_words_and_a_wrapped_list_become_a_list() {
    let one = json!({"role": "assistant", "content": "Hi.", "id": "msg_1"});
    becomes(&one, Role::User, &json!([one]));
    becomes(&json!({"messages": [one]}), Role::User, &json!([one]));
    for text in ["", "two \"words\"\n", "{\"a\":"] {
        let found = messages(&Payload::text(text), Role::Assistant).unwrap().into_owned();
        let wanted = json!([{"role": "assistant", "content": text}]);
        assert_eq!(serde_json::from_str::<Value>(&found).unwrap(), wanted);
    }
}

#[test]
fn other_documents_are_left_alone() {
    for json in [
        "null",
        "7",
        "[]",
        "{}",
        "[1,2]",
        r#"{"question":"role"}"#,
        r#"[{"role":"admin","name":"Ada"}]"#,
        r#"[{"type":"order"},{"type":"text"}]"#,
        r#"{"messages":[{"role":"user","content":"hi"}],"model":"m"}"#,
        r#"[7,{"role":"user","content":"hi"}]"#,
        r#"[{"content":"hi"},{"role":"user","content":"hi","parts":[]}]"#,
    ] {
        assert_eq!(messages(&Payload::from_json(json).unwrap(), Role::User), None, "{json}");
    }
}

#[test]
fn unknown_parts_and_fields_are_kept_to_the_letter() {
    let part = r#"{"type":"hologram","size":1.50,"n":18446744073709551615}"#;
    let json = format!(r#"[{{"role":"user","name":"Ada","parts":[{part},{{"type":"text","content":1}}]}}]"#);
    let found = messages(&Payload::from_json(&json).unwrap(), Role::User).unwrap().into_owned();
    let wanted =
        format!(r#"[{{"role":"user","content":[{part},{{"type":"text","content":1}}],"name":"Ada"}}]"#);
    assert_eq!(found, wanted);
    let odd = json!([{"role": "user", "parts": [], "content": "both"}]);
    becomes(&odd, Role::User, &odd);
    becomes(&json!([{"role": "user", "parts": []}]), Role::User, &json!([{"role": "user", "content": ""}]));
}

/// Every text of what real programs sent is there afterwards, every message has a role, and no part is left in another
/// form.
#[test]
fn real_messages_come_through_whole() {
    for name in ["genai-otlp.jsonl", "mastra-agent-otlp.jsonl"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: {} is not there", path.display());
            continue;
        };
        let mut seen = 0;
        for line in text.lines() {
            let request: Value = serde_json::from_str(line).unwrap();
            for json in documents(&request) {
                let found = messages(&Payload::from_json(&json).unwrap(), Role::User).unwrap().into_owned();
                let (told, found): (Value, Vec<Value>) =
                    (serde_json::from_str(&json).unwrap(), serde_json::from_str(&found).unwrap());
                assert!(
                    found.iter().all(|message| message["role"].is_string() && message.get("parts").is_none())
                );
                let text = Value::from(found).to_string();
                for words in words(&told) {
                    assert!(text.contains(quoted(words).trim_matches('"')), "{words:?} is lost of {json}");
                }
                seen += 1;
            }
        }
        assert!(seen > 3, "{name}: {seen} documents");
    }
}

/// The messages among a request's attributes.
fn documents(request: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match request {
        Value::Object(fields) => {
            let key = fields.get("key").and_then(Value::as_str).unwrap_or_default();
            if ["gen_ai.input.messages", "gen_ai.output.messages"].contains(&key) {
                found.extend(fields["value"]["stringValue"].as_str().map(ToOwned::to_owned));
            }
            found.extend(fields.values().flat_map(documents));
        }
        Value::Array(items) => found.extend(items.iter().flat_map(documents)),
        _ => {}
    }
    found
}

/// What was said in a document's messages: all texts but names of types.
fn words(told: &Value) -> Vec<&str> {
    match told {
        Value::String(words) => vec![words],
        Value::Array(items) => items.iter().flat_map(words).collect(),
        Value::Object(fields) => {
            let said = fields.iter().filter(|(name, value)| {
                let structure = value.is_object() && *name != "arguments";
                !["type", "modality", "role"].contains(&name.as_str()) && !structure
            });
            said.flat_map(|(_, value)| words(value)).collect()
        }
        _ => Vec::new(),
    }
}
