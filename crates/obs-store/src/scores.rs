//! Scores and their rows.

use obs_core::{
    Attributes, Mapped, Records, Score, ScoreValue, Scorer, SpanId, Str, Target, TraceContext, TraceId,
};
use rusqlite::{Row, Statement};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::StoreExporter;
use crate::row::{self, Binder, Columns, Shared};
use crate::write::{self, Stored, Write};

/// The columns that are read back, in the order of [`read`].
macro_rules! columns {
    () => {
        "id, time_ns, name, comment, source, experiment_id, rest"
    };
}

/// What [`read`] reads; to be followed by `WHERE`.
pub(crate) const SELECT: &str = concat!("SELECT ", columns!(), " FROM scores");

/// The fields without which no JSON is a score; the columns say what they are.
const HEAD: &str = r#""name":"""#;

/// Maps scores.
pub(crate) fn map(_: &StoreExporter, records: &Records<Score>) -> Mapped<Write> {
    write::map(records, Write::Scores)
}

/// What of a score has no column of its own, under the names of canonical JSON.
#[derive(Serialize)]
struct Rest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    target: &'a Target,
    value: &'a ScoreValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    scorer: Option<&'a Scorer>,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    metadata: &'a Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a RawValue>,
}

impl Stored for Score {
    /// A retry overwrites what it repeats.
    const INSERT: &'static str = concat!(
        "INSERT OR REPLACE INTO scores (",
        columns!(),
        ", value, label, scorer, trace_id, span_id, session_id, user_id, service) \
         VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
    );

    fn write_rest(&self, shared: &mut Shared, out: &mut Vec<u8>) -> serde_json::Result<()> {
        // Taken apart whole, so that a field added to scores cannot be forgotten here.
        let Self {
            id: _,
            time,
            target,
            name: _,
            value,
            comment: _,
            source: _,
            scorer,
            experiment_id: _,
            metadata,
            context,
            resource,
        } = self;
        let (context, resource) = shared.of(context, resource)?;
        let (time, scorer) = (row::beyond(time.as_nanos()), scorer.as_ref());
        serde_json::to_writer(out, &Rest { time, target, value, scorer, metadata, context, resource })
    }

    fn bind(&self, rest: &str, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        let scorer = self.scorer.as_ref().and_then(|scorer| scorer.name.as_deref().or(scorer.id.as_deref()));
        let place = Place::of(&self.target, &self.context);
        Binder::new(statement)
            .put(self.id.to_string())?
            .put(row::count(self.time.as_nanos()))?
            .put(self.name.as_str())?
            .put(self.comment.as_deref())?
            .put(self.source.as_deref())?
            .put(self.experiment_id.as_deref())?
            .put(rest)?
            .put(self.value.as_f64())?
            .put(label(&self.value))?
            .put(scorer)?
            .hex(place.trace_id.as_ref().map(<[u8; 32]>::as_slice))?
            .hex(place.span_id.as_ref().map(<[u8; 16]>::as_slice))?
            .put(place.session_id)?
            .put(self.context.user_id.as_deref())?
            .put(row::service(&self.context, &self.resource))?;
        Ok(())
    }
}

/// Where a target lies, as columns.
pub(crate) struct Place<'a> {
    pub(crate) trace_id: Option<[u8; 32]>,
    pub(crate) span_id: Option<[u8; 16]>,
    pub(crate) session_id: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// Where this target lies.
    pub(crate) fn of(target: &'a Target, context: &'a TraceContext) -> Self {
        let session_id = match target {
            Target::Session { session_id } => Some(session_id),
            _ => context.session_id.as_ref(),
        };
        Self {
            trace_id: target.trace_id().map(TraceId::to_hex),
            span_id: target.span_id().map(SpanId::to_hex),
            session_id: session_id.map(Str::as_str),
        }
    }
}

/// The words of a value; `None` for a number.
pub(crate) fn label(value: &ScoreValue) -> Option<&str> {
    match value {
        ScoreValue::Numeric { .. } => None,
        ScoreValue::Boolean(value) => Some(if *value { "true" } else { "false" }),
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => Some(words),
    }
}

/// The score that a row of [`SELECT`] was made of.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Score> {
    let mut row = Columns::new(row);
    let (id, time, name) = (row.take::<String>()?, row.take::<i64>()?, row.take::<String>()?);
    let (comment, source) = (row.take::<Option<String>>()?, row.take::<Option<String>>()?);
    let experiment_id = row.take::<Option<String>>()?;
    let mut score: Score = row.rest(&row::identified(HEAD, &id, time))?;
    score.name = name.into();
    score.comment = comment.map(Into::into);
    score.source = source.map(Into::into);
    score.experiment_id = experiment_id.map(Into::into);
    Ok(score)
}
