//! Where each record stands.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use obs_core::{
    Feedback, Log, Metric, Node, Record, Resource, Score, Span, SpanId, SpanRecord, Target, Timestamp, Trace,
    TraceContext, TraceId,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::mask::{Names, metric_value, span_type};
use super::put;

/// How deep spans nest in the tree: two levels of JSON each, where readers take 128.
const MAX_NESTING: usize = 50;

/// The records by the place where they stand.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) traces: Vec<PlacedTrace>,
    pub(super) logs: Listed<Log>,
    pub(super) metrics: Listed<Metric>,
    pub(super) scores: Listed<Score>,
    pub(super) feedback: Listed<Feedback>,
}

/// One trace, its records in an order that does not depend on that of the input.
#[derive(Debug)]
pub(super) struct PlacedTrace {
    trace: Trace,
}

/// Records that stand in no trace.
#[derive(Debug)]
pub(super) struct Listed<T>(Vec<T>);

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Places {
    pub(super) fn of(records: &[Record]) -> Self {
        let mut places = Self::default();
        let mut traces: BTreeMap<TraceId, Trace> = BTreeMap::new();
        let mut spans: HashMap<(TraceId, SpanId), &SpanRecord> = HashMap::new();
        for record in records {
            match record {
                Record::Span(record) => keep_latest(&mut spans, record),
                Record::Metric(metric) => places.metrics.0.push(metric.clone()),
                Record::Log(log) => match log.span {
                    Some(span) => of_trace(&mut traces, span.trace_id).logs.push(log.clone()),
                    None => places.logs.0.push(log.clone()),
                },
                Record::Score(score) => match score.target.trace_id() {
                    Some(id) => of_trace(&mut traces, id).scores.push(score.clone()),
                    None => places.scores.0.push(score.clone()),
                },
                Record::Feedback(feedback) => match feedback.target.trace_id() {
                    Some(id) => of_trace(&mut traces, id).feedback.push(feedback.clone()),
                    None => places.feedback.0.push(feedback.clone()),
                },
            }
        }
        for record in spans.into_values() {
            of_trace(&mut traces, record.span().trace_id).spans.push(record.span().clone());
        }
        places.traces = traces.into_values().map(PlacedTrace::new).collect();
        places.traces.sort_by_cached_key(PlacedTrace::order);
        places
    }
}

fn of_trace(traces: &mut BTreeMap<TraceId, Trace>, id: TraceId) -> &mut Trace {
    traces.entry(id).or_insert_with(|| Trace::new(id))
}

/// Of several records of one span keeps the one that ended, the last, or with the greater content.
fn keep_latest<'a>(spans: &mut HashMap<(TraceId, SpanId), &'a SpanRecord>, record: &'a SpanRecord) {
    let key = |record: &SpanRecord| (record.ended().is_some(), record.span().end);
    let known = spans.entry((record.span().trace_id, record.span().span_id)).or_insert(record);
    let later = key(record).cmp(&key(known)).then_with(|| content(record.span()).cmp(&content(known.span())));
    if later.is_gt() {
        *known = record;
    }
}

/// All that a record says, as text: what decides where times are equal.
fn content<T: Serialize>(record: &T) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

/// What a span says but its ids, then its ids: only where nothing else differs do random ids decide.
fn span_order(span: &Span) -> (Timestamp, Option<Timestamp>, String, SpanId) {
    (span.start, span.end, span_object(span, &mut Names::default()).to_string(), span.span_id)
}

impl PlacedTrace {
    fn new(mut trace: Trace) -> Self {
        trace.spans.sort_by_cached_key(span_order);
        trace.logs.sort_by_cached_key(|log| (log.time, content(log)));
        trace.scores.sort_by_cached_key(|score| (score.time, content(score)));
        trace.feedback.sort_by_cached_key(|feedback| (feedback.time, content(feedback)));
        Self { trace }
    }

    fn order(&self) -> (Timestamp, String, TraceId) {
        let Trace { trace_id, spans, logs, scores, feedback } = &self.trace;
        let times = spans.first().map(|span| span.start).into_iter();
        let others = logs.first().map(|log| log.time).into_iter();
        let judged = scores.first().map(|score| score.time).into_iter();
        let given = feedback.first().map(|feedback| feedback.time);
        let first = times.chain(others).chain(judged).chain(given).min().unwrap_or_default();
        (first, spans.first().map(|span| span_order(span).2).unwrap_or_default(), *trace_id)
    }

    /// Names the trace and its spans, in the order in which they are told.
    pub(super) fn name(&self, names: &mut Names) {
        names.trace(self.trace.trace_id);
        for node in self.trace.tree() {
            names.span(node.span.span_id);
        }
    }

    pub(super) fn to_value(&self, names: &mut Names) -> Value {
        let nodes = self.trace.tree();
        let shared = Shared::of(&self.trace, &nodes);
        let mut object = Map::new();
        object.insert("trace".into(), names.trace(self.trace.trace_id).into());
        shared.tell(&mut object);
        put(&mut object, "spans", nest(&nodes, &shared, names));
        let loose = Loose::of(&self.trace, &nodes);
        put(&mut object, "logs", loose.logs.iter().map(|log| log_value(log, Some(&shared), names)).collect());
        put(
            &mut object,
            "scores",
            loose.scores.iter().map(|score| score_value(score, Some(&shared), names)).collect(),
        );
        let feedback = loose.feedback.iter().map(|given| feedback_value(given, Some(&shared), names));
        put(&mut object, "feedback", feedback.collect());
        Value::Object(object)
    }
}

/// What all records of a trace share, so that only what differs is told.
#[derive(Debug, Default)]
struct Shared {
    context: Arc<TraceContext>,
    service: Option<String>,
}

impl Shared {
    fn of(trace: &Trace, nodes: &[Node<'_>]) -> Self {
        let of_span = nodes.first().map(|node| (&node.span.context, &node.span.resource));
        let of_log = trace.logs.first().map(|log| (&log.context, &log.resource));
        match of_span.or(of_log) {
            Some((context, resource)) => Self { context: Arc::clone(context), service: service(resource) },
            None => Self::default(),
        }
    }

    /// Adds the context and the service, where there are any.
    fn tell(&self, object: &mut Map<String, Value>) {
        Self::default().tell_what_differs(&self.context, self.service.clone(), object);
    }

    fn tell_what_differs(
        &self,
        context: &TraceContext,
        service: Option<String>,
        object: &mut Map<String, Value>,
    ) {
        if *context != *self.context {
            object.insert("context".into(), value(context));
        }
        if let Some(service) = service.filter(|service| self.service.as_ref() != Some(service)) {
            object.insert("service".into(), service.into());
        }
    }
}

fn service(resource: &Resource) -> Option<String> {
    resource.service_name().map(ToOwned::to_owned)
}

/// The nodes as nested objects, children under their parents.
fn nest(nodes: &[Node<'_>], shared: &Shared, names: &mut Names) -> Vec<Value> {
    let mut below: Vec<Vec<Value>> = nodes.iter().map(|_| Vec::new()).collect();
    let mut roots = Vec::new();
    let mut objects: Vec<Map<String, Value>> =
        nodes.iter().map(|node| node_object(node, shared, names)).collect();
    for at in (0..nodes.len()).rev() {
        let mut object = std::mem::take(&mut objects[at]);
        let mut children = std::mem::take(&mut below[at]);
        children.reverse();
        put(&mut object, "children", children);
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
    shared.tell_what_differs(&span.context, service(&span.resource), &mut object);
    put(&mut object, "logs", node.logs.iter().map(|log| log_value(log, Some(shared), names)).collect());
    put(
        &mut object,
        "scores",
        node.scores.iter().map(|score| score_value(score, Some(shared), names)).collect(),
    );
    let feedback = node.feedback.iter().map(|given| feedback_value(given, Some(shared), names));
    put(&mut object, "feedback", feedback.collect());
    object
}

/// A span but for its ids, times and what stands elsewhere.
fn span_object(span: &Span, names: &mut Names) -> Value {
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
    put(&mut object, "links", links.collect());
    Value::Object(object)
}

/// Records of a trace that stand under none of its spans.
#[derive(Debug)]
struct Loose<'a> {
    logs: Vec<&'a Log>,
    scores: Vec<&'a Score>,
    feedback: Vec<&'a Feedback>,
}

impl<'a> Loose<'a> {
    fn of(trace: &'a Trace, nodes: &[Node<'_>]) -> Self {
        let known = |id: Option<SpanId>| nodes.iter().any(|node| Some(node.span.span_id) == id);
        let span_of = |log: &Log| log.span.and_then(|span| span.span_id);
        Self {
            logs: trace.logs.iter().filter(|log| !known(span_of(log))).collect(),
            scores: trace.scores.iter().filter(|score| !known(score.target.span_id())).collect(),
            feedback: trace.feedback.iter().filter(|given| !known(given.target.span_id())).collect(),
        }
    }
}

fn log_value(log: &Log, shared: Option<&Shared>, names: &mut Names) -> Value {
    let mut object = record(log, &log.context, service(&log.resource), shared, &["time", "span"]);
    if let Some(span) = log.span.and_then(|span| span.span_id).filter(|span| !names.knows(*span)) {
        object.insert("span".into(), names.span(span).into());
    }
    Value::Object(object)
}

fn score_value(score: &Score, shared: Option<&Shared>, names: &mut Names) -> Value {
    let mut object =
        record(score, &score.context, service(&score.resource), shared, &["id", "time", "target"]);
    tell_target(&score.target, names, &mut object);
    Value::Object(object)
}

fn feedback_value(given: &Feedback, shared: Option<&Shared>, names: &mut Names) -> Value {
    let mut object =
        record(given, &given.context, service(&given.resource), shared, &["id", "time", "target"]);
    tell_target(&given.target, names, &mut object);
    Value::Object(object)
}

/// Names the target where the place in the tree does not say it.
fn tell_target(target: &Target, names: &mut Names, object: &mut Map<String, Value>) {
    match target {
        Target::Span { span_id, .. } if !names.knows(*span_id) => {
            object.insert("span".into(), names.span(*span_id).into());
        }
        Target::Span { .. } | Target::Trace { .. } => {}
        Target::Session { .. } | Target::ExperimentRun { .. } => {
            object.insert("target".into(), value(target));
        }
    }
}

/// A record's fields but those left out; its context and service where they differ from what is shared.
fn record<T: Serialize>(
    record: &T,
    context: &TraceContext,
    service: Option<String>,
    shared: Option<&Shared>,
    left_out: &[&str],
) -> Map<String, Value> {
    let Value::Object(mut object) = value(record) else { return Map::new() };
    strip(&mut object, left_out);
    strip(&mut object, &["context", "resource"]);
    shared.unwrap_or(&Shared::default()).tell_what_differs(context, service, &mut object);
    object
}

impl Listed<Log> {
    pub(super) fn to_values(&self, names: &mut Names) -> Vec<Value> {
        let mut logs: Vec<&Log> = self.0.iter().collect();
        logs.sort_by_cached_key(|log| (log.time, content(log)));
        logs.into_iter().map(|log| log_value(log, None, names)).collect()
    }
}

impl Listed<Metric> {
    pub(super) fn to_values(&self, names: &mut Names) -> Vec<Value> {
        let mut metrics: Vec<&Metric> = self.0.iter().collect();
        metrics.sort_by_cached_key(|metric| (metric.time, content(metric)));
        let mut values: Vec<Value> = metrics.into_iter().map(|metric| metric_object(metric, names)).collect();
        values.sort_by_cached_key(|value| (value["name"].to_string(), value.to_string()));
        values
    }
}

impl Listed<Score> {
    pub(super) fn to_values(&self, names: &mut Names) -> Vec<Value> {
        let mut scores: Vec<&Score> = self.0.iter().collect();
        scores.sort_by_cached_key(|score| (score.time, content(score)));
        scores.into_iter().map(|score| score_value(score, None, names)).collect()
    }
}

impl Listed<Feedback> {
    pub(super) fn to_values(&self, names: &mut Names) -> Vec<Value> {
        let mut feedback: Vec<&Feedback> = self.0.iter().collect();
        feedback.sort_by_cached_key(|given| (given.time, content(given)));
        feedback.into_iter().map(|given| feedback_value(given, None, names)).collect()
    }
}

fn metric_object(metric: &Metric, names: &mut Names) -> Value {
    let mut object =
        record(metric, &metric.context, service(&metric.resource), None, &["time", "start", "exemplar"]);
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

fn strip(object: &mut Map<String, Value>, fields: &[&str]) {
    for field in fields {
        object.remove(*field);
    }
}

fn value<T: Serialize>(record: &T) -> Value {
    serde_json::to_value(record).unwrap_or_default()
}
