//! Law 8: batches leave, come back and expire by the clock that was given.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{ErrorKind, Health, Retry, Signal, Timestamp};
use obs_pipeline::{Clock, DestinationSpec, LaneConfig, ManualClock, Pipeline, dropped};
use obs_testkit::{Scripted, Step};

use crate::make::{builder, eventually, flushed_until, record};

fn paused(
    script: impl IntoIterator<Item = Step>,
    config: LaneConfig,
) -> (Pipeline, Arc<Scripted>, ManualClock) {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let exporter = Scripted::new(script);
    let spec = DestinationSpec::new(Arc::clone(&exporter)).with_config(config);
    let pipeline = builder().clock(clock).to(spec).build().unwrap();
    (pipeline, exporter, hand)
}

fn sealed(pipeline: &Pipeline) -> u64 {
    pipeline.report().intake.get(Signal::Logs).sealed
}

#[test]
fn law_8_time_is_injected_into_the_age_of_a_batch() {
    let (pipeline, exporter, hand) = paused([], LaneConfig::DEFAULT);
    record(&pipeline.intake(), Signal::Logs, 1);
    eventually("the record is with the lane", || sealed(&pipeline) == 1);
    hand.advance(Duration::from_millis(999));
    assert_eq!(exporter.calls().exports, 0);
    hand.advance(Duration::from_millis(1));
    eventually("the batch left", || exporter.delivered(Signal::Logs) == 1);
}

#[test]
fn law_8_time_is_injected_into_the_waits_between_attempts() {
    let wait = [Duration::from_millis(89_999), Duration::from_millis(1)];
    let (pipeline, exporter, hand) = paused([Step::rate_limited(wait[0] + wait[1])], LaneConfig::DEFAULT);
    record(&pipeline.intake(), Signal::Logs, 1);
    flushed_until(&pipeline, "it was tried", || exporter.calls().exports == 1);
    eventually("it waits", || pipeline.health()[0].1 != Health::Healthy);
    hand.advance(wait[0]);
    let report = pipeline.flush(Duration::from_millis(20));
    assert!(
        !report.complete && exporter.calls().exports == 1,
        "what a backend asks for is a floor: {report}"
    );
    hand.advance(wait[1]);
    eventually("it was delivered", || exporter.delivered(Signal::Logs) == 1);
    eventually("it is well", || pipeline.health()[0].1 == Health::Healthy);
}

#[test]
fn a_hold_keeps_all_signals_and_is_probed_by_one_batch() {
    let hold = Step::fail(ErrorKind::Auth, Retry::Hold(Duration::from_mins(1)));
    let (pipeline, exporter, hand) = paused([hold.clone(), hold], LaneConfig::DEFAULT);
    let intake = pipeline.intake();
    record(&intake, Signal::Logs, 1);
    flushed_until(&pipeline, "it is held", || matches!(pipeline.health()[0].1, Health::Unhealthy(_)));
    record(&intake, Signal::Scores, 1);
    record(&intake, Signal::Traces, 1);
    hand.advance(Duration::from_secs(59));
    assert!(!pipeline.flush(Duration::from_millis(20)).complete);
    assert_eq!(exporter.calls().exports, 1, "nothing leaves while it is held");
    hand.advance(Duration::from_secs(1));
    eventually("it was probed", || exporter.calls().exports == 2);
    assert!(!pipeline.flush(Duration::from_millis(20)).complete);
    assert_eq!(exporter.calls().exports, 2, "the probe failed for all");
    hand.advance(Duration::from_mins(1));
    eventually("all left", || exporter.records().len() == 3);
}

#[test]
fn records_expire_after_their_age() {
    let hung = Scripted::builder([]).and_then(Step::unavailable()).shared();
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let pipeline = builder().clock(clock).to(hung).build().unwrap();
    record(&pipeline.intake(), Signal::Logs, 1);
    eventually("the record is with the lane", || sealed(&pipeline) == 1);
    hand.advance(Duration::from_secs(3_601));
    eventually("it expired", || {
        let report = pipeline.report();
        assert!(report.is_balanced(), "{report}");
        report.destinations[0].signals.get(Signal::Logs).dropped.get(dropped::EXPIRED) == 1
    });
}

#[test]
fn an_export_that_hangs_is_given_up_and_tried_again() {
    let (pipeline, exporter, hand) = paused([Step::Hang], LaneConfig::DEFAULT);
    record(&pipeline.intake(), Signal::Logs, 1);
    flushed_until(&pipeline, "it hangs", || exporter.under_way() == 1);
    hand.advance(Duration::from_mins(1));
    eventually("it was given up", || exporter.under_way() == 0);
    eventually("it was tried again", || {
        hand.advance(Duration::from_secs(1));
        exporter.delivered(Signal::Logs) == 1
    });
}
