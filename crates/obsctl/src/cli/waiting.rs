//! The arguments of `obsctl queue` and `obsctl dlq`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use obs_core::Signal;
use obs_core::units::duration;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};

/// `obsctl queue`.
#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Lists what waits, by destination and signal; works while the application runs.
    ///
    /// A destination that was renamed or removed stays in the list with what waits for it, and its last move (when it last
    /// delivered or gave up something, or was new) stands still; `obsctl queue drain --dest NAME` delivers that.
    Ls(QueueArgs),
    /// Reads every row and looks the file through; fails if anything is damaged.
    Verify(QueueArgs),
    /// Delivers what waits for a destination to a file or a store; the application must not run.
    Drain(DrainArgs),
}

/// Where the queue is.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  obsctl queue ls --dir obs-queue")]
pub(crate) struct QueueArgs {
    /// The queue's directory, or a queue file that was set aside; else OBS_QUEUE_DIR, else obs-queue.
    #[arg(long, value_name = "DIR", default_value_os_t = directory())]
    pub dir: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// `obsctl queue drain`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  obsctl queue drain --dest langfuse --to waiting.jsonl")]
pub(crate) struct DrainArgs {
    /// The queue's directory; else OBS_QUEUE_DIR, else obs-queue.
    #[arg(long, value_name = "DIR", default_value_os_t = directory())]
    pub dir: PathBuf,
    /// Where the records go: a .jsonl file, or the .db file of a store.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// The destination whose records they are; not needed where only one has some.
    #[arg(long, value_name = "NAME")]
    pub dest: Option<String>,
    /// Only this signal: traces, metrics, logs, scores or feedback.
    #[arg(long, value_parser = signal)]
    pub signal: Option<Signal>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// `obsctl dlq`.
#[derive(Debug, Subcommand)]
pub(crate) enum DlqCommand {
    /// Lists dead letters, oldest first.
    Ls(DlqListArgs),
    /// Shows one dead letter with its record.
    Show(DlqShowArgs),
    /// Delivers dead letters to a file or a store, and removes each once it is delivered.
    Replay(DlqReplayArgs),
    /// Removes dead letters.
    Purge(DlqPurgeArgs),
}

/// Where dead letters are.
#[derive(Debug, Args)]
pub(crate) struct DlqArgs {
    /// The directory of dead-letters.db; else OBS_QUEUE_DIR, else obs-queue.
    #[arg(long, value_name = "DIR", default_value_os_t = directory())]
    pub dir: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// Which dead letters are meant.
#[derive(Debug, Args)]
pub(crate) struct DlqFilter {
    /// Only those of this destination.
    #[arg(long, value_name = "NAME")]
    pub dest: Option<String>,
    /// Only those with this kind (rejected), status (http_400) or part of the reason.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only those tried since a time (2026-11-21T08:00:00Z), or in the last so long (2h).
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub since: Option<Since>,
    /// Only this signal: traces, metrics, logs, scores or feedback.
    #[arg(long, value_parser = signal)]
    pub signal: Option<Signal>,
    /// Only the one of this number.
    #[arg(long, value_name = "NUMBER", value_parser = number, allow_negative_numbers = true)]
    pub id: Option<u64>,
}

/// `obsctl dlq ls`.
#[derive(Debug, Args)]
pub(crate) struct DlqListArgs {
    /// Where to read.
    #[command(flatten)]
    pub place: DlqArgs,
    /// Which.
    #[command(flatten)]
    pub filter: DlqFilter,
    /// At most this many.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// `obsctl dlq show`.
#[derive(Debug, Args)]
pub(crate) struct DlqShowArgs {
    /// The number that `obsctl dlq ls` shows.
    #[arg(value_name = "NUMBER", value_parser = number)]
    pub id: u64,
    /// Where to read.
    #[command(flatten)]
    pub place: DlqArgs,
}

/// `obsctl dlq replay`.
#[derive(Debug, Args)]
#[command(
    override_usage = "obsctl dlq replay --to <FILE> [OPTIONS]\n       obsctl dlq replay --dry-run [OPTIONS]",
    after_help = "Example:\n  obsctl dlq replay --dest langfuse --since 2h --to letters.jsonl --rate 50/s"
)]
pub(crate) struct DlqReplayArgs {
    /// Where to read.
    #[command(flatten)]
    pub place: DlqArgs,
    /// Which.
    #[command(flatten)]
    pub filter: DlqFilter,
    /// Where the records go: a .jsonl file, or the .db file of a store; needed unless --dry-run is given.
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    pub to: Option<PathBuf>,
    /// At most this many records in a time, such as 50/s or 600/m.
    #[arg(long, value_name = "N/s", value_parser = rate)]
    pub rate: Option<f64>,
    /// Only says how many would be delivered.
    #[arg(long)]
    pub dry_run: bool,
}

/// `obsctl dlq purge`.
#[derive(Debug, Args)]
pub(crate) struct DlqPurgeArgs {
    /// Where they are.
    #[command(flatten)]
    pub place: DlqArgs,
    /// Which.
    #[command(flatten)]
    pub filter: DlqFilter,
    /// All of them, where nothing says which.
    #[arg(long)]
    pub yes: bool,
}

/// A time, or a time ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// In nanoseconds since the epoch.
    At(u64),
    /// So long ago.
    Ago(Duration),
}

/// Where queues are that no `--dir` names: an empty variable is one that is not set.
fn directory() -> PathBuf {
    let set = std::env::var_os("OBS_QUEUE_DIR").filter(|value| !value.is_empty());
    set.map_or_else(|| PathBuf::from("obs-queue"), PathBuf::from)
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "give the number of a dead letter, as `obsctl dlq ls` shows it".to_owned())
}

fn signal(text: &str) -> Result<Signal, String> {
    let known = Signal::ALL.into_iter().find(|signal| signal.as_str() == text);
    known.ok_or_else(|| {
        let names: Vec<_> = Signal::ALL.iter().map(|signal| signal.as_str()).collect();
        format!("there is no such signal; it is one of {}", names.join(", "))
    })
}

fn since(text: &str) -> Result<Since, String> {
    let parsed: Result<Duration, ValueError> = {
        let text: StrDeserializer<'_, ValueError> = text.into_deserializer();
        duration::deserialize(text)
    };
    if let Ok(ago) = parsed {
        return Ok(Since::Ago(ago));
    }
    let time: jiff::Timestamp = text.parse().map_err(|cause| {
        format!("write a time such as 2026-11-21T08:00:00Z, or how long ago such as 2h ({cause})")
    })?;
    u64::try_from(time.as_nanosecond()).map(Since::At).map_err(|_| "it is before 1970".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let refuse = || format!("{text:?} is no rate; write it such as 50/s or 600/m");
    let (count, unit) = text.split_once('/').unwrap_or((text, "s"));
    let count: f64 = count.trim().parse().map_err(|_| refuse())?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return Err(refuse()),
    };
    if count.is_finite() && count > 0.0 { Ok(count / seconds) } else { Err(refuse()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_times_are_read_or_refused_with_an_example() {
        assert_eq!((rate("50/s"), rate("600/m"), rate("5")), (Ok(50.0), Ok(10.0), Ok(5.0)));
        for bad in ["", "0/s", "-1/s", "5/y", "x/s", "inf/s"] {
            assert!(rate(bad).unwrap_err().contains("50/s"), "{bad}");
        }
        assert_eq!(since("2h"), Ok(Since::Ago(Duration::from_hours(2))));
        assert_eq!(since("1970-01-01T00:00:02Z"), Ok(Since::At(2_000_000_000)));
        assert!(since("yesterday").unwrap_err().contains("2h"));
        assert_eq!(signal("logs"), Ok(Signal::Logs));
        assert!(signal("log").unwrap_err().contains("traces, metrics, logs"));
    }
}
