//! Feedback and its rows.

use obs_core::{Attributes, Feedback, Mapped, Records, ScoreValue, Target};
use rusqlite::{Row, Statement};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::StoreExporter;
use crate::row::{self, Binder, Columns, Shared};
use crate::scores::{Place, label};
use crate::write::{self, Stored, Write};

/// The columns that are read back, in the order of [`read`].
macro_rules! columns {
    () => {
        "id, time_ns, kind, comment, source, user_id, experiment_id, rest"
    };
}

/// What [`read`] reads; to be followed by `WHERE`.
pub(crate) const SELECT: &str = concat!("SELECT ", columns!(), " FROM feedback");

/// The fields without which no JSON is feedback; the columns say what they are.
const HEAD: &str = r#""kind":"""#;

/// Maps feedback.
pub(crate) fn map(_: &StoreExporter, records: &Records<Feedback>) -> Mapped<Write> {
    write::map(records, Write::Feedback)
}

/// What of feedback has no column of its own, under the names of canonical JSON.
#[derive(Serialize)]
struct Rest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    target: &'a Target,
    value: &'a ScoreValue,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    metadata: &'a Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a RawValue>,
}

impl Stored for Feedback {
    /// A retry overwrites what it repeats.
    const INSERT: &'static str = concat!(
        "INSERT OR REPLACE INTO feedback (",
        columns!(),
        ", value, label, trace_id, span_id, session_id, service) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
    );

    fn write_rest(&self, shared: &mut Shared, out: &mut Vec<u8>) -> serde_json::Result<()> {
        // Taken apart whole, so that a field added to feedback cannot be forgotten here.
        let Self {
            id: _,
            time,
            target,
            kind: _,
            value,
            comment: _,
            source: _,
            user_id: _,
            experiment_id: _,
            metadata,
            context,
            resource,
        } = self;
        let (context, resource) = shared.of(context, resource)?;
        let time = row::beyond(time.as_nanos());
        serde_json::to_writer(out, &Rest { time, target, value, metadata, context, resource })
    }

    fn bind(&self, rest: &str, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        let place = Place::of(&self.target, &self.context);
        Binder::new(statement)
            .put(self.id.to_string())?
            .put(row::count(self.time.as_nanos()))?
            .put(self.kind.as_str())?
            .put(self.comment.as_deref())?
            .put(self.source.as_deref())?
            .put(self.user_id.as_deref())?
            .put(self.experiment_id.as_deref())?
            .put(rest)?
            .put(self.value.as_f64())?
            .put(label(&self.value))?
            .hex(place.trace_id.as_ref().map(<[u8; 32]>::as_slice))?
            .hex(place.span_id.as_ref().map(<[u8; 16]>::as_slice))?
            .put(place.session_id)?
            .put(row::service(&self.context, &self.resource))?;
        Ok(())
    }
}

/// The feedback that a row of [`SELECT`] was made of.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Feedback> {
    let mut row = Columns::new(row);
    let (id, time, kind) = (row.take::<String>()?, row.take::<i64>()?, row.take::<String>()?);
    let (comment, source) = (row.take::<Option<String>>()?, row.take::<Option<String>>()?);
    let (user_id, experiment_id) = (row.take::<Option<String>>()?, row.take::<Option<String>>()?);
    let mut feedback: Feedback = row.rest(&row::identified(HEAD, &id, time))?;
    feedback.kind = kind.into();
    feedback.comment = comment.map(Into::into);
    feedback.source = source.map(Into::into);
    feedback.user_id = user_id.map(Into::into);
    feedback.experiment_id = experiment_id.map(Into::into);
    Ok(feedback)
}
