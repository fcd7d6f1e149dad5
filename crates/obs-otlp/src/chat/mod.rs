//! Model calls as OpenAI chat messages, which vendors of LLM platforms render best.
//!
//! Read are the messages of OpenTelemetry GenAI (`parts`), Anthropic's content blocks, and OpenAI's own form.
//! A part that nobody knows stays in the content as it is, and so does every other field of a message.

mod in_parts;
mod message;
mod object;
mod part;

use std::borrow::Cow;

use obs_core::{Form, Payload};
use serde_json::value::RawValue;

pub(crate) use in_parts::{in_parts, instructions, is_conversation};
use object::{Object, quoted};

/// Who says what comes without a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Whoever asks: the role of inputs.
    User,
    /// The model: the role of outputs.
    Assistant,
}

impl Role {
    /// OpenAI's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// What only the other forms have, quoted as a name or a type is; a string that quotes it escapes its quotes.
const FOREIGN: [&str; 6] =
    ["\"parts\"", "\"tool_use\"", "\"tool_result\"", "\"tool_call\"", "\"tool_call_response\"", "\"source\""];

/// The input or output of a model call as a JSON array of OpenAI chat messages.
///
/// - Messages in OpenAI's form are borrowed as they stand, without reading the document to its end where it begins as
///   such a list does.
/// - Messages of OpenTelemetry GenAI and of Anthropic become `{role, content, tool_calls}`, and results of tools become
///   messages of their own with `role: "tool"` and `tool_call_id`.
/// - A single message, content without a message around it, `{"messages": […]}` without anything else, and plain text
///   become such a list; content without a role is said by `role`.
/// - Any other document is `None`: send it as it is.
///
/// ```
/// use obs_core::Payload;
/// use obs_otlp::chat::{Role, messages};
///
/// let told = Payload::from(r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#);
/// assert_eq!(messages(&told, Role::User).unwrap(), r#"[{"role":"user","content":"hi"}]"#);
/// assert_eq!(messages(&Payload::text("hi"), Role::User).unwrap(), r#"[{"role":"user","content":"hi"}]"#);
/// assert_eq!(messages(&Payload::from(r#"{"rows":7}"#), Role::User), None);
/// ```
pub fn messages(payload: &Payload, role: Role) -> Option<Cow<'_, str>> {
    match payload.form() {
        Form::Text => Some(said(role, &quoted(payload.as_str())).into()),
        Form::Json => of_json(payload.as_str().trim_ascii(), role),
        Form::Unchecked => {
            let settled = payload.settled();
            messages(&settled, role).map(|found| Cow::Owned(found.into_owned()))
        }
    }
}

fn of_json(json: &str, role: Role) -> Option<Cow<'_, str>> {
    // What has no such field is looked through once; every further mark is one more time.
    match json.as_bytes().first()? {
        b'[' if begins_as_messages(json) && is_own(json) => Some(json.into()),
        b'[' if json.contains("\"role\"") || json.contains("\"type\"") => of_list(json, is_own(json), role),
        b'{' if json.contains("\"role\"") => of_object(json),
        _ => None,
    }
}

/// Whether nothing in the document is of another form than OpenAI's.
fn is_own(json: &str) -> bool {
    !FOREIGN.iter().any(|mark| json.contains(mark))
}

/// Whether the first thing in the document is a message of one of OpenAI's roles.
fn begins_as_messages(json: &str) -> bool {
    const ROLES: [&str; 5] = ["user", "assistant", "system", "developer", "tool"];
    let role = json.strip_prefix("[{\"role\":").and_then(|rest| rest.trim_start().strip_prefix('"'));
    role.and_then(|rest| rest.split_once('"')).is_some_and(|(role, _)| ROLES.contains(&role))
}

/// A list of messages, or the content of one.
fn of_list(json: &str, own: bool, role: Role) -> Option<Cow<'_, str>> {
    let items: Vec<Object<'_>> = serde_json::from_str(json).ok()?;
    let (first, rest) = items.split_first()?;
    if is_message(first) && rest.iter().all(is_message) {
        return Some(if own { json.into() } else { listed(items.iter().map(message::converted)).into() });
    }
    items.iter().all(part::is_known).then(|| {
        let content = said(role, json);
        match serde_json::from_str::<Vec<Object<'_>>>(&content) {
            Ok(message) => listed(message.iter().map(message::converted)).into(),
            Err(_) => content.into(),
        }
    })
}

/// One message, or a list of them under its usual name and nothing else.
fn of_object(json: &str) -> Option<Cow<'_, str>> {
    let object: Object<'_> = serde_json::from_str(json).ok()?;
    if let [("messages", list)] = object.fields().collect::<Vec<_>>()[..] {
        let items: Vec<Object<'_>> = serde_json::from_str(list.get()).ok()?;
        return items.iter().all(is_message).then(|| listed(items.iter().map(message::converted)).into());
    }
    is_message(&object).then(|| listed([message::converted(&object)]).into())
}

/// Whether it has a role and something said.
fn is_message(object: &Object<'_>) -> bool {
    let says = ["content", "parts", "tool_calls", "refusal", "audio", "function_call"];
    object.text("role").is_some() && says.iter().any(|name| object.get(name).is_some())
}

/// One message with this JSON as its content.
fn said(role: Role, content: &str) -> String {
    format!("[{{\"role\":\"{}\",\"content\":{content}}}]", role.as_str())
}

/// Messages as a list; each may stand for several.
fn listed(messages: impl IntoIterator<Item = String>) -> String {
    let messages: Vec<_> = messages.into_iter().collect();
    format!("[{}]", messages.join(","))
}

/// The JSON of a document that is no text as a text, and a text as it is: what OpenAI wants as arguments and results.
fn as_text(value: &RawValue) -> Cow<'_, str> {
    match value.get().as_bytes().first() {
        Some(b'"') => value.get().into(),
        _ => quoted(value.get()).into(),
    }
}

#[cfg(test)]
mod tests;
