//! What a mapper makes of a batch: its records, and the JSON of what has no column of its own.

use obs_core::{Call, ErrorKind, Feedback, Log, Mapped, Metric, Records, Refused, Score, SpanRecord};
use rusqlite::{Connection, ErrorCode, Statement};

use crate::row::Shared;

/// A record that has a table.
pub(crate) trait Stored: Sized {
    /// Puts a record in, over one of the same identity.
    const INSERT: &'static str;

    /// Which records go in one after the other; the order is kept within a key and where there is none.
    fn order(&self) -> u128 {
        0
    }

    /// The statement in place of [`Stored::INSERT`], for a record that must not replace others.
    fn yielding_insert(&self) -> Option<&'static str> {
        None
    }

    /// Appends the JSON object of what has no column of its own.
    fn write_rest(&self, shared: &mut Shared, out: &mut Vec<u8>) -> serde_json::Result<()>;

    /// Binds the parameters of the statement.
    fn bind(&self, rest: &str, statement: &mut Statement<'_>) -> rusqlite::Result<()>;
}

/// Records on their way into a table.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    records: Records<T>,
    /// The JSON of all records, one after the other.
    rest: String,
    /// Where the JSON of each ends.
    ends: Vec<usize>,
}

/// One transaction's share of one signal.
#[derive(Debug)]
pub(crate) enum Write {
    Traces(Rows<SpanRecord>),
    Metrics(Rows<Metric>),
    Logs(Rows<Log>),
    Scores(Rows<Score>),
    Feedback(Rows<Feedback>),
}

/// Maps records of any signal.
pub(crate) fn map<T: Stored>(records: &Records<T>, into: fn(Rows<T>) -> Write) -> Mapped<Write> {
    let (mut rest, mut shared) = (Vec::with_capacity(records.len() * 256), Shared::NONE);
    let (mut good, mut ends) = (Vec::with_capacity(records.len()), Vec::with_capacity(records.len()));
    let mut refused = Vec::new();
    for (at, record) in records.iter().enumerate() {
        let start = rest.len();
        match record.write_rest(&mut shared, &mut rest) {
            Ok(()) => {
                good.push(at);
                ends.push(rest.len());
            }
            Err(cause) => {
                rest.truncate(start);
                refused.push(Refused::encode(at, format!("it cannot be written as JSON: {cause}")));
            }
        }
    }
    let kept = if refused.is_empty() { records.clone() } else { records.select(&good) };
    // JSON writers put out nothing but UTF-8, so that the copy of a lossy conversion is never made.
    let rest =
        String::from_utf8(rest).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned());
    let request = into(Rows { records: kept, rest, ends });
    let calls = if good.is_empty() { Vec::new() } else { vec![Call { request, records: good }] };
    Mapped { calls, refused }
}

impl Write {
    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Traces(rows) => rows.ends.len(),
            Self::Metrics(rows) => rows.ends.len(),
            Self::Logs(rows) => rows.ends.len(),
            Self::Scores(rows) => rows.ends.len(),
            Self::Feedback(rows) => rows.ends.len(),
        }
    }

    /// Puts the rows in; the caller has begun a transaction.
    ///
    /// Returns the records that no row can hold, by their position.
    pub(crate) fn run(&self, connection: &Connection) -> rusqlite::Result<Vec<Refused>> {
        match self {
            Self::Traces(rows) => rows.run(connection),
            Self::Metrics(rows) => rows.run(connection),
            Self::Logs(rows) => rows.run(connection),
            Self::Scores(rows) => rows.run(connection),
            Self::Feedback(rows) => rows.run(connection),
        }
    }
}

impl<T: Stored> Rows<T> {
    fn run(&self, connection: &Connection) -> rusqlite::Result<Vec<Refused>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let rests = starts.zip(&self.ends).map(|(start, end)| self.rest.get(start..*end).unwrap_or("{}"));
        let mut rows: Vec<(usize, &T, &str)> = self
            .records
            .iter()
            .zip(rests)
            .enumerate()
            .map(|(at, (record, rest))| (at, record, rest))
            .collect();
        // Neighbours in the table are neighbours in the index, which then touches each of its pages once.
        rows.sort_by_key(|(_, record, _)| record.order());
        let mut statement = connection.prepare_cached(T::INSERT)?;
        let mut refused = Vec::new();
        for (at, record, rest) in rows {
            let outcome = match record.yielding_insert() {
                None => put(record, rest, &mut statement),
                Some(insert) => put(record, rest, &mut *connection.prepare_cached(insert)?),
            };
            match outcome {
                Ok(()) => {}
                Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::TooBig) => {
                    let reason = "it is larger than a row of SQLite can be, 1 GB".into();
                    refused.push(Refused { at, kind: ErrorKind::TooLarge, status: None, reason });
                }
                Err(cause) => return Err(cause),
            }
        }
        Ok(refused)
    }
}

fn put<T: Stored>(record: &T, rest: &str, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
    record.bind(rest, statement)?;
    statement.raw_execute().map(drop)
}
