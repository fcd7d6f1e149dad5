//! Scores and feedback as log events, for where logs go to Loki.

use obs_core::{Attributes, Feedback, Level, Log, Score, ScoreValue, SpanRef, Str, Target, Value};

/// OpenTelemetry's name of an evaluation's event.
pub(crate) const EVENT: &str = "gen_ai.evaluation.result";

/// The event of a score; a person's judgement and a scorer's are told apart by `obs.signal`.
pub(crate) fn score(score: &Score) -> Log {
    let mut log = Log::new_in(
        score.time,
        Level::Info,
        said(&score.name, &score.value),
        score.context.clone(),
        score.resource.clone(),
    );
    let to = &mut log.attributes;
    to.push("obs.signal", "score");
    to.push("gen_ai.evaluation.name", score.name.clone());
    value(&score.value, to);
    some(to, "gen_ai.evaluation.explanation", score.comment.as_ref());
    to.push("obs.score.id", score.id.to_string());
    some(to, "obs.score.source", score.source.as_ref());
    if let Some(scorer) = &score.scorer {
        some(to, "obs.scorer.id", scorer.id.as_ref());
        some(to, "obs.scorer.name", scorer.name.as_ref());
        some(to, "obs.scorer.version", scorer.version.as_ref());
    }
    some(to, "obs.experiment.id", score.experiment_id.as_ref());
    log.span = target(&score.target, to);
    metadata(&score.metadata, &mut log);
    log.event_name = Some(EVENT.into());
    log
}

/// The event of a feedback.
pub(crate) fn feedback(feedback: &Feedback) -> Log {
    let mut log = Log::new_in(
        feedback.time,
        Level::Info,
        said(&feedback.kind, &feedback.value),
        feedback.context.clone(),
        feedback.resource.clone(),
    );
    let to = &mut log.attributes;
    to.push("obs.signal", "feedback");
    to.push("gen_ai.evaluation.name", feedback.kind.clone());
    value(&feedback.value, to);
    some(to, "gen_ai.evaluation.explanation", feedback.comment.as_ref());
    to.push("obs.feedback.id", feedback.id.to_string());
    some(to, "obs.feedback.source", feedback.source.as_ref());
    some(to, "obs.feedback.user.id", feedback.user_id.as_ref());
    some(to, "obs.experiment.id", feedback.experiment_id.as_ref());
    log.span = target(&feedback.target, to);
    metadata(&feedback.metadata, &mut log);
    log.event_name = Some(EVENT.into());
    log
}

/// The judgement in words, for the line.
fn said(name: &str, value: &ScoreValue) -> String {
    match value {
        ScoreValue::Numeric { value, range: Some(range) } => {
            format!("{name}: {value} of {} to {}", range.min, range.max)
        }
        ScoreValue::Numeric { value, range: None } => format!("{name}: {value}"),
        ScoreValue::Boolean(value) => format!("{name}: {value}"),
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => format!("{name}: {words}"),
    }
}

fn value(value: &ScoreValue, to: &mut Attributes) {
    if let Some(number) = value.as_f64() {
        to.push("gen_ai.evaluation.score.value", number);
    }
    match value {
        ScoreValue::Numeric { range, .. } => {
            if let Some(range) = range {
                to.push("obs.score.range.min", range.min);
                to.push("obs.score.range.max", range.max);
            }
        }
        ScoreValue::Boolean(value) => {
            to.push("gen_ai.evaluation.score.label", if *value { "true" } else { "false" });
        }
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => {
            to.push("gen_ai.evaluation.score.label", words.clone());
        }
    }
}

/// Puts what is judged, and returns the place in a trace that it has.
fn target(target: &Target, to: &mut Attributes) -> Option<SpanRef> {
    match target {
        Target::Span { .. } | Target::Trace { .. } => {}
        Target::Session { session_id } => to.push("session.id", session_id.clone()),
        Target::ExperimentRun { run_id } => to.push("obs.experiment.run.id", run_id.clone()),
    }
    if let Some(root) = target.root_span_id() {
        to.push("obs.root_span.id", root.to_string());
    }
    target.trace_id().map(|trace_id| SpanRef { trace_id, span_id: target.span_id() })
}

/// The free metadata, under names that are none of ours.
fn metadata(metadata: &Attributes, log: &mut Log) {
    for (name, value) in metadata.iter() {
        log.attributes.push(format!("metadata.{name}"), value.clone());
    }
}

fn some(to: &mut Attributes, key: &'static str, value: Option<&Str>) {
    if let Some(value) = value {
        to.push(key, Value::Str(value.clone()));
    }
}
