//! Runs `obsctl` and reads the files that it wrote.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use obs_core::{Record, Signal};
use serde_json::Value;

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Runs this to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        Self {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// The standard output as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The same run, which must have ended with `code`.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

/// Runs `obsctl` in `folder` without any setting of the machine that could change what it does.
pub(crate) fn obsctl(folder: &Path, args: &[&str]) -> Ran {
    obsctl_with(folder, args, &[])
}

/// Like [`obsctl`], with these variables.
pub(crate) fn obsctl_with(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_obsctl"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("OBS_") || name.starts_with("OTEL_") || name.starts_with("MASTRA_") {
            command.env_remove(name);
        }
    }
    command.env_remove("OPENAI_API_KEY").envs(variables.iter().copied());
    Ran::of(command.current_dir(folder).args(args))
}

/// The run must have failed, with a message that has all these parts.
#[track_caller]
pub(crate) fn failed(ran: Ran, parts: &[&str]) {
    let ran = ran.ended(1);
    assert!(parts.iter().all(|part| ran.stderr.contains(part)), "{parts:?}: {ran:#?}");
}

/// The path of a file beside the tests.
pub(crate) fn data(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    path.to_str().unwrap().to_owned()
}

/// The records of a JSON Lines file.
#[track_caller]
pub(crate) fn records(file: &Path) -> Vec<Record> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines().map(|line| Record::from_line(line).unwrap_or_else(|e| panic!("{line}: {e:?}"))).collect()
}

/// A record's signal and what identifies it: its id, or its time and name or message.
pub(crate) fn ids(records: &[Record]) -> Vec<(Signal, String)> {
    let id = |record: &Record| match record {
        Record::Span(span) => {
            let span = span.ended()?;
            Some((Signal::Traces, format!("{} {}", span.trace_id, span.span_id)))
        }
        Record::Metric(metric) => {
            Some((Signal::Metrics, format!("{} {}", metric.time.as_nanos(), metric.name)))
        }
        Record::Log(log) => Some((Signal::Logs, format!("{} {}", log.time.as_nanos(), log.message))),
        Record::Score(score) => Some((Signal::Scores, score.id.to_string())),
        Record::Feedback(feedback) => Some((Signal::Feedback, feedback.id.to_string())),
    };
    let mut ids: Vec<_> = records.iter().filter_map(id).collect();
    ids.sort();
    ids
}

/// The same out of a store, by plain SQL: it is readable with any SQLite tool.
pub(crate) fn stored_ids(store: &Path) -> Vec<(Signal, String)> {
    let store = rusqlite::Connection::open(store).unwrap();
    let queries = [
        (Signal::Traces, "SELECT trace_id || ' ' || span_id FROM spans"),
        (Signal::Metrics, "SELECT time_ns || ' ' || name FROM metrics"),
        (Signal::Logs, "SELECT time_ns || ' ' || message FROM logs"),
        (Signal::Scores, "SELECT id FROM scores"),
        (Signal::Feedback, "SELECT id FROM feedback"),
    ];
    let mut ids = Vec::new();
    for (signal, query) in queries {
        let mut statement = store.prepare(query).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            ids.push((signal, row.get(0).unwrap()));
        }
    }
    ids.sort();
    ids
}

/// How many records of a signal a store holds.
pub(crate) fn stored(store: &Path, signal: Signal) -> usize {
    stored_ids(store).iter().filter(|(of, _)| *of == signal).count()
}
