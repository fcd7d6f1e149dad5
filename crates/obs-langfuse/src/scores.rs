//! Scores into scores.

use std::borrow::Cow;

use obs_core::{Mapped, Records, Score};

use crate::judged::{self, Judged, Judgement};
use crate::metadata::{Item, Metadata};
use crate::wire::Request;
use crate::{LangfuseConfig, LangfuseExporter};

/// Requests of all scores that Langfuse can take.
pub(crate) fn map(exporter: &LangfuseExporter, records: &Records<Score>) -> Mapped<Request> {
    judged::map(exporter, records)
}

impl Judgement for Score {
    fn judged<'a>(&'a self, _: &LangfuseConfig) -> Judged<'a> {
        let mut metadata = Metadata::default();
        metadata.text("source", self.source.as_ref());
        if let Some(scorer) = &self.scorer {
            metadata.text("scorerId", scorer.id.as_ref());
            metadata.text("scorerName", scorer.name.as_ref());
            metadata.text("scorerVersion", scorer.version.as_ref());
        }
        if let Some(experiment) = &self.experiment_id {
            metadata.put("experimentId", Item::Text(experiment));
        }
        metadata.attributes(&self.metadata);
        Judged {
            id: self.id,
            time: self.time,
            target: &self.target,
            name: Cow::Borrowed(&self.name),
            value: &self.value,
            comment: self.comment.as_ref(),
            is_correction: false,
            context: &self.context,
            resource: &self.resource,
            metadata,
        }
    }
}
