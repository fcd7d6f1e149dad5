//! Scores and feedback as events.

use std::borrow::Cow;
use std::sync::Arc;

use obs_core::{Call, Feedback, Mapped, Records, Resource, Score, ScoreValue, Target};

use crate::NewRelicExporter;
use crate::event::Event;
use crate::pack::{Pack, Packed};
use crate::pairs::{Pairs, float};
use crate::wire::{Place, Post, Request, Scalar};

/// Requests of all records, each an event.
pub(crate) fn map<T>(
    exporter: &NewRelicExporter,
    records: &Records<T>,
    resource: impl Fn(&T) -> &Arc<Resource>,
    write: impl Fn(&T, &Resource, usize) -> Vec<u8>,
) -> Mapped<Request> {
    let mut pack = Pack::new(exporter.max_request_size());
    for (at, record) in records.iter().enumerate() {
        let complete = exporter.complete(resource(record));
        let event = write(record, &complete, pack.room());
        pack.add(&[at], &event);
    }
    let call = |Packed { body, records, .. }| {
        let main = Post { place: Place::Events, body };
        Call { request: Request { main, events: Vec::new() }, records }
    };
    Mapped { calls: pack.finish().into_iter().map(call).collect(), refused: Vec::new() }
}

/// The event of a score.
pub(crate) fn score(kind: &str, score: &Score, resource: &Resource, max: usize) -> Vec<u8> {
    let mut event = Event::new(kind, score.time);
    let to = &mut event.pairs;
    to.text("id", score.id.to_string());
    to.text("name", score.name.as_str());
    value(&score.value, ["score", "score.min", "score.max"], to);
    to.some("explanation", score.comment.as_ref());
    to.some("source", score.source.as_ref());
    if let Some(scorer) = &score.scorer {
        to.some("scorer.id", scorer.id.as_ref());
        to.some("scorer.name", scorer.name.as_ref());
        to.some("scorer.version", scorer.version.as_ref());
    }
    to.some("experiment_id", score.experiment_id.as_ref());
    target(&score.target, to);
    origin(resource, to);
    to.context(&score.context);
    to.resource(resource);
    to.own_all("metadata.", &score.metadata);
    event.within(max)
}

/// The event of a feedback, under the names that New Relic's agents have for it.
pub(crate) fn feedback(kind: &str, feedback: &Feedback, resource: &Resource, max: usize) -> Vec<u8> {
    let mut event = Event::new(kind, feedback.time);
    let to = &mut event.pairs;
    to.text("id", feedback.id.to_string());
    to.text("category", feedback.kind.as_str());
    value(&feedback.value, ["rating", "rating.min", "rating.max"], to);
    to.some("message", feedback.comment.as_ref());
    to.some("source", feedback.source.as_ref());
    to.some("user_id", feedback.user_id.as_ref());
    to.some("experiment_id", feedback.experiment_id.as_ref());
    target(&feedback.target, to);
    origin(resource, to);
    to.context(&feedback.context);
    to.resource(resource);
    to.own_all("metadata.", &feedback.metadata);
    event.within(max)
}

/// A number as such, yes and no as 1 and 0 with the word beside, and words as the label.
///
/// A rating may be words in New Relic, and stands there, too.
fn value<'a>(value: &'a ScoreValue, [number, min, max]: [&'static str; 3], to: &mut Pairs<'a>) {
    let mut words = |words: &'a str, kind: &'static str| {
        if number == "rating" {
            to.text(number, words);
        }
        to.text("label", words);
        to.text("value_type", kind);
    };
    match value {
        ScoreValue::Numeric { value, range } => {
            to.number(number, *value);
            if let Some(range) = range {
                to.put(min, float(range.min));
                to.put(max, float(range.max));
            }
        }
        ScoreValue::Boolean(value) => {
            to.put(number, Scalar::Int(i64::from(*value)));
            to.text("label", if *value { "true" } else { "false" });
            to.text("value_type", "boolean");
        }
        ScoreValue::Categorical(word) => words(word, "categorical"),
        ScoreValue::Text(text) => words(text, "text"),
    }
}

/// What was judged: `trace_id` and `span_id` as agents have them on their events, `trace.id` and `span.id` as they stand on
/// spans and logs.
fn target<'a>(target: &'a Target, to: &mut Pairs<'a>) {
    let kind = match target {
        Target::Span { .. } => "span",
        Target::Trace { .. } => "trace",
        Target::Session { session_id } => {
            to.text("target.session_id", session_id.as_str());
            to.text("session.id", session_id.as_str());
            "session"
        }
        Target::ExperimentRun { run_id } => {
            to.text("target.run_id", run_id.as_str());
            "experiment_run"
        }
    };
    to.text("target", kind);
    if let Some(trace_id) = target.trace_id() {
        ids(trace_id.to_string(), target.span_id().map(|id| id.to_string()), to);
    }
    if let Some(root) = target.root_span_id() {
        to.text("root_span_id", root.to_string());
    }
}

/// The ids of a span, under both pairs of names.
pub(crate) fn ids(trace_id: String, span_id: Option<String>, to: &mut Pairs<'_>) {
    to.text("trace.id", trace_id.clone());
    to.text("trace_id", trace_id);
    if let Some(span_id) = span_id {
        to.text("span.id", span_id.clone());
        to.text("span_id", span_id);
    }
}

/// Whose record it is, as agents tell it.
pub(crate) fn origin<'a>(resource: &'a Resource, to: &mut Pairs<'a>) {
    if let Some(service) = resource.service_name() {
        to.text("appName", Cow::Borrowed(service));
    }
    to.text("ingest_source", "obs");
}
