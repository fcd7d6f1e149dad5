//! `obsctl queue`: what waits on disk for destinations.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::bail;
use obs_core::Signal;
use obs_instrument::pipeline::{Clock, Log as _};
use obs_queue::{DiskQueue, DrainReport, LaneView, QueueConfig, QueueView};
use serde::Serialize;
use serde_json::json;

use crate::cli::{DrainArgs, QueueArgs, QueueCommand};
use crate::output::{Done, print, print_json, say};
use crate::sink;
use crate::table;

/// How long the queue may take to give its files back.
const CLOSE: Duration = Duration::from_secs(10);

/// Runs the command.
pub(crate) async fn run(command: QueueCommand) -> anyhow::Result<Done> {
    match command {
        QueueCommand::Ls(args) => list(&args),
        QueueCommand::Verify(args) => verify(&args),
        QueueCommand::Drain(args) => drain(args).await,
    }
}

fn list(args: &QueueArgs) -> anyhow::Result<Done> {
    let view = QueueView::open(&args.dir)?;
    let lanes = view.lanes()?;
    if args.json {
        print_json(&json!({ "queue": view.path(), "lanes": lanes }))?;
    } else {
        print(&listed(&lanes))?;
    }
    Ok(Done::Wholly)
}

fn listed(lanes: &[LaneView]) -> String {
    if lanes.is_empty() {
        return "no destination has used this queue\n".to_owned();
    }
    let now = Clock::system().now();
    let head = ["DESTINATION", "SIGNAL", "RECORDS", "BYTES", "OLDEST", "LAST MOVE"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(lanes.iter().map(|lane| {
        let oldest = lane.oldest.map_or("-".to_owned(), |oldest| table::duration(now.since(oldest)));
        [
            lane.destination.clone(),
            lane.signal.to_string(),
            lane.records.to_string(),
            lane.bytes.to_string(),
            oldest,
            table::time(lane.moved),
        ]
    }));
    table::aligned(&rows)
}

fn verify(args: &QueueArgs) -> anyhow::Result<Done> {
    let view = QueueView::open(&args.dir)?;
    let verified = view.verify();
    if args.json {
        print_json(&json!({ "queue": view.path(), "verified": verified }))?;
    } else {
        let mut text = format!("{} rows with {} records are well\n", verified.rows, verified.records);
        for damage in &verified.damage {
            let place = damage.position.map_or("the file".to_owned(), |row| format!("row {row}"));
            text.push_str(&format_damage(&place, damage.records, &damage.reason));
        }
        if verified.put_aside > 0 {
            let kept =
                format!("{} records were found damaged before and are kept aside\n", verified.put_aside);
            text.push_str(&kept);
        }
        print(&text)?;
    }
    if verified.damage.is_empty() {
        return Ok(Done::Wholly);
    }
    bail!(
        "{}: {} places are damaged; the application puts such rows aside when it meets them, and delivers the others",
        view.path().display(),
        verified.damage.len()
    )
}

fn format_damage(place: &str, records: u64, reason: &str) -> String {
    format!("{}\n", table::harmless(&format!("damaged: {place}, {records} records: {reason}")))
}

/// What a drain did with one lane, for `--json`.
#[derive(Debug, Serialize)]
struct Drained {
    destination: String,
    signal: Signal,
    #[serde(flatten)]
    report: DrainReport,
}

async fn drain(args: DrainArgs) -> anyhow::Result<Done> {
    if args.dir.is_file() {
        bail!(
            "--dir {}: this is a file; move it to a folder of its own under the name queue.db, and name that folder",
            args.dir.display()
        );
    }
    let lanes = chosen(&args)?;
    let exporter = sink::open(&args.to)?;
    let queue = DiskQueue::open(QueueConfig::new(&args.dir))?;
    let mut drained = Vec::new();
    for LaneView { destination, signal, .. } in lanes {
        let report = queue.drain(&destination, signal, &*exporter).await?;
        drained.push(Drained { destination, signal, report });
    }
    exporter.shutdown().await?;
    if !queue.close(CLOSE) {
        bail!("{}: the disk does not answer; run it again, records may come twice", args.dir.display());
    }
    let whole = drained.iter().all(|lane| lane.report.trouble.is_none() && lane.report.left == 0);
    if args.json {
        print_json(&drained)?;
    } else {
        for Drained { destination, signal, report } in &drained {
            say(&format!(
                "{destination}, {signal}: {} delivered, {} rejected, {} damaged, {} left{}",
                report.delivered,
                report.rejected,
                report.damaged,
                report.left,
                report.trouble.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
            ));
        }
        if drained.is_empty() {
            say("nothing waits");
        }
    }
    Ok(if whole { Done::Wholly } else { Done::Partly })
}

/// The lanes that are meant and have something.
fn chosen(args: &DrainArgs) -> anyhow::Result<Vec<LaneView>> {
    let lanes = QueueView::open(&args.dir)?.lanes()?;
    let names: BTreeSet<_> = lanes.iter().map(|lane| lane.destination.clone()).collect();
    if let Some(name) = args.dest.as_ref().filter(|name| !names.contains(*name)) {
        let known: Vec<_> = names.into_iter().collect();
        bail!(
            "--dest {name}: this queue knows {}",
            if known.is_empty() { "none".into() } else { known.join(", ") }
        );
    }
    let meant = |lane: &LaneView| {
        lane.records > 0
            && args.dest.as_ref().is_none_or(|name| *name == lane.destination)
            && args.signal.is_none_or(|signal| signal == lane.signal)
    };
    let meant: Vec<_> = lanes.into_iter().filter(meant).collect();
    let waiting: BTreeSet<_> = meant.iter().map(|lane| lane.destination.as_str()).collect();
    if waiting.len() > 1 {
        let names: Vec<_> = waiting.into_iter().collect();
        bail!(
            "records wait for {}, and one file would get them several times; say which with --dest",
            names.join(", ")
        );
    }
    Ok(meant)
}
