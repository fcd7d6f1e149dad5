//! What happens when there is no room.

use std::sync::Arc;
use std::time::Duration;

use obs_core::units::Bytes;
use obs_core::{Log, Signal, Str, Timestamp};
use obs_pipeline::{Clock, DestinationSpec, Intake, LaneConfig, Overflow, Pipeline, Terms, dropped};
use obs_testkit::{Scripted, Step};

use crate::make::{PATIENCE, builder, eventually, flushed_until, record};

/// A log of about 10 KiB.
fn big(intake: &Intake) {
    let message = Str::copied(&"x".repeat(10 << 10));
    intake.log(Log::new(Timestamp::from_nanos(1), obs_core::Level::Info, message));
}

/// A lane with room for ten big logs.
fn narrow(overflow: Overflow) -> LaneConfig {
    LaneConfig {
        max_memory_usage: Bytes::new(110 << 10),
        overflow,
        block_timeout: PATIENCE,
        ..LaneConfig::DEFAULT
    }
}

/// Offers twenty big logs one by one, while the first is on its way and stays there.
fn overflowing(overflow: Overflow) -> (Pipeline, Arc<Scripted>) {
    let exporter = Scripted::new([Step::Hang]);
    let pipeline = builder()
        .to_named("narrow", DestinationSpec::new(Arc::clone(&exporter)).with_config(narrow(overflow)))
        .without_redaction()
        .build()
        .unwrap();
    let intake = pipeline.intake();
    big(&intake);
    flushed_until(&pipeline, "the first is on its way", || exporter.under_way() == 1);
    for at in 2..=20 {
        big(&intake);
        eventually("it was offered", || logs(&pipeline).offered == at);
    }
    (pipeline, exporter)
}

fn logs(pipeline: &Pipeline) -> Terms {
    let report = pipeline.report();
    assert!(report.is_balanced(), "{report}");
    report.destinations[0].signals.get(Signal::Logs).clone()
}

#[test]
fn drop_oldest_keeps_the_newest_and_what_is_on_its_way() {
    let (pipeline, exporter) = overflowing(Overflow::DropOldest);
    let terms = logs(&pipeline);
    assert_eq!((terms.dropped.get(dropped::OVERFLOW), terms.queued), (10, 10));
    exporter.release();
    assert!(pipeline.flush(PATIENCE).complete);
    assert_eq!(exporter.delivered(Signal::Logs), 10);
}

#[test]
fn drop_newest_keeps_the_oldest() {
    let (pipeline, exporter) = overflowing(Overflow::DropNewest);
    let terms = logs(&pipeline);
    assert_eq!((terms.dropped.get(dropped::OVERFLOW), terms.queued), (10, 10));
    exporter.release();
    assert!(pipeline.flush(PATIENCE).complete);
}

#[test]
fn block_waits_for_room_and_loses_nothing() {
    let (pipeline, exporter) = overflowing(Overflow::Block);
    assert_eq!((logs(&pipeline).dropped.total(), logs(&pipeline).queued), (0, 20));
    exporter.release();
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete, "{report}");
    assert_eq!(exporter.delivered(Signal::Logs), 20);
}

#[test]
fn block_gives_up_after_its_timeout() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let exporter = Scripted::builder([]).and_then(Step::Hang).shared();
    let patience = Duration::from_secs(5);
    let config = LaneConfig { block_timeout: patience, ..narrow(Overflow::Block) };
    let pipeline = builder()
        .clock(clock)
        .to_named("narrow", DestinationSpec::new(exporter).with_config(config))
        .without_redaction()
        .build()
        .unwrap();
    let intake = pipeline.intake();
    for at in 1..=20 {
        big(&intake);
        eventually("it was offered", || logs(&pipeline).offered == at);
    }
    assert_eq!(logs(&pipeline).queued, 20);
    hand.advance(patience);
    eventually("those before the lane are given up", || logs(&pipeline).dropped.get(dropped::OVERFLOW) == 10);
    assert_eq!(logs(&pipeline).queued, 10);
}

#[test]
fn a_full_intake_drops_the_newest_and_counts() {
    let exporter = Scripted::new([]);
    let pipeline = builder().to(Arc::clone(&exporter)).intake_bytes(200 << 10).build().unwrap();
    let intake = pipeline.intake();
    let mut made = 0;
    eventually("the intake is full", || {
        (0..100).for_each(|_| big(&intake));
        made += 100;
        pipeline.report().intake.get(Signal::Logs).dropped.get(dropped::INTAKE_FULL) > 0
    });
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    let terms = report.intake.get(Signal::Logs);
    assert_eq!(terms.recorded, made);
    assert_eq!(terms.dropped.get(dropped::INTAKE_FULL) + exporter.delivered(Signal::Logs) as u64, made);
    record(&intake, Signal::Scores, 1);
    assert!(pipeline.flush(PATIENCE).complete);
    assert_eq!(exporter.delivered(Signal::Scores), 1, "there is room again");
}

#[test]
fn a_batch_obeys_the_limits_of_its_destination() {
    let limits = obs_core::Limits { items: 1_000, bytes: 50 << 10 };
    let descriptor = Scripted::DESCRIPTOR
        .with_all_limits(limits)
        .with_limits(Signal::Scores, obs_core::Limits { items: 7, bytes: 1 << 20 });
    let exporter = Scripted::builder([]).with_descriptor(descriptor).shared();
    let pipeline = builder().to(Arc::clone(&exporter)).build().unwrap();
    let intake = pipeline.intake();
    (0..30).for_each(|_| big(&intake));
    (0..30).for_each(|at| record(&intake, Signal::Scores, at));
    assert!(pipeline.flush(PATIENCE).complete);
    for batch in exporter.batches() {
        match batch.signal() {
            Signal::Scores => assert!(batch.len() <= 7),
            _ => assert!(batch.byte_size() <= 50 << 10, "{} bytes", batch.byte_size()),
        }
    }
    assert_eq!((exporter.delivered(Signal::Logs), exporter.delivered(Signal::Scores)), (30, 30));
}

#[test]
fn two_destinations_of_one_name_are_refused() {
    let error = Pipeline::builder().to(Scripted::new([])).to(Scripted::new([])).build().unwrap_err();
    assert!(error.message().contains("`scripted`"), "{error}");
}

#[test]
fn a_disabled_intake_records_nothing() {
    let exporter = Scripted::new([]);
    let pipeline = builder().to(Arc::clone(&exporter)).build().unwrap();
    let intake = pipeline.intake();
    intake.set_enabled(false);
    assert!(intake.wants().is_empty());
    record(&intake, Signal::Logs, 1);
    intake.set_enabled(true);
    record(&intake, Signal::Logs, 2);
    pipeline.flush(PATIENCE);
    assert_eq!(exporter.delivered(Signal::Logs), 1);
    assert!(Intake::noop().wants().is_empty() && !Intake::noop().is_same(&intake));
}
