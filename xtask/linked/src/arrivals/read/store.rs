//! The tables of the store, by plain SQL.

use std::path::Path;

use anyhow::{Context, Result};
use obs_core::Signal;
use rusqlite::{Connection, OpenFlags};

use crate::arrivals::place::{Arrival, Carrier};

const TABLES: [(Signal, &str); Signal::COUNT] = [
    (Signal::Traces, "spans"),
    (Signal::Metrics, "metrics"),
    (Signal::Logs, "logs"),
    (Signal::Scores, "scores"),
    (Signal::Feedback, "feedback"),
];

pub(in crate::arrivals) fn rows(path: &Path) -> Result<Vec<Carrier>> {
    let store = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let store = store.with_context(|| format!("{} does not open", path.display()))?;
    let mut carriers = Vec::new();
    for (signal, table) in TABLES {
        let mut statement = store.prepare(&format!("SELECT trace_id, span_id FROM {table}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (trace, span): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
            carriers.push(vec![Arrival::new(signal, trace.as_deref(), span.as_deref())]);
        }
    }
    Ok(carriers)
}
