//! Feedback into requests.

use obs_core::{Batch, Feedback, Mapped, Records, Resource, Signal, TraceContext};

use crate::record::Entry;
use crate::wire::Request;
use crate::{WebhookExporter, plan};

impl Entry for Feedback {
    const SIGNAL: Signal = Signal::Feedback;

    fn context(&self) -> &TraceContext {
        &self.context
    }

    fn resource(&self) -> &Resource {
        &self.resource
    }

    fn batch(records: Records<Self>) -> Batch {
        Batch::Feedback(records)
    }
}

/// As many requests as addresses and limits ask for.
pub(crate) fn map(exporter: &WebhookExporter, records: &Records<Feedback>) -> Mapped<Request> {
    plan::map(exporter.plan(), records)
}
