//! Lists of logs, metrics, scores and feedback.

use obs_core::{Error, Feedback, Log, Metric, Score, Timestamp, TraceId};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::{StoreReader, feedback, logs, metrics, query, row, scores};

/// Which records are wanted; all conditions must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordQuery {
    /// The most to return; zero means 100.
    pub limit: usize,
    /// Only records made at this time or later.
    pub since: Option<Timestamp>,
    /// Only records made before this time.
    pub until: Option<Timestamp>,
    /// Only records of this trace; a metric's is its exemplar's.
    pub trace_id: Option<TraceId>,
}

impl RecordQuery {
    fn sql(&self, select: &str) -> (String, Vec<Value>) {
        let time = |time: Timestamp| Value::Integer(row::count(time.as_nanos()));
        let conditions = [
            ("time_ns >= ?", self.since.map(time)),
            ("time_ns < ?", self.until.map(time)),
            ("trace_id = ?", self.trace_id.map(|id| Value::Text(id.to_string()))),
        ];
        let (mut sql, mut values) = (format!("{select} WHERE true"), Vec::new());
        for (condition, value) in conditions {
            if let Some(value) = value {
                sql += " AND ";
                sql += condition;
                values.push(value);
            }
        }
        let limit = if self.limit == 0 { query::LIMIT } else { self.limit };
        sql += " ORDER BY time_ns DESC, rowid DESC LIMIT ";
        sql += &row::count(limit as u64).to_string();
        (sql, values)
    }
}

fn list<T>(
    connection: &Connection,
    query: &RecordQuery,
    select: &str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let (sql, values) = query.sql(select);
    connection.prepare_cached(&sql)?.query_map(params_from_iter(values), read)?.collect()
}

/// These calls block; in async code run them with `spawn_blocking`.
impl StoreReader {
    /// Log records, the latest first.
    ///
    /// # Errors
    /// `Config` where there is no store, `Io` where it cannot be read.
    pub fn list_logs(&self, query: &RecordQuery) -> Result<Vec<Log>, Error> {
        self.read(|connection| list(connection, query, logs::SELECT, logs::read))
    }

    /// Metric records, the latest first.
    ///
    /// # Errors
    /// As [`StoreReader::list_logs`].
    pub fn list_metrics(&self, query: &RecordQuery) -> Result<Vec<Metric>, Error> {
        self.read(|connection| list(connection, query, metrics::SELECT, metrics::read))
    }

    /// Scores, the latest first.
    ///
    /// # Errors
    /// As [`StoreReader::list_logs`].
    pub fn list_scores(&self, query: &RecordQuery) -> Result<Vec<Score>, Error> {
        self.read(|connection| list(connection, query, scores::SELECT, scores::read))
    }

    /// Feedback, the latest first.
    ///
    /// # Errors
    /// As [`StoreReader::list_logs`].
    pub fn list_feedback(&self, query: &RecordQuery) -> Result<Vec<Feedback>, Error> {
        self.read(|connection| list(connection, query, feedback::SELECT, feedback::read))
    }
}
