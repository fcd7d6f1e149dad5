//! One message in OpenAI's form.

use super::object::Object;
use super::part::{Part, converted as part};

/// A message and the messages of tools that it held, joined by commas; one that is in OpenAI's form stays as it is.
pub(super) fn converted(message: &Object<'_>) -> String {
    let (parts, content) = (message.list("parts"), message.get("content"));
    let said = match parts {
        // Something that says both is of no form that anybody knows.
        Some(parts) if content.is_none() => parts,
        Some(_) => return message.written(),
        None => match message.list("content") {
            Some(blocks) if blocks.iter().any(is_foreign) => blocks,
            _ => return message.written(),
        },
    };
    let (mut content, mut calls, mut results) = (Vec::new(), Vec::new(), Vec::new());
    for said in said.iter().map(part) {
        match said {
            Part::Words(_) | Part::Content(_) => content.push(said),
            Part::Call(call) => calls.push(call),
            Part::Result(result) => results.push(result),
        }
    }
    // Calls that are no list stay among the other fields.
    let own_calls = message.list("tool_calls").map_or("role", |_| "tool_calls");
    let mut others = message.others(&["role", "parts", "content", own_calls]);
    let mut messages = Vec::with_capacity(results.len() + 1);
    let alone = content.is_empty() && calls.is_empty() && message.get("tool_calls").is_none();
    for result in &results {
        let others = if alone { std::mem::take(&mut others) } else { String::new() };
        messages.push(format!("{{\"role\":\"tool\"{result}{others}}}"));
    }
    if !alone || results.is_empty() {
        let role = message.get("role").map_or("null", |role| role.get());
        let calls = with_own(message, &calls);
        let content = if alone { "\"\"".into() } else { joined(&content) };
        messages.push(format!("{{\"role\":{role},\"content\":{content}{calls}{others}}}"));
    }
    messages.join(",")
}

/// Whether OpenAI's form has another way to say it.
fn is_foreign(block: &Object<'_>) -> bool {
    let kind = block.text("type").unwrap_or_default();
    let words = kind == "text" && block.get("text").is_none();
    words || ["tool_use", "tool_result", "tool_call", "tool_call_response", "image"].contains(&kind.as_str())
}

/// The content: nothing, words, or a list.
fn joined(content: &[Part]) -> String {
    match content {
        [] => "null".into(),
        [Part::Words(words)] => words.clone(),
        parts => {
            let element = |part: &Part| match part {
                Part::Words(words) => format!("{{\"type\":\"text\",\"text\":{words}}}"),
                Part::Content(json) | Part::Call(json) | Part::Result(json) => json.clone(),
            };
            format!("[{}]", parts.iter().map(element).collect::<Vec<_>>().join(","))
        }
    }
}

/// The calls of tools, behind those that the message has under OpenAI's name.
fn with_own(message: &Object<'_>, calls: &[String]) -> String {
    let own = message.list("tool_calls");
    let all: Vec<_> = own.iter().flatten().map(Object::written).chain(calls.iter().cloned()).collect();
    if all.is_empty() { String::new() } else { format!(",\"tool_calls\":[{}]", all.join(",")) }
}
