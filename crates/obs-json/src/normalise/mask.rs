//! Stable names for ids, and masks for times.

use std::collections::HashMap;
use std::hash::Hash;

use obs_core::{SpanId, TraceId};
use serde_json::{Value, json};
use uuid::Uuid;

/// Names by order of appearance.
#[derive(Debug, Default)]
pub(super) struct Names {
    traces: HashMap<TraceId, usize>,
    spans: HashMap<SpanId, usize>,
    errors: HashMap<Option<Uuid>, usize>,
    others: HashMap<Uuid, usize>,
}

/// The number of an id, the next one for an unknown id.
fn number<K: Eq + Hash>(known: &mut HashMap<K, usize>, id: K) -> usize {
    let next = known.len() + 1;
    *known.entry(id).or_insert(next)
}

impl Names {
    pub(super) fn trace(&mut self, id: TraceId) -> String {
        format!("<trace-{}>", number(&mut self.traces, id))
    }

    pub(super) fn span(&mut self, id: SpanId) -> String {
        format!("<span-{}>", number(&mut self.spans, id))
    }

    /// Whether the span was named before.
    pub(super) fn knows(&self, id: SpanId) -> bool {
        self.spans.contains_key(&id)
    }

    pub(super) fn error(&mut self, id: Option<Uuid>) -> String {
        format!("<error-{}>", number(&mut self.errors, id))
    }

    /// Replaces every text that is an id named before, or a UUID in its usual form.
    pub(super) fn replace_in(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(name) = self.name_of(text) {
                    *text = name;
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.replace_in(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.replace_in(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn name_of(&mut self, text: &str) -> Option<String> {
        match text.len() {
            16 => text.parse().ok().filter(|id| self.knows(*id)).map(|id| self.span(id)),
            32 => text.parse().ok().filter(|id| self.traces.contains_key(id)).map(|id| self.trace(id)),
            36 => text.parse().ok().map(|id| format!("<uuid-{}>", number(&mut self.others, id))),
            _ => None,
        }
    }
}

const TIME: &str = "<time>";
const DURATION: &str = "<duration>";

/// Masks what a type of span says of times.
pub(super) fn span_type(of_type: &mut Value) {
    if let Some(decisions) = of_type.pointer_mut("/agent_run/decisions").and_then(Value::as_array_mut) {
        for decision in decisions.iter_mut().filter_map(Value::as_object_mut) {
            decision.remove("time");
        }
    }
    if let Some(first_token) = of_type.pointer_mut("/llm_generation/time_to_first_token") {
        *first_token = DURATION.into();
    }
    if let Some(until) = of_type.pointer_mut("/workflow_step/flavour/sleep/until") {
        *until = TIME.into();
    }
}

/// Masks the numbers of a metric in a unit of time; only how many there were stays.
pub(super) fn metric_value(unit: Option<&str>, value: &mut Value) {
    const TIMES: [&str; 7] = ["s", "ms", "us", "ns", "min", "h", "d"];
    if !unit.is_some_and(|unit| TIMES.contains(&unit)) {
        return;
    }
    for of_kind in value.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        *of_kind = match of_kind.get("count") {
            Some(count) => json!({ "count": count, "values": DURATION }),
            None => DURATION.into(),
        };
    }
}
