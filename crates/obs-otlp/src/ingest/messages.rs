//! Messages of a conversation that do not come as one list.

use obs_core::{Attributes, Event, Form, Log, Payload, Value};

use super::value::{parsed, payload};

/// The event of an answer.
const CHOICE: &str = "gen_ai.choice";

/// The event that carries a call's details in place of attributes.
pub(super) const DETAILS: &str = "gen_ai.client.inference.operation.details";

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
    let system = serde_json::to_string(&system(instructions)).ok()?;
    let comma = if messages.is_empty() { "" } else { "," };
    Payload::from_json(&format!("[{system}{comma}{rest}"))
}

/// Instructions, in parts or in words, as a message.
fn system(instructions: &Value) -> Value {
    let (key, said) = match parsed(instructions) {
        Some(parts @ Value::List(_)) => ("parts", parts),
        _ => ("content", instructions.clone()),
    };
    Value::Map(Attributes::from_iter([("role", Value::from("system")), (key, said)]))
}

/// The role of whoever says the messages that have an event of this name.
fn role_of(event: &str) -> Option<&'static str> {
    Some(match event {
        "gen_ai.system.message" => "system",
        "gen_ai.user.message" => "user",
        "gen_ai.assistant.message" | CHOICE => "assistant",
        "gen_ai.tool.message" => "tool",
        _ => return None,
    })
}

/// A message of these fields, its role first; fields that hold JSON are taken as what they hold.
fn message(role: &'static str, fields: Attributes) -> Value {
    let mut message = Attributes::new();
    if fields.get("role").is_none() {
        message.push("role", role);
    }
    for (key, value) in fields {
        let nested = parsed(&value).filter(|value| matches!(value, Value::List(_) | Value::Map(_)));
        message.push(key, nested.unwrap_or(value));
    }
    Value::Map(message)
}

fn role(message: &Value) -> Option<&str> {
    match message {
        Value::Map(message) => message.get("role")?.as_str(),
        _ => None,
    }
}

/// What the older conventions put into events: a message each, or a whole prompt or completion.
///
/// What was said moves out of a span's events, which keep their name and time; logs keep it as well.
#[derive(Debug, Default)]
pub(super) struct Said {
    input: Vec<Value>,
    output: Vec<Value>,
}

impl Said {
    /// Takes what an event says, if it is one of them.
    pub(super) fn take(&mut self, event: &mut Event) {
        match (event.name.as_str(), role_of(&event.name)) {
            ("gen_ai.content.prompt", _) => self.take_whole(event, "gen_ai.prompt"),
            ("gen_ai.content.completion", _) => self.take_whole(event, "gen_ai.completion"),
            (_, Some(role)) if !event.attributes.is_empty() => {
                let message = message(role, std::mem::take(&mut event.attributes));
                self.side(event.name == CHOICE).push(message);
            }
            _ => {}
        }
    }

    /// Copies what a log says: a message in its body, or a call's details in its attributes.
    pub(super) fn hear(&mut self, log: &Log) {
        let name = log.event_name.as_deref().unwrap_or_default();
        if let Some(role) = role_of(name) {
            let body = log.data.as_ref().and_then(|data| serde_json::from_str(data.as_str()).ok());
            let fields = match body {
                Some(Value::Map(fields)) => fields,
                _ => Attributes::from_iter([("content", log.message.clone())]),
            };
            self.side(name == CHOICE).push(message(role, fields));
        } else if name == DETAILS {
            if let Some(instructions) = log.attributes.get("gen_ai.system_instructions") {
                self.input.push(system(instructions));
            }
            for (key, output) in [("gen_ai.input.messages", false), ("gen_ai.output.messages", true)] {
                if let Some(Value::List(messages)) = log.attributes.get(key).and_then(parsed) {
                    self.side(output).extend(messages);
                }
            }
        }
    }

    fn side(&mut self, output: bool) -> &mut Vec<Value> {
        if output { &mut self.output } else { &mut self.input }
    }

    fn take_whole(&mut self, event: &mut Event, key: &str) {
        let side = self.side(key != "gen_ai.prompt");
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
