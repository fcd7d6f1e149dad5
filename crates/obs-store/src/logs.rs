//! Log records and their rows.

use obs_core::{Attributes, Log, Mapped, Records, SpanId, SpanRef};
use rusqlite::types::Type;
use rusqlite::{Row, Statement};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::StoreExporter;
use crate::row::{self, Binder, Columns, IsJson, Shared};
use crate::write::{self, Stored, Write};

/// The columns that are read back, in the order of [`read`].
macro_rules! columns {
    () => {
        "time_ns, level, message, event_name, trace_id, span_id, rest, data"
    };
}

/// What [`read`] reads; to be followed by `WHERE`.
pub(crate) const SELECT: &str = concat!("SELECT ", columns!(), " FROM logs");

/// The fields without which no JSON is a log record; the columns say what they are.
const HEAD: &str = r#""level":"info","message":"""#;

/// Maps log records.
pub(crate) fn map(_: &StoreExporter, records: &Records<Log>) -> Mapped<Write> {
    write::map(records, Write::Logs)
}

/// What of a log record has no column of its own, under the names of canonical JSON.
#[derive(Serialize)]
struct Rest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: &'a Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<IsJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a RawValue>,
}

impl Stored for Log {
    const INSERT: &'static str = concat!(
        "INSERT INTO logs (",
        columns!(),
        ", service, session_id, user_id) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
    );

    fn write_rest(&self, shared: &mut Shared, out: &mut Vec<u8>) -> serde_json::Result<()> {
        // Taken apart whole, so that a field added to log records cannot be forgotten here.
        let Self { time, level: _, message: _, event_name: _, attributes, data, span: _, context, resource } =
            self;
        let (context, resource) = shared.of(context, resource)?;
        let data = IsJson::of(data.as_ref());
        serde_json::to_writer(
            out,
            &Rest { time: row::beyond(time.as_nanos()), attributes, data, context, resource },
        )
    }

    fn bind(&self, rest: &str, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        let span_id = self.span.and_then(|span| span.span_id).map(SpanId::to_hex);
        Binder::new(statement)
            .put(row::count(self.time.as_nanos()))?
            .put(self.level.as_str())?
            .put(self.message.as_str())?
            .put(self.event_name.as_deref())?
            .hex(self.span.map(|span| span.trace_id.to_hex()).as_ref().map(<[u8; 32]>::as_slice))?
            .hex(span_id.as_ref().map(<[u8; 16]>::as_slice))?
            .put(rest)?
            .payload(self.data.as_ref())?
            .put(row::service(&self.context, &self.resource))?
            .put(self.context.session_id.as_deref())?
            .put(self.context.user_id.as_deref())?;
        Ok(())
    }
}

/// The log record that a row of [`SELECT`] was made of.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Log> {
    let mut row = Columns::new(row);
    let time = row.take::<i64>()?;
    let level = row
        .take::<String>()?
        .parse()
        .map_err(|cause: String| rusqlite::Error::FromSqlConversionFailure(1, Type::Text, cause.into()))?;
    let (message, event_name) = (row.take::<String>()?, row.take::<Option<String>>()?);
    let (trace_id, span_id) = (row.parse_optional()?, row.parse_optional()?);
    let mut log: Log = row.rest(&row::timed(HEAD, "time", time))?;
    log.level = level;
    log.message = message.into();
    log.event_name = event_name.map(Into::into);
    log.span = trace_id.map(|trace_id| SpanRef { trace_id, span_id });
    log.data = row.payload(log.data.as_ref())?;
    Ok(log)
}
