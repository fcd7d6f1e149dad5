//! Scores into evaluations of the span that they belong to.

use obs_core::{Mapped, Records, Score, Scorer, Target, Value};

use crate::DatadogExporter;
use crate::judged::{
    Judgement, Trouble, assessment, check_value, id, label, map as map_judged, tags, verdict,
};
use crate::metadata::{self, Collector};
use crate::wire::{Evaluation, Joined, Request, SpanContext};

/// Requests of all scores.
pub(crate) fn map(exporter: &DatadogExporter, scores: &Records<Score>) -> Mapped<Request> {
    map_judged(exporter, scores)
}

impl Judgement for Score {
    fn check(&self) -> Result<(), Trouble> {
        match &self.target {
            Target::Trace { root_span_id: None, .. } => Err(Trouble::Target(
                "Datadog joins an evaluation of a trace to its root span, which nobody named; give the target its root",
            )),
            Target::Session { .. } => Err(Trouble::Target(
                "Datadog joins an evaluation to one span, and a session has many; score a trace or a span of it",
            )),
            Target::ExperimentRun { .. } => Err(Trouble::Target(
                "Datadog's experiments have an API of their own, which is not used here; score a trace or a span of the run",
            )),
            Target::Span { .. } | Target::Trace { .. } => check_value(&self.value),
        }
    }

    fn evaluation<'a>(&'a self, exporter: &'a DatadogExporter) -> Option<Evaluation<'a>> {
        let (trace_id, span_id, scope) = match self.target {
            Target::Span { trace_id, span_id, .. } => (trace_id, span_id, "span"),
            Target::Trace { trace_id, root_span_id } => (trace_id, root_span_id?, "trace"),
            Target::Session { .. } | Target::ExperimentRun { .. } => return None,
        };
        let span = SpanContext { span_id: id(exporter, span_id), trace_id: id(exporter, trace_id) };
        let label = label(&self.name, "score_");
        let mut collector = Collector::default();
        collector.put("score_id", Some(self.id.to_string()));
        collector.put("score_name", Some(self.name.clone()).filter(|name| *label != **name));
        collector.text("source", self.source.as_ref());
        of_scorer(&mut collector, self.scorer.as_ref());
        let own = self.experiment_id.as_ref().filter(|own| self.context.experiment_id.as_ref() != Some(own));
        collector.text("experiment_id", own);
        collector.text("session_id", self.context.session_id.as_ref());
        range(&mut collector, &self.value);
        collector.attributes("score_metadata", &self.metadata);
        metadata::shared(&mut collector, &self.context, &self.resource);
        Some(Evaluation {
            event_kind: "evaluation",
            joined: Joined::JoinOn { span },
            eval_scope: Some(scope),
            submitter: None,
            ml_app: exporter.ml_app(),
            timestamp_ms: self.time.as_nanos() / 1_000_000,
            label,
            verdict: verdict(&self.value, false),
            assessment: assessment(&self.metadata),
            reasoning: self.comment.as_deref(),
            tags: tags(exporter, &self.context, &self.resource),
            metadata: collector.finish(),
        })
    }
}

fn of_scorer(to: &mut Collector<'_>, scorer: Option<&Scorer>) {
    let Some(Scorer { id, name, version }) = scorer else { return };
    to.text("scorer_id", id.as_ref());
    to.text("scorer_name", name.as_ref());
    to.text("scorer_version", version.as_ref());
}

/// What a number can range over.
pub(crate) fn range(to: &mut Collector<'_>, value: &obs_core::ScoreValue) {
    if let obs_core::ScoreValue::Numeric { range: Some(range), .. } = value {
        to.put("range_min", Some(Value::F64(range.min)));
        to.put("range_max", Some(Value::F64(range.max)));
    }
}
