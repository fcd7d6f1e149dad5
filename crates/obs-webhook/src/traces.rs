//! Spans into requests.

use obs_core::{Batch, Mapped, Records, Resource, Signal, SpanRecord, TraceContext};

use crate::record::Entry;
use crate::wire::Request;
use crate::{WebhookExporter, plan};

impl Entry for SpanRecord {
    const SIGNAL: Signal = Signal::Traces;

    fn context(&self) -> &TraceContext {
        &self.span().context
    }

    fn resource(&self) -> &Resource {
        &self.span().resource
    }

    fn batch(records: Records<Self>) -> Batch {
        Batch::Traces(records)
    }
}

/// As many requests as addresses and limits ask for.
pub(crate) fn map(exporter: &WebhookExporter, records: &Records<SpanRecord>) -> Mapped<Request> {
    plan::map(exporter.plan(), records)
}
