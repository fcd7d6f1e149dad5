//! How much passes the disk.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use obs_core::Signal;
use obs_pipeline::{DestinationSpec, Pipeline};
use obs_queue::{Durability, QueueConfig};
use quanta::Instant;

use super::Plan;
use super::load::{Recorder, open_queue, recorded, total};
use super::report::{Section, time};
use super::sink::Sink;

const PAYLOAD: usize = 1_024;
/// Records between two calls of `sync`: what waits for the disk stays far below the lane's memory.
const ROUND: u64 = 10_000;
const SIGNALS: &[Signal] = &[Signal::Traces, Signal::Logs];
const PATIENCE: Duration = Duration::from_mins(5);
/// The modes, with how many events a second they are to pass.
const MODES: [(&str, Durability, f64); 2] =
    [("batch", Durability::Batch, 20_000.0), ("os", Durability::Os, 40_000.0)];

pub(crate) fn run(plan: &Plan, section: &mut Section) -> Result<()> {
    let folder = tempfile::tempdir().context("no folder for the queue; is the disk full?")?;
    section.show("load", format!("{} spans and logs of {PAYLOAD} bytes", plan.passing));
    let [median, slow] = flushes(folder.path())?;
    section.show("fdatasync of this disk", format!("p50 {}, p99 {}", time(median), time(slow)));
    for (name, mode, goal) in MODES {
        let count = plan.passing;
        let mut tell = |what: &str, took: Duration| {
            let rate = count as f64 / took.as_secs_f64();
            let shown = format!("{rate:.0} events/s");
            section.goal(&format!("mode {name}, {what}"), shown, format!("≥ {goal:.0}"), rate >= goal);
        };
        let config = QueueConfig::new(folder.path().join(name)).with_mode(mode).with_max_size(8 << 30);
        tell("onto the disk", inwards(&config, count)?);
        tell("off the disk", outwards(&config, count)?);
        let both = QueueConfig::new(folder.path().join(format!("{name}-both"))).with_mode(mode);
        tell("in and out at once", at_once(&both, count)?);
    }
    Ok(())
}

/// The median and the 99th percentile of a hundred small writes that the disk is waited for.
fn flushes(folder: &Path) -> Result<[Duration; 2]> {
    let mut file = File::create(folder.join("probe"))?;
    let mut took = Vec::new();
    for _ in 0..100 {
        let begin = Instant::now();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        took.push(begin.elapsed());
    }
    took.sort_unstable();
    Ok([took[49], took[98]])
}

fn stage(config: &QueueConfig, open: bool) -> Result<(Pipeline, Arc<Sink>)> {
    let sink = Sink::new(open);
    let spec = DestinationSpec::new(Arc::clone(&sink));
    let queue = open_queue(config)?;
    Ok((Pipeline::builder().to_named("sink", spec).queue(queue).build()?, sink))
}

/// Records everything, and waits for the disk to have it.
fn record(pipeline: &Pipeline, count: u64) -> Result<()> {
    let mut recorder = Recorder::new(pipeline.intake(), 0, PAYLOAD, SIGNALS);
    while recorder.next < count {
        for _ in 0..ROUND.min(count - recorder.next) {
            recorder.untimed();
        }
        let synced = pipeline.sync(PATIENCE);
        ensure!(synced.durable, "a sync was not durable: {}", synced.report);
    }
    Ok(())
}

/// Nothing leaves: all of it stays on the disk.
fn inwards(config: &QueueConfig, count: u64) -> Result<Duration> {
    let (pipeline, _sink) = stage(config, false)?;
    let begin = Instant::now();
    record(&pipeline, count)?;
    let took = begin.elapsed();
    let report = pipeline.shutdown(Duration::from_secs(5));
    let dropped = total(&report, "sink", |terms| terms.dropped.total());
    ensure!(recorded(&report) == (count, 0) && dropped == 0, "not all of it is on disk: {report}");
    Ok(took)
}

/// Another pipeline finds all of it on the disk, and delivers it.
fn outwards(config: &QueueConfig, count: u64) -> Result<Duration> {
    let begin = Instant::now();
    let (pipeline, sink) = stage(config, true)?;
    let flushed = pipeline.flush(PATIENCE);
    let took = begin.elapsed();
    ensure!(flushed.complete && sink.taken() == count, "{} were delivered: {flushed}", sink.taken());
    Ok(took)
}

/// The destination takes what it can while more comes.
fn at_once(config: &QueueConfig, count: u64) -> Result<Duration> {
    let (pipeline, sink) = stage(config, true)?;
    let begin = Instant::now();
    record(&pipeline, count)?;
    let flushed = pipeline.flush(PATIENCE);
    let took = begin.elapsed();
    ensure!(flushed.complete && sink.taken() == count, "{} were delivered: {flushed}", sink.taken());
    Ok(took)
}
