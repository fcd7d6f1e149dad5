//! What stands under names of our own.

use obs_core::{Attributes, Cost, Entity, SpanType, Str, TraceContext, Value};
use serde::de::DeserializeOwned;

use super::value::name;
use crate::conventions::openinference::NODE_PARENT_ID;
use crate::conventions::own;
use crate::encode::genai::{self, names};

/// Takes what is known of the trace; `false` if it is nothing of that, or was told before.
pub(super) fn set_context(context: &mut TraceContext, key: &str, value: &Value) -> bool {
    let entities = [(own::ENTITY, &mut context.entity), (own::PARENT_ENTITY, &mut context.parent_entity)];
    for (names, entity) in entities {
        if let Some(field) = names.iter().position(|name| *name == key) {
            return set_entity(entity, field, value);
        }
    }
    false
}

/// Takes the field of this place among the names.
fn set_entity(entity: &mut Option<Entity>, field: usize, value: &Value) -> bool {
    let Some(text) = name(value) else { return false };
    let Entity { kind, id, name, version } = entity.get_or_insert_default();
    let slot = [kind, id, name, version].into_iter().nth(field);
    slot.is_some_and(|slot| slot.replace(text).is_none())
}

/// Takes a field of the span's type; `false` if it has no such, or was told before.
pub(super) fn set_type(span_type: &mut SpanType, cost: &mut Option<Cost>, key: &str, value: &Value) -> bool {
    match (span_type, key) {
        (SpanType::AgentRun(run), own::DECISIONS) if run.decisions.is_empty() => {
            let decisions: Option<Vec<_>> = held(value);
            decisions.filter(|all| !all.is_empty()).is_some_and(|all| {
                run.decisions = all;
                true
            })
        }
        (SpanType::LlmGeneration(_) | SpanType::Embedding(_), own::COST) => once(cost, value),
        _ => false,
    }
}

/// Drops the name of a step's workflow, and the node that called, where the context tells them.
pub(super) fn drop_restated(span_type: &SpanType, context: &TraceContext, attributes: &mut Attributes) {
    let told = attributes.get(names::WORKFLOW_ID).and_then(Value::as_str);
    let step = matches!(span_type, SpanType::WorkflowStep(_));
    if step && told.is_some() && told == genai::workflow(context).map(Str::as_str) {
        attributes.remove(names::WORKFLOW_ID);
    }
    let caller =
        context.parent_entity.as_ref().and_then(|caller| caller.id.as_ref().or(caller.name.as_ref()));
    let told = attributes.get(NODE_PARENT_ID).and_then(Value::as_str);
    if told.is_some() && told == caller.map(Str::as_str) {
        attributes.remove(NODE_PARENT_ID);
    }
}

/// Fills what nothing has filled yet.
pub(super) fn once<T: DeserializeOwned>(slot: &mut Option<T>, value: &Value) -> bool {
    if slot.is_none() {
        *slot = held(value);
        return slot.is_some();
    }
    false
}

/// What the JSON of a text says.
fn held<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_str(value.as_str()?).ok()
}
