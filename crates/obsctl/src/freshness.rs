//! `obsctl freshness`: how soon after its end a span can be read back.

use std::time::Duration;

use anyhow::{Context as _, bail};
use obs_core::TraceReader;
use obs_instrument::{Observability, Sampling};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::cli::FreshnessArgs;
use crate::output::{Done, print_json};
use crate::telemetry::{self, DEADLINE, Telemetry};

/// The 95th percentile must not exceed this.
const GOAL: Duration = Duration::from_secs(1);

/// A span that cannot be read after this long is lost.
const LOST: Duration = Duration::from_secs(10);

/// How often the store is asked; the measured times are exact to this.
const POLL: Duration = Duration::from_millis(2);

/// Spans end at moments spread over this, more than the store's batching takes.
const SPREAD: u64 = 500;

/// Runs the command: spans into a store as `demo` has it, read as `traces show` reads them.
pub(crate) async fn run(args: &FreshnessArgs) -> anyhow::Result<Done> {
    let folder = tempfile::tempdir()?;
    let telemetry = Telemetry::in_folder(folder.path())?;
    let obs = Observability::builder("obsctl-freshness")
        .enabled(true)
        .sampling(Sampling::Always)
        .to(telemetry.store()?)
        .to(telemetry.lines()?)
        .build()?;
    obs.span("makes the store").end();
    obs.flush(DEADLINE);
    let reader = telemetry.reader()?;
    let mut times = Vec::with_capacity(args.spans);
    for _ in 0..args.spans.max(1) {
        times.push(measure(&obs, &reader).await?);
    }
    telemetry::all_delivered(&obs.shutdown(DEADLINE))?;
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    let millis = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    print_json(&json!({
        "spans": times.len(),
        "p50_ms": millis(at(0.5)),
        "p95_ms": millis(at(0.95)),
        "max_ms": millis(at(1.0)),
        "goal_p95_ms": millis(GOAL),
    }))?;
    if at(0.95) > GOAL {
        bail!("the 95th percentile is {} ms, more than {} ms", millis(at(0.95)), millis(GOAL));
    }
    Ok(Done::Wholly)
}

/// The time from the end of a span, at a random moment of the store's batching, until it can be read.
async fn measure(obs: &Observability, reader: &impl TraceReader) -> anyhow::Result<Duration> {
    let span = obs.span("measured");
    let id = span.trace_id().context("nothing is recorded")?;
    // Trace ids are random, so they do for a random moment.
    sleep(Duration::from_millis((id.get() % u128::from(SPREAD)) as u64)).await;
    span.end();
    let ended = Instant::now();
    while ended.elapsed() < LOST {
        let trace = reader.trace(id).await?;
        if trace.is_some_and(|trace| trace.spans.iter().any(|span| span.end.is_some())) {
            return Ok(ended.elapsed());
        }
        sleep(POLL).await;
    }
    bail!("a span could not be read within {} s of its end", LOST.as_secs())
}
