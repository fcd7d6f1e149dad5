//! Sends the demo and the fixtures through the real exporters into real backends on this machine, reads them back through the
//! backends' own interfaces, and holds that against the records.
//!
//! A part is a line in [`PARTS`].

mod api;
mod datadog;
mod fact;
mod install;
mod otlp;
mod prometheus;
mod row;
mod source;
mod stage;
mod tables;

use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use obs_core::{Record, Signal};
use obs_pipeline::{DestinationSpec, Pipeline, Report};

use crate::live::record;
pub(crate) use api::Api;
use install::{Program, Shelf, judge};
use row::Row;
use stage::Stage;

/// What to run, and what to leave behind.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Runs these parts alone.
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Leaves what the backends wrote, their logs among it.
    #[arg(long)]
    keep: bool,
}

/// What a part works with.
#[derive(Debug)]
pub(crate) struct Scene {
    stage: Stage,
    shelf: Shelf,
    /// What is sent: the fixtures, an agent run and the demo.
    records: Vec<Record>,
}

/// A kind of backend, or a way into it.
#[derive(Debug)]
struct Part {
    /// What `--only` and the table call it.
    name: &'static str,
    needs: &'static [Program],
    run: fn(&Scene) -> Result<Vec<Row>>,
}

const PARTS: &[Part] = &[
    Part { name: "otlp", needs: &[Program::Agent], run: otlp::direct },
    Part { name: "rotel", needs: &[Program::Agent, Program::Rotel], run: otlp::hop },
    Part { name: "datadog", needs: &[Program::Agent], run: datadog::proxied },
    Part {
        name: "prometheus",
        needs: &[Program::Prometheus, Program::Promtool, Program::Reader],
        run: prometheus::pull,
    },
    Part { name: "pushgateway", needs: &[Program::Pushgateway], run: prometheus::push },
    Part { name: "tables", needs: &[Program::Tables], run: tables::all },
    Part { name: "remote-write", needs: &[Program::Victoria, Program::Prometheus], run: prometheus::write },
];

/// Runs the parts, all of them even if one fails, and fails with all that was found wrong.
pub(crate) fn run(options: &Options) -> Result<()> {
    let parts = choose(&options.only)?;
    let mut wanted: Vec<_> = parts.iter().flat_map(|part| part.needs).copied().collect();
    wanted.sort();
    wanted.dedup();
    let shelf = Shelf::stocked(&wanted)?;
    for skipped in &shelf.skipped {
        println!("e2e: skipped what needs {}: {}", skipped.program.name(), skipped.why);
    }
    let ci = std::env::var("CI").ok();
    judge(&shelf.skipped, ci.as_deref())?;
    let scene = Scene { stage: Stage::new(options.keep)?, shelf, records: source::all()? };
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for part in parts.into_iter().filter(|part| part.needs.iter().all(|program| scene.shelf.has(*program))) {
        let clock = quanta::Instant::now();
        match (part.run)(&scene) {
            Ok(of_part) => rows.extend(of_part),
            Err(error) => wrong.push(format!("{}: {error:#}", part.name)),
        }
        scene.stage.clear();
        println!("e2e: {} took {:.1} s", part.name, clock.elapsed().as_secs_f64());
    }
    print!("{}", row::table(&rows));
    wrong.extend(rows.iter().flat_map(Row::wrong));
    ensure!(wrong.is_empty(), "{}", row::told(&wrong));
    Ok(())
}

fn choose(only: &[String]) -> Result<Vec<&'static Part>> {
    for name in only {
        let known: Vec<_> = PARTS.iter().map(|part| part.name).collect();
        ensure!(
            known.contains(&name.as_str()),
            "there is no part `{name}`; the parts are {}",
            known.join(", ")
        );
    }
    Ok(PARTS.iter().filter(|part| only.is_empty() || only.iter().any(|name| name == part.name)).collect())
}

/// How long a source may take to be delivered.
const DELIVERY: Duration = Duration::from_secs(30);

/// A pipeline with one destination that has all of some records.
///
/// Redaction is off: what it changes would look like a loss on the way.
#[derive(Debug)]
struct Sent(Pipeline);

impl Sent {
    /// Records all of it, and has it delivered.
    fn new(destination: DestinationSpec, records: &[Record]) -> Result<Self> {
        let pipeline = Pipeline::builder().without_redaction().to_named(NAME, destination);
        let pipeline = pipeline.build().map_err(|error| anyhow!("{error}"))?;
        record(&pipeline.intake(), records.iter().cloned());
        let flushed = pipeline.flush(DELIVERY);
        ensure!(flushed.complete, "not delivered within {DELIVERY:?}:\n{flushed}");
        Ok(Self(pipeline))
    }

    /// Shuts the exporter down; what the ledgers say.
    fn end(self) -> Report {
        self.0.shutdown(Duration::from_secs(5))
    }
}

fn deliver(destination: DestinationSpec, records: &[Record]) -> Result<Report> {
    Sent::new(destination, records).map(Sent::end)
}

/// What a ledger says that is wrong with a signal: all that the exporter takes was delivered.
fn ledger(report: &Report, signal: Signal) -> Vec<String> {
    settled(report, NAME, signal)
}

/// The same of the destination of this name.
fn settled(report: &Report, name: &str, signal: Signal) -> Vec<String> {
    let Some(destination) = report.destination(name) else { return vec!["there is no ledger".into()] };
    let terms = destination.signals.get(signal);
    let well = report.is_balanced() && terms.delivered == terms.offered;
    if well { Vec::new() } else { vec![format!("of {signal}, not all was delivered:\n{report}")] }
}

/// What the destination is called in its pipeline.
const NAME: &str = "backend";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_chosen_by_name_and_an_unknown_one_is_refused() {
        let names = |only: &[&str]| {
            let only: Vec<_> = only.iter().map(ToString::to_string).collect();
            choose(&only).map(|parts| parts.iter().map(|part| part.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap().len(), PARTS.len());
        assert_eq!(names(&["otlp"]).unwrap(), ["otlp"]);
        let message = names(&["oltp"]).unwrap_err().to_string();
        assert!(message.starts_with("there is no part `oltp`; the parts are otlp"), "{message}");
    }
}
