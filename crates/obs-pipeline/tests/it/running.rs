//! What may be asked of a destination and changed while it runs, and what it tells of itself.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use obs_core::{ErrorKind, Health, Metric, MetricValue, Record, Retry, Signal, Timestamp};
use obs_pipeline::{
    AlertKind, AlertThresholds, BreakerConfig, Clock, DestinationSpec, LaneConfig, Pipeline, RetryConfig,
};
use obs_testkit::{Scripted, Step};

use crate::make::{PATIENCE, builder, eventually, flushed_until, record};

#[test]
fn options_change_while_it_runs_but_for_those_of_the_layers() {
    let exporter = Scripted::new([]);
    let pipeline = builder().to_named("here", Arc::clone(&exporter)).build().unwrap();
    pipeline.update_config("here", |config| config.batch_size = Some(2)).unwrap();
    (0..5).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
    assert!(pipeline.flush(PATIENCE).complete);
    assert!(exporter.batches().iter().all(|batch| batch.len() <= 2), "{:?}", exporter.batches().len());
    let error = pipeline.update_config("here", |config| config.split_budget = 1).unwrap_err();
    assert!(error.message().contains("here.split_budget"), "{error}");
    let error = pipeline.update_config("there", |_| {}).unwrap_err();
    assert!(error.message().contains("`there`"), "{error}");
}

#[test]
fn stats_and_the_last_result_tell_what_happened() {
    let exporter = Scripted::new([Step::Reject(vec![0])]);
    let pipeline = builder().to_named("here", exporter).build().unwrap();
    assert!(pipeline.last_result("here").is_none() && pipeline.stats("there").is_none());
    (0..4).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
    assert!(pipeline.flush(PATIENCE).complete);
    let last = pipeline.last_result("here").unwrap();
    assert_eq!((last.signal, last.delivered, last.rejected), (Signal::Logs, 3, 1));
    let stats = pipeline.stats("here").unwrap();
    assert_eq!((stats.export.exports, stats.queue_records), (1, 0));
    let json = serde_json::to_value(&stats).unwrap();
    assert_eq!(json["name"], "here");
}

fn paused(exporter: &Arc<Scripted>, config: LaneConfig) -> (Pipeline, obs_pipeline::ManualClock) {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let spec = DestinationSpec::new(Arc::clone(exporter)).with_config(config).with_name("here");
    (builder().clock(clock).to(spec).build().unwrap(), hand)
}

#[test]
fn an_exporter_is_asked_for_its_health_as_often_as_it_is_wanted() {
    let exporter = Scripted::new([]);
    let every = Some(Duration::from_secs(30));
    let (pipeline, hand) =
        paused(&exporter, LaneConfig { health_check_interval: every, ..LaneConfig::DEFAULT });
    exporter.set_health(Health::Unhealthy("no route".into()));
    for (checks, health) in [
        (1, Health::Degraded("no route".into())),
        (2, Health::Degraded("no route".into())),
        (3, Health::Unhealthy("no route".into())),
    ] {
        hand.advance(Duration::from_secs(30));
        eventually("it was asked", || exporter.calls().checks == checks);
        eventually("the answer counts", || pipeline.health()[0].1 == health);
    }
    exporter.set_health(Health::Healthy);
    hand.advance(Duration::from_secs(30));
    eventually("it is well", || pipeline.health()[0].1 == Health::Healthy);
    assert_eq!(exporter.calls().exports, 0, "health is passive but for the checks");
}

#[test]
fn without_an_interval_health_is_passive() {
    let exporter = Scripted::new([]);
    let (pipeline, hand) = paused(&exporter, LaneConfig::DEFAULT);
    hand.advance(Duration::from_hours(1));
    assert_eq!(pipeline.health()[0].1, Health::Healthy);
    assert_eq!((exporter.calls().checks, exporter.calls().exports), (0, 0));
}

#[test]
fn an_alert_is_raised_once_when_too_much_waits() {
    let alerts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&alerts);
    let exporter = Scripted::builder([]).and_then(Step::Hang).shared();
    let config = LaneConfig {
        alert_thresholds: AlertThresholds { queue_depth: 5, ..AlertThresholds::DEFAULT },
        ..LaneConfig::DEFAULT
    };
    let spec = DestinationSpec::new(exporter)
        .with_config(config)
        .with_name("slow")
        .on_alert(move |alert| seen.lock().unwrap().push(alert.clone()));
    let pipeline = builder().to(spec).build().unwrap();
    (0..20).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
    eventually("the alert was raised", || !alerts.lock().unwrap().is_empty());
    pipeline.flush(Duration::from_millis(20));
    let alerts = alerts.lock().unwrap();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!((alerts[0].kind, &*alerts[0].destination), (AlertKind::QueueDepth, "slow"));
}

/// The sum of a counter over what an exporter was given, for these labels.
fn told(exporter: &Scripted, name: &str, labels: &[(&str, &str)]) -> f64 {
    let metrics = exporter.records().into_iter().filter_map(|record| match record {
        Record::Metric(metric) if metric.name == name => Some(metric),
        _ => None,
    });
    let matching = metrics.filter(|metric: &Metric| {
        labels.iter().all(|(key, value)| metric.labels.get(key).is_some_and(|found| found == *value))
    });
    matching
        .map(|metric| match metric.value {
            MetricValue::Add(value) => value,
            MetricValue::Histogram(histogram) => histogram.count as f64,
            other => panic!("{other:?}"),
        })
        .sum()
}

#[test]
fn law_9_self_metrics_go_where_they_are_asked_for_and_nowhere_else() {
    let (here, there) = (Scripted::new([Step::Reject(vec![1])]), Scripted::new([]));
    let pipeline = builder()
        .to_named("here", Arc::clone(&here))
        .to_named("there", Arc::clone(&there))
        .self_metrics("there", Duration::from_secs(1))
        .build()
        .unwrap();
    (0..10).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
    assert!(pipeline.flush(PATIENCE).complete);
    let report = pipeline.shutdown(PATIENCE);
    assert!(report.is_balanced(), "{report}");
    assert_eq!(here.delivered(Signal::Metrics), 0);
    let records = "obs.destination.records";
    let of = |outcome| [("destination", "here"), ("signal", "logs"), ("outcome", outcome)];
    assert_eq!(told(&there, records, &of("offered")), 10.0);
    assert_eq!(told(&there, records, &of("delivered")), 9.0);
    assert_eq!(told(&there, records, &of("rejected")), 1.0);
    assert_eq!(told(&there, "obs.destination.export.duration", &[("destination", "here")]), 1.0);
    let metrics = report.destination("there").unwrap().signals.get(Signal::Metrics);
    assert_eq!(metrics.offered, metrics.own, "they are the destination's own");
}

#[test]
fn self_metrics_for_nobody_are_refused() {
    let error =
        builder().to(Scripted::new([])).self_metrics("ther", Duration::from_secs(1)).build().unwrap_err();
    assert!(error.message().contains("`ther`"), "{error}");
}

#[test]
fn a_replay_is_offered_to_one_destination_alone() {
    let (here, there) = (Scripted::new([]), Scripted::new([]));
    let pipeline =
        builder().to_named("here", Arc::clone(&here)).to_named("there", Arc::clone(&there)).build().unwrap();
    let batch = obs_testkit::fixtures::batch(Signal::Scores);
    let count = batch.len();
    pipeline.replay("there", batch).unwrap();
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    assert_eq!((here.delivered(Signal::Scores), there.delivered(Signal::Scores)), (0, count));
    assert_eq!(report.destination("there").unwrap().signals.get(Signal::Scores).own, count as u64);
}

#[test]
fn a_backend_that_is_out_is_left_alone_until_the_breaker_lets_one_call_through() {
    let exporter =
        Scripted::builder([]).and_then(Step::fail(ErrorKind::Unavailable, Retry::Backoff)).shared();
    let config = LaneConfig {
        retry_config: RetryConfig { jitter: false, ..RetryConfig::DEFAULT },
        circuit_breaker: BreakerConfig { failure_threshold: 3, ..BreakerConfig::DEFAULT },
        ..LaneConfig::DEFAULT
    };
    let (pipeline, hand) = paused(&exporter, config);
    record(&pipeline.intake(), Signal::Logs, 1);
    flushed_until(&pipeline, "it was tried", || exporter.calls().exports == 1);
    for tries in 2..=3 {
        eventually("it is tried again", || {
            hand.advance(Duration::from_millis(100));
            exporter.calls().exports == tries
        });
    }
    eventually("the open breaker holds it", || {
        hand.advance(Duration::from_millis(100));
        matches!(pipeline.health()[0].1, Health::Unhealthy(_))
    });
    hand.advance(Duration::from_secs(50));
    pipeline.flush(Duration::from_millis(10));
    assert_eq!(exporter.calls().exports, 3, "an open breaker asks nobody");
    hand.advance(Duration::from_secs(11));
    eventually("one call finds out", || exporter.calls().exports == 4);
}

#[test]
fn a_shutdown_need_not_deliver() {
    let exporter = Scripted::new([]);
    let config = LaneConfig {
        flush_on_shutdown: false,
        flush_interval: Some(Duration::from_hours(1)),
        ..LaneConfig::DEFAULT
    };
    let spec = DestinationSpec::new(Arc::clone(&exporter)).with_config(config);
    let pipeline = builder().to(spec).build().unwrap();
    (0..5).for_each(|at| record(&pipeline.intake(), Signal::Logs, at));
    let report = pipeline.shutdown(PATIENCE);
    assert!(report.is_balanced(), "{report}");
    let terms = report.destinations[0].signals.get(Signal::Logs);
    assert_eq!((terms.delivered, terms.dropped.get(obs_pipeline::dropped::SHUTDOWN)), (0, 5));
}

#[test]
fn who_changes_options_may_ask_the_pipeline() {
    let pipeline = builder().to_named("here", Scripted::new([])).build().unwrap();
    pipeline.update_config("here", |config| config.batch_size = pipeline.stats("here").map(|_| 3)).unwrap();
}

#[test]
fn a_replay_into_a_pipeline_that_ended_is_refused_and_keeps_its_records() {
    let pipeline = builder().to_named("here", Scripted::new([])).build().unwrap();
    pipeline.shutdown(PATIENCE);
    let batch = obs_testkit::fixtures::batch(Signal::Logs);
    let error = pipeline.replay("here", batch.clone()).unwrap_err();
    assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Closed, &batch));
    assert!(pipeline.report().is_balanced());
}

#[test]
fn an_answer_to_a_check_does_not_heal_what_is_held() {
    let exporter = Scripted::builder([])
        .and_then(Step::fail(ErrorKind::Auth, Retry::Hold(Duration::from_mins(1))))
        .shared();
    let every = Some(Duration::from_secs(30));
    let (pipeline, hand) =
        paused(&exporter, LaneConfig { health_check_interval: every, ..LaneConfig::DEFAULT });
    record(&pipeline.intake(), Signal::Logs, 1);
    flushed_until(&pipeline, "it is held", || matches!(pipeline.health()[0].1, Health::Unhealthy(_)));
    hand.advance(Duration::from_secs(31));
    eventually("it was asked", || exporter.calls().checks == 1);
    pipeline.flush(Duration::from_millis(20));
    assert!(matches!(pipeline.health()[0].1, Health::Unhealthy(_)), "{:?}", pipeline.health());
}

#[test]
fn failures_that_are_still_being_retried_show_in_health() {
    let exporter = Scripted::builder([]).and_then(Step::unavailable()).shared();
    let retry_config = RetryConfig { jitter: false, ..RetryConfig::DEFAULT };
    let (pipeline, hand) = paused(&exporter, LaneConfig { retry_config, ..LaneConfig::DEFAULT });
    record(&pipeline.intake(), Signal::Logs, 1);
    flushed_until(&pipeline, "it was tried", || exporter.calls().exports == 1);
    eventually("one failure is a weakness", || matches!(pipeline.health()[0].1, Health::Degraded(_)));
    eventually("it was tried twice more", || {
        hand.advance(Duration::from_millis(100));
        exporter.calls().exports >= 3
    });
    eventually("three are an illness", || matches!(pipeline.health()[0].1, Health::Unhealthy(_)));
}

#[test]
fn a_sync_is_durable_where_nothing_waits() {
    let exporter = Scripted::new([]);
    let pipeline = builder().to_named("here", exporter).build().unwrap();
    record(&pipeline.intake(), Signal::Logs, 1);
    assert!(pipeline.flush(PATIENCE).complete);
    let report = pipeline.sync(PATIENCE);
    assert!(report.durable && report.reason.is_none(), "{report:?}");
    let (held, _) = crate::make::pipeline([Step::Hang]);
    record(&held.intake(), Signal::Logs, 1);
    let report = held.sync(PATIENCE);
    assert!(!report.durable && report.reason.as_ref().unwrap().contains("scripted"), "{report:?}");
}
