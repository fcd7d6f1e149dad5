//! Where each record stands, in an order that does not depend on that of the input.

use std::collections::{BTreeMap, HashMap};

use obs_core::{Feedback, Log, Metric, Record, Score, Span, SpanId, SpanRecord, Timestamp, Trace, TraceId};
use serde::Serialize;

use super::mask::Names;
use super::tell::span_object;

/// The records by the place where they stand.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// In the order of their beginning.
    pub(super) traces: Vec<Trace>,
    /// The others, which belong to no trace.
    pub(super) logs: Vec<Log>,
    pub(super) metrics: Vec<Metric>,
    pub(super) scores: Vec<Score>,
    pub(super) feedback: Vec<Feedback>,
}

impl Places {
    pub(super) fn of(records: &[Record]) -> Self {
        let mut places = Self::default();
        let mut traces: BTreeMap<TraceId, Trace> = BTreeMap::new();
        let mut spans: HashMap<(TraceId, SpanId), &SpanRecord> = HashMap::new();
        for record in records {
            match record {
                Record::Span(record) => keep_latest(&mut spans, record),
                Record::Metric(metric) => places.metrics.push(metric.clone()),
                Record::Log(log) => match log.span {
                    Some(span) => of_trace(&mut traces, span.trace_id).logs.push(log.clone()),
                    None => places.logs.push(log.clone()),
                },
                Record::Score(score) => match score.target.trace_id() {
                    Some(id) => of_trace(&mut traces, id).scores.push(score.clone()),
                    None => places.scores.push(score.clone()),
                },
                Record::Feedback(feedback) => match feedback.target.trace_id() {
                    Some(id) => of_trace(&mut traces, id).feedback.push(feedback.clone()),
                    None => places.feedback.push(feedback.clone()),
                },
            }
        }
        for record in spans.into_values() {
            of_trace(&mut traces, record.span().trace_id).spans.push(record.span().clone());
        }
        places.traces = traces.into_values().collect();
        places.sort();
        places
    }

    fn sort(&mut self) {
        for trace in &mut self.traces {
            trace.spans.sort_by_cached_key(span_order);
            sort_judged(&mut trace.logs, &mut trace.scores, &mut trace.feedback);
        }
        self.traces.sort_by_cached_key(trace_order);
        sort_judged(&mut self.logs, &mut self.scores, &mut self.feedback);
        self.metrics.sort_by_cached_key(|metric| (metric.name.clone(), metric.time, content(metric)));
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

fn sort_judged(logs: &mut [Log], scores: &mut [Score], feedback: &mut [Feedback]) {
    logs.sort_by_cached_key(|log| (log.time, content(log)));
    scores.sort_by_cached_key(|score| (score.time, content(score)));
    feedback.sort_by_cached_key(|feedback| (feedback.time, content(feedback)));
}

/// All that a record says, as text: what decides where times are equal.
fn content<T: Serialize>(record: &T) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

/// What a span says but its ids, then its ids: only where nothing else differs do random ids decide.
fn span_order(span: &Span) -> (Timestamp, Option<Timestamp>, String, SpanId) {
    (span.start, span.end, span_object(span, &mut Names::default()).to_string(), span.span_id)
}

fn trace_order(trace: &Trace) -> (Timestamp, String, TraceId) {
    let Trace { trace_id, spans, logs, scores, feedback } = trace;
    let firsts = [
        spans.first().map(|span| span.start),
        logs.first().map(|log| log.time),
        scores.first().map(|score| score.time),
        feedback.first().map(|feedback| feedback.time),
    ];
    let begin = firsts.into_iter().flatten().min().unwrap_or_default();
    (begin, spans.first().map(|span| span_order(span).2).unwrap_or_default(), *trace_id)
}
