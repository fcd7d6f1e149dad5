//! Metadata: what has no field of its own, so that nothing is lost; numbers, truth values and texts alone, as Datadog
//! takes them.

use std::borrow::Cow;
use std::collections::HashSet;

use obs_core::{Attributes, Entity, ErrorInfo, Resource, Span, SpanKind, Str, TraceContext, Value};
use serde::Serialize;

use crate::numbered::Numbered;
use crate::wire::Metadata;

/// Collects metadata; of two entries by one name the later one moves below the name of where it is from, with a number
/// where that is taken, too.
#[derive(Debug, Default)]
pub(crate) struct Collector<'a> {
    entries: Vec<(Cow<'a, str>, Value)>,
    names: HashSet<Cow<'a, str>>,
    numbered: Numbered,
}

impl<'a> Collector<'a> {
    /// Adds what there is.
    pub(crate) fn put(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.add(Cow::Borrowed(name), "obs", value.into());
        }
    }

    /// Adds a text.
    pub(crate) fn text(&mut self, name: &'static str, text: Option<&Str>) {
        self.put(name, text.cloned());
    }

    /// Adds the JSON of something that nests, unless there is nothing in it.
    pub(crate) fn json<T: Serialize>(&mut self, name: &'static str, items: &[T]) {
        if !items.is_empty() {
            self.put(name, serde_json::to_string(items).ok());
        }
    }

    /// Adds what the application named, below `source` where a name is taken.
    pub(crate) fn attributes(&mut self, source: &str, attributes: &'a Attributes) {
        for (name, value) in attributes.iter() {
            self.add(Cow::Borrowed(name.as_str()), source, flat(value));
        }
    }

    /// Adds an entry under a name made up.
    pub(crate) fn named(&mut self, name: String, value: impl Into<Value>) {
        self.add(Cow::Owned(name), "obs", value.into());
    }

    fn add(&mut self, name: Cow<'a, str>, source: &str, value: Value) {
        let mut name = name;
        if self.names.contains(&name) {
            let free = self.numbered.free(&format!("{source}.{name}"), |name| self.names.contains(name));
            name = Cow::Owned(free);
        }
        self.names.insert(name.clone());
        self.entries.push((name, value));
    }

    pub(crate) fn finish(self) -> Metadata<'a> {
        Metadata(self.entries)
    }
}

/// What is known of the trace and of what produced the record.
pub(crate) fn shared<'a>(to: &mut Collector<'a>, context: &'a TraceContext, resource: &'a Resource) {
    to.text("trace_name", context.name.as_ref());
    to.text("user_id", context.user_id.as_ref());
    to.text("thread_id", context.thread_id.as_ref());
    to.text("request_id", context.request_id.as_ref());
    to.text("organization_id", context.organization_id.as_ref());
    to.text("release", context.release.as_ref());
    to.text("trace_version", context.version.as_ref());
    to.text("experiment_id", context.experiment_id.as_ref());
    entity(to, "entity", context.entity.as_ref());
    entity(to, "parent_entity", context.parent_entity.as_ref());
    to.attributes("trace_metadata", &context.metadata);
    for (name, value) in resource.attributes.iter() {
        to.named(format!("resource.{name}"), flat(value));
    }
    if let Some(scope) = &resource.scope {
        to.put("scope.name", Some(scope.name.clone()).filter(|name| !name.is_empty()));
        to.text("scope.version", scope.version.as_ref());
        for (name, value) in scope.attributes.iter() {
            to.named(format!("scope.{name}"), flat(value));
        }
    }
}

fn entity(to: &mut Collector<'_>, name: &str, entity: Option<&Entity>) {
    let Some(Entity { kind, id, name: called, version }) = entity else { return };
    for (part, text) in [("kind", kind), ("id", id), ("name", called), ("version", version)] {
        if let Some(text) = text {
            to.named(format!("{name}.{part}"), text.clone());
        }
    }
}

/// What a span has beside its type.
pub(crate) fn of_span<'a>(to: &mut Collector<'a>, span: &'a Span) {
    to.put("span_type", Some(span.span_type.name()));
    if span.kind != SpanKind::Internal {
        to.put("span_kind", serde_json::to_value(span.kind).ok());
    }
    to.put("trace_flags", span.unusual_flags().map(u32::from));
    to.text("trace_state", span.trace_state.as_ref());
    to.put("remote_parent", Some(true).filter(|_| span.remote_parent));
    if let Some(error) = span.error.as_deref() {
        fault(to, error);
    }
    to.json("events", &span.events);
    to.json("links", &span.links);
}

/// What an error has that Datadog has no field for.
fn fault<'a>(to: &mut Collector<'a>, error: &'a ErrorInfo) {
    to.put("error.id", error.error_id.map(|id| id.to_string()));
    to.text("error.code", error.code.as_ref());
    to.text("error.domain", error.domain.as_ref());
    to.text("error.category", error.category.as_ref());
    if error.stack.is_some() {
        to.json("error.sources", &error.sources);
    }
    for (name, value) in error.details.iter() {
        to.named(format!("error.{name}"), flat(value));
    }
}

/// A value as a number, a truth value or a text: what nests becomes its JSON.
pub(crate) fn flat(value: &Value) -> Value {
    match value {
        Value::Bool(_) | Value::I64(_) | Value::F64(_) | Value::Str(_) => value.clone(),
        Value::Null => Value::from("null"),
        Value::List(_) | Value::Map(_) => Value::from(serde_json::to_string(value).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_twice_and_nothing_is_lost() {
        let attributes: Attributes =
            [("a", Value::from(1)), ("query", Value::from("own")), ("attributes.query", Value::from("too"))]
                .into_iter()
                .collect();
        let mut collector = Collector::default();
        collector.put("query", Some("obs"));
        collector.attributes("attributes", &attributes);
        collector.attributes("trace_metadata", &attributes);
        let told = serde_json::to_value(collector.finish()).unwrap();
        assert_eq!(
            told,
            serde_json::json!({
                "query": "obs", "a": 1, "attributes.query": "own", "attributes.attributes.query": "too",
                "trace_metadata.a": 1, "trace_metadata.query": "own", "trace_metadata.attributes.query": "too",
            })
        );
    }

    /// Attributes may repeat a key as often as they like: names stay short, and the time does not grow with their square.
    #[test]
    fn equal_names_are_numbered_in_time() {
        let attributes: Attributes = (0..100_000).map(|nth| ("a", Value::from(nth))).collect();
        let mut collector = Collector::default();
        collector.attributes("attributes", &attributes);
        let Metadata(entries) = collector.finish();
        assert_eq!(entries.len(), 100_000);
        let names: Vec<_> = entries.iter().take(4).map(|(name, _)| &**name).collect();
        assert_eq!(names, ["a", "attributes.a", "attributes.a.2", "attributes.a.3"]);
    }

    #[test]
    fn what_nests_is_its_json() {
        let list = Value::List(vec![Value::from(1), Value::Null]);
        assert_eq!(flat(&list), Value::from("[1,null]"));
        assert_eq!(flat(&Value::Null), Value::from("null"));
        assert_eq!(flat(&Value::F64(0.5)), Value::F64(0.5));
    }
}
