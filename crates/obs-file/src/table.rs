//! The columns of the tables: what CSV and Parquet have in common.
//!
//! A table is data: a name, a type, a sentence and how to read the cell off the record, in an order that stays.
//! Where `obs-store` has a column of the same meaning, it has the same name and unit.

mod context;
mod judgements;
mod logs;
mod metrics;
mod rest;
mod spans;

use std::borrow::Cow;

use obs_core::{Feedback, Log, Metric, Payload, Score, Signal, SpanRecord, Str, Timestamp, write_json};
use serde::Serialize;

/// The version of the tables; Parquet files carry it as `obs.table_version`.
///
/// It grows when a column goes, or changes its name, its type or its meaning; columns added at the end do not count.
pub const TABLE_VERSION: u32 = 1;

/// What the cells of a column hold; each may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnType {
    /// Text in UTF-8.
    Text,
    /// JSON as text.
    Json,
    /// A signed integer of 64 bits; what is greater than its greatest stands as that, and in full in the column `rest`
    /// or in the JSON that the column is taken from.
    Integer,
    /// A double; not finite ones are `NaN`, `Infinity` and `-Infinity` in CSV.
    Float,
    /// True or false.
    Boolean,
    /// A point in time: microseconds in UTC in Parquet, RFC 3339 in CSV.
    /// The column beside it with the ending `_ns` has all nanoseconds.
    Time,
}

impl ColumnType {
    /// The name in documentation: `text`, `json`, `integer`, `float`, `boolean`, `time`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Time => "time",
        }
    }
}

/// A column of the table that a signal's CSV and Parquet files hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColumnInfo {
    /// Its name.
    pub name: &'static str,
    /// What its cells hold.
    pub column_type: ColumnType,
    /// What it says, in a sentence.
    pub doc: &'static str,
}

/// The columns of a signal's CSV and Parquet files, in their order.
///
/// ```
/// use obs_core::Signal;
///
/// let columns = obs_file::columns(Signal::Traces);
/// assert_eq!(columns[0].name, "trace_id");
/// assert_eq!(columns.last().map(|column| column.name), Some("rest"));
/// ```
pub fn columns(signal: Signal) -> Vec<ColumnInfo> {
    fn infos<T: Tabular>() -> Vec<ColumnInfo> {
        T::columns().map(Column::info).collect()
    }
    match signal {
        Signal::Traces => infos::<SpanRecord>(),
        Signal::Metrics => infos::<Metric>(),
        Signal::Logs => infos::<Log>(),
        Signal::Scores => infos::<Score>(),
        Signal::Feedback => infos::<Feedback>(),
    }
}

/// JSON that was asked for; `None` for an empty cell.
pub(crate) type Json = serde_json::Result<Option<String>>;

/// How a column is read off a record, and thereby its type.
pub(crate) enum Read<T> {
    Text(for<'a> fn(&'a T) -> Option<Cow<'a, str>>),
    Json(fn(&T) -> Json),
    Integer(fn(&T) -> Option<i64>),
    Float(fn(&T) -> Option<f64>),
    Boolean(fn(&T) -> Option<bool>),
    Time(fn(&T) -> Option<Timestamp>),
}

/// A column.
pub(crate) struct Column<T> {
    name: &'static str,
    doc: &'static str,
    read: Read<T>,
}

/// What stands in a row under a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Empty,
    Text(Cow<'a, str>),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Time(Timestamp),
}

macro_rules! columns_of {
    ($($new:ident => $variant:ident($read:ty)),* $(,)?) => {
        $(pub(crate) const fn $new(name: &'static str, doc: &'static str, read: $read) -> Self {
            Self { name, doc, read: Read::$variant(read) }
        })*
    };
}

impl<T> Column<T> {
    columns_of! {
        text => Text(for<'a> fn(&'a T) -> Option<Cow<'a, str>>),
        json => Json(fn(&T) -> Json),
        integer => Integer(fn(&T) -> Option<i64>),
        float => Float(fn(&T) -> Option<f64>),
        boolean => Boolean(fn(&T) -> Option<bool>),
        time => Time(fn(&T) -> Option<Timestamp>),
    }

    /// What it is, without how it is read.
    pub(crate) fn info(&self) -> ColumnInfo {
        let column_type = match self.read {
            Read::Text(_) => ColumnType::Text,
            Read::Json(_) => ColumnType::Json,
            Read::Integer(_) => ColumnType::Integer,
            Read::Float(_) => ColumnType::Float,
            Read::Boolean(_) => ColumnType::Boolean,
            Read::Time(_) => ColumnType::Time,
        };
        ColumnInfo { name: self.name, column_type, doc: self.doc }
    }

    /// The cell of a record.
    fn cell<'a>(&self, record: &'a T) -> serde_json::Result<Cell<'a>> {
        let cell = match self.read {
            Read::Text(read) => read(record).map(Cell::Text),
            Read::Json(read) => read(record)?.map(|json| Cell::Text(json.into())),
            Read::Integer(read) => read(record).map(Cell::Integer),
            Read::Float(read) => read(record).map(Cell::Float),
            Read::Boolean(read) => read(record).map(Cell::Boolean),
            Read::Time(read) => read(record).map(Cell::Time),
        };
        Ok(cell.unwrap_or(Cell::Empty))
    }
}

/// A record that has a row in a table.
pub(crate) trait Tabular: Sized + 'static {
    /// The columns, in runs that follow each other.
    const TABLE: &'static [&'static [Column<Self>]];

    /// The columns in order.
    fn columns() -> impl Iterator<Item = &'static Column<Self>> {
        Self::TABLE.iter().copied().flatten()
    }

    /// Fills `row` with a cell for each column; on an error what it holds means nothing.
    fn row<'a>(&'a self, row: &mut Vec<Cell<'a>>) -> serde_json::Result<()> {
        row.clear();
        for column in Self::columns() {
            row.push(column.cell(self)?);
        }
        Ok(())
    }
}

/// A value as JSON, as canonical JSON has it.
fn json<T: Serialize + ?Sized>(value: &T) -> Json {
    let mut out = Vec::new();
    write_json(&mut out, value)?;
    // What was written is text; were it not, it would be no JSON either.
    String::from_utf8(out).map(Some).map_err(serde::ser::Error::custom)
}

/// A value as JSON, if it is there.
fn json_of<T: Serialize>(value: Option<&T>) -> Json {
    value.map_or(Ok(None), json)
}

/// A list as JSON; nothing for an empty one.
fn json_list<T: Serialize>(values: &[T]) -> Json {
    if values.is_empty() { Ok(None) } else { json(values) }
}

/// Text that a record has.
#[expect(clippy::unnecessary_wraps, reason = "what a column of text reads")]
fn text(text: &Str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(text))
}

/// Text that a record may have.
fn some(text: Option<&Str>) -> Option<Cow<'_, str>> {
    text.map(|text| Cow::Borrowed(text.as_str()))
}

/// What prints, such as an id.
fn printed<'a>(value: Option<impl ToString>) -> Option<Cow<'a, str>> {
    value.map(|value| Cow::Owned(value.to_string()))
}

/// The text of a document.
fn document(payload: Option<&Payload>) -> Option<Cow<'_, str>> {
    payload.map(|payload| match payload.settled() {
        Cow::Borrowed(payload) => Cow::Borrowed(payload.as_str()),
        Cow::Owned(payload) => Cow::Owned(payload.as_str().to_owned()),
    })
}

/// Whether the text of a document is JSON.
fn is_json(payload: Option<&Payload>) -> Option<bool> {
    payload.map(|payload| payload.settled().form() == obs_core::Form::Json)
}

/// A count as the column has it, at most the greatest it has.
fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The nanoseconds of a time as the column has them, at most the greatest it has.
fn nanos(time: Timestamp) -> i64 {
    count(time.as_nanos())
}
