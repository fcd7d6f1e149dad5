//! What several tests need.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use obs_core::{Batch, Level, Log, Record, Timestamp};
use obs_file::{Clock, FileConfig, FileExporter, FileLines};

/// 2026-11-21 13:05:00 in UTC.
pub(crate) const NOON: Timestamp = Timestamp::from_nanos(1_795_266_300_000_000_000);

/// A clock that a test sets.
#[derive(Debug, Clone)]
pub(crate) struct Hands(Arc<Mutex<(Timestamp, Duration)>>);

impl Hands {
    pub(crate) fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new((now, Duration::ZERO))))
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, by: Duration) {
        let mut hands = self.0.lock().unwrap();
        *hands = (hands.0.saturating_add(by), hands.1 + by);
    }

    /// Sets the time of day, as people and time servers do.
    pub(crate) fn set(&self, now: Timestamp) {
        self.0.lock().unwrap().0 = now;
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

/// Names that are the same on every machine.
pub(crate) fn config(folder: &Path) -> FileConfig {
    FileConfig::new(folder).with_filename_template("app-{timestamp}.jsonl")
}

pub(crate) fn exporter(config: FileConfig) -> FileExporter {
    FileExporter::with_clock(config, Hands::at(NOON)).unwrap()
}

pub(crate) fn log(message: impl Into<String>) -> Log {
    Log::new(Timestamp::from_nanos(1), Level::Info, message.into())
}

pub(crate) fn logs<T: ToString>(messages: impl IntoIterator<Item = T>) -> Batch {
    Batch::Logs(messages.into_iter().map(|message| log(message.to_string())).collect())
}

/// The names in a folder, in order.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = std::fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

/// What the logs say, and what is wrong with the other lines.
pub(crate) fn said(lines: FileLines) -> (Vec<String>, Vec<String>) {
    let (mut messages, mut bad) = (Vec::new(), Vec::new());
    for line in lines {
        match line {
            Ok(Record::Log(log)) => messages.push(log.message.to_string()),
            Ok(other) => panic!("{other:?}"),
            Err(line) => bad.push(line.cause.to_string()),
        }
    }
    (messages, bad)
}

/// What the logs of all files in a folder say; every line is a record.
pub(crate) fn all_said(folder: &Path) -> Vec<String> {
    let (messages, bad) = said(obs_file::read_directory(folder).unwrap());
    assert_eq!(bad, [""; 0]);
    messages
}
