//! Scores into requests.

use obs_core::{Batch, Mapped, Records, Resource, Score, Signal, TraceContext};

use crate::record::Entry;
use crate::wire::Request;
use crate::{WebhookExporter, plan};

impl Entry for Score {
    const SIGNAL: Signal = Signal::Scores;

    fn context(&self) -> &TraceContext {
        &self.context
    }

    fn resource(&self) -> &Resource {
        &self.resource
    }

    fn batch(records: Records<Self>) -> Batch {
        Batch::Scores(records)
    }
}

/// As many requests as addresses and limits ask for.
pub(crate) fn map(exporter: &WebhookExporter, records: &Records<Score>) -> Mapped<Request> {
    plan::map(exporter.plan(), records)
}
