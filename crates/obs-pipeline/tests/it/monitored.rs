//! What is measured of a destination.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{ErrorKind, Exporter, Retry, Signal, Timestamp};
use obs_pipeline::{Clock, Monitor, MonitorConfig, Monitored, SignalStats, Unwind};
use obs_testkit::{Scripted, Step, conformance, fixtures};

const CONFIG: MonitorConfig = MonitorConfig::DEFAULT;

/// On one thread, in paused time.
pub(crate) fn run<F: Future>(work: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(work)
}

/// Exports a log batch for each step.
fn play(config: MonitorConfig, steps: impl IntoIterator<Item = Step>) -> Monitor {
    run(async {
        let steps: Vec<Step> = steps.into_iter().collect();
        let count = steps.len();
        let monitored = Monitored::new(Scripted::new(steps), config, Clock::system());
        let handle = monitored.handle();
        let exporter = Unwind::new(monitored);
        for _ in 0..count {
            let _ = exporter.export(&fixtures::batch(Signal::Logs)).await;
        }
        handle
    })
}

#[test]
fn every_export_is_counted_by_what_it_came_to() {
    let batch = fixtures::batch(Signal::Logs);
    let steps = [
        Step::Deliver,
        Step::Reject(vec![0]),
        Step::unavailable(),
        Step::Panic,
        Step::fail_after(1, ErrorKind::RateLimited, Retry::Backoff),
    ];
    let monitor = play(CONFIG, steps);
    let stats = monitor.stats();
    assert_eq!((stats.exports, stats.successes, stats.cancelled), (5, 1, 0));
    assert_eq!(stats.records, 5 * batch.len() as u64);
    assert_eq!(stats.bytes, 5 * batch.byte_size() as u64);
    assert_eq!(stats.success_rate_percent, Some(20.0));
    let errors: Vec<_> = stats.errors.iter().collect();
    assert_eq!(errors, [("panic", 1), ("rate_limited", 1), ("rejected", 1), ("unavailable", 1)]);
    assert_eq!(stats.signals.get(Signal::Logs).exports, 5);
    assert_eq!(*stats.signals.get(Signal::Scores), SignalStats::default());
    let last = monitor.last_result().unwrap();
    assert_eq!((last.signal, last.delivered, last.rejected), (Signal::Logs, 1, 0));
    assert_eq!(last.error.unwrap().kind, Some(ErrorKind::RateLimited));
}

#[test]
fn the_success_rate_is_of_the_last_hundred() {
    let steps = (0..250).map(|at| if at < 200 { Step::unavailable() } else { Step::Deliver });
    let stats = play(CONFIG, steps).stats();
    assert_eq!((stats.rated, stats.success_rate_percent), (100, Some(50.0)));
    assert_eq!((stats.exports, stats.successes), (250, 50));
}

#[test]
fn law_8_latency_is_of_the_injected_clock_and_a_dropped_export_counts_as_cancelled() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(7));
    let inner = Scripted::builder([]).and_then(Step::Hang).shared();
    let monitored = Arc::new(Monitored::new(Arc::clone(&inner), CONFIG, clock));
    let handle = monitored.handle();
    run(async {
        for (seconds, dropped) in [(1, false), (2, false), (40, true)] {
            let exporter = Arc::clone(&monitored);
            let task = tokio::spawn(async move { exporter.export(&fixtures::batch(Signal::Scores)).await });
            tokio::task::yield_now().await;
            assert_eq!(inner.under_way(), 1);
            hand.advance(Duration::from_secs(seconds));
            if dropped {
                task.abort();
                assert!(task.await.is_err());
            } else {
                inner.release();
                assert!(task.await.unwrap().is_ok());
            }
        }
    });
    let stats = handle.stats();
    assert_eq!((stats.exports, stats.successes, stats.cancelled), (3, 2, 1));
    assert_eq!(stats.latency.count, 3);
    for (told, seconds) in [(stats.latency.p50, 2), (stats.latency.p95, 40), (stats.latency.p99, 40)] {
        let exact = Duration::from_secs(seconds);
        assert!(told.abs_diff(exact) <= exact / 32, "{told:?} for {exact:?}");
    }
    let signal = stats.signals.get(Signal::Scores);
    let counted: Vec<_> = signal.buckets.iter().enumerate().filter(|(_, count)| **count > 0).collect();
    assert_eq!(counted, [(7, &1), (8, &1), (12, &1)], "at most 1 s, 2.5 s and 60 s");
    assert_eq!(signal.time, Duration::from_secs(43));
    let last = handle.last_result().unwrap();
    assert_eq!((last.took, last.at.as_nanos()), (Duration::from_secs(40), 43_000_000_007));
    assert!(!last.is_success() && last.error.unwrap().kind.is_none());
    hand.advance(Duration::from_mins(6));
    assert_eq!(handle.stats().latency.count, 0, "forgotten");
}

#[test]
fn what_is_not_tracked_is_not_measured() {
    let off = MonitorConfig {
        track_export_latency: false,
        track_export_size: false,
        track_success_rate: false,
        track_error_types: false,
    };
    let stats = play(off, [Step::Deliver, Step::unavailable()]).stats();
    assert_eq!((stats.exports, stats.successes), (2, 1));
    assert_eq!((stats.records, stats.bytes, stats.latency.count), (0, 0, 0));
    assert!(stats.errors.is_empty() && stats.success_rate_percent.is_none());
    assert_eq!(stats.signals.get(Signal::Logs).time, Duration::ZERO);
}

#[test]
fn lanes_of_one_destination_share_a_monitor_and_its_numbers_are_json() {
    let monitor = Monitor::new(CONFIG, Clock::system());
    run(async {
        for signal in Signal::ALL {
            let lane = Monitored::sharing(Scripted::new([]), monitor.clone());
            assert!(lane.export(&fixtures::batch(signal)).await.is_ok());
        }
    });
    let json = serde_json::to_value(monitor.stats()).unwrap();
    assert_eq!(json["exports"], 5);
    assert_eq!(json["signals"]["scores"]["exports"], 1);
    assert!(json["latency"]["p95_seconds"].is_f64());
    let last = serde_json::to_value(monitor.last_result()).unwrap();
    assert_eq!((last["signal"].as_str(), last["error"].is_null()), (Some("feedback"), true));
}

#[test]
fn it_keeps_the_contract_of_a_decorator() {
    conformance::decorator(|inner| Arc::new(Monitored::new(inner, CONFIG, Clock::system())));
}
