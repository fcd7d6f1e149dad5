//! Every exporter at once: one program, one pipeline, the five signals with every condition met, and the table of what arrived.
//!
//! It must be what signal-matrix.md says, and whatever names its trace or span must name those that were recorded.
//! What arrived is read without the exporters' code, by a small reader for each form, below `read`.
//! An exporter is a line in [`LISTED`], and one of `EXPORTERS` that has none is told.

pub(crate) mod ground;
mod judge;
pub(crate) mod listed;
mod matrix;
pub(crate) mod place;
mod read;
mod scene;
mod table;

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use obs_instrument::{AutomaticMetrics, Observability};

use crate::exporters::EXPORTERS;
use crate::files;
use ground::Ground;
use listed::{LISTED, Listed};

/// How long all of it may take to be delivered.
const DELIVERY: Duration = Duration::from_mins(1);

/// Records once, and fails with all that did not arrive as the matrix says.
pub(crate) fn run() -> Result<()> {
    let missing = unlisted(LISTED);
    ensure!(missing.is_empty(), "{}", missing.join("\n"));
    let matrix = std::fs::read_to_string(files::root().join(matrix::PAGE))
        .with_context(|| format!("{} is not readable", matrix::PAGE))?;
    let ground = Ground::new()?;
    let mut stands = Vec::new();
    for listed in LISTED {
        stands.push((listed.open)(&ground).with_context(|| listed.name)?);
    }
    // The table counts what the scene records, and nothing that is made of it.
    let mut obs = Observability::builder(scene::SERVICE).automatic_metrics(AutomaticMetrics::off());
    let mut places = Vec::new();
    for (listed, stand) in LISTED.iter().zip(stands) {
        obs = obs.to_named(listed.name, stand.destination);
        places.push((listed, stand.place));
    }
    let obs = obs.build().map_err(|error| anyhow!("{error}"))?;
    let sent = scene::play(&obs)?;
    let flushed = obs.flush(DELIVERY);
    ensure!(flushed.complete, "not delivered within {DELIVERY:?}:\n{flushed}");
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for (listed, place) in places {
        let promised = matrix::row(&matrix, listed.name)?;
        let carriers = place.carriers(&ground).unwrap_or_else(|error| {
            wrong.push(format!("{}: {error:#}", listed.name));
            Vec::new()
        });
        let judged = judge::judge(listed, promised, &carriers, &sent);
        wrong.extend(judged.wrong.iter().map(|wrong| format!("{}, {wrong}", listed.name)));
        rows.push((listed, place.unit(), judged));
    }
    let report = obs.shutdown(Duration::from_secs(10));
    wrong.extend(LISTED.iter().flat_map(|listed| judge::ledger(listed.name, &report)));
    print!("{}", table::table(&rows));
    ensure!(wrong.is_empty(), "what arrived is not what was recorded:\n  {}", wrong.join("\n  "));
    println!("arrivals: as {} says, all of trace {}", matrix::PAGE, sent.trace);
    Ok(())
}

/// The exporters without a line, and the lines without an exporter.
fn unlisted(listed: &[Listed]) -> Vec<String> {
    let here = |name: &str| listed.iter().any(|listed| listed.name == name);
    let missing = EXPORTERS.iter().filter(|exporter| !here(exporter.name));
    let missing = missing
        .map(|exporter| format!("{} has no line in xtask/linked/src/arrivals/listed.rs", exporter.name));
    let idle = listed.iter().filter(|listed| EXPORTERS.iter().all(|exporter| exporter.name != listed.name));
    missing.chain(idle.map(|listed| format!("{} is no exporter of EXPORTERS", listed.name))).collect()
}

#[cfg(test)]
mod tests;
