//! Export end to end: 200,000 model calls to a collector on loopback, over HTTP and in protobuf, against `opentelemetry-otlp`.
//!
//! Each side runs in a process of its own, so that its CPU time is its own; the collector is another, and counts what arrives.

mod ours;
mod peer;
mod sink;

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use cpu_time::ProcessTime;

use crate::Effort;
use crate::table::{Goal, Row, short};

/// Runs one side in this process: its name, the collector's port, how many spans.
pub(crate) const SIDE: &str = "--export-side";

/// Is the collector.
pub(crate) const SINK: &str = "--export-sink";

/// Spans in a batch, as BatchSpanProcessor has it by default.
const BATCH: usize = 512;

/// Records this many spans, delivers them, and returns once they are delivered.
type Side = fn(port: u16, spans: usize) -> Result<(), Box<dyn Error>>;

const OURS: &str = "obs";
const REDACTED: &str = "obs.redacted";
const PEER: &str = "opentelemetry-otlp";

const SIDES: [(&str, Side); 3] = [(OURS, ours::plain), (REDACTED, ours::redacted), (PEER, peer::run)];

/// What a run of one side took.
#[derive(Debug, Clone, Copy)]
struct Took {
    wall: f64,
    cpu: f64,
    /// Peak of the memory, in bytes.
    memory: f64,
    delivered: usize,
}

/// The rows of the table.
pub(crate) fn run(effort: Effort) -> Result<Vec<Row>, Box<dyn Error>> {
    let spans = if effort.rounds < crate::FULL.rounds { 20_000 } else { 200_000 };
    let collector = Collector::start()?;
    let mut took: [Vec<Took>; SIDES.len()] = Default::default();
    for round in 0..effort.runs {
        for at in 0..SIDES.len() {
            // Whoever comes first finds another machine than who comes last.
            let side = (at + round) % SIDES.len();
            took[side].push(collector.watch(SIDES[side].0, spans)?);
        }
    }
    let [ours, redacted, peer] = took.map(|runs| median(&runs));
    let mut rows = Vec::new();
    for (what, ours, goals) in [
        ("export, redaction off", ours, [Goal::AtLeast(4.0), Goal::AtMost(0.25)]),
        ("export, redaction on", redacted, [Goal::AtLeast(1.5), Goal::None]),
    ] {
        let rate = |took: &Took| spans as f64 / took.wall / 1e3;
        let (faster, cheaper) = (rate(&ours) / rate(&peer), ours.cpu / peer.cpu);
        let measured = format!(
            "{} / {PEER} {} thousand spans a second = {}",
            short(rate(&ours)),
            short(rate(&peer)),
            short(faster)
        );
        rows.push(Row::told(format!("{what}: spans a second"), measured, faster, goals[0]));
        let per_span = |took: &Took| took.cpu * 1e9 / spans as f64;
        let measured = format!(
            "{} / {PEER} {} ns a span = {}",
            short(per_span(&ours)),
            short(per_span(&peer)),
            short(cheaper)
        );
        rows.push(Row::told(format!("{what}: CPU time of the process"), measured, cheaper, goals[1]));
        let lost = (spans - ours.delivered) as f64;
        rows.push(Row::figure(format!("{what}: lost of {spans}"), lost, "spans", Goal::AtMost(0.0)));
        let measured = format!("{} / {PEER} {} MiB", short(ours.memory / MIB), short(peer.memory / MIB));
        rows.push(Row::told(format!("{what}: peak memory"), measured, ours.memory, Goal::None));
    }
    rows.push(Row::figure(
        format!("{PEER}: lost of {spans}"),
        (spans - peer.delivered) as f64,
        "spans",
        Goal::None,
    ));
    Ok(rows)
}

const MIB: f64 = (1 << 20) as f64;

/// The median of each figure by itself; of what was delivered the least.
fn median(runs: &[Took]) -> Took {
    let of = |figure: fn(&Took) -> f64| {
        let mut all: Vec<f64> = runs.iter().map(figure).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    Took {
        wall: of(|took| took.wall),
        cpu: of(|took| took.cpu),
        memory: of(|took| took.memory),
        delivered: runs.iter().map(|took| took.delivered).min().unwrap_or_default(),
    }
}

/// Runs the side of this name, and prints what it took.
pub(crate) fn run_side(name: &str, port: &str, spans: &str) -> Result<(), Box<dyn Error>> {
    let (_, side) = SIDES.iter().find(|(known, _)| *known == name).ok_or("there is no such side")?;
    let (port, spans) = (port.parse()?, spans.parse()?);
    let (clock, cpu) = (Instant::now(), ProcessTime::try_now()?);
    side(port, spans)?;
    println!("{} {} {}", clock.elapsed().as_secs_f64(), cpu.try_elapsed()?.as_secs_f64(), peak()?);
    Ok(())
}

/// The most memory that this process had, in bytes.
fn peak() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmHWM")?.parse()?;
    Ok(kib << 10)
}

pub(crate) use sink::run as run_sink;

/// The collector's process; it ends with this.
#[derive(Debug)]
struct Collector {
    process: Child,
    port: u16,
}

impl Collector {
    fn start() -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?).arg(SINK).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Self { process, port: line.trim().parse()? })
    }

    /// Runs one side to its end.
    fn watch(&self, side: &str, spans: usize) -> Result<Took, Box<dyn Error>> {
        sink::counted(self.port)?;
        let arguments = [SIDE, side, &self.port.to_string(), &spans.to_string()];
        let output = Command::new(std::env::current_exe()?).args(arguments).output()?;
        if !output.status.success() {
            return Err(format!("{side}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let said = String::from_utf8(output.stdout)?;
        let figures: Vec<f64> = said.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [wall, cpu, memory] = figures[..] else { return Err(format!("{side} said {said:?}").into()) };
        Ok(Took { wall, cpu, memory, delivered: sink::counted(self.port)? })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // It has nothing to lose, and a process that is gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
