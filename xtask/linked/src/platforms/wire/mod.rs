//! Requests read without the code that wrote them.

mod braintrust;
mod langfuse;
mod langsmith;

use obs_testkit::Captured;
use serde_json::Value;

use crate::platform::Item;

/// What requests hold.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub(crate) items: Vec<Item>,
    /// What breaks a rule of the wire, one line each.
    pub(crate) faults: Vec<String>,
}

/// What the requests to a platform hold.
pub(crate) fn decode(platform: &str, requests: &[Captured]) -> Decoded {
    match platform {
        "langfuse" => langfuse::decode(requests),
        "braintrust" => braintrust::decode(requests),
        "langsmith" => langsmith::decode(requests),
        other => {
            Decoded { faults: vec![format!("nobody reads the requests to {other}")], ..Decoded::default() }
        }
    }
}

/// Puts `new` into `old`: objects by their fields, anything else by the later one.
fn merge(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in new {
                merge(old.entry(name).or_insert(Value::Null), value);
            }
        }
        (old, new) => *old = new,
    }
}

/// A request, for messages.
fn place(request: &Captured) -> String {
    format!("{} {}", request.method, request.path)
}
