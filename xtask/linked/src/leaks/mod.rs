//! Planted secrets never leave: every string of every signal has one, every exporter gets all of them, and everything
//! that left is searched.
//!
//! Secrets are filled with one canary, so that any ten characters of one in a row are found, whatever was made of the rest.
//! The same without redaction is the control: it must be seen to leak at every destination, or the search sees nothing.

mod plant;
mod secrets;

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use memchr::memmem;
use obs_core::{Record, Signal};
use obs_pipeline::{Intake, Pipeline};

use crate::arrivals::ground::Ground;
use crate::arrivals::listed::LISTED;
use crate::arrivals::place::Place;
use plant::Plant;

/// How many records are sent with redaction.
const EVENTS: usize = 10_000;

/// How many are sent before all are delivered and searched.
const STEP: usize = 500;

/// How long one step may take to be delivered.
const DELIVERY: Duration = Duration::from_mins(1);

/// What was found at one destination.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Searched {
    bytes: usize,
    leaks: usize,
}

/// Sends the control and then all, and fails at a leak or where the control shows none.
pub(crate) fn run() -> Result<()> {
    let missing = secrets::missing();
    ensure!(missing.is_empty(), "formats without a secret in xtask/linked/src/leaks/secrets.rs: {missing:?}");
    let control = send(1, false)?;
    let sent = send(EVENTS, true)?;
    println!("{:<16} {:>12} {:>8} {:>9}", "", "bytes", "leaks", "control");
    for ((listed, found), control) in LISTED.iter().zip(&sent.searched).zip(&control.searched) {
        println!("{:<16} {:>12} {:>8} {:>9}", listed.name, found.bytes, found.leaks, control.leaks);
    }
    for ((listed, found), control) in LISTED.iter().zip(&sent.searched).zip(&control.searched) {
        ensure!(found.leaks == 0, "{} leaks of planted secrets left through {}", found.leaks, listed.name);
        ensure!(found.bytes > 0, "nothing left through {}", listed.name);
        ensure!(
            control.leaks > 0,
            "without redaction no leak is seen at {}, so this sees nothing",
            listed.name
        );
    }
    println!(
        "leaks: none of {} secrets in {} records left through {} exporters",
        sent.planted,
        sent.records,
        LISTED.len()
    );
    Ok(())
}

/// What came of sending.
#[derive(Debug)]
struct Sent {
    records: usize,
    planted: usize,
    searched: Vec<Searched>,
}

/// Sends at least so many records to every destination.
fn send(events: usize, redact: bool) -> Result<Sent> {
    let ground = Ground::new()?;
    let mut places = Vec::new();
    let mut builder = Pipeline::builder();
    for listed in LISTED {
        let stand = (listed.open)(&ground).with_context(|| listed.name)?;
        builder = builder.to_named(listed.name, stand.destination);
        places.push(stand.place);
    }
    if !redact {
        builder = builder.without_redaction();
    }
    let pipeline = builder.build().map_err(|error| anyhow!("{error}"))?;
    let intake = pipeline.intake();
    let mut plant = Plant::new(secrets::secrets());
    let mut searched = vec![Searched::default(); places.len()];
    let (mut records, mut since, mut round) = (0, 0, 0);
    while records < events {
        for record in plant.round(round) {
            put(&intake, record);
            (records, since) = (records + 1, since + 1);
        }
        round += 1;
        if since >= STEP || records >= events {
            since = 0;
            let flushed = pipeline.flush(DELIVERY);
            ensure!(flushed.complete, "not delivered within {DELIVERY:?}:\n{flushed}");
            for (place, searched) in places.iter().zip(&mut searched).filter(|(place, _)| place.forgets()) {
                search(place, &ground, searched)?;
            }
        }
    }
    // The page of metrics goes with its exporter, so it is read before the end.
    for (place, searched) in places.iter().zip(&mut searched).filter(|(place, _)| !place.forgets()) {
        search(place, &ground, searched)?;
    }
    let report = pipeline.shutdown(Duration::from_secs(10));
    for signal in Signal::ALL {
        let delivered: u64 = LISTED
            .iter()
            .filter_map(|listed| report.destination(listed.name))
            .flat_map(|destination| destination.signals.iter())
            .filter(|(of, _)| *of == signal)
            .map(|(_, terms)| terms.delivered)
            .sum();
        ensure!(delivered > 0, "no {signal} were delivered:\n{report}");
    }
    Ok(Sent { records, planted: plant.planted(), searched })
}

fn put(intake: &Intake, record: Record) {
    match record {
        Record::Span(record) => intake.span_ended(record.span().clone()),
        Record::Metric(metric) => intake.metric(metric),
        Record::Log(log) => intake.log(log),
        Record::Score(score) => intake.score(score),
        Record::Feedback(feedback) => intake.feedback(feedback),
    }
}

fn search(place: &Place, ground: &Ground, searched: &mut Searched) -> Result<()> {
    let raw = place.raw(ground)?;
    searched.bytes += raw.len();
    for needle in secrets::NEEDLES {
        searched.leaks += memmem::find_iter(&raw, needle).count();
    }
    Ok(())
}
