//! Messages of a conversation that do not come as one list.

use obs_core::{Attributes, Event, Form, Payload, Value};

use super::value::{parsed, payload};

/// The input with a model's instructions as its first message.
///
/// `None` if the input is no list of messages, or has a system message already.
pub(super) fn with_instructions(input: Option<&Payload>, instructions: &Value) -> Option<Payload> {
    let rest = match input {
        None => "[]",
        Some(input) if input.form() == Form::Json => input.as_str().trim(),
        Some(_) => return None,
    };
    let rest = rest.strip_prefix('[')?.trim_start();
    let Value::List(messages) = serde_json::from_str::<Value>(input.map_or("[]", Payload::as_str)).ok()?
    else {
        return None;
    };
    if messages.first().is_some_and(|first| role(first) == Some("system")) {
        return None;
    }
    let mut system = Attributes::new();
    system.push("role", "system");
    match parsed(instructions).filter(|parts| matches!(parts, Value::List(_))) {
        Some(parts) => system.push("parts", parts),
        None => system.push("content", instructions.clone()),
    }
    let system = serde_json::to_string(&system).ok()?;
    let comma = if messages.is_empty() { "" } else { "," };
    Payload::from_json(&format!("[{system}{comma}{rest}"))
}

fn role(message: &Value) -> Option<&str> {
    match message {
        Value::Map(message) => message.get("role")?.as_str(),
        _ => None,
    }
}

/// What the older conventions put into events: a message each, or a whole prompt or completion.
///
/// What was said moves out of the events, which keep their name and time.
#[derive(Debug, Default)]
pub(super) struct Said {
    input: Vec<Value>,
    output: Vec<Value>,
}

impl Said {
    /// Takes what an event says, if it is one of them.
    pub(super) fn take(&mut self, event: &mut Event) {
        let role = match event.name.as_str() {
            "gen_ai.system.message" => "system",
            "gen_ai.user.message" => "user",
            "gen_ai.assistant.message" | "gen_ai.choice" => "assistant",
            "gen_ai.tool.message" => "tool",
            "gen_ai.content.prompt" => return self.take_whole(event, "gen_ai.prompt"),
            "gen_ai.content.completion" => return self.take_whole(event, "gen_ai.completion"),
            _ => return,
        };
        if event.attributes.is_empty() {
            return;
        }
        let fields = std::mem::take(&mut event.attributes);
        let mut message = Attributes::new();
        if fields.get("role").is_none() {
            message.push("role", role);
        }
        for (key, value) in fields {
            let nested = parsed(&value).filter(|value| matches!(value, Value::List(_) | Value::Map(_)));
            message.push(key, nested.unwrap_or(value));
        }
        let side = if event.name == "gen_ai.choice" { &mut self.output } else { &mut self.input };
        side.push(Value::Map(message));
    }

    fn take_whole(&mut self, event: &mut Event, key: &str) {
        let side = if key == "gen_ai.prompt" { &mut self.input } else { &mut self.output };
        if let Some(value) = event.attributes.remove(key) {
            match parsed(&value) {
                Some(Value::List(messages)) => side.extend(messages),
                Some(message @ Value::Map(_)) => side.push(message),
                _ => side.push(value),
            }
        }
    }

    /// The input and output made of what was said.
    pub(super) fn finish(self) -> (Option<Payload>, Option<Payload>) {
        let list = |said: Vec<Value>| (!said.is_empty()).then(|| payload(&Value::List(said)));
        (list(self.input), list(self.output))
    }
}
