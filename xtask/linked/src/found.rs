//! What a file holds, by signal, in a form that two files can be compared in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use obs_core::{Record, Signal};
use rusqlite::{Connection, OpenFlags};

/// How often each record of each signal is there: by its ids, or, for logs and metrics, by its time and words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found([BTreeMap<String, usize>; Signal::COUNT]);

/// The same keys out of the store, by plain SQL: it is readable with any SQLite tool.
const QUERIES: [(Signal, &str); Signal::COUNT] = [
    (Signal::Traces, "SELECT trace_id || ' ' || span_id FROM spans"),
    (Signal::Metrics, "SELECT time_ns || ' ' || name FROM metrics"),
    (Signal::Logs, "SELECT time_ns || ' ' || message FROM logs"),
    (Signal::Scores, "SELECT id FROM scores"),
    (Signal::Feedback, "SELECT id FROM feedback"),
];

impl Found {
    /// What a JSON Lines file holds.
    pub(crate) fn in_lines(records: &[Record]) -> Self {
        let mut found = Self::default();
        for record in records {
            let key = match record {
                Record::Span(span) => match span.ended() {
                    Some(span) => format!("{} {}", span.trace_id, span.span_id),
                    None => continue,
                },
                Record::Metric(metric) => format!("{} {}", metric.time.as_nanos(), metric.name),
                Record::Log(log) => format!("{} {}", log.time.as_nanos(), log.message),
                Record::Score(score) => score.id.to_string(),
                Record::Feedback(feedback) => feedback.id.to_string(),
            };
            found.add(record.signal(), key);
        }
        found
    }

    /// What a store holds.
    pub(crate) fn in_store(path: &Path) -> Result<Self> {
        let store = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let store = store.with_context(|| format!("{} does not open", path.display()))?;
        let mut found = Self::default();
        for (signal, query) in QUERIES {
            let mut statement =
                store.prepare(query).with_context(|| format!("the store does not answer `{query}`"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                found.add(signal, row.get(0)?);
            }
        }
        Ok(found)
    }

    fn add(&mut self, signal: Signal, key: String) {
        *self.0[signal.index()].entry(key).or_default() += 1;
    }

    fn count(&self, signal: Signal) -> usize {
        self.0[signal.index()].values().sum()
    }

    /// The first key that is here more often than in `other`.
    fn beyond<'a>(&'a self, other: &Self, signal: Signal) -> Option<&'a str> {
        let there = &other.0[signal.index()];
        let more = self.0[signal.index()]
            .iter()
            .find(|(key, count)| **count > there.get(*key).copied().unwrap_or_default());
        more.map(|(key, _)| key.as_str())
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<_> =
            Signal::ALL.iter().map(|signal| format!("{} {signal}", self.count(*signal))).collect();
        f.write_str(&counts.join(", "))
    }
}

/// Fails unless both hold the same records, some of every signal.
pub(crate) fn compare(lines: &Found, store: &Found) -> Result<()> {
    for signal in Signal::ALL {
        ensure!(lines.count(signal) > 0, "telemetry.jsonl holds no {signal}");
        let more =
            [("obs.db", lines.beyond(store, signal)), ("telemetry.jsonl", store.beyond(lines, signal))];
        for (file, key) in more {
            ensure!(key.is_none(), "{file} lacks of {signal}: {}", key.unwrap_or_default());
        }
    }
    Ok(())
}

/// Fails unless `second` holds all that `first` holds, and more of every signal.
pub(crate) fn grew(first: &Found, second: &Found) -> Result<()> {
    for signal in Signal::ALL {
        let gone = first.beyond(second, signal);
        ensure!(gone.is_none(), "the second run took from {signal}: {}", gone.unwrap_or_default());
        ensure!(second.count(signal) > first.count(signal), "the second run added nothing to {signal}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(keys: &[&str]) -> Found {
        let mut found = Found::default();
        for signal in Signal::ALL {
            for key in keys {
                found.add(signal, (*key).to_owned());
            }
        }
        found
    }

    #[test]
    fn a_record_that_is_in_one_file_alone_is_named() {
        compare(&found(&["a", "b"]), &found(&["b", "a"])).unwrap();
        for (lines, store, said) in [
            (&["a", "b"][..], &["a"][..], "obs.db lacks of traces: b"),
            (&["a"][..], &["a", "a"][..], "telemetry.jsonl lacks of traces: a"),
            (&[][..], &[][..], "telemetry.jsonl holds no traces"),
        ] {
            assert_eq!(compare(&found(lines), &found(store)).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn a_run_adds_and_takes_nothing() {
        grew(&found(&["a"]), &found(&["a", "b"])).unwrap();
        assert!(grew(&found(&["a"]), &found(&["a"])).unwrap_err().to_string().contains("added nothing"));
        assert!(
            grew(&found(&["a"]), &found(&["b", "c"]))
                .unwrap_err()
                .to_string()
                .contains("took from traces: a")
        );
    }

    #[test]
    fn a_store_is_read_by_plain_sql() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("obs.db");
        let store = Connection::open(&path).unwrap();
        let tables = "CREATE TABLE spans (trace_id, span_id); CREATE TABLE metrics (time_ns, name);
            CREATE TABLE logs (time_ns, message); CREATE TABLE scores (id); CREATE TABLE feedback (id);
            INSERT INTO spans VALUES ('t', 's'); INSERT INTO logs VALUES (7, 'hello');";
        store.execute_batch(tables).unwrap();
        let read = Found::in_store(&path).unwrap();
        assert_eq!(read.to_string(), "1 traces, 0 metrics, 1 logs, 0 scores, 0 feedback");
        assert!(
            read.0[Signal::Traces.index()].contains_key("t s")
                && read.0[Signal::Logs.index()].contains_key("7 hello")
        );
        assert!(Found::in_store(&dir.path().join("gone.db")).is_err());
    }
}
