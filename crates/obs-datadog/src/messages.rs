//! Chat messages as Datadog has them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use obs_core::Payload;
use obs_otlp::chat::{self, Role};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// The messages of a payload, and what a message has that Datadog has no field for, as JSON by the message's number.
pub(crate) struct Messages {
    pub(crate) list: Box<RawValue>,
    pub(crate) more: Option<String>,
}

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// A message.
#[derive(Serialize)]
struct Message<'a> {
    role: Cow<'a, str>,
    content: Cow<'a, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_results: Vec<ToolResult<'a>>,
}

/// A tool that the model asks for.
#[derive(Serialize)]
struct ToolCall<'a> {
    name: Cow<'a, str>,
    arguments: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_id: Option<Cow<'a, str>>,
    #[serde(rename = "type")]
    kind: Cow<'a, str>,
}

/// What a tool gave back.
#[derive(Serialize)]
struct ToolResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    result: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_id: Option<Cow<'a, str>>,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// What a model was told or said; `None` for a document that is no chat.
pub(crate) fn of(payload: &Payload, role: Role) -> Option<Messages> {
    let json = chat::messages(payload, role)?;
    let said: Vec<Fields<'_>> = serde_json::from_str(&json).ok()?;
    let mut more: BTreeMap<usize, Fields<'_>> = BTreeMap::new();
    let mut list = Vec::with_capacity(said.len());
    for (nth, mut fields) in said.into_iter().enumerate() {
        list.push(message(&mut fields, role));
        fields.retain(|_, value| value.get() != "null");
        if !fields.is_empty() {
            more.insert(nth, fields);
        }
    }
    let more = if more.is_empty() { None } else { serde_json::to_string(&more).ok() };
    Some(Messages { list: to_raw_value(&list).ok()?, more })
}

/// The tools that a model is offered, as Datadog has them; `None` where they are in nobody's form.
pub(crate) fn tools(payload: &Payload) -> Option<Box<RawValue>> {
    let settled = payload.settled();
    let offered: Vec<Fields<'_>> = serde_json::from_str(settled.as_str()).ok()?;
    let mut tools = Vec::with_capacity(offered.len());
    for outer in &offered {
        let inner: Fields<'_> = match outer.get("function") {
            Some(function) => serde_json::from_str(function.get()).ok()?,
            None => outer.clone(),
        };
        let schema =
            ["parameters", "input_schema", "inputSchema", "schema"].iter().find_map(|name| inner.get(*name));
        tools.push(Tool {
            name: text(inner.get("name")?)?.into_owned(),
            description: inner.get("description").and_then(|told| text(told)).map(Cow::into_owned),
            schema: schema.copied().map(ToOwned::to_owned),
        });
    }
    to_raw_value(&tools).ok()
}

/// A tool that a model is offered.
#[derive(Serialize)]
struct Tool {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Box<RawValue>>,
}

/// A message of OpenAI's form, with the fields that are used taken out.
fn message<'a>(fields: &mut Fields<'a>, by_default: Role) -> Message<'a> {
    let role = taken(fields, "role").unwrap_or(Cow::Borrowed(by_default.as_str()));
    let mut content = fields.remove("content").map(content).unwrap_or_default();
    if content.is_empty() {
        content = taken(fields, "refusal").unwrap_or_default();
    }
    let mut tool_results = Vec::new();
    if role == "tool" || role == "function" {
        tool_results.push(ToolResult {
            name: taken(fields, "name"),
            result: std::mem::take(&mut content),
            tool_id: taken(fields, "tool_call_id"),
            kind: "tool_result",
        });
    }
    Message { role, content, tool_calls: calls(fields), tool_results }
}

/// The text of a field, which is taken out if it is one.
fn taken<'a>(fields: &mut Fields<'a>, name: &str) -> Option<Cow<'a, str>> {
    let found = text(fields.get(name)?)?;
    fields.remove(name);
    Some(found)
}

fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let plain = value.get().strip_prefix('"')?.strip_suffix('"')?;
    if plain.contains('\\') {
        serde_json::from_str(value.get()).ok().map(Cow::Owned)
    } else {
        Some(plain.into())
    }
}

/// What a message says as one text: its parts where all are text, else their JSON.
fn content(value: &RawValue) -> Cow<'_, str> {
    if value.get() == "null" {
        return Cow::Borrowed("");
    }
    if let Some(text) = text(value) {
        return text;
    }
    let texts = || -> Option<Vec<Cow<'_, str>>> {
        let parts: Vec<Fields<'_>> = serde_json::from_str(value.get()).ok()?;
        parts.iter().map(|part| text(part.get("text").filter(|_| part.len() == 2)?)).collect()
    };
    match texts() {
        Some(texts) => texts.join("\n").into(),
        None => value.get().into(),
    }
}

/// The calls of tools, in OpenAI's form; what is in another one stays as it is under its own arguments.
fn calls<'a>(fields: &mut Fields<'a>) -> Vec<ToolCall<'a>> {
    let Some(list) = fields.get("tool_calls") else { return Vec::new() };
    let Ok(all) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else { return Vec::new() };
    fields.remove("tool_calls");
    all.into_iter().map(call).collect()
}

fn call(value: &RawValue) -> ToolCall<'_> {
    let fields: Fields<'_> = serde_json::from_str(value.get()).unwrap_or_default();
    let function: Option<Fields<'_>> =
        fields.get("function").and_then(|function| serde_json::from_str(function.get()).ok());
    let tool_id = fields.get("id").and_then(|id| text(id));
    let kind = fields.get("type").and_then(|kind| text(kind)).unwrap_or(Cow::Borrowed("function"));
    let named = function.as_ref().and_then(|function| text(function.get("name")?));
    let Some((name, function)) = named.zip(function.as_ref()) else {
        return ToolCall { name: Cow::Borrowed(""), arguments: under_value(value), tool_id, kind };
    };
    let arguments =
        function.get("arguments").map_or_else(|| RawValue::NULL.to_owned(), |given| arguments(given));
    ToolCall { name, arguments, tool_id, kind }
}

/// Arguments as an object: the one that a text holds, or one with the text in it.
fn arguments(given: &RawValue) -> Box<RawValue> {
    let told = text(given);
    let inner = told.as_deref().unwrap_or(given.get()).trim();
    let object = if inner.is_empty() { "{}" } else { inner };
    match RawValue::from_string(object.to_owned()) {
        Ok(object) if object.get().starts_with('{') => object,
        _ => under_value(given),
    }
}

fn under_value(value: &RawValue) -> Box<RawValue> {
    let object = BTreeMap::from([("value", value)]);
    to_raw_value(&object).unwrap_or_else(|_| value.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(payload: &Value) -> (Value, Option<Value>) {
        let messages = of(&Payload::from(payload.clone()), Role::User).unwrap();
        let more = messages.more.map(|more| serde_json::from_str(&more).unwrap());
        (serde_json::from_str(messages.list.get()).unwrap(), more)
    }

    #[test]
    fn messages_have_roles_texts_calls_and_results() {
        let (list, more) = told(&json!([
            {"role": "system", "content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "brief."}]},
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Paris\"}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "clear"},
        ]));
        let expected = json!([
            {"role": "system", "content": "Be\nbrief."},
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "", "tool_calls": [
                {"name": "weather", "arguments": {"city": "Paris"}, "tool_id": "call_1", "type": "function"}]},
            {"role": "tool", "content": "", "tool_results": [
                {"result": "clear", "tool_id": "call_1", "type": "tool_result"}]},
        ]);
        assert_eq!((list, more), (expected, None));
    }

    #[test]
    fn what_datadog_has_no_field_for_is_kept_beside() {
        let (list, more) = told(&json!([
            {"role": "assistant", "content": "hi", "reasoning": "hm", "audio": null},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://h/i.png"}}]},
        ]));
        assert_eq!(list[0], json!({"role": "assistant", "content": "hi"}));
        assert!(list[1]["content"].as_str().unwrap().contains("https://h/i.png"));
        assert_eq!(more, Some(json!({"0": {"reasoning": "hm"}})));
    }

    #[test]
    fn arguments_that_are_no_object_stand_in_one() {
        for (given, expected) in [
            (json!("not json"), json!({"value": "not json"})),
            (json!("[1]"), json!({"value": "[1]"})),
            (json!(""), json!({})),
            (json!({"a": 1}), json!({"a": 1})),
        ] {
            let call = json!({"id": "c", "type": "function", "function": {"name": "n", "arguments": given}});
            let (list, _) = told(&json!([{"role": "assistant", "tool_calls": [call]}]));
            assert_eq!(list[0]["tool_calls"][0]["arguments"], expected);
        }
    }

    #[test]
    fn tools_are_read_in_the_forms_of_their_vendors() {
        let schema = json!({"type": "object"});
        let expected = json!([{"name": "n", "description": "d", "schema": schema}]);
        for offered in [
            json!([{"type": "function", "function": {"name": "n", "description": "d", "parameters": schema}}]),
            json!([{"name": "n", "description": "d", "input_schema": schema}]),
        ] {
            let read = tools(&Payload::from(offered)).unwrap();
            assert_eq!(serde_json::from_str::<Value>(read.get()).unwrap(), expected);
        }
        assert!(tools(&Payload::text("search, browse")).is_none());
    }
}
