//! What one more destination costs, in CPU time of the whole process.

use std::error::Error;
use std::time::Duration;

use cpu_time::ProcessTime;
use obs_instrument::Observability;

use crate::Effort;
use crate::ours::span_shared;
use crate::payload::{Texts, shared};
use crate::sink::Sink;
use crate::table::{Goal, Row};

/// Spans between two flushes: many, so that waking a second thread up does not count as the cost of a span.
const SPANS: usize = 20_000;

/// The rows of the table.
pub(crate) fn run(effort: Effort) -> Result<Vec<Row>, Box<dyn Error>> {
    let texts = shared();
    let instances = [instance(1)?, instance(2)?];
    let mut best = [Duration::MAX; 2];
    for round in 0..effort.rounds / 2 {
        // Whoever comes second finds warm memory, so they take turns at that, too.
        for turn in [round % 2, (round + 1) % 2] {
            best[turn] = best[turn].min(burst(&instances[turn], &texts));
        }
    }
    let [one, two] = best.map(|time| time.as_nanos() as f64 / SPANS as f64);
    Ok(vec![
        Row::figure("one destination, end to end, redaction off", one, "ns", Goal::None),
        Row::figure("one more destination", two - one, "ns", Goal::AtMost(10.0)),
    ])
}

fn instance(destinations: usize) -> Result<Observability, obs_core::Error> {
    let builder = Observability::builder("bench").configure(|pipeline| pipeline.without_redaction());
    (0..destinations).fold(builder, |builder, nth| builder.to_named(format!("sink-{nth}"), Sink)).build()
}

fn burst(obs: &Observability, texts: &Texts<std::sync::Arc<str>>) -> Duration {
    let start = ProcessTime::now();
    for _ in 0..SPANS {
        span_shared(obs, texts);
    }
    let report = obs.flush(Duration::from_secs(30));
    let time = start.elapsed();
    assert!(report.complete, "a flush came to its deadline: {report:?}");
    time
}
