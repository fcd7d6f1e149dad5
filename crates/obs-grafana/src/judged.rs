//! Scores and feedback as log events, for where logs go to Loki; the names are those that they have by OTLP.

use std::sync::Arc;

use obs_core::{
    Attributes, Feedback, Level, Log, Resource, Score, ScoreValue, SpanRef, Str, Target, Timestamp,
    TraceContext, Value,
};
use obs_otlp::encode::evaluation::EVENT;
use uuid::Uuid;

use crate::{labels, naming};

/// What scores and feedback have in common.
struct Judgement<'a> {
    id: Uuid,
    time: Timestamp,
    name: &'a Str,
    value: &'a ScoreValue,
    target: &'a Target,
    comment: Option<&'a Str>,
    source: Option<&'a Str>,
    experiment_id: Option<&'a Str>,
    metadata: &'a Attributes,
    context: &'a Arc<TraceContext>,
    resource: &'a Arc<Resource>,
}

/// The event of a score.
pub(crate) fn score(score: &Score) -> Log {
    let judgement = Judgement {
        id: score.id,
        time: score.time,
        name: &score.name,
        value: &score.value,
        target: &score.target,
        comment: score.comment.as_ref(),
        source: score.source.as_ref(),
        experiment_id: score.experiment_id.as_ref(),
        metadata: &score.metadata,
        context: &score.context,
        resource: &score.resource,
    };
    judgement.log(|to| {
        if let Some(scorer) = &score.scorer {
            some(to, "obs.evaluation.scorer.id", scorer.id.as_ref());
            some(to, "obs.evaluation.scorer.name", scorer.name.as_ref());
            some(to, "obs.evaluation.scorer.version", scorer.version.as_ref());
        }
    })
}

/// The event of a feedback.
pub(crate) fn feedback(feedback: &Feedback) -> Log {
    let judgement = Judgement {
        id: feedback.id,
        time: feedback.time,
        name: &feedback.kind,
        value: &feedback.value,
        target: &feedback.target,
        comment: feedback.comment.as_ref(),
        source: feedback.source.as_ref(),
        experiment_id: feedback.experiment_id.as_ref(),
        metadata: &feedback.metadata,
        context: &feedback.context,
        resource: &feedback.resource,
    };
    judgement.log(|to| {
        to.push("obs.evaluation.kind", "feedback");
        some(to, "obs.evaluation.user_id", feedback.user_id.as_ref());
    })
}

impl Judgement<'_> {
    fn log(&self, own: impl FnOnce(&mut Attributes)) -> Log {
        let (context, resource) = (Arc::clone(self.context), Arc::clone(self.resource));
        let mut log = Log::new_in(self.time, Level::Info, self.said(), context, resource);
        log.event_name = Some(EVENT.into());
        let span_id = self.target.span_id().or_else(|| self.target.root_span_id());
        log.span = self.target.trace_id().map(|trace_id| SpanRef { trace_id, span_id });
        let to = &mut log.attributes;
        to.push("gen_ai.evaluation.name", self.name.clone());
        self.put_value(to);
        some(to, "gen_ai.evaluation.explanation", self.comment);
        to.push("log.record.uid", self.id.to_string());
        self.put_target(to);
        some(to, "obs.evaluation.source", self.source);
        some(to, "obs.evaluation.experiment_id", self.experiment_id);
        own(to);
        let taken: Vec<String> = to.iter().map(|(key, _)| naming::label(key)).collect();
        for (key, value) in self.metadata.iter() {
            // A key that says something else here goes behind a prefix.
            let hides = taken.contains(&naming::label(key)) || key.starts_with("obs.evaluation.");
            let key = if hides { format!("obs.evaluation.metadata.{key}").into() } else { key.clone() };
            to.push(key, value.clone());
        }
        log
    }

    /// The judgement in words, for the line.
    fn said(&self) -> String {
        let name = self.name;
        match self.value {
            ScoreValue::Numeric { value, range: Some(range) } => {
                let [value, min, max] = [*value, range.min, range.max].map(labels::float);
                format!("{name}: {value} of {min} to {max}")
            }
            ScoreValue::Numeric { value, range: None } => format!("{name}: {}", labels::float(*value)),
            ScoreValue::Boolean(value) => format!("{name}: {value}"),
            ScoreValue::Categorical(words) | ScoreValue::Text(words) => format!("{name}: {words}"),
        }
    }

    fn put_value(&self, to: &mut Attributes) {
        if let Some(number) = self.value.as_f64() {
            to.push("gen_ai.evaluation.score.value", number);
        }
        let (label, kind) = match self.value {
            ScoreValue::Numeric { range: Some(range), .. } => {
                to.push("obs.evaluation.range.min", range.min);
                to.push("obs.evaluation.range.max", range.max);
                return;
            }
            ScoreValue::Numeric { range: None, .. } => return,
            ScoreValue::Boolean(true) => (Str::from("true"), "boolean"),
            ScoreValue::Boolean(false) => (Str::from("false"), "boolean"),
            ScoreValue::Categorical(word) => (word.clone(), "categorical"),
            ScoreValue::Text(words) => (words.clone(), "text"),
        };
        to.push("gen_ai.evaluation.score.label", label);
        to.push("obs.evaluation.value_type", kind);
    }

    /// Puts what the ids of the event do not say of the target.
    fn put_target(&self, to: &mut Attributes) {
        match self.target {
            Target::Span { root_span_id, .. } => {
                if let Some(root) = root_span_id {
                    to.push("obs.evaluation.target.root_span_id", root.to_string());
                }
            }
            Target::Trace { .. } => to.push("obs.evaluation.target", "trace"),
            Target::Session { session_id } => {
                to.push("obs.evaluation.target", "session");
                to.push("obs.evaluation.target.session_id", session_id.clone());
                if self.context.session_id.as_ref().is_none_or(|known| known.is_empty()) {
                    to.push("session.id", session_id.clone());
                }
            }
            Target::ExperimentRun { run_id } => {
                to.push("obs.evaluation.target", "experiment_run");
                to.push("obs.evaluation.target.run_id", run_id.clone());
            }
        }
    }
}

fn some(to: &mut Attributes, key: &'static str, value: Option<&Str>) {
    if let Some(value) = value {
        to.push(key, Value::Str(value.clone()));
    }
}
