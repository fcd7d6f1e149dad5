//! Every form that is read, in GenAI's.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[track_caller]
fn becomes(document: &Value, role: Role, wanted: &Value) {
    let payload = Payload::from(document.to_string());
    let found = in_parts(&payload, role).unwrap_or_else(|| panic!("no messages: {document}"));
    assert_eq!(&serde_json::from_str::<Value>(&found).unwrap(), wanted, "{found}");
}

fn text(said: &str) -> Value {
    json!({"type": "text", "content": said})
}

#[test]
fn plain_words_are_one_message_of_whoever_says_them() {
    for (said, role, name) in [("hi \"you\"\n", Role::User, "user"), ("[{", Role::Assistant, "assistant")] {
        let found = in_parts(&Payload::text(said), role).unwrap().into_owned();
        let wanted = json!([{"role": name, "parts": [text(said)]}]);
        assert_eq!(serde_json::from_str::<Value>(&found).unwrap(), wanted);
    }
    assert!(in_parts(&Payload::from("[1] not JSON"), Role::User).is_some());
}

#[test]
fn openai_s_messages_get_parts() {
    becomes(
        &json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "name": "Ada", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "https://host/a.png"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}},
                {"type": "image_url", "image_url": {"url": "https://host/b.png", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "a", "format": "wav"}}
            ]},
            {"role": "assistant", "content": null, "finish_reason": "tool_calls", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"at\": 1}"}},
                {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "no object"}}
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "{\"sky\":\"clear\"}"},
            {"role": "tool", "tool_call_id": "c2", "content": "noon"},
            {"role": "assistant", "refusal": "no"}
        ]),
        Role::User,
        &json!([
            {"role": "system", "parts": [text("Be brief.")]},
            {"role": "user", "name": "Ada", "parts": [
                text("What is this?"),
                {"type": "uri", "modality": "image", "uri": "https://host/a.png"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBO"},
                {"type": "image_url", "image_url": {"url": "https://host/b.png", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "a", "format": "wav"}}
            ]},
            {"role": "assistant", "finish_reason": "tool_calls", "parts": [
                {"type": "tool_call", "id": "c1", "name": "f", "arguments": {"at": 1}},
                {"type": "tool_call", "id": "c2", "name": "g", "arguments": "no object"}
            ]},
            {"role": "tool", "parts": [
                {"type": "tool_call_response", "id": "c1", "response": {"sky": "clear"}}
            ]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c2", "response": "noon"}]},
            {"role": "assistant", "parts": [], "refusal": "no"}
        ]),
    );
}

#[test]
fn anthropic_s_blocks_become_parts() {
    becomes(
        &json!([
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"parts": [1]}}
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "no"}]},
                {"type": "text", "text": "And?"}
            ]}
        ]),
        Role::User,
        &json!([
            {"role": "assistant", "parts": [
                {"type": "reasoning", "content": "hm", "signature": "s"},
                text("I look."),
                {"type": "tool_call", "id": "t1", "name": "look", "arguments": {"parts": [1]}}
            ]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": "no"}]},
            {"role": "user", "parts": [text("And?")]}
        ]),
    );
}

#[test]
fn what_is_in_parts_is_borrowed_as_it_stands() {
    for json in [
        r#"[{"role":"user","parts":[{"type":"text","content":"the \"role\":\"x\" in a text"}]}]"#,
        r#"[ {"parts": [{"type": "text", "content": "hi"}], "role": "user"} ]"#,
        r#"[{"role":"user","parts":[{"type":"tool_call","name":"f","arguments":{"role":"x"}}]}]"#,
    ] {
        let known = Payload::from_json(json).unwrap();
        for payload in [known, Payload::unchecked(json)] {
            match in_parts(&payload, Role::User) {
                Some(Cow::Borrowed(found)) => assert_eq!(found, json),
                other => panic!("{json}: {other:?}"),
            }
        }
    }
    let glance = r#"[{"role":"user","parts":[]},{"role":"tool","parts":[],"finish_reason":"stop"}]"#;
    assert!(at_a_glance(glance));
    assert!(!at_a_glance(r#"[{"role":"user","parts":[]},{"role":"user","content":"hi"}]"#));
    let mixed = json!([{"role": "user", "parts": [text("a")]}, {"role": "user", "content": "b"}]);
    let parts = json!([{"role": "user", "parts": [text("a")]}, {"role": "user", "parts": [text("b")]}]);
    becomes(&mixed, Role::User, &parts);
}

#[test]
fn what_is_no_conversation_is_none() {
    for json in [r#"{"rows":7}"#, "[1]", "[]", "7", r#"{"messages":[],"n":1}"#] {
        let document = Payload::from_json(json).unwrap();
        assert_eq!(in_parts(&document, Role::User), None, "{json}");
        assert!(!is_conversation(&document, Role::User), "{json}");
    }
}

#[test]
fn instructions_are_a_list_of_parts() {
    let parts = r#"[{"type":"text","content":"Be brief."}]"#;
    for told in [
        Payload::text("Be brief."),
        Payload::from(parts),
        Payload::from(r#"[{"type": "text", "content": "Be brief."}]"#),
        Payload::from(r#"[{"type":"text","text":"Be brief."}]"#),
        Payload::from(r#"{"role":"system","content":"Be brief."}"#),
        Payload::from(r#"[{"role":"system","parts":[{"type":"text","content":"Be brief."}]}]"#),
    ] {
        assert_eq!(instructions(&told), parts, "{told:?}");
    }
    let object = Payload::from(r#"{"tone":"kind"}"#);
    assert_eq!(instructions(&object), r#"[{"type":"text","content":"{\"tone\":\"kind\"}"}]"#);
}

/// Words that look like whatever else they could be.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just(r#"{"a": [1, {"role":"user","content":"x"}]}"#.to_owned()),
        Just(r#"[{"type":"text","text":"x"}]"#.to_owned()),
        Just("{\"torn\":".to_owned()),
        Just("null".to_owned()),
        Just("data:image/png;base64,iVBO".to_owned()),
        ".{0,12}",
    ]
}

fn block() -> impl Strategy<Value = Value> {
    (0..9, words(), words()).prop_map(|(kind, a, b)| match kind {
        0 => json!({"type": "text", "text": a}),
        1 => json!({"type": "text", "content": a}),
        2 => json!({"type": "text", "text": a, "cache_control": {"type": b}}),
        3 => json!({"type": "image_url", "image_url": {"url": a}}),
        4 => json!({"type": "thinking", "thinking": a, "signature": b}),
        5 => json!({"type": "tool_use", "id": a, "name": b, "input": {"x": 1}}),
        6 => json!({"type": "tool_result", "tool_use_id": a, "content": b}),
        7 => json!({"type": "reasoning", "content": a}),
        _ => json!({"type": "hologram", "size": a}),
    })
}

fn call() -> impl Strategy<Value = Value> {
    (words(), words()).prop_map(
        |(id, said)| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": said}}),
    )
}

fn a_message() -> impl Strategy<Value = Value> {
    let role = prop_oneof![Just("user"), Just("assistant"), Just("tool"), Just("system")];
    let blocks = prop::collection::vec(block(), 0..4);
    (0..6, role, words(), blocks, prop::collection::vec(call(), 1..3)).prop_map(
        |(kind, role, said, blocks, calls)| match kind {
            0 => json!({"role": role, "content": said}),
            1 => json!({"role": role, "content": blocks}),
            2 => json!({"role": role, "content": null, "tool_calls": calls}),
            3 => {
                // A message that answers one call does not hold the answers to others.
                let blocks: Vec<_> =
                    blocks.into_iter().filter(|block| block["type"] != "tool_result").collect();
                json!({"role": "tool", "tool_call_id": said, "content": blocks})
            }
            4 => json!({"role": "tool", "tool_call_id": said, "content": said, "name": role}),
            _ => json!({"role": role, "parts": blocks, "finish_reason": said}),
        },
    )
}

/// One of the ways to write what a message says: nothing is no content, a single text is its words, thinking is reasoning, no id is none, and an object within a text is the object.
fn plain(messages: &str) -> Value {
    let mut messages: Value = serde_json::from_str(messages).unwrap();
    for message in messages.as_array_mut().unwrap() {
        let message = message.as_object_mut().unwrap();
        let said = message.remove("content").unwrap_or_default();
        let said = match said {
            Value::Array(blocks) => blocks,
            Value::Null => Vec::new(),
            said => vec![json!({"type": "text", "text": said})],
        };
        let blocks: Vec<Value> = said.into_iter().map(plain_block).filter(says_something).collect();
        message.insert("content".into(), blocks.into());
        if message.get("tool_call_id").is_some_and(Value::is_null) {
            message.remove("tool_call_id");
        }
        for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
            let arguments = &mut call["function"]["arguments"];
            *arguments = arguments.as_str().map_or(Value::Null, read);
        }
    }
    messages
}

fn plain_block(mut block: Value) -> Value {
    if block["type"] == "thinking" {
        let said = block.as_object_mut().unwrap().remove("thinking").unwrap();
        block["type"] = "reasoning".into();
        block["content"] = said;
    }
    if block["type"] == "text" && block["text"].is_null() && block["content"].is_string() {
        block = json!({"type": "text", "text": block["content"]});
    }
    if let Some(said) = block["text"].as_str() {
        block["text"] = read(said);
    }
    block
}

fn says_something(block: &Value) -> bool {
    *block != json!({"type": "text", "text": ""})
}

/// An object as what it is, any other text as it stands.
fn read(text: &str) -> Value {
    serde_json::from_str(text).ok().filter(Value::is_object).unwrap_or_else(|| text.into())
}

proptest! {
    #[test]
    fn messages_in_parts_say_what_the_messages_said(list in prop::collection::vec(a_message(), 1..5)) {
        let told = Payload::from(Value::from(list).to_string());
        let before = messages(&told, Role::User);
        let parts = in_parts(&told, Role::User);
        prop_assert_eq!(before.is_some(), parts.is_some());
        prop_assert_eq!(before.is_some(), is_conversation(&told, Role::User));
        let (Some(before), Some(parts)) = (before, parts) else { return Ok(()) };
        let parts = Payload::from_json(&parts).unwrap();
        for message in serde_json::from_str::<Vec<Value>>(parts.as_str()).unwrap() {
            prop_assert!(message["role"].is_string() && message["parts"].is_array(), "{}", message);
        }
        let after = messages(&parts, Role::User).unwrap();
        prop_assert_eq!(plain(&after), plain(&before), "{}", parts.as_str());
        // In parts already, it stays as it is.
        prop_assert_eq!(in_parts(&parts, Role::User).unwrap(), parts.as_str());
    }
}
