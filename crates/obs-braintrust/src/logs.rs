//! Logs into rows.

use obs_core::{Log, Mapped, Records, Value};
use uuid::Uuid;

use crate::ids::{Ids, Place};
use crate::metadata::{Loose, Metadata, OfLog, Shared};
use crate::pack::{Packer, Request, Route, push};
use crate::wire::{Document, Row, SpanAttributes, Time};
use crate::{BraintrustExporter, LogRowStyle, numbers, shallow};

/// One row for a log, with an id made of what the log says.
pub(crate) fn map(exporter: &BraintrustExporter, records: &Records<Log>) -> Mapped<Request> {
    let mut packer = Packer::new(exporter.room());
    for ((at, log), id) in records.iter().enumerate().zip(records.derived_ids()) {
        let place = Place::of(log.context.experiment_id.as_ref());
        let key = (place, Route::Insert, Ids::of_log(log, id).id);
        packer.add(key, at, &[], &*shallow::log(log), |log, out| push(out, &row(exporter, log, id)));
    }
    packer.finish()
}

fn row<'a>(exporter: &'a BraintrustExporter, log: &'a Log, id: Uuid) -> Row<'a, Metadata<'a, OfLog<'a>>> {
    let level = Some(log.level.as_str());
    let (ids, span_attributes) = match exporter.log_row_style() {
        LogRowStyle::LogRow => (
            Ids::of_log(log, id),
            SpanAttributes { name: None, kind: "log", purpose: None, log_level: level },
        ),
        LogRowStyle::ChildSpan => {
            let name = Some(log.event_name.as_deref().unwrap_or("log").into());
            (Ids::of_child(log, id), SpanAttributes { name, kind: "task", purpose: None, log_level: level })
        }
    };
    Row {
        id: ids.id,
        span_id: ids.span,
        root_span_id: ids.root,
        span_parents: ids.parents,
        input: None,
        output: Some(Document::Value(Value::Str(log.message.clone()))),
        error: None,
        metadata: Metadata {
            own: OfLog::new(log),
            shared: Shared::of(&log.context, &log.resource),
            loose: Loose::of(&log.attributes, &log.context),
        },
        metrics: Some(numbers::at(log.time)),
        span_attributes: Some(span_attributes),
        tags: Vec::new(),
        created: Some(Time(log.time)),
        context: Some(exporter.origin(&log.context, &log.resource)),
        _is_merge: true,
    }
}
