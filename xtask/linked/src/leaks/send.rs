//! Sending planted records to exporters, and searching what left.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use obs_core::{Record, Signal};
use obs_pipeline::{Intake, Pipeline, PipelineBuilder};
use obs_redact::RedactConfig;

use super::plant::Plant;
use super::{Found, secrets};
use crate::arrivals::ground::Ground;
use crate::arrivals::listed::Listed;

/// How many are sent before all are delivered and searched.
const STEP: usize = 500;

/// How long one step may take to be delivered.
const DELIVERY: Duration = Duration::from_mins(1);

/// What came of sending.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) records: usize,
    pub(super) rounds: usize,
    pub(super) planted: usize,
    pub(super) found: Vec<Found>,
}

/// Sends at least so many records to every destination; without rules as they are.
pub(super) fn send(listed: &[Listed], events: usize, rules: Option<&RedactConfig>) -> Result<Sent> {
    let ground = Ground::new()?;
    let mut places = Vec::new();
    let mut builder = Pipeline::builder();
    for listed in listed {
        let stand = (listed.open)(&ground).with_context(|| listed.name)?;
        builder = builder.to_named(listed.name, stand.destination);
        places.push((stand.place, Found::nothing(listed.name)));
    }
    let pipeline = ruled(builder, rules).build().map_err(|error| anyhow!("{error}"))?;
    let intake = pipeline.intake();
    let mut plant = Plant::new(secrets::secrets());
    let (mut records, mut since, mut rounds) = (0, 0, 0);
    while records < events {
        for record in plant.round(rounds) {
            put(&intake, record);
            (records, since) = (records + 1, since + 1);
        }
        rounds += 1;
        if since >= STEP || records >= events {
            since = 0;
            let flushed = pipeline.flush(DELIVERY);
            ensure!(flushed.complete, "not delivered within {DELIVERY:?}:\n{flushed}");
            for (place, found) in places.iter_mut().filter(|(place, _)| place.forgets()) {
                found.search(&place.raw(&ground)?);
            }
        }
    }
    // The page of metrics goes with its exporter, so it is read before the end.
    for (place, found) in places.iter_mut().filter(|(place, _)| !place.forgets()) {
        found.search(&place.raw(&ground)?);
    }
    let report = pipeline.shutdown(Duration::from_secs(10));
    for signal in Signal::ALL {
        let delivered: u64 = report
            .destinations
            .iter()
            .flat_map(|destination| destination.signals.iter())
            .filter(|(of, _)| *of == signal)
            .map(|(_, terms)| terms.delivered)
            .sum();
        ensure!(delivered > 0, "no {signal} were delivered:\n{report}");
    }
    let found = places.into_iter().map(|(_, found)| found).collect();
    Ok(Sent { records, rounds: rounds as usize, planted: plant.planted(), found })
}

/// With these rules of redaction, or none at all.
pub(super) fn ruled(builder: PipelineBuilder, rules: Option<&RedactConfig>) -> PipelineBuilder {
    match rules {
        Some(rules) => builder.redact(rules.clone()),
        None => builder.without_redaction(),
    }
}

pub(super) fn put(intake: &Intake, record: Record) {
    match record {
        Record::Span(record) => intake.span_ended(record.span().clone()),
        Record::Metric(metric) => intake.metric(metric),
        Record::Log(log) => intake.log(log),
        Record::Score(score) => intake.score(score),
        Record::Feedback(feedback) => intake.feedback(feedback),
    }
}
