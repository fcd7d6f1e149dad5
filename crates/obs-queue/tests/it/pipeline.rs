//! The queue below a whole pipeline: what survives, what comes back, and what an outage costs.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use obs_core::units::Bytes;
use obs_core::{ErrorKind, Level, Log, Record, Retry, Signal, Signals, Str, Timestamp};
use obs_pipeline::{
    Clock, DestinationSpec, LaneConfig, Pipeline, PipelineBuilder, Report, Route, Terms, dropped,
};
use obs_queue::{DeadLetterConfig, DeadLetterFilter, DeadLetterStore, DiskQueue};
use obs_testkit::{Scripted, Step};

use crate::support::{PATIENCE, config, open};

fn builder(folder: &Path) -> PipelineBuilder {
    Pipeline::builder().drop_deadline(Duration::from_millis(200)).without_redaction().queue(open(folder))
}

/// Records logs that say their numbers.
fn record(pipeline: &Pipeline, numbers: std::ops::Range<u64>) {
    let intake = pipeline.intake();
    for number in numbers {
        intake.log(Log::new(Timestamp::from_nanos(number), Level::Info, Str::from(format!("log {number}"))));
    }
}

fn numbers(exporter: &Scripted) -> Vec<u64> {
    let logs = exporter.records().into_iter().filter_map(|record| match record {
        Record::Log(log) => Some(log.time.as_nanos()),
        _ => None,
    });
    logs.collect()
}

fn logs(report: &Report, name: &str) -> Terms {
    assert!(report.is_balanced(), "{report}");
    report.destination(name).unwrap().signals.get(Signal::Logs).clone()
}

fn out() -> Step {
    Step::fail(ErrorKind::Unavailable, Retry::Hold(Duration::from_mins(1)))
}

fn hanging() -> Arc<Scripted> {
    Scripted::builder([]).and_then(Step::Hang).shared()
}

#[test]
fn law_2_host_is_safe_what_was_acknowledged_comes_back_in_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = builder(folder.path()).to_named("here", hanging()).build().unwrap();
    record(&pipeline, 0..1_000);
    let synced = pipeline.sync(PATIENCE);
    assert!(synced.durable, "{synced:?}");
    let report = pipeline.shutdown(Duration::from_millis(500));
    let terms = logs(&report, "here");
    assert_eq!((terms.queued, terms.dropped.total()), (1_000, 0), "{report}");
    drop(pipeline);

    let exporter = Scripted::new([]);
    let pipeline = builder(folder.path()).to_named("here", Arc::clone(&exporter)).build().unwrap();
    record(&pipeline, 1_000..1_010);
    let report = pipeline.flush(PATIENCE);
    let terms = logs(&report, "here");
    assert!(report.complete, "{report}");
    assert_eq!((terms.recovered, terms.offered, terms.delivered), (1_000, 10, 1_010));
    assert_eq!(numbers(&exporter), (0..1_010).collect::<Vec<_>>(), "in order, each once");
}

#[test]
fn what_was_delivered_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = builder(folder.path()).to_named("here", Scripted::new([])).build().unwrap();
    record(&pipeline, 0..1_000);
    assert!(pipeline.sync(PATIENCE).durable);
    assert!(pipeline.flush(PATIENCE).complete);
    assert!(pipeline.shutdown(PATIENCE).complete);
    drop(pipeline);
    let exporter = Scripted::new([]);
    let pipeline = builder(folder.path()).to_named("here", Arc::clone(&exporter)).build().unwrap();
    assert!(pipeline.flush(PATIENCE).complete);
    assert_eq!((logs(&pipeline.report(), "here").recovered, numbers(&exporter).len()), (0, 0));
}

#[test]
fn every_destination_has_a_cursor_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let up = Scripted::new([]);
    let pipeline = builder(folder.path())
        .to_named("up", Arc::clone(&up))
        .to_named("down", Scripted::builder([]).and_then(out()).shared())
        .build()
        .unwrap();
    record(&pipeline, 0..500);
    assert!(pipeline.sync(PATIENCE).durable);
    pipeline.flush(Duration::from_millis(300));
    let report = pipeline.shutdown(Duration::from_secs(2));
    assert_eq!((logs(&report, "up").delivered, logs(&report, "down").queued), (500, 500), "{report}");
    drop(pipeline);
    let (up, down) = (Scripted::new([]), Scripted::new([]));
    let pipeline = builder(folder.path())
        .to_named("up", Arc::clone(&up))
        .to_named("down", Arc::clone(&down))
        .build()
        .unwrap();
    assert!(pipeline.flush(PATIENCE).complete);
    assert_eq!((numbers(&up).len(), numbers(&down).len()), (0, 500));
}

#[test]
fn what_memory_cannot_hold_stays_on_disk_and_is_read_when_it_is_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = Scripted::new([Step::Hang]);
    let config = LaneConfig { max_memory_usage: Bytes::new(64 << 10), ..LaneConfig::DEFAULT };
    let spec = DestinationSpec::new(Arc::clone(&exporter)).with_config(config);
    let pipeline = builder(folder.path()).to_named("narrow", spec).build().unwrap();
    for round in 0..50u64 {
        record(&pipeline, round * 100..(round + 1) * 100);
        assert!(pipeline.sync(PATIENCE).durable);
    }
    let stats = pipeline.stats("narrow").unwrap();
    let report = pipeline.report();
    assert_eq!(logs(&report, "narrow").queued, 5_000, "nothing is dropped while disk has room: {report}");
    assert!(stats.queue_bytes <= 64 << 10, "{stats:?}");
    exporter.release();
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete, "{report}");
    assert_eq!(numbers(&exporter), (0..5_000).collect::<Vec<_>>());
}

#[test]
fn a_route_is_applied_to_what_comes_back_too_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let even = |record: obs_pipeline::RecordRef<'_>| match record {
        obs_pipeline::RecordRef::Log(log) => log.time.as_nanos() % 2 == 0,
        _ => true,
    };
    let spec = |exporter: &Arc<Scripted>| {
        DestinationSpec::new(Arc::clone(exporter))
            .with_route(Route::new().with_description("even").when(even))
    };
    let first = hanging();
    let pipeline = builder(folder.path()).to_named("here", spec(&first)).build().unwrap();
    record(&pipeline, 0..100);
    assert!(pipeline.sync(PATIENCE).durable);
    let terms = logs(&pipeline.shutdown(Duration::from_millis(300)), "here");
    assert_eq!((terms.filtered.get("route:even"), terms.queued), (50, 50));
    drop(pipeline);
    let second = Scripted::new([]);
    let pipeline = builder(folder.path()).to_named("here", spec(&second)).build().unwrap();
    let report = pipeline.flush(PATIENCE);
    let terms = logs(&report, "here");
    assert!(report.complete, "{report}");
    assert_eq!((terms.recovered, terms.filtered.get("route:even"), terms.delivered), (100, 50, 50));
    assert!(numbers(&second).iter().all(|number| number % 2 == 0));
}

#[test]
fn segments_that_a_route_keeps_out_do_not_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = Route::new().signals([Signal::Traces].into_iter().collect::<Signals>());
    let build = |exporter: &Arc<Scripted>| {
        let spec = DestinationSpec::new(Arc::clone(exporter)).with_route(nothing.clone());
        builder(folder.path()).to_named("spans only", spec).to_named("held", hanging()).build().unwrap()
    };
    let pipeline = build(&Scripted::new([]));
    record(&pipeline, 0..100);
    assert!(pipeline.sync(PATIENCE).durable);
    pipeline.shutdown(Duration::from_millis(300));
    drop(pipeline);
    let pipeline = build(&Scripted::new([]));
    let report = pipeline.report();
    assert_eq!(
        (logs(&report, "spans only").recovered, logs(&report, "held").recovered),
        (0, 100),
        "{report}"
    );
}

#[test]
fn metrics_that_are_folded_are_named_as_not_durable() {
    let folder = tempfile::tempdir().unwrap();
    let descriptor = Scripted::DESCRIPTOR.with_metric_form(obs_core::MetricForm::Delta);
    let series = Scripted::builder([]).with_descriptor(descriptor).shared();
    let memory = LaneConfig { durable: false, ..LaneConfig::DEFAULT };
    let pipeline = builder(folder.path())
        .to_named("series", series)
        .to_named("memory", DestinationSpec::new(Scripted::new([])).with_config(memory))
        .build()
        .unwrap();
    let value = obs_core::MetricValue::Add(1.0);
    pipeline.intake().metric(obs_core::Metric::new(Timestamp::from_nanos(1), "work.done", value));
    let report = pipeline.sync(PATIENCE);
    assert!(!report.durable && report.reason.is_some(), "{report:?}");
    let not_durable: HashSet<&str> = report.not_durable.iter().map(|lane| &**lane).collect();
    assert!(not_durable.contains("series/metrics") && not_durable.contains("memory/logs"), "{not_durable:?}");
    assert!(!not_durable.contains("series/logs"), "{not_durable:?}");
}

/// Ten minutes at a thousand events a second against a backend that is out, then what came later.
///
/// Virtual time runs faster than any disk, so `keep_up` waits for that.
fn outage(builder: PipelineBuilder, config: LaneConfig, keep_up: impl Fn(&Pipeline)) {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let exporter = Scripted::builder([]).and_then(Step::unavailable()).shared();
    let spec = DestinationSpec::new(Arc::clone(&exporter)).with_config(config);
    let pipeline = builder.clock(clock).to_named("out", spec).build().unwrap();
    let offered = |count: u64| {
        let clock = Clock::system();
        while logs(&pipeline.report(), "out").offered < count {
            assert!(clock.monotonic() < PATIENCE, "the collector fell behind");
            std::thread::yield_now();
        }
    };
    for second in 0..600u64 {
        record(&pipeline, second * 1_000..(second + 1) * 1_000);
        offered((second + 1) * 1_000);
        if second % 10 == 9 {
            keep_up(&pipeline);
        }
        hand.advance(Duration::from_secs(1));
    }
    let terms = logs(&pipeline.report(), "out");
    assert_eq!((terms.queued, terms.dropped.total(), terms.dead_lettered), (600_000, 0, 0), "{terms:?}");
    exporter.set_then(Step::Deliver);
    let mut drained = 0;
    while logs(&pipeline.report(), "out").queued > 0 {
        hand.advance(Duration::from_secs(1));
        pipeline.flush(Duration::from_millis(50));
        drained += 1;
        assert!(drained < 1_000, "it drains");
    }
    // Once drained, what is recorded now is there within two seconds.
    record(&pipeline, 600_000..600_100);
    offered(600_100);
    hand.advance(Duration::from_secs(2));
    let clock = Clock::system();
    while logs(&pipeline.report(), "out").queued > 0 {
        assert!(clock.monotonic() < PATIENCE, "live events leave within two seconds of virtual time");
        std::thread::yield_now();
    }
    let terms = logs(&pipeline.report(), "out");
    assert_eq!((terms.delivered, terms.dropped.total(), terms.dead_lettered), (600_100, 0, 0), "{terms:?}");
    assert_eq!(exporter.delivered(Signal::Logs), 600_100);
    assert_eq!(terms.dropped.get(dropped::EXPIRED), 0);
}

#[test]
fn an_outage_of_ten_minutes_loses_nothing_with_enough_memory() {
    let roomy = LaneConfig { max_memory_usage: Bytes::new(1 << 30), ..LaneConfig::DEFAULT };
    outage(Pipeline::builder().drop_deadline(Duration::from_millis(200)).without_redaction(), roomy, |_| {});
}

#[test]
fn an_outage_of_ten_minutes_loses_nothing_with_enough_disk() {
    let folder = tempfile::tempdir().unwrap();
    let narrow = LaneConfig { max_memory_usage: Bytes::new(32 << 20), ..LaneConfig::DEFAULT };
    outage(builder(folder.path()), narrow, |pipeline| assert!(pipeline.sync(PATIENCE).durable));
}

#[test]
fn law_1_accounting_a_held_destination_that_is_shut_down_keeps_on_disk_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let held = Scripted::builder([]).and_then(out()).shared();
    let pipeline = builder(folder.path()).to_named("held", held).build().unwrap();
    record(&pipeline, 0..100);
    pipeline.flush(Duration::from_millis(100));
    record(&pipeline, 100..200);
    let terms = logs(&pipeline.shutdown(Duration::from_secs(2)), "held");
    assert_eq!((terms.queued, terms.dropped.total()), (200, 0), "{terms:?}");
    drop(pipeline);
    let exporter = Scripted::new([]);
    let pipeline = builder(folder.path()).to_named("held", Arc::clone(&exporter)).build().unwrap();
    assert!(pipeline.flush(PATIENCE).complete);
    assert_eq!(numbers(&exporter), (0..200).collect::<Vec<_>>());
}

#[test]
fn law_1_accounting_of_a_row_that_was_delivered_in_part_under_another_route() {
    let folder = tempfile::tempdir().unwrap();
    let log_number = |record: obs_pipeline::RecordRef<'_>| match record {
        obs_pipeline::RecordRef::Log(log) => log.time.as_nanos(),
        _ => 0,
    };
    let build = |exporter: &Arc<Scripted>, step: u64| {
        let config = LaneConfig { batch_size: Some(30), ..LaneConfig::DEFAULT };
        let route = Route::new().when(move |record| log_number(record) % step == 0);
        let spec = DestinationSpec::new(Arc::clone(exporter)).with_config(config).with_route(route);
        builder(folder.path()).to_named("here", spec).build().unwrap()
    };
    let first = Scripted::builder([Step::Deliver]).and_then(Step::Hang).shared();
    let pipeline = build(&first, 2);
    record(&pipeline, 0..100);
    assert!(pipeline.sync(PATIENCE).durable);
    pipeline.flush(Duration::from_millis(300));
    pipeline.shutdown(Duration::from_millis(300));
    drop(pipeline);
    let second = Scripted::new([]);
    let pipeline = build(&second, 10);
    let report = pipeline.flush(PATIENCE);
    let terms = logs(&report, "here");
    assert!(report.complete, "{report}");
    assert_eq!(terms.recovered, terms.delivered + terms.filtered.total(), "{terms:?}");
    assert_eq!((terms.queued, terms.dropped.total()), (0, 0), "{terms:?}");
}

#[test]
fn what_grew_too_old_on_disk_is_read_for_the_dead_letters() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, hand) = crate::support::clock();
    let build = |exporter: &Arc<Scripted>| {
        let log = DiskQueue::open_at(config(folder.path()), clock.clone()).unwrap();
        let letters = DeadLetterStore::open(DeadLetterConfig::new(folder.path())).unwrap();
        let spec = DestinationSpec::new(Arc::clone(exporter)).with_dead_letters(letters);
        let builder = Pipeline::builder().drop_deadline(Duration::from_millis(200)).without_redaction();
        builder.clock(clock.clone()).queue(log).to_named("here", spec).build().unwrap()
    };
    let pipeline = build(&hanging());
    record(&pipeline, 0..2_000);
    assert!(pipeline.sync(PATIENCE).durable);
    pipeline.shutdown(Duration::from_millis(300));
    drop(pipeline);
    hand.advance(Duration::from_hours(25));
    let exporter = Scripted::new([]);
    let pipeline = build(&exporter);
    let report = pipeline.flush(PATIENCE);
    let terms = logs(&report, "here");
    assert!(report.complete, "{report}");
    assert_eq!((terms.recovered, terms.dead_lettered, terms.delivered), (2_000, 2_000, 0), "{terms:?}");
    let letters = DeadLetterStore::open(DeadLetterConfig::new(folder.path())).unwrap();
    let expired = DeadLetterFilter { reason: Some("expired".into()), ..DeadLetterFilter::default() };
    assert_eq!(letters.count(&expired).unwrap(), 2_000);
}
