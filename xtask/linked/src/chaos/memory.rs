//! Law 2: memory stays within its bounds while nothing can leave.

use std::time::Duration;

use anyhow::{Context, Result};
use obs_core::Signal;
use obs_core::units::Bytes;
use obs_pipeline::{DestinationSpec, LaneConfig, Pipeline};
use serde::{Deserialize, Serialize};

use super::Plan;
use super::child::{self, Role};
use super::load::{Recorder, pace, recorded, total};
use super::report::Section;
use super::sink::Sink;

const MIB: u64 = 1 << 20;
const INTAKE: u64 = 16 * MIB;
const LANES: [&str; 2] = ["first", "second"];
const LANE: u64 = 16 * MIB;
/// Beyond what is configured: stacks, allocator, the records on their way through the collector.
const REST: u64 = 16 * MIB;
/// Ten times what the isolation section records.
const RATE: u64 = 100_000;
const PAYLOAD: usize = 1_024;

/// What the child found.
#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    made: u64,
    recorded: u64,
    dropped_at_intake: u64,
    offered: u64,
    queued: u64,
    dropped: u64,
    balanced: bool,
    grown: Option<u64>,
}

pub(crate) fn run(plan: &Plan, section: &mut Section) -> Result<()> {
    let role = Role::Memory { millis: plan.overload.as_millis() as u64 };
    let outcome: Outcome = child::outcome(&mut child::command(&role)?)?;
    let rate = outcome.made as f64 / plan.overload.as_secs_f64();
    section.show("load", format!("{rate:.0} events/s of {PAYLOAD} bytes for {:?}, all hung", plan.overload));
    let bound = INTAKE + LANES.len() as u64 * LANE + REST;
    match outcome.grown {
        Some(grown) => {
            let shown = |bytes: u64| format!("{:.1} MiB", bytes as f64 / MIB as f64);
            section.law("growth of resident memory", shown(grown), shown(bound), grown <= bound);
        }
        None => section.skip("growth of resident memory", "this system has no /proc/self/status"),
    }
    section.law("recorded", outcome.recorded, outcome.made, outcome.recorded == outcome.made);
    section.show("dropped at the intake", outcome.dropped_at_intake);
    let sum = outcome.queued + outcome.dropped;
    let shown = format!("{} wait + {} dropped", outcome.queued, outcome.dropped);
    section.law("at the destinations", shown, outcome.offered, sum == outcome.offered);
    let state = if outcome.balanced { "balanced" } else { "not" };
    section.law("ledgers", state, "balanced", outcome.balanced);
    Ok(())
}

/// The child: records more than anything can take.
pub(crate) fn child(millis: u64) -> Result<()> {
    let config = LaneConfig { max_memory_usage: Bytes::new(LANE), ..LaneConfig::DEFAULT };
    let spec = || DestinationSpec::new(Sink::new(false)).with_config(config.clone());
    let mut builder = Pipeline::builder().intake_bytes(INTAKE as usize);
    for name in LANES {
        builder = builder.to_named(name, spec());
    }
    let pipeline = builder.build()?;
    let mut recorder = Recorder::new(pipeline.intake(), 0, PAYLOAD, &Signal::ALL);
    // The text that payloads are cut from is the load's own.
    recorder.untimed();
    let before = status("VmRSS:");
    pace(RATE, Duration::from_millis(millis), || recorder.untimed());
    let most = status("VmHWM:");
    let report = pipeline.report();
    let (recorded, dropped_at_intake) = recorded(&report);
    let sum =
        |term: fn(&obs_pipeline::Terms) -> u64| LANES.iter().map(|lane| total(&report, lane, term)).sum();
    let outcome = Outcome {
        made: recorder.next,
        recorded,
        dropped_at_intake,
        offered: sum(|terms| terms.offered),
        queued: sum(|terms| terms.queued),
        dropped: sum(|terms| terms.dropped.total()),
        balanced: report.is_balanced(),
        grown: before.zip(most).map(|(before, most)| most.saturating_sub(before)),
    };
    child::tell(&outcome).context("the parent is gone")
}

/// A size that Linux keeps of this process, in bytes.
fn status(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}
