//! The promise of the queue on disk: what a `sync` acknowledged outlives the process, however it dies.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use obs_core::{Health, Signal};
use obs_pipeline::{DestinationSpec, LaneConfig, Pipeline};
use obs_queue::{DiskQueue, QueueConfig};

use super::Plan;
use super::child::{Role, Running};
use super::deliveries::{Deliveries, Found};
use super::dice::Dice;
use super::load::{Recorder, pause, total};
use super::report::Section;
use super::sink::Sink;

/// Records between two calls of `sync`.
const ROUND: u64 = 25;
/// Records in a batch: what one crash may repeat of a lane.
const BATCH: usize = 50;
const PAYLOAD: usize = 300;
/// Numbers of one child; it never lives long enough to use them up.
const RANGE: u64 = 1_000_000;
/// From so many failures on, more of them say nothing new.
const GIVE_UP: usize = 10;
const PATIENCE: Duration = Duration::from_mins(2);
/// Metrics have no ids to know them by, and come along uncounted.
const SIGNALS: &[Signal] = &Signal::ALL;

/// What the children told.
#[derive(Debug, Default)]
struct Told {
    acknowledged: Vec<(u64, u64)>,
    starts: u64,
    killed_while_starting: u64,
    /// What went wrong, in words.
    failures: Vec<String>,
}

pub(crate) fn run(plan: &Plan, section: &mut Section) -> Result<()> {
    let folder = tempfile::tempdir().context("no folder for the queue; is the disk full?")?;
    let mut dice = Dice::new(plan.seed);
    let mut told = Told::default();
    let (mut children, mut kills) = (0, 0);
    while (kills < plan.kills || told.count() < plan.crash_records) && told.failures.len() < GIVE_UP {
        let running = Running::start(&role(folder.path(), children, &mut dice))?;
        let mut lines = Vec::new();
        if dice.below(5) > 0 {
            lines.extend(running.line(PATIENCE));
        }
        pause(dice.between(Duration::from_millis(1), Duration::from_millis(500)));
        let (rest, ended) = running.kill()?;
        lines.extend(rest);
        told.hear(&lines);
        // One that only delivers may be done before the blow falls, which was no kill then.
        match ended {
            None => kills += 1,
            Some(status) if status.success() => {}
            Some(status) => told.failures.push(format!("a child ended by itself, with {status}")),
        }
        children += 1;
    }
    let last =
        Role::Crash { folder: folder.path().into(), first: children * RANGE, count: 0, delay_millis: 0 };
    let (lines, well) = Running::start(&last)?.end()?;
    ensure!(well, "the last child did not deliver what was left: {lines:?}");
    told.hear(&lines);
    let delivered = std::fs::read_to_string(delivered(folder.path())).context("no deliveries")?;
    judge(section, kills, &told, &Found::read(&delivered, PAYLOAD));
    Ok(())
}

/// Most children record and deliver slowly, so that there is a backlog; some only deliver.
fn role(folder: &Path, nth: u64, dice: &mut Dice) -> Role {
    let count = if dice.below(5) > 0 { RANGE } else { 0 };
    let delay_millis = if count > 0 { 5 + dice.below(20) } else { 1 };
    Role::Crash { folder: folder.into(), first: nth * RANGE, count, delay_millis }
}

impl Told {
    fn hear(&mut self, lines: &[String]) {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut started = false;
        for line in lines {
            match words(line).as_slice() {
                [word] if word == "ready" => started = true,
                [word, from, to] if word == "ack" => {
                    let range = from.parse().ok().zip(to.parse().ok());
                    self.acknowledged.extend(range);
                }
                _ => self.failures.push(line.clone()),
            }
        }
        self.starts += u64::from(started);
        self.killed_while_starting += u64::from(!started);
    }

    /// The acknowledged numbers that can be told apart.
    fn numbers(&self) -> impl Iterator<Item = u64> {
        let all = self.acknowledged.iter().flat_map(|(from, to)| *from..*to);
        all.filter(|number| SIGNALS[*number as usize % SIGNALS.len()] != Signal::Metrics)
    }

    fn count(&self) -> u64 {
        self.acknowledged.iter().map(|(from, to)| to - from).sum()
    }
}

fn judge(section: &mut Section, kills: u64, told: &Told, found: &Found) {
    section
        .show("kill -9", format!("{kills}, of them {} before the child was up", told.killed_while_starting));
    section.show("acknowledged", format!("{} records, metrics included", told.count()));
    for failure in told.failures.iter().take(5) {
        section.show("a child said", failure);
    }
    section.none("starts that failed", told.failures.len() as u64);
    let lost = told.numbers().filter(|number| !found.numbers.contains(number)).count() as u64;
    section.none("acknowledged spans, logs, scores and feedback that were lost", lost);
    section.none("records whose payload or id changed", found.corrupted);
    let shown =
        format!("{} of {} delivered, at most {}", found.repeated, found.numbers.len(), found.most_repeated);
    let held = found.most_repeated <= BATCH as u64;
    section.law("repeats after crashes", shown, format!("{BATCH} a lane and crash, one batch"), held);
    section.none("repeats without a crash", found.repeated_in_a_run);
    section.show("lines that a kill cut off", found.torn);
}

fn delivered(folder: &Path) -> std::path::PathBuf {
    folder.join("delivered")
}

/// The child: records in rounds and tells what was acknowledged, for ever; or only delivers, until nothing waits.
pub(crate) fn child(folder: &Path, first: u64, count: u64, delay: Duration) -> Result<()> {
    let queue = DiskQueue::open(QueueConfig::new(folder.join("queue")))?;
    ensure!(queue.damaged() + queue.damaged_records() == 0, "the queue's file is damaged");
    let deliveries = Deliveries::open(&delivered(folder))?;
    let sink = Sink::keeping(true, delay, move |batch| deliveries.keep(batch));
    let interval = Some(Duration::from_millis(20));
    let config = LaneConfig { batch_size: Some(BATCH), flush_interval: interval, ..LaneConfig::DEFAULT };
    let spec = DestinationSpec::new(sink).with_config(config);
    let pipeline = Pipeline::builder().to_named("file", spec).queue(queue).build()?;
    for (_, health) in pipeline.health() {
        ensure!(health == Health::Healthy, "the start was not healthy: {health:?}");
    }
    println!("ready");
    if count == 0 {
        let flushed = pipeline.flush(PATIENCE);
        ensure!(flushed.complete && flushed.is_balanced(), "not all was delivered: {flushed}");
        let report = pipeline.shutdown(Duration::from_secs(10));
        let left = total(&report, "file", |terms| terms.queued);
        ensure!(report.complete && left == 0, "{left} records were left: {report}");
        return Ok(());
    }
    let mut recorder = Recorder::new(pipeline.intake(), first, PAYLOAD, SIGNALS);
    while recorder.next < first + count {
        let from = recorder.next;
        for _ in 0..ROUND {
            recorder.untimed();
        }
        let synced = pipeline.sync(PATIENCE);
        ensure!(synced.durable, "a sync was not durable: {:?} {}", synced.not_durable, synced.report);
        println!("ack {from} {}", recorder.next);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::*;

    fn verdict(lines: &[&str], found: &Found) -> bool {
        let mut told = Told::default();
        told.hear(&lines.iter().map(ToString::to_string).collect::<Vec<_>>());
        let mut section = Section::begin("crash", "law 1");
        judge(&mut section, 1, &told, found);
        section.has(Verdict::Broken)
    }

    #[test]
    fn each_way_to_break_the_promise_is_seen() {
        let numbers = || (0..25).filter(|number| number % 5 != 1).collect();
        let good = Found { numbers: numbers(), most_repeated: BATCH as u64, ..Found::default() };
        assert!(!verdict(&["ready", "ack 0 25"], &good));
        assert!(verdict(&["ready", "ack 0 26"], &good), "one is lost");
        assert!(verdict(&["ready", "error: the disk is on fire"], &good), "a start failed");
        for bad in [
            Found { most_repeated: BATCH as u64 + 1, numbers: numbers(), ..Found::default() },
            Found { corrupted: 1, numbers: numbers(), ..Found::default() },
            Found { repeated_in_a_run: 1, numbers: numbers(), ..Found::default() },
        ] {
            assert!(verdict(&["ready", "ack 0 25"], &bad), "{bad:?}");
        }
    }
}
