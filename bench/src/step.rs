//! What watching a step of 50 ms costs, in CPU time of the whole process.

use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use cpu_time::ProcessTime;
use obs_instrument::Observability;
use obs_json::JsonExporter;
use obs_store::{StoreConfig, StoreExporter};

use crate::Effort;
use crate::ours::span_shared;
use crate::payload::{Texts, shared};
use crate::sink::Sink;
use crate::table::{Goal, Row, short};

/// How long a step takes: it waits, as agents do.
const STEP: Duration = Duration::from_millis(50);

/// The most that may be added at the median, in microseconds.
const MOST: f64 = 100.0;

/// The rows of the table.
pub(crate) fn run(effort: Effort) -> Result<Vec<Row>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let sink = Observability::builder("bench").to(Sink).build()?;
    let disk = Observability::builder("bench")
        .to(StoreExporter::new(StoreConfig::new(folder.path().join("obs.db")))?)
        .to(JsonExporter::file(folder.path().join("telemetry.jsonl"))?)
        .build()?;
    let texts = shared();
    let (mut to_sink, mut to_disk) = (Vec::new(), Vec::new());
    for _ in 0..effort.pairs {
        let bare = micros(wait);
        to_sink.push(micros(|| watched(&sink, &texts)) - bare);
        let bare = micros(wait);
        to_disk.push(micros(|| watched(&disk, &texts)) - bare);
    }
    Ok(vec![row("a sink", to_sink), row("a SQLite store and a JSON Lines file", to_disk)])
}

/// A step that does nothing but wait.
fn wait() {
    let (_open, nothing) = channel::<()>();
    let waited = nothing.recv_timeout(STEP);
    assert!(waited.is_err());
}

/// The same step as a trace of three spans, a log record and a measurement, delivered before the step counts as over.
fn watched(obs: &Observability, texts: &Texts<Arc<str>>) {
    let step = obs.workflow_step("step");
    let current = step.enter();
    span_shared(obs, texts);
    let tool = obs.tool_call("search");
    wait();
    tool.end();
    obs.info("the tool answered").with("attempt", 1);
    drop(current);
    step.end();
    let report = obs.flush(Duration::from_secs(30));
    assert!(report.complete, "a flush came to its deadline: {report:?}");
}

fn micros(work: impl FnOnce()) -> f64 {
    let start = ProcessTime::now();
    work();
    start.elapsed().as_nanos() as f64 / 1e3
}

fn row(destination: &str, mut added: Vec<f64>) -> Row {
    added.sort_by(f64::total_cmp);
    let at = |share: f64| added[((added.len() - 1) as f64 * share) as usize];
    let told = format!(
        "{} µs at the median, {} µs at p90, of {} pairs",
        short(at(0.5)),
        short(at(0.9)),
        added.len()
    );
    Row::told(format!("a step of 50 ms, to {destination}"), told, at(0.5), Goal::AtMost(MOST))
}
