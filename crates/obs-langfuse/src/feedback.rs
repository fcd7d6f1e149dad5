//! Feedback into scores that say in their name that people gave them.

use obs_core::{Feedback, Mapped, Records};

use crate::judged::{self, Judged, Judgement};
use crate::metadata::{Item, Metadata};
use crate::wire::Request;
use crate::{LangfuseConfig, LangfuseExporter};

/// The kind of feedback that says what the output should have been.
const CORRECTION: &str = "correction";

/// Requests of all feedback that Langfuse can take.
pub(crate) fn map(exporter: &LangfuseExporter, records: &Records<Feedback>) -> Mapped<Request> {
    judged::map(exporter, records)
}

impl Judgement for Feedback {
    fn judged<'a>(&'a self, config: &LangfuseConfig) -> Judged<'a> {
        let mut metadata = Metadata::default();
        metadata.text("source", self.source.as_ref());
        metadata.text("userId", self.user_id.as_ref());
        if let Some(experiment) = &self.experiment_id {
            metadata.put("experimentId", Item::Text(experiment));
        }
        metadata.attributes(&self.metadata);
        Judged {
            id: self.id,
            time: self.time,
            target: &self.target,
            name: (config.feedback_prefix.clone() + &self.kind).into(),
            value: &self.value,
            comment: self.comment.as_ref(),
            is_correction: self.kind == CORRECTION,
            context: &self.context,
            resource: &self.resource,
            metadata,
        }
    }
}
