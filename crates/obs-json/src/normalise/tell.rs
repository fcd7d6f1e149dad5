//! How each record is told in its place.

use std::sync::Arc;

use obs_core::{Feedback, Log, Metric, Node, Resource, Score, Span, SpanId, Target, Trace, TraceContext};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::mask::{Names, metric_value, span_type};
use super::place::Places;

/// How deep spans nest in the tree: two levels of JSON each, where readers take 128.
const MAX_NESTING: usize = 50;

/// What records around share, so that only what differs is told.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared {
    context: Arc<TraceContext>,
    service: Option<String>,
}

impl Shared {
    /// What the first record says of context and service.
    pub(super) fn of(places: &Places) -> Self {
        let Places { traces, logs, metrics, scores, feedback } = places;
        let first = logs
            .first()
            .map(|log| (&log.context, &log.resource))
            .or_else(|| metrics.first().map(|metric| (&metric.context, &metric.resource)))
            .or_else(|| scores.first().map(|score| (&score.context, &score.resource)))
            .or_else(|| feedback.first().map(|feedback| (&feedback.context, &feedback.resource)));
        first.map(Self::by).or_else(|| traces.first().map(Self::of_trace)).unwrap_or_default()
    }

    /// What the first span of the trace says, else the first of its other records.
    fn of_trace(trace: &Trace) -> Self {
        let first = trace.root().map(|span| (&span.context, &span.resource));
        let log = || trace.logs.first().map(|log| (&log.context, &log.resource));
        let score = || trace.scores.first().map(|score| (&score.context, &score.resource));
        let feedback = || trace.feedback.first().map(|feedback| (&feedback.context, &feedback.resource));
        first.or_else(log).or_else(score).or_else(feedback).map(Self::by).unwrap_or_default()
    }

    fn by((context, resource): (&Arc<TraceContext>, &Arc<Resource>)) -> Self {
        Self { context: Arc::clone(context), service: service(resource) }
    }

    /// Adds the context and the service where they differ from what is shared around.
    pub(super) fn tell(&self, around: &Self, object: &mut Map<String, Value>) {
        if *self.context != *around.context {
            object.insert("context".into(), value(&*self.context));
        }
        if self.service != around.service {
            object.insert("service".into(), self.service.clone().into());
        }
    }
}

fn service(resource: &Resource) -> Option<String> {
    resource.service_name().map(ToOwned::to_owned)
}

/// Adds a list that is not empty.
pub(super) fn put(object: &mut Map<String, Value>, name: &str, list: impl IntoIterator<Item = Value>) {
    let list: Vec<Value> = list.into_iter().collect();
    if !list.is_empty() {
        object.insert(name.to_owned(), Value::Array(list));
    }
}

/// A whole trace.
pub(super) fn trace(trace: &Trace, around: &Shared, names: &mut Names) -> Value {
    let (nodes, shared) = (trace.tree(), Shared::of_trace(trace));
    let mut object = Map::new();
    object.insert("trace".into(), names.trace(trace.trace_id).into());
    shared.tell(around, &mut object);
    put(&mut object, "spans", nest(&nodes, &shared, names));
    let missing = |id: Option<SpanId>| !nodes.iter().any(|node| Some(node.span.span_id) == id);
    let of = |log: &Log| log.span.and_then(|span| span.span_id);
    let logs = trace.logs.iter().filter(|each| missing(of(each)));
    put(&mut object, "logs", logs.map(|each| of_missing(log(each, &shared), of(each), names)));
    let scores = trace.scores.iter().filter(|each| missing(each.target.span_id()));
    put(
        &mut object,
        "scores",
        scores.map(|each| of_missing(score(each, &shared), each.target.span_id(), names)),
    );
    let given = trace.feedback.iter().filter(|each| missing(each.target.span_id()));
    put(
        &mut object,
        "feedback",
        given.map(|each| of_missing(feedback(each, &shared), each.target.span_id(), names)),
    );
    Value::Object(object)
}

/// The nodes as nested objects, children under their parents.
fn nest(nodes: &[Node<'_>], shared: &Shared, names: &mut Names) -> Vec<Value> {
    let mut objects: Vec<_> = nodes.iter().map(|node| node_object(node, shared, names)).collect();
    let mut below: Vec<Vec<Value>> = nodes.iter().map(|_| Vec::new()).collect();
    let mut roots = Vec::new();
    for at in (0..nodes.len()).rev() {
        let mut object = std::mem::take(&mut objects[at]);
        put(&mut object, "children", std::mem::take(&mut below[at]).into_iter().rev());
        match holder(nodes, at) {
            Some(holder) => below[holder].push(Value::Object(object)),
            None => roots.push(Value::Object(object)),
        }
    }
    roots.reverse();
    roots
}

/// The node that holds another in the tree: its parent, or the ancestor at the deepest level there is.
fn holder(nodes: &[Node<'_>], at: usize) -> Option<usize> {
    let mut holder = nodes[at].parent?;
    while nodes[holder].depth >= MAX_NESTING {
        holder = nodes[holder].parent?;
    }
    Some(holder)
}

fn node_object(node: &Node<'_>, shared: &Shared, names: &mut Names) -> Map<String, Value> {
    let span = node.span;
    let Value::Object(mut object) = span_object(span, names) else { return Map::new() };
    object.insert("span".into(), names.span(span.span_id).into());
    if let Some(parent) = span.parent_span_id.filter(|_| node.parent.is_none()) {
        object.insert("parent".into(), names.span(parent).into());
    }
    if node.depth > MAX_NESTING {
        object.insert("depth".into(), node.depth.into());
    }
    Shared::by((&span.context, &span.resource)).tell(shared, &mut object);
    put(&mut object, "logs", node.logs.iter().map(|each| log(each, shared)));
    put(&mut object, "scores", node.scores.iter().map(|each| score(each, shared)));
    put(&mut object, "feedback", node.feedback.iter().map(|each| feedback(each, shared)));
    object
}

/// A span but for its ids, times and what stands elsewhere.
pub(super) fn span_object(span: &Span, names: &mut Names) -> Value {
    let Value::Object(mut object) = value(span) else { return Value::Null };
    let here = [
        "trace_id",
        "span_id",
        "parent_span_id",
        "path",
        "start",
        "end",
        "trace_flags",
        "context",
        "resource",
        "links",
    ];
    strip(&mut object, &here);
    if span.end.is_none() {
        object.insert("running".into(), true.into());
    }
    if let Some(events) = object.get_mut("events").and_then(Value::as_array_mut) {
        events.iter_mut().filter_map(Value::as_object_mut).for_each(|event| strip(event, &["time"]));
    }
    if let Some(error) = object.get_mut("error").and_then(Value::as_object_mut)
        && error.contains_key("error_id")
    {
        let id = span.error.as_ref().and_then(|error| error.error_id);
        error.insert("error_id".into(), names.error(id).into());
    }
    if let Some(of_type) = object.get_mut("type") {
        span_type(of_type);
    }
    let links = span.links.iter().map(|link| {
        let mut linked = value(link);
        linked["trace_id"] = names.trace(link.trace_id).into();
        linked["span_id"] = names.span(link.span_id).into();
        linked
    });
    put(&mut object, "links", links);
    Value::Object(object)
}

pub(super) fn log(log: &Log, shared: &Shared) -> Value {
    let own = Shared::by((&log.context, &log.resource));
    Value::Object(record(log, &own, shared, &["time", "span"]))
}

pub(super) fn score(score: &Score, shared: &Shared) -> Value {
    let own = Shared::by((&score.context, &score.resource));
    let mut object = record(score, &own, shared, &["id", "time", "target"]);
    tell_target(&score.target, &mut object);
    Value::Object(object)
}

pub(super) fn feedback(given: &Feedback, shared: &Shared) -> Value {
    let own = Shared::by((&given.context, &given.resource));
    let mut object = record(given, &own, shared, &["id", "time", "target"]);
    tell_target(&given.target, &mut object);
    Value::Object(object)
}

/// Names the target where the place in the tree does not say it.
fn tell_target(target: &Target, object: &mut Map<String, Value>) {
    match target {
        Target::Span { .. } | Target::Trace { .. } => {}
        Target::Session { .. } | Target::ExperimentRun { .. } => {
            object.insert("target".into(), value(target));
        }
    }
}

/// A record that belongs to a span which is not there, with the name of that span.
fn of_missing(mut record: Value, span: Option<SpanId>, names: &mut Names) -> Value {
    if let Some(span) = span {
        record["span"] = names.span(span).into();
    }
    record
}

pub(super) fn metric(metric: &Metric, shared: &Shared, names: &mut Names) -> Value {
    let own = Shared::by((&metric.context, &metric.resource));
    let mut object = record(metric, &own, shared, &["time", "start", "exemplar"]);
    if let Some(exemplar) = &metric.exemplar {
        let mut at = json!({ "trace": names.trace(exemplar.span.trace_id) });
        if let Some(span) = exemplar.span.span_id {
            at["span"] = names.span(span).into();
        }
        object.insert("exemplar".into(), at);
    }
    if let Some(value) = object.get_mut("value") {
        metric_value(metric.unit.as_deref(), value);
    }
    Value::Object(object)
}

/// A record's fields but those left out; its context and service where they differ from what is shared.
fn record<T: Serialize>(record: &T, own: &Shared, shared: &Shared, left_out: &[&str]) -> Map<String, Value> {
    let Value::Object(mut object) = value(record) else { return Map::new() };
    strip(&mut object, left_out);
    strip(&mut object, &["context", "resource"]);
    own.tell(shared, &mut object);
    object
}

fn strip(object: &mut Map<String, Value>, fields: &[&str]) {
    for field in fields {
        object.remove(*field);
    }
}

fn value<T: Serialize>(record: &T) -> Value {
    serde_json::to_value(record).unwrap_or_default()
}
