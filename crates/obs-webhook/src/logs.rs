//! Log records into requests.

use obs_core::{Batch, Log, Mapped, Records, Resource, Signal, TraceContext};

use crate::record::Entry;
use crate::wire::Request;
use crate::{WebhookExporter, plan};

impl Entry for Log {
    const SIGNAL: Signal = Signal::Logs;

    fn context(&self) -> &TraceContext {
        &self.context
    }

    fn resource(&self) -> &Resource {
        &self.resource
    }

    fn batch(records: Records<Self>) -> Batch {
        Batch::Logs(records)
    }
}

/// As many requests as addresses and limits ask for.
pub(crate) fn map(exporter: &WebhookExporter, records: &Records<Log>) -> Mapped<Request> {
    plan::map(exporter.plan(), records)
}
