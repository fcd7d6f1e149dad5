//! Records as templates see them: as their canonical JSON has them.

use std::sync::Arc;

use minijinja::Value;
use obs_core::{
    Labels, Payload, Resource, Str, TextVisitor, TraceContext, Value as Attribute, VisitText, write_json,
};
use serde::Serialize;
use serde::de::IgnoredAny;

/// A record as a value.
///
/// A document that is JSON but that no reader of JSON here can take, as its numbers are too large or it nests too deep, is
/// a text.
///
/// # Errors
/// Why it has no JSON.
pub(crate) fn value<T: Serialize + VisitText + Clone>(record: &T) -> Result<Value, String> {
    let mut json = Vec::new();
    write_json(&mut json, record).map_err(|cause| cause.to_string())?;
    if let Ok(value) = serde_json::from_slice(&json) {
        return Ok(value);
    }
    let mut copy = record.clone();
    copy.visit_text(&mut Plain);
    json.clear();
    write_json(&mut json, &copy).map_err(|cause| cause.to_string())?;
    serde_json::from_slice(&json).map_err(|cause| cause.to_string())
}

/// How many levels a document may have, so that a record around it still can be read.
const DEEPEST: usize = 64;

/// Makes texts of documents that cannot be read.
struct Plain;

impl TextVisitor for Plain {
    fn text(&mut self, _: &str, _: &mut Str) {}

    fn payload(&mut self, _: &str, payload: &mut Payload) {
        let readable = !payload.is_deeper_than(DEEPEST)
            && serde_json::from_str::<IgnoredAny>(payload.as_str()).is_ok()
            && serde_json::from_str::<Value>(payload.as_str()).is_ok();
        if !readable {
            *payload = Payload::text(payload.shared().clone());
        }
    }

    fn attribute(&mut self, _: &mut Str, _: &mut Attribute) {}

    fn labels(&mut self, _: &mut Labels) {}

    fn context(&mut self, _: &mut Arc<TraceContext>) {}

    fn resource(&mut self, _: &mut Arc<Resource>) {}
}

#[cfg(test)]
mod tests {
    use obs_core::{Level, Log, Timestamp};

    use super::*;

    fn data(document: &str) -> Value {
        let mut log = Log::new(Timestamp::from_nanos(u64::MAX), Level::Info, "m");
        log.data = Some(Payload::from(document));
        let value = value(&log).unwrap();
        assert_eq!(value.get_attr("time").unwrap(), Value::from(u64::MAX));
        value.get_attr("data").unwrap()
    }

    #[test]
    fn documents_are_values_and_unreadable_ones_texts() {
        assert_eq!(
            data("{\"a\": [1]}").get_attr("a").unwrap().get_item(&Value::from(0)).unwrap(),
            Value::from(1)
        );
        let deep = "[".repeat(500) + &"]".repeat(500);
        for unreadable in [&*deep, "1e999", "plain"] {
            assert_eq!(data(unreadable).as_str(), Some(unreadable));
        }
    }
}
