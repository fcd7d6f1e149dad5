//! Messages in the form of OpenTelemetry's GenAI conventions: `[{role, parts}]`.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use obs_core::{Form, Payload};
use serde_json::value::RawValue;

use super::object::{Object, quoted};
use super::{Role, is_message, messages};

/// The deepest arguments of a tool that stand in the message as they are: with what is around them, readers take them.
const MAX_DEPTH: usize = 100;

/// The input or output of a model call as GenAI has it, wherever [`messages`] finds messages.
///
/// What is in this form stays as it is, and is looked over rather than read where it is written as most programs do.
/// [`messages`] finds the same in what comes out as in what went in.
pub(crate) fn in_parts(document: &Payload, role: Role) -> Option<Cow<'_, str>> {
    let json = document.as_str().trim_ascii();
    match document.form() {
        Form::Text => return Some(one(role, &quoted(document.as_str())).into()),
        _ if at_a_glance(json) => return Some(json.into()),
        _ if json.contains("\"parts\"") && is_in_parts(json) => return Some(json.into()),
        _ => {}
    }
    let found = messages(document, role)?;
    let written = list(&found);
    // A list that only begins as messages do is sent as it is.
    Some(written.map_or(found, Cow::Owned))
}

/// Whether [`in_parts`] has anything to say, for less than it takes to say it.
pub(crate) fn is_conversation(document: &Payload, role: Role) -> bool {
    let glance = || at_a_glance(document.as_str().trim_ascii());
    document.form() == Form::Text || glance() || messages(document, role).is_some()
}

/// Instructions as a list of parts.
pub(crate) fn instructions(document: &Payload) -> Cow<'_, str> {
    let text = document.as_str();
    if document.form() != Form::Text && text.starts_with("[{\"type\":\"text\",\"content\":\"") {
        return text.into();
    }
    let parts = match document.form() {
        Form::Text => None,
        Form::Json | Form::Unchecked => {
            in_parts(document, Role::User).and_then(|messages| parts_of(&messages))
        }
    };
    parts.unwrap_or_else(|| format!("[{}]", words(&quoted(text)))).into()
}

/// What all messages say.
fn parts_of(messages: &str) -> Option<String> {
    let messages: Vec<Object<'_>> = serde_json::from_str(messages).ok()?;
    let parts: Option<Vec<_>> = messages.iter().map(|message| message.list("parts")).collect();
    let parts: Vec<_> = parts?.iter().flatten().map(Object::written).collect();
    Some(format!("[{}]", parts.join(",")))
}

const ROLE: &str = "\"role\":\"";

/// Made once: to make it takes longer than to search a short document with it.
static ROLES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(ROLE));

/// Whether every role in the document is followed by parts, and nothing else begins it.
///
/// A name in quotes within a text has them escaped, so that each that is found is a name.
fn at_a_glance(json: &str) -> bool {
    if !json.starts_with("[{\"role\":\"") || !json.ends_with("}]") {
        return false;
    }
    ROLES.find_iter(json.as_bytes()).all(|at| {
        let rest = &json[at + ROLE.len()..];
        rest.split_once('"').is_some_and(|(_, rest)| rest.starts_with(",\"parts\":["))
    })
}

/// Whether all of it is in this form, however it is written.
fn is_in_parts(json: &str) -> bool {
    let messages: Vec<Object<'_>> = serde_json::from_str(json).unwrap_or_default();
    let has_parts = |message: &Object<'_>| {
        is_message(message) && message.list("parts").is_some() && message.get("content").is_none()
    };
    !messages.is_empty() && messages.iter().all(has_parts)
}

fn one(role: Role, text: &str) -> String {
    format!("[{{\"role\":\"{}\",\"parts\":[{}]}}]", role.as_str(), words(text))
}

/// A text, which is a JSON string, as a part.
fn words(text: &str) -> String {
    format!("{{\"type\":\"text\",\"content\":{text}}}")
}

/// Messages in OpenAI's form.
fn list(json: &str) -> Option<String> {
    let messages: Vec<Object<'_>> = serde_json::from_str(json).ok()?;
    let mut out = String::with_capacity(json.len() + 48 * messages.len() + 2);
    out.push('[');
    for message in &messages {
        separate(&mut out);
        if !answer(message, &mut out) {
            self::message(message, &mut out);
        }
    }
    out.push(']');
    Some(out)
}

fn separate(out: &mut String) {
    if !out.ends_with('[') {
        out.push(',');
    }
}

/// A message and its calls of tools.
fn message(message: &Object<'_>, out: &mut String) {
    if message.get("parts").is_some() {
        // Something that says both is of no form that anybody knows.
        return out.push_str(&message.written());
    }
    out.push('{');
    if let Some(role) = message.get("role") {
        out.extend(["\"role\":", role.get(), ","]);
    }
    out.push_str("\"parts\":[");
    if let Some(said) = message.get("content").filter(|said| said.get() != "null") {
        content(message, said, out);
    }
    let calls = message.list("tool_calls");
    let calls: Option<Vec<String>> = calls.and_then(|calls| calls.iter().map(call).collect());
    for call in calls.iter().flatten() {
        separate(out);
        out.push_str(call);
    }
    // Calls that are of no form that anybody knows stay among the other fields.
    let calls = if calls.is_some() { "tool_calls" } else { "role" };
    out.extend(["]", &message.others(&["role", "content", calls]), "}"]);
}

fn content(message: &Object<'_>, said: &RawValue, out: &mut String) {
    if said.get().starts_with('"') {
        return out.push_str(&words(said.get()));
    }
    match message.list("content") {
        Some(blocks) => {
            for block in &blocks {
                separate(out);
                out.push_str(&part(block));
            }
        }
        None => out.push_str(&words(&quoted(said.get()))),
    }
}

/// What a tool answered; `false` if the message says anything else.
fn answer(message: &Object<'_>, out: &mut String) -> bool {
    let of_tool = message.get("role").is_some_and(|role| role.get() == "\"tool\"");
    if !of_tool || message.get("tool_calls").is_some() || message.get("parts").is_some() {
        return false;
    }
    let Some(response) = message.get("content").and_then(|said| response(message, said)) else {
        return false;
    };
    out.push_str("{\"role\":\"tool\",\"parts\":[{\"type\":\"tool_call_response\"");
    if let Some(id) = message.get("tool_call_id") {
        out.extend([",\"id\":", id.get()]);
    }
    let others = message.others(&["role", "content", "tool_call_id"]);
    out.extend([",\"response\":", &response, "}]", &others, "}"]);
    true
}

/// An answer in words, which may hold an object, or in several blocks of them.
fn response<'a>(message: &Object<'a>, said: &'a RawValue) -> Option<Cow<'a, str>> {
    if said.get().starts_with('"') {
        return Some(held(said));
    }
    let blocks = message.list("content")?;
    let plain = |block: &Object<'_>| {
        block.text("type").as_deref() == Some("text")
            && block.text("text").is_some()
            && block.fields().count() == 2
    };
    match blocks.as_slice() {
        [block] if plain(block) => block.get("text").map(|words| words.get().into()),
        [_, _, ..] if blocks.iter().all(plain) => Some(said.get().into()),
        _ => None,
    }
}

/// The object that a text holds, as it is; any other text as it stands.
fn held(text: &RawValue) -> Cow<'_, str> {
    let within = || {
        let held: String = serde_json::from_str(text.get()).ok()?;
        let held = Payload::from_json(&held)?;
        (!held.is_deeper_than(MAX_DEPTH)).then(|| held.as_str().to_owned())
    };
    if text.get().starts_with("\"{")
        && let Some(object) = within()
    {
        return object.into();
    }
    text.get().into()
}

/// A call of a function.
fn call(call: &Object<'_>) -> Option<String> {
    let function: Object<'_> = serde_json::from_str(call.get("function")?.get()).ok()?;
    let of_function = call.get("type").is_none_or(|kind| kind.get() == "\"function\"");
    let known = |(name, _)| matches!(name, "name" | "arguments");
    if !of_function || !function.fields().all(known) {
        return None;
    }
    let mut out = String::from("{\"type\":\"tool_call\"");
    if let Some(id) = call.get("id") {
        out.extend([",\"id\":", id.get()]);
    }
    out.extend([",\"name\":", function.get("name")?.get()]);
    if let Some(arguments) = function.get("arguments") {
        out.extend([",\"arguments\":", &held(arguments)]);
    }
    out.extend([call.others(&["id", "type", "function"]).as_str(), "}"]);
    Some(out)
}

/// A block of the content; one that GenAI has no part for stays as it is.
fn part(block: &Object<'_>) -> String {
    let kind = block.text("type").unwrap_or_default();
    let found = match kind.as_str() {
        "text" => renamed(block, "text", "text"),
        "thinking" => renamed(block, "thinking", "reasoning"),
        "image_url" => image(block),
        _ => None,
    };
    found.unwrap_or_else(|| block.written())
}

/// Words under the name that GenAI has for them.
fn renamed(block: &Object<'_>, name: &str, kind: &str) -> Option<String> {
    let said =
        block.get(name).filter(|said| said.get().starts_with('"') && block.get("content").is_none())?;
    let others = block.others(&["type", name]);
    Some(format!("{{\"type\":\"{kind}\",\"content\":{}{others}}}", said.get()))
}

/// An image by its address, or in itself.
fn image(block: &Object<'_>) -> Option<String> {
    const OWN: [&str; 4] = ["modality", "uri", "mime_type", "content"];
    let given: Object<'_> = serde_json::from_str(block.get("image_url")?.get()).ok()?;
    if given.fields().count() != 1 || OWN.iter().any(|name| block.get(name).is_some()) {
        return None;
    }
    let url = given.text("url")?;
    let others = block.others(&["type", "image_url"]);
    Some(match url.strip_prefix("data:").and_then(|data| data.split_once(";base64,")) {
        Some((mime, data)) => {
            let (mime, data) = (quoted(mime), quoted(data));
            format!(
                "{{\"type\":\"blob\",\"modality\":\"image\",\"mime_type\":{mime},\"content\":{data}{others}}}"
            )
        }
        None => format!("{{\"type\":\"uri\",\"modality\":\"image\",\"uri\":{}{others}}}", quoted(&url)),
    })
}

#[cfg(test)]
mod tests;
