//! Spans and their rows.

use obs_core::{
    Ancestor, Attributes, ErrorInfo, Event, Link, Mapped, Records, Span, SpanId, SpanKind, SpanRecord,
    SpanType, Status, Str, Timestamp,
};
use rusqlite::{Row, Statement};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::StoreExporter;
use crate::row::{self, Binder, Columns, IsJson, Shared};
use crate::write::{self, Stored, Write};

/// The columns that are read back, in the order of [`read`].
macro_rules! columns {
    () => {
        "trace_id, span_id, parent_span_id, name, status, start_ns, end_ns, rest"
    };
}

macro_rules! insert {
    ($verb:literal) => {
        concat!(
            "INSERT OR ",
            $verb,
            " INTO spans (",
            columns!(),
            ", input, output, type, model, provider, input_tokens, output_tokens, cost, service, session_id, user_id, \
             error_message) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        )
    };
}

/// What [`read`] reads, with the payloads; to be followed by `WHERE`.
pub(crate) const SELECT: &str = concat!("SELECT ", columns!(), ", input, output FROM spans");

/// As [`SELECT`], without the payloads, which a list does not need.
pub(crate) const SELECT_LIGHT: &str = concat!("SELECT ", columns!(), ", NULL, NULL FROM spans");

/// The fields without which no JSON is a span; the columns say what they are.
const HEAD: &str = r#""trace_id":"00000000000000000000000000000001","span_id":"0000000000000001","name":"""#;

/// Maps spans.
pub(crate) fn map(_: &StoreExporter, records: &Records<SpanRecord>) -> Mapped<Write> {
    write::map(records, Write::Traces)
}

/// What of a span has no column of its own, under the names of canonical JSON.
#[derive(Serialize)]
struct Rest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Ancestors<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    remote_parent: bool,
    #[serde(skip_serializing_if = "SpanKind::is_internal")]
    kind: SpanKind,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    span_type: Option<&'a SpanType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<IsJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<IsJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ErrorInfo>,
    #[serde(skip_serializing_if = "<[Event]>::is_empty")]
    events: &'a [Event],
    #[serde(skip_serializing_if = "<[Link]>::is_empty")]
    links: &'a [Link],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    judged: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_flags: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_state: Option<&'a Str>,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: &'a Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a RawValue>,
}

/// The ancestors as canonical JSON has them: a list, the parent first.
struct Ancestors<'a>(&'a Ancestor);

impl Serialize for Ancestors<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Item {
            span_id: SpanId,
            start: Timestamp,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            is_root: bool,
        }

        let item = |a: &Ancestor| Item { span_id: a.span_id, start: a.start, is_root: a.is_root };
        serializer.collect_seq(self.0.iter().map(item))
    }
}

impl Stored for SpanRecord {
    const INSERT: &'static str = insert!("REPLACE");

    fn order(&self) -> u128 {
        self.span().trace_id.get()
    }

    /// A span that runs must not take the place of one that has ended, should it come late.
    fn yielding_insert(&self) -> Option<&'static str> {
        matches!(self, Self::Started(_)).then_some(insert!("IGNORE"))
    }

    fn write_rest(&self, shared: &mut Shared, out: &mut Vec<u8>) -> serde_json::Result<()> {
        // Taken apart whole, so that a field added to spans cannot be forgotten here.
        let Span {
            trace_id: _,
            span_id: _,
            parent_span_id: _,
            path,
            remote_parent,
            name: _,
            start,
            end,
            kind,
            status: _,
            span_type,
            input,
            output,
            error,
            events,
            links,
            judged,
            trace_flags,
            trace_state,
            attributes,
            context,
            resource,
        } = self.span();
        let (context, resource) = shared.of(context, resource)?;
        let rest = Rest {
            start: row::beyond(start.as_nanos()),
            end: end.and_then(|end| row::beyond(end.as_nanos())),
            path: path.as_deref().map(Ancestors),
            remote_parent: *remote_parent,
            kind: *kind,
            span_type: (*span_type != SpanType::Generic).then_some(span_type),
            input: IsJson::of(input.as_ref()),
            output: IsJson::of(output.as_ref()),
            error: error.as_deref(),
            events,
            links,
            judged: *judged,
            trace_flags: (*trace_flags != 1).then_some(*trace_flags),
            trace_state: trace_state.as_ref(),
            attributes,
            context,
            resource,
        };
        serde_json::to_writer(out, &rest)
    }

    fn bind(&self, rest: &str, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        let span = self.span();
        let (model, provider, usage) = match span.span_type.model() {
            Some((model, provider, usage)) => (model, provider, Some(usage)),
            None => (None, None, None),
        };
        let cost = span.span_type.cost();
        let mut row = Binder::new(statement);
        row.hex(Some(&span.trace_id.to_hex()))?
            .hex(Some(&span.span_id.to_hex()))?
            .hex(span.parent_span_id.map(SpanId::to_hex).as_ref().map(<[u8; 16]>::as_slice))?
            .put(span.name.as_str())?
            .put(status_name(span.status))?
            .put(row::count(span.start.as_nanos()))?
            .put(span.end.map(|end| row::count(end.as_nanos())))?
            .put(rest)?
            .payload(span.input.as_ref())?
            .payload(span.output.as_ref())?
            .put(span.span_type.name())?
            .put(model.map(Str::as_str))?
            .put(provider.map(Str::as_str))?
            .put(usage.and_then(|usage| usage.input).map(row::count))?
            .put(usage.and_then(|usage| usage.output).map(row::count))?
            .put(cost.map(|cost| cost.total))?
            .put(row::service(&span.context, &span.resource))?
            .put(span.context.session_id.as_deref())?
            .put(span.context.user_id.as_deref())?
            .put(span.error.as_ref().map(|error| error.message.as_str()))?;
        Ok(())
    }
}

/// The name of a status in its column.
pub(crate) const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Unset => "unset",
        Status::Ok => "ok",
        Status::Error => "error",
    }
}

fn status_of(name: &str) -> Status {
    match name {
        "ok" => Status::Ok,
        "error" => Status::Error,
        _ => Status::Unset,
    }
}

/// The span that a row of [`SELECT`] was made of.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Span> {
    let mut row = Columns::new(row);
    let (trace_id, span_id, parent_span_id) = (row.parse()?, row.parse()?, row.parse_optional()?);
    let (name, status) = (row.take::<String>()?, row.take::<String>()?);
    let (start, end) = (row.take::<i64>()?, row.take::<Option<i64>>()?);
    let mut span: Span = row.rest(&row::timed(HEAD, "start", start))?;
    span.trace_id = trace_id;
    span.span_id = span_id;
    span.parent_span_id = parent_span_id;
    span.name = name.into();
    span.status = status_of(&status);
    if let Some(end) = end.filter(|end| *end != i64::MAX) {
        span.end = Some(Timestamp::from_nanos(end as u64));
    }
    span.input = row.payload(span.input.as_ref())?;
    span.output = row.payload(span.output.as_ref())?;
    Ok(span)
}
