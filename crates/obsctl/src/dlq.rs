//! `obsctl dlq`: records that destinations rejected.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::bail;
use obs_core::Timestamp;
use obs_instrument::pipeline::Clock;
use obs_queue::{DeadLetter, DeadLetterConfig, DeadLetterFile, DeadLetterFilter, DeadLetterStore};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{DlqCommand, DlqFilter, DlqListArgs, DlqPurgeArgs, DlqReplayArgs, DlqShowArgs, Since};
use crate::output::{Done, print, print_json, say};
use crate::sink;
use crate::table;

/// Bytes of a reason in a list.
const REASON: usize = 60;

/// Runs the command.
pub(crate) async fn run(command: DlqCommand) -> anyhow::Result<Done> {
    match command {
        DlqCommand::Ls(args) => list(&args),
        DlqCommand::Show(args) => show(&args),
        DlqCommand::Replay(args) => replay(&args).await,
        DlqCommand::Purge(args) => purge(&args),
    }
}

/// The name of the letters in their folder.
const FILE: &str = "dead-letters.db";

/// Letters that are only looked at.
#[derive(Debug)]
struct Looked {
    store: DeadLetterStore,
    /// Where the store is a copy of a file that cannot be written.
    _copy: Option<TempDir>,
}

/// Looks the letters through; nothing is created or changed.
fn look(dir: &Path) -> anyhow::Result<DeadLetterFile> {
    let path = dir.join(FILE);
    let missing = |cause: io::Error| matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
    if fs::metadata(&path).is_err_and(missing) {
        bail!(
            "{}: there are no dead letters; name the directory that the application was given for them, with --dir or OBS_QUEUE_DIR",
            path.display()
        );
    }
    Ok(DeadLetterFile::open(path)?)
}

/// Opens the letters to look at them.
fn open_to_look(dir: &Path) -> anyhow::Result<Looked> {
    let file = look(dir)?;
    if !file.is_fixed() {
        drop(file);
        return Ok(Looked { store: DeadLetterStore::open(DeadLetterConfig::new(dir))?, _copy: None });
    }
    let copy = TempDir::new()?;
    file.copy_to(&copy.path().join(FILE))?;
    Ok(Looked { store: DeadLetterStore::open(DeadLetterConfig::new(copy.path()))?, _copy: Some(copy) })
}

/// Opens the letters to change them; damaged ones stay as they are.
fn open_to_change(dir: &Path) -> anyhow::Result<DeadLetterStore> {
    drop(look(dir)?);
    Ok(DeadLetterStore::open(DeadLetterConfig::new(dir))?)
}

fn filter(given: &DlqFilter) -> DeadLetterFilter {
    let now = Clock::system().now();
    let since = given.since.map(|since| match since {
        Since::At(nanos) => Timestamp::from_nanos(nanos),
        Since::Ago(ago) => now.saturating_sub(ago),
    });
    DeadLetterFilter {
        id: given.id,
        destination: given.dest.clone(),
        signal: given.signal,
        reason: given.reason.clone(),
        since,
    }
}

fn list(args: &DlqListArgs) -> anyhow::Result<Done> {
    let Looked { store, _copy } = open_to_look(&args.place.dir)?;
    let filter = filter(&args.filter);
    let (letters, all) = (store.list(&filter, args.limit)?, store.count(&filter)?);
    if args.place.json {
        print_json(&json!({ "records": all, "letters": letters }))?;
    } else {
        print(&listed(&letters))?;
        let shown: u64 = letters.iter().map(|letter| letter.count).sum();
        if shown < all {
            say(&format!("{shown} of {all} records; --limit shows more"));
        }
    }
    Ok(Done::Wholly)
}

fn listed(letters: &[DeadLetter]) -> String {
    if letters.is_empty() {
        return "no dead letters\n".to_owned();
    }
    let head = ["ID", "DESTINATION", "SIGNAL", "LAST TRY", "TRIES", "KIND", "REASON"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(letters.iter().map(|letter| {
        let kind = letter.status.map_or_else(|| letter.kind.clone(), |status| format!("http_{status}"));
        let reason = &letter.reason[..letter.reason.floor_char_boundary(REASON)];
        [
            letter.id.to_string(),
            letter.destination.clone(),
            letter.signal.map_or_else(|| "-".to_owned(), |signal| signal.to_string()),
            table::time(letter.last_try),
            letter.attempts.to_string(),
            kind,
            reason.to_owned(),
        ]
    }));
    table::aligned(&rows)
}

fn show(args: &DlqShowArgs) -> anyhow::Result<Done> {
    let Looked { store, _copy } = open_to_look(&args.place.dir)?;
    let Some(letter) = store.show(args.id)? else {
        bail!("there is no dead letter {}; `obsctl dlq ls` shows those that there are", args.id);
    };
    let line: Option<Value> = letter.line.as_deref().and_then(|line| serde_json::from_str(line).ok());
    let record = line.as_ref().and_then(|line| line.get("record")).cloned();
    if args.place.json {
        let mut document = serde_json::to_value(&letter)?;
        document["record"] = record.into();
        print_json(&document)?;
        return Ok(Done::Wholly);
    }
    let status = letter.status.map(|status| format!(", status {status}")).unwrap_or_default();
    let signal = letter.signal.map_or_else(|| "no known signal".to_owned(), |signal| signal.to_string());
    let text = format!(
        "{} of {signal}, rejected by {}: {}{status}, tried {} times\nfirst {}, last {}\n{}\n",
        letter.count,
        letter.destination,
        letter.kind,
        letter.attempts,
        table::time(letter.first_seen),
        table::time(letter.last_try),
        letter.reason
    );
    let text: Vec<_> = text.lines().map(table::harmless).collect();
    print(&format!("{}\n", text.join("\n")))?;
    match record {
        Some(record) => print_json(&record)?,
        None => print("the backend did not say which record it was\n")?,
    }
    Ok(Done::Wholly)
}

async fn replay(args: &DlqReplayArgs) -> anyhow::Result<Done> {
    let filter = filter(&args.filter);
    let (false, Some(to)) = (args.dry_run, &args.to) else {
        let Looked { store, _copy } = open_to_look(&args.place.dir)?;
        let meant = store.count(&filter)?;
        if args.place.json {
            print_json(&json!({ "would_replay": meant }))?;
        } else {
            print(&format!("{meant} records would be delivered\n"))?;
        }
        return Ok(Done::Wholly);
    };
    let store = open_to_change(&args.place.dir)?;
    let exporter = sink::open(to)?;
    let report = store.replay(&filter, &*exporter, args.rate).await?;
    exporter.shutdown().await?;
    let unsure = report.dead_lettered + report.queued + report.unknown;
    if args.place.json {
        print_json(&report)?;
    } else {
        say(&format!(
            "{} delivered to {}, {} rejected again, {} not known to be delivered, {} unreadable, {} left{}",
            report.delivered,
            to.display(),
            report.rejected,
            unsure,
            report.unreadable,
            report.left,
            report.stopped.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
        ));
    }
    let whole = report.rejected + unsure + report.unreadable + report.left == 0 && report.stopped.is_none();
    Ok(if whole { Done::Wholly } else { Done::Partly })
}

fn purge(args: &DlqPurgeArgs) -> anyhow::Result<Done> {
    let store = open_to_change(&args.place.dir)?;
    let filter = filter(&args.filter);
    if filter.is_all() && !args.yes {
        let all = store.count(&filter)?;
        bail!(
            "this would remove all {all} records; say which with --dest, --reason, --since, or confirm with --yes"
        );
    }
    let removed = store.purge(&filter)?;
    if args.place.json {
        print_json(&json!({ "removed": removed }))?;
    } else {
        say(&format!("{removed} dead letters removed"));
    }
    Ok(Done::Wholly)
}
