//! Feedback into what Datadog calls end-user feedback: evaluations with a submitter.

use obs_core::{Feedback, Mapped, Records, Target};

use crate::DatadogExporter;
use crate::judged::{
    Judgement, Trouble, assessment, check_value, id, label, map as map_judged, tags, verdict,
};
use crate::metadata::{self, Collector};
use crate::scores::range;
use crate::wire::{Evaluation, Joined, Request, Submitter, User};

/// Requests of all feedback.
pub(crate) fn map(exporter: &DatadogExporter, feedback: &Records<Feedback>) -> Mapped<Request> {
    map_judged(exporter, feedback)
}

impl Judgement for Feedback {
    fn check(&self) -> Result<(), Trouble> {
        match &self.target {
            Target::ExperimentRun { .. } => Err(Trouble::Target(
                "Datadog has feedback on spans, traces and sessions, and none on runs of experiments",
            )),
            Target::Session { session_id } if session_id.is_empty() => {
                Err(Trouble::Target("a session without an id"))
            }
            _ => check_value(&self.value),
        }
    }

    fn evaluation<'a>(&'a self, exporter: &'a DatadogExporter) -> Option<Evaluation<'a>> {
        let joined = match &self.target {
            Target::Span { span_id, .. } => Joined::SpanId(id(exporter, *span_id)),
            Target::Trace { trace_id, .. } => Joined::TraceId(id(exporter, *trace_id)),
            Target::Session { session_id } => Joined::SessionId(session_id),
            Target::ExperimentRun { .. } => return None,
        };
        let user = self.user_id.as_ref().or(self.context.user_id.as_ref()).filter(|user| !user.is_empty());
        let submitter = user.map_or(User::Unknown(self.id), |user| User::Known(user));
        let label = label(&self.kind, "feedback_");
        let mut collector = Collector::default();
        collector.put("feedback_id", Some(self.id.to_string()));
        collector.put("feedback_kind", Some(self.kind.clone()).filter(|kind| *label != **kind));
        collector.text("source", self.source.as_ref());
        let own = self.experiment_id.as_ref().filter(|own| self.context.experiment_id.as_ref() != Some(own));
        collector.text("experiment_id", own);
        if let Target::Span { trace_id, .. } = &self.target {
            // Feedback has one target alone; the trace stands there in the form that its span has.
            collector.put("trace_id", serde_json::to_value(id(exporter, *trace_id)).ok());
        }
        range(&mut collector, &self.value);
        collector.attributes("feedback_metadata", &self.metadata);
        metadata::shared(&mut collector, &self.context, &self.resource);
        Some(Evaluation {
            event_kind: "feedback",
            joined,
            eval_scope: None,
            submitter: Some(Submitter { id: submitter, kind: "user" }),
            ml_app: exporter.ml_app(),
            timestamp_ms: self.time.as_nanos() / 1_000_000,
            label,
            verdict: verdict(&self.value, true),
            assessment: assessment(&self.metadata),
            reasoning: self.comment.as_deref(),
            tags: tags(exporter, &self.context, &self.resource),
            metadata: collector.finish(),
        })
    }
}
