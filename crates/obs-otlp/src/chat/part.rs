//! One part of what a message says.

use super::as_text;
use super::object::{Object, quoted};

/// What a part is in OpenAI's form; all of it JSON.
#[derive(Debug)]
pub(super) enum Part {
    /// Plain words: a JSON string.
    Words(String),
    /// An element of the content.
    Content(String),
    /// An element of `tool_calls`.
    Call(String),
    /// The fields of a message of a tool, behind its role.
    Result(String),
}

/// Whether this is a part by its type, so that a list of them is what a message says.
pub(super) fn is_known(object: &Object<'_>) -> bool {
    const TYPES: [&str; 14] = [
        "text",
        "reasoning",
        "thinking",
        "redacted_thinking",
        "tool_call",
        "tool_call_response",
        "tool_use",
        "tool_result",
        "image",
        "image_url",
        "input_audio",
        "blob",
        "uri",
        "file",
    ];
    object.text("type").is_some_and(|kind| TYPES.contains(&kind.as_str()))
}

/// The part in OpenAI's form; what is no part of the others' stays as it is.
pub(super) fn converted(part: &Object<'_>) -> Part {
    let kind = part.text("type").unwrap_or_default();
    let found = match kind.as_str() {
        "text" => words(part),
        "tool_call" => call(part, "arguments"),
        "tool_use" => call(part, "input"),
        "tool_call_response" => result(part, "id", &["response", "result"]),
        "tool_result" => result(part, "tool_use_id", &["content"]),
        "image" => source_image(part),
        "uri" | "blob" => linked_image(part),
        _ => None,
    };
    found.unwrap_or_else(|| Part::Content(part.written()))
}

/// Text under OpenTelemetry's name or under the vendors'.
fn words(part: &Object<'_>) -> Option<Part> {
    let own = part.get("text");
    let said = own.or_else(|| part.get("content")).filter(|said| said.get().starts_with('"'))?;
    let others = part.others(&["type", if own.is_some() { "text" } else { "content" }]);
    Some(if others.is_empty() {
        Part::Words(said.get().to_owned())
    } else {
        Part::Content(format!("{{\"type\":\"text\",\"text\":{}{others}}}", said.get()))
    })
}

fn call(part: &Object<'_>, arguments: &str) -> Option<Part> {
    let name = part.get("name")?.get();
    let given = part.get(arguments).filter(|given| given.get() != "null");
    let given = given.map_or("\"{}\"".into(), as_text);
    let id = part.get("id").map_or("null", |id| id.get());
    let others = part.others(&["type", "id", "name", arguments]);
    Some(Part::Call(format!(
        "{{\"id\":{id},\"type\":\"function\",\"function\":{{\"name\":{name},\"arguments\":{given}}}{others}}}"
    )))
}

fn result(part: &Object<'_>, id: &str, names: &[&str]) -> Option<Part> {
    let (name, given) = names.iter().find_map(|name| Some((*name, part.get(name)?)))?;
    let call = part.get(id).map_or("null", |id| id.get());
    let texts = part.list(name).map(|blocks| blocks.iter().map(converted).collect::<Vec<_>>());
    let content = match texts.as_deref() {
        // What a tool says in one block of words is these words.
        Some([Part::Words(words)]) => words.clone(),
        // OpenAI's tools may say a list of words.
        Some(blocks @ [_, ..]) if blocks.iter().all(|block| matches!(block, Part::Words(_))) => {
            given.get().to_owned()
        }
        _ => as_text(given).into_owned(),
    };
    let others = part.others(&["type", id, name]);
    Some(Part::Result(format!(",\"tool_call_id\":{call},\"content\":{content}{others}")))
}

/// Anthropic's image.
fn source_image(part: &Object<'_>) -> Option<Part> {
    let source: Object<'_> = serde_json::from_str(part.get("source")?.get()).ok()?;
    let url = match source.text("type")?.as_str() {
        "base64" => data_url(&source.text("media_type")?, &source.text("data")?),
        "url" => source.text("url")?,
        _ => return None,
    };
    Some(image(&url, &part.others(&["type", "source"])))
}

/// OpenTelemetry's image, by its address or in itself.
fn linked_image(part: &Object<'_>) -> Option<Part> {
    part.text("modality").filter(|modality| modality == "image")?;
    let mime = part.text("mime_type");
    let (url, others) = match part.text("uri") {
        Some(uri) => (uri, part.others(&["type", "modality", "uri"])),
        None => (
            data_url(&mime?, &part.text("content")?),
            part.others(&["type", "modality", "mime_type", "content"]),
        ),
    };
    Some(image(&url, &others))
}

fn data_url(mime: &str, base64: &str) -> String {
    format!("data:{mime};base64,{base64}")
}

fn image(url: &str, others: &str) -> Part {
    Part::Content(format!("{{\"type\":\"image_url\",\"image_url\":{{\"url\":{}}}{others}}}", quoted(url)))
}
