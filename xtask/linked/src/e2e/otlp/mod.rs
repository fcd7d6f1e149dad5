//! OTLP into the test agent, straight and through a collector.

mod agent;
mod found;
mod logs;
mod normal;
mod rotel;
mod series;
mod spans;
mod ways;

use std::borrow::Cow;
use std::time::Duration;

use anyhow::Result;
use obs_core::{Record, Signal, SpanRecord};
use obs_pipeline::{Clock, Report};

use super::fact::{Compared, Fact, compare};
use super::row::Row;
use super::stage::VISIBLE;
use super::{Scene, deliver, ledger};
pub(super) use agent::Agent;
pub(super) use normal::base64;
use rotel::Rotel;
use series::Window;
use ways::{DIRECT, HOPS, Way};

/// The signals as OTLP has them: scores and feedback are logs.
const SIGNALS: [(Signal, &str); 3] =
    [(Signal::Traces, "spans"), (Signal::Logs, "logs, scores, feedback"), (Signal::Metrics, "metrics")];

/// Every form of OTLP straight into the test agent.
pub(crate) fn direct(scene: &Scene) -> Result<Vec<Row>> {
    let agent = Agent::start(scene)?;
    let mut rows = Vec::new();
    for way in DIRECT {
        let records = Cow::Borrowed(&scene.records[..]);
        let trip =
            Trip { scene, agent: &agent, backend: "test agent", way, records, patience: Duration::ZERO };
        rows.extend(trip.make(agent.http, agent.grpc)?);
    }
    Ok(rows)
}

/// OTLP into a collector, which sends it on to the test agent.
pub(crate) fn hop(scene: &Scene) -> Result<Vec<Row>> {
    let agent = Agent::start(scene)?;
    let rotel = Rotel::start(scene, agent.http)?;
    let mut rows = Vec::new();
    for way in HOPS {
        let records = match way.protocol {
            "http/json" => scene.records.iter().filter_map(rotel::of_json).collect(),
            _ => Cow::Borrowed(&scene.records[..]),
        };
        let trip =
            Trip { scene, agent: &agent, backend: "rotel, test agent", way, records, patience: VISIBLE };
        rows.extend(trip.make(rotel.http, rotel.grpc)?);
    }
    Ok(rows)
}

/// All records by one way, and back.
#[derive(Debug)]
struct Trip<'a> {
    scene: &'a Scene,
    agent: &'a Agent,
    backend: &'static str,
    way: &'a Way,
    records: Cow<'a, [Record]>,
    /// How long it may take until the agent has all of it.
    patience: Duration,
}

impl Trip<'_> {
    fn make(&self, http: u16, grpc: u16) -> Result<Vec<Row>> {
        self.scene.stage.block_on(self.agent.clear())?;
        let since = Clock::system().now();
        let report = deliver(self.way.destination(http, grpc)?, &self.records)?;
        let window = Window { since, until: Clock::system().now(), temporality: self.way.temporality };
        SIGNALS.into_iter().map(|(signal, what)| self.row(signal, what, &report, window)).collect()
    }

    /// What the agent has of a signal, once it has all of it.
    fn row(&self, signal: Signal, what: &str, report: &Report, window: Window) -> Result<Row> {
        let Self { scene, agent, backend, way, .. } = *self;
        let mut row = Row {
            what: what.to_owned(),
            backend,
            transport: way.name(),
            sent: self.records.iter().filter(|record| carried(signal).contains(&record.signal())).count(),
            requests: None,
            compared: Compared::default(),
        };
        scene.stage.settles(self.patience, async || {
            let found = agent.found(signal).await?;
            row.requests = Some(found.requests);
            row.compared = held(&self.records, signal, found.facts, window);
            Ok(row.compared.wrong.is_empty())
        })?;
        for signal in carried(signal) {
            row.compared.wrong.extend(ledger(report, *signal));
        }
        Ok(row)
    }
}

/// What one of OTLP's signals carries.
fn carried(signal: Signal) -> &'static [Signal] {
    match signal {
        Signal::Traces => &[Signal::Traces],
        Signal::Metrics => &[Signal::Metrics],
        _ => &[Signal::Logs, Signal::Scores, Signal::Feedback],
    }
}

/// What was found of a signal, held against the records.
fn held(records: &[Record], signal: Signal, found: Vec<Fact>, window: Window) -> Compared {
    if signal == Signal::Metrics {
        let (found, wrong) = series::merged(found, window);
        let mut compared = compare(&series::expected(records, window.temporality, &found), &found);
        compared.wrong.extend(wrong);
        return compared;
    }
    let expected = records.iter().filter_map(|record| match record {
        Record::Span(SpanRecord::Ended(span)) if signal == Signal::Traces => Some(spans::span(span)),
        Record::Log(log) if signal == Signal::Logs => Some(logs::log(log)),
        Record::Score(score) if signal == Signal::Logs => Some(logs::score(score)),
        Record::Feedback(feedback) if signal == Signal::Logs => Some(logs::feedback(feedback)),
        _ => None,
    });
    compare(&expected.collect::<Vec<_>>(), &found)
}

#[cfg(test)]
mod tests;
