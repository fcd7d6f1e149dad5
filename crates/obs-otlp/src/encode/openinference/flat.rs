//! Lists as OpenInference flattens them: `0.message.role`.

use obs_core::{Attributes, Form, Payload, Value};

use crate::chat::{self, Role};
use crate::conventions::Field;

/// Takes the path of an element's part, and its text.
type Sink<'s> = dyn FnMut(&str, &str) + 's;

/// What of a document stands in a list of this field; nothing, if the document is no such list.
///
/// The reader asks the same, to know whether such a list says anything that its document does not.
pub(crate) fn flattened(field: Field, document: &Payload, to: &mut Sink<'_>) {
    match field {
        Field::InputMessages => messages(document, Role::User, to),
        Field::OutputMessages => messages(document, Role::Assistant, to),
        Field::EmbeddedTexts => texts(document, to),
        _ => {}
    }
}

/// Tools, each by its schema; what is no list is one.
pub(super) fn tools(tools: &Payload, to: &mut Sink<'_>) {
    let settled = tools.settled();
    match serde_json::from_str::<Vec<&serde_json::value::RawValue>>(settled.as_str()) {
        Ok(tools) => {
            for (nth, tool) in tools.iter().enumerate() {
                to(&format!("{nth}.tool.json_schema"), tool.get());
            }
        }
        Err(_) => to("0.tool.json_schema", settled.as_str()),
    }
}

/// The texts that were embedded: one, or a list of them.
fn texts(document: &Payload, to: &mut Sink<'_>) {
    let settled = document.settled();
    if settled.form() == Form::Text {
        return to("0.embedding.text", settled.as_str());
    }
    if let Ok(texts) = serde_json::from_str::<Vec<String>>(settled.as_str()) {
        for (nth, text) in texts.iter().enumerate() {
            to(&format!("{nth}.embedding.text"), text);
        }
    }
}

/// Messages in whatever form they are told.
fn messages(document: &Payload, role: Role, to: &mut Sink<'_>) {
    let Some(list) = chat::messages(document, role) else { return };
    let Ok(Value::List(list)) = serde_json::from_str::<Value>(&list) else { return };
    for (nth, told) in list.iter().enumerate() {
        if let Value::Map(told) = told {
            message(&format!("{nth}.message"), told, to);
        }
    }
}

fn message(at: &str, message: &Attributes, to: &mut Sink<'_>) {
    for name in ["role", "name", "tool_call_id"] {
        text(&format!("{at}.{name}"), message.get(name), to);
    }
    // A message that came from OpenInference has the list of its parts under a name of its own.
    match message.get("content").or_else(|| message.get("contents")) {
        Some(Value::List(parts)) => {
            for (nth, part) in parts.iter().enumerate() {
                self::part(&format!("{at}.contents.{nth}.message_content"), part, to);
            }
        }
        content => text(&format!("{at}.content"), content, to),
    }
    if let Some(Value::List(calls)) = message.get("tool_calls") {
        for (nth, call) in calls.iter().enumerate() {
            self::call(&format!("{at}.tool_calls.{nth}.tool_call"), call, to);
        }
    }
    if let Some(Value::Map(call)) = message.get("function_call") {
        text(&format!("{at}.function_call_name"), call.get("name"), to);
        text(&format!("{at}.function_call_arguments_json"), call.get("arguments"), to);
    }
}

fn call(at: &str, call: &Value, to: &mut Sink<'_>) {
    text(&format!("{at}.id"), field(call, &["id"]), to);
    text(&format!("{at}.function.name"), field(call, &["function", "name"]), to);
    text(&format!("{at}.function.arguments"), field(call, &["function", "arguments"]), to);
}

/// A part of what a message says: words or an image; any other part is its JSON.
fn part(at: &str, part: &Value, to: &mut Sink<'_>) {
    const IMAGES: [&[&str]; 3] = [&["image_url", "url"], &["image_url"], &["image", "image", "url"]];
    let image = IMAGES.iter().find_map(|path| field(part, path).filter(|url| url.as_str().is_some()));
    let words = ["text", "content", "thinking"].iter().find_map(|name| field(part, &[name])?.as_str());
    match (image.and_then(Value::as_str), words) {
        (Some(url), _) => {
            to(&format!("{at}.type"), "image");
            to(&format!("{at}.image.image.url"), url);
        }
        (None, Some(words)) => {
            let kind = field(part, &["type"]).and_then(Value::as_str).unwrap_or("text");
            to(&format!("{at}.type"), kind);
            to(&format!("{at}.text"), words);
        }
        (None, None) => {
            to(&format!("{at}.type"), "text");
            text(&format!("{at}.text"), Some(part), to);
        }
    }
}

/// The value at the end of a path through maps.
fn field<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| match value {
        Value::Map(fields) => fields.get(name),
        _ => None,
    })
}

/// Text as it is, anything else as JSON, nothing as nothing.
fn text(path: &str, value: Option<&Value>, to: &mut Sink<'_>) {
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Str(text)) => to(path, text),
        Some(value) => {
            if let Ok(json) = serde_json::to_string(value) {
                to(path, &json);
            }
        }
    }
}
