//! A second reading of what is sent: each item is decoded by a table of fields that shares nothing with the exporter, and
//! held against the record it came from.

mod judgements;
mod measured;
mod spans;

use obs_core::{Attributes, Entity, Resource, Timestamp, TraceContext};
use serde_json::{Value, json};

use crate::server::lenient;

/// What it is, where it stands in the item, and how it is read off the record; null is absent.
type Field<T> = (&'static str, &'static str, fn(&T) -> Value);

fn or_null<T: serde::Serialize>(value: Option<T>) -> Value {
    value.map_or(Value::Null, |value| lenient(&serde_json::to_string(&value).unwrap()))
}

/// A time as the platform has it, from its whole milliseconds.
fn time(time: Timestamp) -> Value {
    let micros = serde_json::to_string(&time.rfc3339().micros()).unwrap();
    json!(format!("{}Z", &micros[1..24]))
}

/// Every field of the table.
#[track_caller]
fn hold<T>(table: &[Field<T>], record: &T, item: &Value) {
    for (what, place, read) in table {
        let told = item.pointer(place).unwrap_or(&Value::Null);
        let wanted = lenient(&read(record).to_string());
        assert!(*told == wanted, "{what} at {place}: {told} and not {wanted}, in {item:.2000}");
    }
}

/// Each attribute stands under its name, or in the object for those whose name is taken.
#[track_caller]
fn hold_attributes(attributes: &Attributes, object: &str, item: &Value) {
    let metadata = &item["metadata"];
    for (name, value) in attributes.iter() {
        let (flat, covered) = (&metadata[name.as_str()], &metadata[object][name.as_str()]);
        let value = lenient(&serde_json::to_string(value).unwrap());
        assert!(*flat == value || *covered == value, "{object} {name}: {value} is lost");
    }
}

/// Mastra's word for a kind of entity, where it has one.
fn kind(entity: Option<&Entity>) -> Value {
    match entity.and_then(|entity| entity.kind.as_deref()) {
        Some("workflow") => json!("workflow_run"),
        Some(known @ ("agent" | "tool" | "workflow_run" | "workflow_step" | "memory" | "scorer")) => {
            json!(known)
        }
        _ => Value::Null,
    }
}

/// What every record that is no span is found by.
const CORRELATION: &[Field<TraceContext>] = &[
    ("user", "/correlationContext/userId", |context| or_null(context.user_id.clone())),
    ("organisation", "/correlationContext/organizationId", |context| {
        or_null(context.organization_id.clone())
    }),
    ("thread", "/correlationContext/threadId", |context| or_null(context.thread_id.clone())),
    ("request", "/correlationContext/requestId", |context| or_null(context.request_id.clone())),
    ("environment", "/correlationContext/environment", |context| or_null(context.environment.clone())),
    ("tags", "/correlationContext/tags", |context| {
        or_null(Some(context.tags.clone()).filter(|tags| !tags.is_empty()))
    }),
    ("entity's type", "/correlationContext/entityType", |context| kind(context.entity.as_ref())),
    ("entity", "/correlationContext/entityId", |context| or_null(context.entity.clone().and_then(|e| e.id))),
    ("entity's name", "/correlationContext/entityName", |context| {
        or_null(context.entity.clone().and_then(|e| e.name))
    }),
    ("entity's version", "/correlationContext/entityVersionId", |context| {
        or_null(context.entity.clone().and_then(|e| e.version))
    }),
    ("caller's type", "/correlationContext/parentEntityType", |context| kind(context.parent_entity.as_ref())),
    ("caller", "/correlationContext/parentEntityId", |context| {
        or_null(context.parent_entity.clone().and_then(|e| e.id))
    }),
    ("caller's name", "/correlationContext/parentEntityName", |context| {
        or_null(context.parent_entity.clone().and_then(|e| e.name))
    }),
    ("caller's version", "/correlationContext/parentEntityVersionId", |context| {
        or_null(context.parent_entity.clone().and_then(|e| e.version))
    }),
];

/// What the metadata of every record says of its trace.
const TRACE: &[Field<TraceContext>] = &[
    ("trace's name", "/metadata/traceName", |context| or_null(context.name.clone())),
    ("release", "/metadata/release", |context| or_null(context.release.clone())),
    ("version", "/metadata/version", |context| or_null(context.version.clone())),
];

const SOURCE: &[Field<Resource>] = &[
    ("scope", "/metadata/scope", |resource| or_null(resource.scope.clone())),
    ("resource", "/metadata/resource", |resource| {
        or_null(Some(resource.attributes.clone()).filter(|attributes| !attributes.is_empty()))
    }),
];

/// The service: the context's, else the resource's.
fn service(context: &TraceContext, resource: &Resource) -> Value {
    or_null(context.service.as_deref().or(resource.service_name()))
}

#[track_caller]
fn hold_shared(context: &TraceContext, resource: &Resource, item: &Value) {
    hold(TRACE, context, item);
    hold(SOURCE, resource, item);
    hold_attributes(&context.metadata, "traceMetadata", item);
}

#[track_caller]
fn hold_correlation(context: &TraceContext, resource: &Resource, item: &Value) {
    hold(CORRELATION, context, item);
    assert_eq!(or_null(item.pointer("/correlationContext/serviceName")), service(context, resource));
    hold_shared(context, resource, item);
}
