//! Logs into logs.

use obs_core::{Form, Level, Log, Mapped, Payload, Records};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::MastraExporter;
use crate::correlation::Correlation;
use crate::fields::Fields;
use crate::metadata::{Loose, Metadata, Shared};
use crate::pack::{Packer, Request, Route, push};
use crate::wire::{Data, LogBody, Time};

/// One item for a log, with an id made of what the log says.
pub(crate) fn map(exporter: &MastraExporter, records: &Records<Log>) -> Mapped<Request> {
    let mut packer = Packer::new(exporter.max_request_size());
    for ((at, log), id) in records.iter().enumerate().zip(records.derived_ids()) {
        packer.add(Route::Logs, at, log, |log, out| push(out, &body(log, id)));
    }
    packer.finish()
}

fn body(log: &Log, id: Uuid) -> LogBody<'_, Metadata<'_, OfLog<'_>>> {
    let ids = (log.span.map(|span| span.trace_id), log.span.and_then(|span| span.span_id));
    LogBody {
        log_id: id,
        timestamp: Time(log.time),
        trace_id: ids.0,
        span_id: ids.1,
        level: level(log.level),
        message: &log.message,
        data: log.data.as_ref().map(data),
        correlation_context: Correlation::of(&log.context, &log.resource, ids),
        metadata: Metadata {
            own: OfLog(log),
            shared: Shared { context: &log.context, resource: &log.resource },
            loose: Loose::of(&log.attributes, &log.context),
        },
    }
}

/// Mastra's levels begin with `debug`; a finer one stands in the metadata.
const fn level(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
        Level::Fatal => "fatal",
    }
}

fn data(payload: &Payload) -> Data<'_> {
    let settled = payload.settled();
    let is_object = settled.form() == Form::Json && settled.as_str().trim_ascii_start().starts_with('{');
    if is_object { Data::Object(payload) } else { Data::Value(payload) }
}

/// What Mastra has no field for in a log.
#[derive(Debug)]
struct OfLog<'a>(&'a Log);

impl Serialize for OfLog<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.some("level", (self.0.level == Level::Trace).then_some("trace"))?;
        out.some("eventName", self.0.event_name.as_ref())?;
        out.end()
    }
}
