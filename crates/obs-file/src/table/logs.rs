//! Log records.

use obs_core::Log;

use super::rest::{self, Rest};
use super::{Column, Tabular, document, is_json, json, nanos, printed, some, text};

impl Tabular for Log {
    const TABLE: &'static [&'static [Column<Self>]] = &[OWN, Column::WHO, DOCUMENTS, Column::CONTEXT, REST];
}

const OWN: &[Column<Log>] = &[
    Column::time("time", "When it was made.", |log| Some(log.time)),
    Column::integer("time_ns", "The same in nanoseconds since 1970.", |log| Some(nanos(log.time))),
    Column::text("level", "`trace`, `debug`, `info`, `warn`, `error` or `fatal`.", |log| {
        Some(log.level.as_str().into())
    }),
    Column::text("message", "What it says.", |log| text(&log.message)),
    Column::text("event_name", "The name of the event, if it is one.", |log| some(log.event_name.as_ref())),
    Column::text("trace_id", "The trace it was made under.", |log| printed(log.span.map(|at| at.trace_id))),
    Column::text("span_id", "The span it was made under.", |log| printed(log.span.and_then(|at| at.span_id))),
];

const DOCUMENTS: &[Column<Log>] = &[
    Column::text("data", "One structured document.", |log| document(log.data.as_ref())),
    Column::boolean("data_is_json", "Whether `data` is JSON and no plain text.", |log| {
        is_json(log.data.as_ref())
    }),
    Column::json("attributes", "Structured fields.", |log| {
        if log.attributes.is_empty() { Ok(None) } else { json(&log.attributes) }
    }),
];

const REST: &[Column<Log>] = &[Column::json("rest", rest::DOC, |log| Rest::default().time(log.time).cell())];
