//! Law 2: `shutdown` ends by its deadline, whoever calls it, while every destination hangs.

use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use obs_core::Signal;
use obs_pipeline::{Pipeline, Report};
use obs_queue::QueueConfig;
use quanta::Instant;
use tokio::runtime::{Builder, Runtime};

use super::Plan;
use super::load::{Recorder, open_queue, recorded, total};
use super::report::{Section, time};
use super::sink::Sink;

/// What a shutdown may take beyond its deadline, and where being late is a broken promise.
const GRACE: Duration = Duration::from_millis(200);
const FAR: u32 = 2;
const NAMES: [&str; 3] = ["first", "second", "third"];
const RECORDS: u64 = 250;

/// On what the application runs.
#[derive(Debug, Clone, Copy)]
enum Flavour {
    Bare,
    CurrentThread,
    Workers(usize),
}

/// From where it calls.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    BlockOn,
    Spawned,
}

const CASES: &[(&str, Flavour, Place)] = &[
    ("without a runtime", Flavour::Bare, Place::BlockOn),
    ("current-thread, in block_on", Flavour::CurrentThread, Place::BlockOn),
    ("current-thread, in a task", Flavour::CurrentThread, Place::Spawned),
    ("one worker, in block_on", Flavour::Workers(1), Place::BlockOn),
    ("one worker, in a task", Flavour::Workers(1), Place::Spawned),
    ("four workers, in block_on", Flavour::Workers(4), Place::BlockOn),
    ("four workers, in a task", Flavour::Workers(4), Place::Spawned),
];

/// What one shutdown came to.
struct Outcome {
    took: Duration,
    report: Report,
}

pub(crate) fn run(plan: &Plan, section: &mut Section) -> Result<()> {
    section
        .show("load", format!("{} pipelines at once, each of three destinations that hang", plan.instances));
    for (name, flavour, place) in CASES {
        let outcomes = side_by_side(
            plan.instances,
            |_| {
                let pipeline = hung(None)?;
                Ok((pipeline, *flavour, *place))
            },
            plan.shutdown,
        )?;
        tell_time(section, name, plan.shutdown, &outcomes);
        let lost = |report: &Report| NAMES.map(|name| total(report, name, |t| t.dropped.get("shutdown")));
        let all_told = |one: &&Outcome| {
            one.report.is_balanced()
                && recorded(&one.report).0 == RECORDS
                && lost(&one.report) == [RECORDS; 3]
        };
        let right = outcomes.iter().filter(all_told).count();
        section.law(&format!("{name}: ledgers exact"), right, outcomes.len(), right == outcomes.len());
    }
    durable(plan, section)
}

/// With a queue on disk nothing is lost.
fn durable(plan: &Plan, section: &mut Section) -> Result<()> {
    let folder = tempfile::tempdir().context("no folder for the queues; is the disk full?")?;
    let of = |nth: usize| folder.path().join(nth.to_string());
    let instances = plan.instances.div_ceil(5);
    let outcomes = side_by_side(
        instances,
        |nth| Ok((hung(Some(&of(nth)))?, Flavour::Bare, Place::BlockOn)),
        plan.shutdown,
    )?;
    tell_time(section, &format!("{instances} with a queue on disk"), plan.shutdown, &outcomes);
    let balanced = outcomes.iter().filter(|one| one.report.is_balanced()).count();
    section.law("on disk: ledgers balanced", balanced, instances, balanced == instances);
    let (mut recovered, mut delivered) = (0, 0);
    for nth in 0..instances {
        let (pipeline, sinks) = stage(Some(&of(nth)), true)?;
        let flushed = pipeline.flush(Duration::from_secs(30));
        recovered += NAMES.map(|name| total(&flushed, name, |terms| terms.recovered)).iter().sum::<u64>();
        delivered += sinks.iter().map(|sink| sink.taken()).sum::<u64>();
    }
    let all = RECORDS * NAMES.len() as u64 * instances as u64;
    section.law("on disk: recovered at the next start", recovered, all, recovered == all);
    section.law("on disk: delivered then", delivered, all, delivered == all);
    Ok(())
}

fn tell_time(section: &mut Section, name: &str, deadline: Duration, outcomes: &[Outcome]) {
    let worst = outcomes.iter().map(|one| one.took).max().unwrap_or_default();
    let limit = deadline + GRACE;
    let what = format!("{name}: the slowest of {}", outcomes.len());
    section.goal(&what, time(worst), format!("{limit:?}"), worst <= limit);
    let far = outcomes.iter().filter(|one| one.took > deadline * FAR).count() as u64;
    if far > 0 {
        section.none(&format!("{name}: later than twice the deadline"), far);
    }
}

/// Shuts so many down at the same moment.
fn side_by_side(
    instances: usize,
    make: impl Fn(usize) -> Result<(Pipeline, Flavour, Place)> + Sync,
    deadline: Duration,
) -> Result<Vec<Outcome>> {
    let made = (0..instances).map(&make).collect::<Result<Vec<_>>>()?;
    let start = Arc::new(Barrier::new(instances));
    let threads: Vec<_> = made
        .into_iter()
        .map(|(pipeline, flavour, place)| {
            let start = Arc::clone(&start);
            thread::spawn(move || one(pipeline, flavour, place, &start, deadline))
        })
        .collect();
    let join = |thread: thread::JoinHandle<_>| thread.join().map_err(|_| anyhow!("a shutdown panicked"))?;
    threads.into_iter().map(join).collect()
}

fn one(
    pipeline: Pipeline,
    flavour: Flavour,
    place: Place,
    start: &Barrier,
    deadline: Duration,
) -> Result<Outcome> {
    let runtime = runtime(flavour);
    // Everybody must come to the barrier, also where there is no runtime.
    start.wait();
    let end = move || {
        let begin = Instant::now();
        let report = pipeline.shutdown(deadline);
        Outcome { took: begin.elapsed(), report }
    };
    match (runtime?, place) {
        (None, _) => Ok(end()),
        (Some(runtime), Place::BlockOn) => Ok(runtime.block_on(async move { end() })),
        (Some(runtime), Place::Spawned) => {
            let task = async move { tokio::spawn(async move { end() }).await };
            runtime.block_on(task).context("the task panicked")
        }
    }
}

fn runtime(flavour: Flavour) -> Result<Option<Runtime>> {
    let runtime = match flavour {
        Flavour::Bare => return Ok(None),
        Flavour::CurrentThread => Builder::new_current_thread().enable_all().build(),
        Flavour::Workers(workers) => Builder::new_multi_thread().worker_threads(workers).enable_all().build(),
    };
    Ok(Some(runtime.context("no runtime")?))
}

/// A pipeline with records that cannot leave.
fn hung(queue: Option<&Path>) -> Result<Pipeline> {
    let (pipeline, _) = stage(queue, false)?;
    let mut recorder = Recorder::new(pipeline.intake(), 0, 200, &Signal::ALL);
    for _ in 0..RECORDS {
        recorder.untimed();
    }
    Ok(pipeline)
}

fn stage(queue: Option<&Path>, open: bool) -> Result<(Pipeline, [Arc<Sink>; 3])> {
    let sinks = NAMES.map(|_| Sink::new(open));
    let mut builder = Pipeline::builder();
    for (name, sink) in NAMES.iter().zip(&sinks) {
        builder = builder.to_named(*name, Arc::clone(sink));
    }
    if let Some(folder) = queue {
        builder = builder.queue(open_queue(&QueueConfig::new(folder))?);
    }
    Ok((builder.build()?, sinks))
}
