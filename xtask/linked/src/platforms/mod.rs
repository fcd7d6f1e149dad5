//! All three LLM platforms at once: the demo, recorded telemetry and the fixtures go through one pipeline to servers that
//! answer as the vendors do, and what they were sent is decoded without the exporters' code and held against the source.

mod figures;
mod judge;
pub(crate) mod servers;
mod source;
mod wire;

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use obs_pipeline::{Pipeline, Report};

use crate::live::record;
use judge::judge;
use servers::Stage;
use source::Source;

/// How long a source may take to be delivered.
const DELIVERY: Duration = Duration::from_mins(2);

/// Runs every source there is, and fails with all that was found wrong.
pub(crate) fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("no runtime; is the machine out of threads?")?;
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for source in source::all()? {
        let stages = runtime.block_on(servers::start())?;
        let report = deliver(&source, &stages)?;
        for stage in &stages {
            let judged = judge(stage.platform, &source.records, &stage.server.requests(), &report);
            let place = |fault: String| format!("{} to {}: {fault}", source.name, stage.platform.name());
            faults.extend(judged.faults.into_iter().map(place));
            rows.push((source.name, stage.platform.name(), judged.figures));
        }
    }
    print!("{}", figures::table(&rows));
    ensure!(faults.is_empty(), "{}", told(&faults));
    Ok(())
}

/// The most faults that are told; the rest is most often of the same kind.
const TOLD: usize = 40;

fn told(faults: &[String]) -> String {
    let mut lines = vec!["what arrived is not what was recorded:"];
    lines.extend(faults.iter().take(TOLD).map(String::as_str));
    let more = faults.len().saturating_sub(TOLD);
    let more = if more == 0 { String::new() } else { format!("\n  and {more} more") };
    lines.join("\n  ") + &more
}

/// Records the source into one pipeline with all destinations, and delivers it.
///
/// Redaction is off: what it changes would look like a loss on the way.
fn deliver(source: &Source, stages: &[Stage]) -> Result<Report> {
    let mut pipeline = Pipeline::builder().without_redaction();
    for stage in stages {
        pipeline = pipeline.to_named(stage.platform.name(), stage.destination()?);
    }
    let pipeline = pipeline.build().map_err(|error| anyhow!("{error}"))?;
    record(&pipeline.intake(), source.records.iter().cloned());
    let flushed = pipeline.flush(DELIVERY);
    ensure!(flushed.complete, "{} was not delivered within {DELIVERY:?}:\n{flushed}", source.name);
    Ok(pipeline.shutdown(Duration::from_secs(5)))
}

#[cfg(test)]
mod tests;
