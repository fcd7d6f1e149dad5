//! Measurements and series into requests.

use obs_core::{Batch, Mapped, Metric, Records, Resource, Signal, TraceContext};

use crate::record::Entry;
use crate::wire::Request;
use crate::{WebhookExporter, plan};

impl Entry for Metric {
    const SIGNAL: Signal = Signal::Metrics;

    fn context(&self) -> &TraceContext {
        &self.context
    }

    fn resource(&self) -> &Resource {
        &self.resource
    }

    fn batch(records: Records<Self>) -> Batch {
        Batch::Metrics(records)
    }
}

/// As many requests as addresses and limits ask for.
pub(crate) fn map(exporter: &WebhookExporter, records: &Records<Metric>) -> Mapped<Request> {
    plan::map(exporter.plan(), records)
}
