//! One line that says what a document holds.

use std::borrow::Cow;

use obs_core::{Form, Payload};
use serde_json::Value;

/// Documents larger than this are shown as they begin, not looked into.
const LARGEST: usize = 64 * 1024;

/// The text to show of a document: of chat messages the last one with its role, of anything else all of it.
pub(crate) fn preview(payload: &Payload) -> Cow<'_, str> {
    if payload.as_str().len() <= LARGEST
        && let Some(message) = last_message(payload)
    {
        return Cow::Owned(message);
    }
    Cow::Borrowed(payload.as_str())
}

fn last_message(payload: &Payload) -> Option<String> {
    let payload = payload.settled();
    if payload.form() != Form::Json {
        return None;
    }
    let value: Value = serde_json::from_str(payload.as_str()).ok()?;
    let messages = value.get("messages").unwrap_or(&value).as_array()?;
    let role = |message: &Value| Some(message.get("role")?.as_str()?.to_owned());
    let all = messages.iter().map(role).collect::<Option<Vec<String>>>()?;
    let (role, said) = (all.last()?, said(messages.last()?)?);
    let before = match all.len() - 1 {
        0 => String::new(),
        before => format!("(+{before}) "),
    };
    Some(format!("{before}{role}: {said}"))
}

/// The words of a message: its content as text, or the texts of its parts.
fn said(message: &Value) -> Option<String> {
    let parts = match message.get("content").or_else(|| message.get("parts"))? {
        Value::String(text) => return Some(text.clone()),
        Value::Array(parts) => parts,
        _ => return None,
    };
    let text = |part: &Value| Some(part.get("text").or_else(|| part.get("content"))?.as_str()?.to_owned());
    let texts: Vec<String> = parts.iter().filter_map(text).collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_chat_messages_the_last_is_shown() {
        for (json, shown) in [
            (r#"[{"role":"user","content":"Hi\nthere"}]"#, "user: Hi\nthere"),
            (
                r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"text":"b"}]}]}"#,
                "(+1) user: a b",
            ),
            (r#"[{"role":"assistant","parts":[{"type":"text","content":"x"}]}]"#, "assistant: x"),
            (r#"[{"role":"tool","content":7}]"#, r#"[{"role":"tool","content":7}]"#),
            (r#"{"n":1}"#, r#"{"n":1}"#),
            ("[]", "[]"),
            ("plain [words", "plain [words"),
        ] {
            assert_eq!(preview(&Payload::from(json)), shown);
        }
    }
}
