//! What happens on the disk that fails.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use obs_core::{Health, Signal};
use obs_pipeline::Pipeline;
use obs_queue::QueueConfig;

use super::{Outcome, Trouble};
use crate::chaos::child;
use crate::chaos::load::{Latencies, Recorder, open_queue, pause, total, until};
use crate::chaos::numbered;
use crate::chaos::sink::Sink;

const NAME: &str = "sink";
const RATE: u64 = 1_000;
const PAYLOAD: usize = 300;
const SIGNALS: &[Signal] = &[Signal::Traces, Signal::Logs, Signal::Scores, Signal::Feedback];
const PATIENCE: Duration = Duration::from_mins(1);

/// What was seen from outside while the disk failed.
struct Observed {
    acknowledged: u64,
    degraded: Option<Duration>,
    said: String,
    recovered: Option<Duration>,
    lied: bool,
}

/// The child: records all the while, breaks its own disk and mends it again.
pub(crate) fn child(folder: &Path, trouble: Trouble, outage: Duration) -> Result<()> {
    let pipeline = stage(folder, Sink::new(false))?;
    let load = Load::default();
    let (observed, [mut before, mut latencies]) = thread::scope(|scope| {
        let recording = scope.spawn(|| load.record(&pipeline));
        let observed = observe(&pipeline, &load, folder, trouble, outage);
        load.over.store(true, Ordering::Release);
        let latencies = recording.join().map_err(|_| anyhow!("recording panicked"))?;
        Ok::<_, anyhow::Error>((observed?, latencies))
    })?;
    let made = load.made.into_inner();
    let report = pipeline.shutdown(Duration::from_secs(5));
    drop(pipeline);
    let (delivered, again) = deliver(folder)?;
    let lost = (0..observed.acknowledged).filter(|number| !delivered.contains(number)).count();
    child::tell(&Outcome {
        made,
        acknowledged: observed.acknowledged,
        degraded: observed.degraded,
        said: observed.said,
        recovered: observed.recovered,
        lied: observed.lied,
        record_p999: latencies.quantile(0.999),
        record_before: before.shown(),
        record: latencies.shown(),
        kept: total(&report, NAME, |terms| terms.queued),
        dropped: total(&report, NAME, |terms| terms.dropped.total()),
        delivered: delivered.len() as u64,
        lost: lost as u64,
        balanced: report.is_balanced() && again,
    })
}

fn stage(folder: &Path, sink: Arc<Sink>) -> Result<Pipeline> {
    let queue = open_queue(&QueueConfig::new(folder.join("queue")))?;
    Ok(Pipeline::builder().to_named(NAME, sink).queue(queue).build()?)
}

/// What the thread that records and the one that breaks the disk tell each other.
#[derive(Debug, Default)]
struct Load {
    made: AtomicU64,
    failing: AtomicBool,
    over: AtomicBool,
}

impl Load {
    /// Records until it is over; how long the calls took before the disk failed, and from then on.
    fn record(&self, pipeline: &Pipeline) -> [Latencies; 2] {
        let mut recorder = Recorder::new(pipeline.intake(), 0, PAYLOAD, SIGNALS);
        let step = |recorder: &mut Recorder| {
            recorder.paced(RATE, Duration::from_millis(20));
            self.made.store(recorder.next, Ordering::Release);
        };
        while !self.failing.load(Ordering::Acquire) && !self.over.load(Ordering::Acquire) {
            step(&mut recorder);
        }
        let before = recorder.take_latencies();
        while !self.over.load(Ordering::Acquire) {
            step(&mut recorder);
        }
        [before, recorder.take_latencies()]
    }
}

fn observe(
    pipeline: &Pipeline,
    load: &Load,
    folder: &Path,
    trouble: Trouble,
    outage: Duration,
) -> Result<Observed> {
    let is_healthy = || pipeline.health().iter().all(|(_, health)| *health == Health::Healthy);
    pause(Duration::from_secs(1));
    ensure!(is_healthy(), "the disk was not healthy at the start: {:?}", pipeline.health());
    let mut acknowledged = load.made.load(Ordering::Acquire);
    ensure!(pipeline.sync(PATIENCE).durable, "a sync of a healthy disk was not durable");
    trouble.begin(folder)?;
    load.failing.store(true, Ordering::Release);
    let degraded = until(PATIENCE, || !is_healthy());
    let said = pipeline.health().first().map(|(_, health)| format!("{health:?}")).unwrap_or_default();
    pause(outage);
    let lied = pipeline.sync(Duration::from_millis(300)).durable;
    trouble.end(folder)?;
    let recovered = until(PATIENCE, is_healthy);
    pause(Duration::from_millis(500));
    let later = load.made.load(Ordering::Acquire);
    if pipeline.sync(PATIENCE).durable {
        acknowledged = later;
    }
    Ok(Observed { acknowledged, degraded, said, recovered, lied })
}

/// A new pipeline delivers what is on the disk: the numbers, and whether its ledgers are balanced.
fn deliver(folder: &Path) -> Result<(HashSet<u64>, bool)> {
    let numbers = Arc::new(Mutex::new(HashSet::new()));
    let kept = Arc::clone(&numbers);
    let sink = Sink::keeping(true, Duration::ZERO, move |batch| {
        let numbers = numbered::seen(batch).into_iter().map(|seen| seen.number);
        kept.lock().unwrap_or_else(PoisonError::into_inner).extend(numbers);
        Ok(())
    });
    let pipeline = stage(folder, sink)?;
    let flushed = pipeline.flush(PATIENCE);
    ensure!(flushed.complete, "not all was delivered: {flushed}");
    let balanced = pipeline.shutdown(Duration::from_secs(5)).is_balanced();
    let numbers = std::mem::take(&mut *numbers.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((numbers, balanced))
}

impl Trouble {
    fn begin(self, folder: &Path) -> Result<()> {
        match self {
            Self::Full => fill(&ballast(folder)),
            Self::Error => limit("1"),
        }
    }

    fn end(self, folder: &Path) -> Result<()> {
        match self {
            Self::Full => Ok(std::fs::remove_file(ballast(folder))?),
            Self::Error => limit("unlimited"),
        }
    }
}

fn ballast(folder: &Path) -> PathBuf {
    folder.join("ballast")
}

/// Writes until not one byte more has room.
fn fill(path: &Path) -> Result<()> {
    let mut file = File::create(path)?;
    for size in [1 << 20, 1 << 12, 1] {
        loop {
            match file.write_all(&vec![7; size]) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                Err(error) => return Err(error).context("the disk cannot be filled"),
            }
        }
    }
    Ok(())
}

/// Limits the size of this process's files; the hard limit stays, so that it can be lifted.
fn limit(bytes: &str) -> Result<()> {
    let process = std::process::id().to_string();
    let limit = format!("--fsize={bytes}:");
    let status = Command::new("prlimit").args(["--pid", &process, &limit]).status()?;
    ensure!(status.success(), "prlimit ended with {status}");
    Ok(())
}
