//! Which traces a query asks for, in SQL.

use obs_core::{Status, Timestamp, TraceQuery, TraceSummary};
use rusqlite::types::Value;

use crate::{row, traces};

/// How many are returned where the query does not say.
pub(crate) const LIMIT: usize = 100;

/// Where text is looked for.
const PLACES: [&str; 5] = ["name", "input", "output", "error_message", "rest ->> '$.context.name'"];

/// The statement that finds candidates, the latest first, with its parameters.
///
/// It finds every trace that the query asks for, and some that it does not: [`holds`] decides.
pub(crate) fn candidates(query: &TraceQuery) -> (String, Vec<Value>) {
    let TraceQuery { limit: _, since, until, text, status, model, session_id, min_duration: _ } = query;
    let any = |condition: &str| format!("trace_id IN (SELECT trace_id FROM spans WHERE {condition})");
    let time = |time: Timestamp| Value::Integer(row::count(time.as_nanos()));
    let failed = (*status == Some(Status::Error)).then(|| traces::status_name(Status::Error));
    // The function is one of the reader's connections.
    let contains = PLACES.map(|place| format!("obs_contains({place}, ?)")).join(" OR ");
    let of_spans = [
        (any("model = ?"), model.clone().map(Value::Text)),
        (any("session_id = ?"), session_id.clone().map(Value::Text)),
        (any("status = ?"), failed.map(|name| Value::Text(name.into()))),
        (any(&contains), text.clone().map(Value::Text)),
    ];
    let of_traces = [
        ("min(start_ns) >= ?".to_owned(), since.map(time)),
        ("min(start_ns) < ?".to_owned(), until.map(time)),
    ];

    let mut values = Vec::new();
    let mut all = |conditions: &[(String, Option<Value>)]| {
        let mut sql = String::from("true");
        for (condition, value) in conditions {
            if let Some(value) = value {
                values.push(value.clone());
                sql += " AND ";
                sql += &condition.replace('?', &format!("?{}", values.len()));
            }
        }
        sql
    };
    let (spans, traces) = (all(&of_spans), all(&of_traces));
    let sql = format!(
        "SELECT trace_id FROM spans WHERE {spans} GROUP BY trace_id HAVING {traces} \
         ORDER BY min(start_ns) DESC, trace_id DESC"
    );
    (sql, values)
}

/// Whether a candidate is asked for.
pub(crate) fn holds(query: &TraceQuery, summary: &TraceSummary) -> bool {
    query.status.is_none_or(|status| summary.status == status)
        && query.min_duration.is_none_or(|least| summary.duration() >= least)
        && query.since.is_none_or(|since| summary.start >= since)
        && query.until.is_none_or(|until| summary.start < until)
}

#[cfg(test)]
mod tests {
    use rusqlite::params_from_iter;

    use super::*;

    #[test]
    fn listing_by_time_reads_the_index_alone() {
        let folder = tempfile::tempdir().unwrap();
        let connection = crate::schema::open(&folder.path().join("obs.db")).unwrap();
        let since = Some(Timestamp::from_nanos(1));
        let (sql, values) = candidates(&TraceQuery { since, ..TraceQuery::default() });
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> = statement
            .query_map(params_from_iter(values), |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(plan[0], "SCAN spans USING COVERING INDEX spans_of_trace");
    }
}
