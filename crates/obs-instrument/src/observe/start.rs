//! The start of a call's span, and what is told of the call there.

use std::sync::Arc;

use obs_core::{Attributes, Payload, Str, Value};

use crate::fail::guarded;
use crate::instance::Instance;
use crate::{ActiveSpan, Context, Kind, Recorder, Registry};

/// Starts the span of a call.
pub fn start<T: Kind>(
    registry: Option<&str>,
    name: &'static str,
    tell: impl FnOnce(&mut T),
    note: impl FnOnce(&mut Notes),
) -> ActiveSpan<T> {
    let current = Context::current();
    let Some(instance) = instance(registry, &current).filter(|instance| instance.has_spans()) else {
        return ActiveSpan::noop();
    };
    let fields = || {
        let mut fields = T::default();
        guarded(|| tell(&mut fields));
        fields
    };
    let mut span = ActiveSpan::start(&instance, Str::from_static(name), || current, fields);
    if span.is_recording() {
        let mut notes = Notes::default();
        guarded(|| note(&mut notes));
        notes.tell(&mut span);
    }
    span
}

/// The arguments and attributes of a call.
#[derive(Debug, Default)]
pub struct Notes {
    /// An object of the arguments, still open.
    arguments: String,
    input: Option<Payload>,
    attributes: Attributes,
}

impl Notes {
    /// Notes an argument.
    pub fn argument(&mut self, name: &str, value: Captured) {
        self.arguments.push(if self.arguments.is_empty() { '{' } else { ',' });
        self.arguments.push_str(&quoted(name));
        self.arguments.push(':');
        self.arguments.push_str(&value.into_json());
    }

    /// Notes what stands for all arguments.
    pub fn input(&mut self, input: Option<Payload>) {
        self.input = input;
    }

    /// Notes an attribute.
    pub fn attribute(&mut self, key: &'static str, value: Value) {
        self.attributes.insert(key, value);
    }

    fn tell<T: Kind>(mut self, span: &mut ActiveSpan<T>) {
        if !self.arguments.is_empty() {
            self.arguments.push('}');
            self.input = Some(Payload::unchecked(self.arguments));
        }
        if let Some(input) = self.input {
            span.input(input);
        }
        if !self.attributes.is_empty() {
            span.attributes(|attributes| {
                for (key, value) in self.attributes {
                    attributes.insert(key, value);
                }
            });
        }
    }
}

/// An argument as it could be told.
#[derive(Debug)]
pub enum Captured {
    /// JSON, by `Serialize`.
    Json(String),
    /// Text, by `Debug`.
    Text(String),
    /// A mark in its place: its type has neither, or it failed or panicked.
    Left(&'static str),
}

impl Captured {
    fn into_json(self) -> String {
        match self {
            Self::Json(json) => json,
            Self::Text(text) => quoted(&text),
            Self::Left(type_name) => quoted(&format!("[not captured: {type_name}]")),
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// As [`resolve`](super::resolve), without a handle: as the last one, it would shut the instance down here.
fn instance(registry: Option<&str>, current: &Context) -> Option<Arc<Instance>> {
    match (registry, current.instance()) {
        (None, Some(instance)) if instance.is_alive() => Some(Arc::clone(instance)),
        _ => Registry::global().recorder(registry).map(Recorder::into_instance),
    }
}
