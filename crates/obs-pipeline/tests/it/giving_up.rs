//! Where records go that a destination does not take: fallbacks, dead letters, and nowhere, counted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use obs_core::units::Bytes;
use obs_core::{
    Batch, DeadLetters, Error, ErrorKind, Health, Level, Limits, Log, MetricForm, MetricValue, Record,
    Rejection, Retry, Signal, Str, Timestamp,
};
use obs_pipeline::{
    BreakerConfig, BreakerState, Clock, DestinationSpec, LaneConfig, Overflow, Report, RetryConfig, dropped,
};
use obs_testkit::{Scripted, Step};

use crate::make::{PATIENCE, builder, eventually, record};

/// Dead letters in memory; full, it takes none.
#[derive(Debug, Default, Clone)]
struct Letters {
    kept: Arc<Mutex<Vec<(String, Rejection)>>>,
    full: bool,
}

impl Letters {
    fn kept(&self) -> Vec<(String, Rejection)> {
        self.kept.lock().unwrap().clone()
    }
}

#[async_trait]
impl DeadLetters for Letters {
    async fn put(&self, destination: &str, rejection: &Rejection) -> Result<(), Error> {
        if self.full {
            return Err(Error::without_records(ErrorKind::Io, "no space left"));
        }
        self.kept.lock().unwrap().push((destination.to_owned(), rejection.clone()));
        Ok(())
    }
}

fn terms(report: &Report, name: &str) -> obs_pipeline::Terms {
    assert!(report.is_balanced(), "{report}");
    report.destination(name).unwrap().signals.get(Signal::Logs).clone()
}

fn out() -> Step {
    Step::fail(ErrorKind::Unavailable, Retry::Hold(Duration::from_mins(1)))
}

#[test]
fn law_1_accounting_of_a_fallback_is_what_was_diverted_to_it() {
    let (first, second) = (Scripted::builder([]).and_then(out()).shared(), Scripted::new([]));
    let spec = DestinationSpec::new(Arc::clone(&first)).with_fallback("second", Arc::clone(&second));
    let pipeline = builder().to_named("first", spec).build().unwrap();
    (0..10).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete, "{report}");
    let (first, taken) = (terms(&report, "first"), terms(&report, "second"));
    assert_eq!((first.diverted, first.delivered, first.queued), (10, 0, 0));
    assert_eq!((taken.offered, taken.delivered), (10, 10));
    assert_eq!(second.delivered(Signal::Logs), 10);
    assert_eq!(report.destination("second").unwrap().fallback_of.as_deref(), Some("first"));
}

#[test]
fn what_is_rejected_for_good_goes_to_the_dead_letters_with_the_reason() {
    let letters = Letters::default();
    let exporter = Scripted::new([Step::Reject(vec![2])]);
    let spec = DestinationSpec::new(exporter).with_dead_letters(letters.clone());
    let pipeline = builder().to_named("picky", spec).build().unwrap();
    (0..5).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
    let terms = terms(&pipeline.flush(PATIENCE), "picky");
    assert_eq!((terms.delivered, terms.dead_lettered, terms.rejected), (4, 1, 0));
    let [(name, rejection)] = &letters.kept()[..] else { panic!("{:?}", letters.kept()) };
    assert_eq!((name.as_str(), rejection.count, rejection.kind), ("picky", 1, ErrorKind::Rejected));
}

#[test]
fn dead_letters_that_take_nothing_leave_a_rejection_and_a_complaint() {
    let spec = DestinationSpec::new(Scripted::new([Step::Reject(vec![0])]))
        .with_dead_letters(Letters { full: true, ..Letters::default() });
    let pipeline = builder().to_named("picky", spec).build().unwrap();
    record(&pipeline.intake(), Signal::Logs, 1);
    let terms = terms(&pipeline.flush(PATIENCE), "picky");
    assert_eq!((terms.dead_lettered, terms.rejected), (0, 1));
}

#[test]
fn what_grows_too_old_goes_to_the_dead_letters_and_no_transient_error_does() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let letters = Letters::default();
    let exporter = Scripted::builder([]).and_then(out()).shared();
    let spec = DestinationSpec::new(Arc::clone(&exporter)).with_dead_letters(letters.clone());
    let pipeline = builder().clock(clock).to_named("out", spec).build().unwrap();
    record(&pipeline.intake(), Signal::Logs, 1);
    eventually("it was offered", || pipeline.report().destinations[0].signals.get(Signal::Logs).offered == 1);
    for _ in 0..59 {
        hand.advance(Duration::from_mins(1));
        let report = pipeline.flush(Duration::from_millis(5));
        assert_eq!(terms(&report, "out").queued, 1);
    }
    assert!(exporter.calls().exports > 20, "it is probed each minute: {:?}", exporter.calls());
    assert!(letters.kept().is_empty(), "no transient error makes a dead letter");
    hand.advance(Duration::from_mins(2));
    eventually("it is a dead letter", || terms(&pipeline.report(), "out").dead_lettered == 1);
    assert_eq!(letters.kept()[0].1.kind, ErrorKind::Expired);
}

/// A log of about 10 KiB.
fn big(at: u64) -> Log {
    Log::new(Timestamp::from_nanos(at), Level::Info, Str::copied(&"x".repeat(10 << 10)))
}

#[test]
fn what_finds_no_room_goes_to_the_dead_letters_as_far_as_memory_allows() {
    for overflow in [Overflow::DropOldest, Overflow::DropNewest] {
        let letters = Letters::default();
        let exporter = Scripted::builder([]).and_then(Step::Hang).shared();
        let config = LaneConfig { max_memory_usage: Bytes::new(400 << 10), overflow, ..LaneConfig::DEFAULT };
        let spec = DestinationSpec::new(exporter).with_config(config).with_dead_letters(letters.clone());
        let pipeline = builder().to_named("narrow", spec).without_redaction().build().unwrap();
        for at in 1..=100 {
            pipeline.intake().log(big(at));
            eventually("it was offered", || terms(&pipeline.report(), "narrow").offered == at);
            eventually("the dead letters keep up", || {
                let terms = terms(&pipeline.report(), "narrow");
                terms.queued <= 34
            });
        }
        let terms = terms(&pipeline.report(), "narrow");
        assert_eq!(terms.dead_lettered + terms.queued, 100, "{overflow:?}: {terms:?}");
        eventually("the ledger says what was kept", || {
            let kept = letters.kept().into_iter().map(|(_, rejection)| rejection.count).sum::<usize>();
            kept as u64 == self::terms(&pipeline.report(), "narrow").dead_lettered
        });
        assert!(letters.kept().iter().all(|(_, rejection)| rejection.kind == ErrorKind::Overflow));
        assert_eq!(terms.dropped.get(dropped::OVERFLOW), 0);
    }
}

#[test]
fn a_buffer_may_be_limited_in_records() {
    let exporter = Scripted::builder([]).and_then(Step::Hang).shared();
    let config = LaneConfig { buffer_size: Some(10), ..LaneConfig::DEFAULT };
    let spec = DestinationSpec::new(exporter).with_config(config);
    let pipeline = builder().to_named("narrow", spec).build().unwrap();
    for at in 1..=25 {
        record(&pipeline.intake(), Signal::Logs, at);
        eventually("it was offered", || terms(&pipeline.report(), "narrow").offered == at);
    }
    let terms = terms(&pipeline.report(), "narrow");
    assert_eq!((terms.queued, terms.dropped.get(dropped::OVERFLOW)), (10, 15));
    assert!(pipeline.stats("narrow").unwrap().usage_percent >= 100.0);
}

/// A pipeline before a backend that refuses every batch with a poisoned log in it, and a thousand logs.
fn poisoned(poison: fn(&Record) -> bool) -> (Arc<Scripted>, Letters, obs_pipeline::Terms) {
    let letters = Letters::default();
    let limits = Limits { items: 1_000, bytes: usize::MAX };
    let exporter = Scripted::builder([])
        .with_descriptor(Scripted::DESCRIPTOR.with_all_limits(limits))
        .with_poison(ErrorKind::Rejected, poison)
        .shared();
    let config = LaneConfig { flush_interval: Some(Duration::from_hours(1)), ..LaneConfig::DEFAULT };
    let spec =
        DestinationSpec::new(Arc::clone(&exporter)).with_config(config).with_dead_letters(letters.clone());
    let pipeline = builder().to_named("picky", spec).without_redaction().build().unwrap();
    let intake = pipeline.intake();
    (0..1_000).for_each(|at| intake.log(Log::new(Timestamp::from_nanos(at), Level::Info, "a log")));
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete, "{report}");
    (exporter, letters, terms(&report, "picky"))
}

fn number(record: &Record) -> u64 {
    match record {
        Record::Log(log) => log.time.as_nanos(),
        other => unreachable!("only logs are recorded, not {other:?}"),
    }
}

#[test]
fn one_poison_among_a_thousand_is_dead_lettered_with_the_backends_reason_within_21_requests() {
    let (exporter, letters, terms) = poisoned(|record| number(record) == 617);
    assert_eq!((terms.delivered, terms.dead_lettered), (999, 1));
    assert!(exporter.calls().exports <= 21, "{:?}", exporter.calls());
    let [(_, rejection)] = &letters.kept()[..] else { panic!("{:?}", letters.kept()) };
    let records = rejection.records.as_ref().unwrap().to_records();
    assert_eq!(records.iter().map(number).collect::<Vec<_>>(), [617]);
    assert!(!rejection.reason.is_empty() && rejection.kind == ErrorKind::Rejected, "{rejection:?}");
}

#[test]
fn ten_poisons_spread_over_a_thousand_are_all_isolated() {
    let (_, letters, terms) = poisoned(|record| number(record) % 100 == 42);
    assert_eq!((terms.delivered, terms.dead_lettered), (990, 10));
    assert!(letters.kept().iter().all(|(_, rejection)| rejection.count == 1));
}

#[test]
fn a_backend_that_refuses_everything_is_asked_at_most_20_times_for_a_thousand() {
    let (exporter, letters, terms) = poisoned(|_| true);
    assert_eq!((terms.delivered, terms.dead_lettered), (0, 1_000));
    assert!(exporter.calls().exports <= 20, "{:?}", exporter.calls());
    assert!(letters.kept().iter().any(|(_, rejection)| rejection.kind == ErrorKind::SplitBudget));
}

#[test]
fn a_held_primary_is_probed_once_a_minute_while_its_fallback_has_the_records() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let first = Scripted::builder([]).and_then(out()).shared();
    let second = Scripted::new([]);
    let spec = DestinationSpec::new(Arc::clone(&first)).with_fallback("second", Arc::clone(&second));
    let pipeline = builder().clock(clock).to_named("first", spec).build().unwrap();
    for minute in 0..3 {
        for at in 0..10 {
            record(&pipeline.intake(), Signal::Logs, at);
            assert!(pipeline.flush(PATIENCE).complete);
        }
        assert_eq!(first.calls().exports, minute + 1, "one probe a minute");
        hand.advance(Duration::from_secs(61));
    }
    assert_eq!(second.delivered(Signal::Logs), 30);
}

#[test]
fn a_segment_larger_than_the_buffer_leaves_its_newest_records_in_it() {
    let exporter = Scripted::new([]);
    let config = LaneConfig { buffer_size: Some(30), ..LaneConfig::DEFAULT };
    let spec = DestinationSpec::new(Arc::clone(&exporter)).with_config(config);
    let pipeline = builder().to_named("here", spec).build().unwrap();
    (0..50).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
    let terms = terms(&pipeline.flush(PATIENCE), "here");
    assert_eq!(terms.delivered + terms.dropped.get(dropped::OVERFLOW), 50, "{terms:?}");
    assert!(terms.delivered >= 27, "but for a part of an eighth: {terms:?}");
    assert!(exporter.batches().iter().all(|batch| batch.len() <= 15), "a batch takes half of the buffer");
}

#[test]
fn a_full_buffer_is_a_reason_to_send() {
    let (clock, _hand) = Clock::manual(Timestamp::from_nanos(1));
    let exporter = Scripted::new([]);
    let config = LaneConfig { buffer_size: Some(30), ..LaneConfig::DEFAULT };
    let spec = DestinationSpec::new(Arc::clone(&exporter)).with_config(config);
    let pipeline = builder().clock(clock).to_named("here", spec).build().unwrap();
    for round in 1..=4 {
        (0..15).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
        eventually("half a buffer leaves without any time passing", || {
            exporter.delivered(Signal::Logs) == round * 15
        });
    }
}

#[test]
fn what_is_lost_for_room_shows_in_health() {
    let exporter = Scripted::builder([]).and_then(Step::Hang).shared();
    let config = LaneConfig { buffer_size: Some(4), ..LaneConfig::DEFAULT };
    let spec = DestinationSpec::new(exporter).with_config(config);
    let pipeline = builder().to_named("narrow", spec).build().unwrap();
    (0..50).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
    eventually("health says so", || match &pipeline.health()[0].1 {
        Health::Degraded(why) => why.contains("lost (overflow)"),
        _ => false,
    });
}

#[test]
fn health_is_not_green_while_fallbacks_or_dead_letters_have_everything() {
    let spec = DestinationSpec::new(Scripted::builder([]).and_then(out()).shared())
        .with_fallback("second", Scripted::new([]));
    let pipeline = builder().to_named("first", spec).build().unwrap();
    record(&pipeline.intake(), Signal::Logs, 1);
    assert!(pipeline.flush(PATIENCE).complete);
    assert!(matches!(&pipeline.health()[0].1, Health::Degraded(why) if why.contains("second")));
    let Health::Degraded(why) = &pipeline.health()[0].1 else { unreachable!() };
    assert!(why.contains("unavailable") && why.contains("the script says so"), "the reason is told: {why}");
    let spec = DestinationSpec::new(Scripted::builder([]).and_then(Step::refused()).shared())
        .with_dead_letters(Letters::default());
    let pipeline = builder().to_named("picky", spec).build().unwrap();
    record(&pipeline.intake(), Signal::Logs, 1);
    assert!(pipeline.flush(PATIENCE).complete);
    assert!(matches!(&pipeline.health()[0].1, Health::Degraded(why) if why.contains("dead letters")));
    let Health::Degraded(why) = &pipeline.health()[0].1 else { unreachable!() };
    assert!(why.contains("rejected: the script says so"), "the reason is told: {why}");
}

#[test]
fn a_shutdown_tries_once_more_although_the_breaker_is_open() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let exporter = Scripted::builder([]).and_then(Step::unavailable()).shared();
    let config = LaneConfig {
        retry_config: RetryConfig { jitter: false, ..RetryConfig::DEFAULT },
        circuit_breaker: BreakerConfig { failure_threshold: 2, ..BreakerConfig::DEFAULT },
        ..LaneConfig::DEFAULT
    };
    let spec = DestinationSpec::new(Arc::clone(&exporter)).with_config(config);
    let pipeline = builder().clock(clock).to_named("here", spec).build().unwrap();
    record(&pipeline.intake(), Signal::Logs, 1);
    eventually("the breaker is open", || {
        hand.advance(Duration::from_millis(100));
        pipeline.flush(Duration::from_millis(1));
        matches!(pipeline.stats("here").unwrap().breaker, BreakerState::Open { .. })
    });
    exporter.set_then(Step::Deliver);
    let report = pipeline.shutdown(PATIENCE);
    assert_eq!(terms(&report, "here").delivered, 1, "{report}");
}

#[test]
fn what_a_shutdown_cannot_deliver_goes_to_the_dead_letters() {
    let letters = Letters::default();
    let spec = DestinationSpec::new(Scripted::builder([]).and_then(out()).shared())
        .with_dead_letters(letters.clone());
    let pipeline = builder().to_named("out", spec).build().unwrap();
    (0..300).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
    pipeline.flush(Duration::from_millis(50));
    let report = pipeline.shutdown(PATIENCE);
    let terms = terms(&report, "out");
    assert_eq!((terms.dead_lettered, terms.dropped.total(), terms.queued), (300, 0, 0), "{report}");
    assert!(letters.kept().iter().all(|(_, rejection)| rejection.kind == ErrorKind::Closed));
}

#[test]
fn series_that_a_shutdown_cannot_deliver_go_to_the_dead_letters() {
    for form in [MetricForm::Delta, MetricForm::Cumulative] {
        let letters = Letters::default();
        let held = Step::fail(ErrorKind::Auth, Retry::Hold(Duration::from_mins(1)));
        let exporter = Scripted::builder([])
            .and_then(held)
            .with_descriptor(Scripted::DESCRIPTOR.with_metric_form(form))
            .shared();
        let spec = DestinationSpec::new(exporter).with_dead_letters(letters.clone());
        let pipeline = builder().to_named("out", spec).build().unwrap();
        (0..300).for_each(|at| record(&pipeline.intake(), Signal::Metrics, at));
        pipeline.flush(Duration::from_millis(50));
        let report = pipeline.shutdown(PATIENCE);
        assert!(report.is_balanced(), "{report}");
        let terms = report.destination("out").unwrap().signals.get(Signal::Metrics);
        assert_eq!((terms.dead_lettered, terms.dropped.total(), terms.queued), (300, 0, 0), "{report}");
        let kept = letters.kept();
        let [(_, rejection)] = &kept[..] else { panic!("one point of one series: {kept:?}") };
        assert_eq!((rejection.kind, rejection.count), (ErrorKind::Closed, 1));
        let Some(Batch::Metrics(points)) = &rejection.records else { panic!("{rejection:?}") };
        assert!(matches!(points.iter().next().unwrap().value, MetricValue::Sum { value: 300.0, .. }));
    }
}
