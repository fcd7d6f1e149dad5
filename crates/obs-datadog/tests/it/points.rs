//! No point of a series overwrites another.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use obs_core::{Exporter, Labels, Metric, MetricValue, Timestamp};
use obs_testkit::{Answer, CaptureServer, Captured};
use proptest::prelude::*;

use crate::metrics::{NOW, batch, counted, plain, point, second};
use crate::server;

#[tokio::test]
async fn what_is_flushed_between_ticks_does_not_overwrite_and_a_batch_that_is_tried_again_overwrites_itself()
{
    let server = CaptureServer::start().await;
    // The answer to the third is lost, and it is tried again.
    let answers = [202, 202, 503, 202, 202, 202, 202];
    server.answer(answers.map(Answer::status));
    let exporter = server::exporter_of(plain(server::config(&server)));
    let at = |millis: u64, value| {
        let mut metric = counted("hits", 0, value);
        metric.time = Timestamp::from_nanos((NOW * 1_000 - 5_000 + millis) * 1_000_000);
        batch([metric])
    };
    let points = [(200, 1.0), (800, 2.0), (800, 2.0), (800, 2.0), (900, 3.0), (2_000, 4.0), (9_000, 5.0)];
    for (nth, (millis, value)) in points.into_iter().enumerate() {
        assert_eq!(exporter.export(&at(millis, value)).await.is_ok(), nth != 2);
    }
    let points: Vec<_> = server
        .requests()
        .iter()
        .map(|request| {
            let point = &server::body(request)["series"][0]["points"][0];
            (point["timestamp"].as_u64().unwrap() + 5 - NOW, point["value"].as_f64().unwrap())
        })
        .collect();
    assert_eq!(points, [(0, 1.0), (1, 2.0), (2, 2.0), (2, 2.0), (3, 3.0), (4, 4.0), (9, 5.0)]);
}

#[tokio::test]
async fn more_points_than_seconds_are_refused_before_one_overwrites_another() {
    let server = server::start().await;
    let exporter = server::exporter_of(plain(server::config(&server)));
    let many = (0..700).map(|nth| {
        let mut metric = counted("hits", 0, 1.0);
        metric.time = Timestamp::from_nanos(second(NOW).as_nanos() + nth);
        metric
    });
    let (mut delivered, mut refused) = (0, 0);
    for metric in many {
        let receipt = exporter.export(&batch([metric])).await.unwrap();
        delivered += receipt.delivered;
        refused += receipt.rejected_count();
    }
    assert_eq!((delivered, refused), (601, 99), "one for each second until ten minutes ahead");
}

#[tokio::test]
async fn a_clock_that_is_set_back_stops_no_metrics() {
    for minutes in [5, 30] {
        let server = server::start().await;
        let now = Arc::new(AtomicU64::new(NOW));
        let clock = Arc::clone(&now);
        let exporter = server::exporter_of(plain(server::config(&server)));
        let exporter = exporter.with_clock(move || second(clock.load(Ordering::Relaxed)));
        let send = async |ago: u64| {
            let metric = counted("hits", ago, 1.0);
            exporter.export(&batch([metric])).await.unwrap().delivered
        };
        assert_eq!(send(0).await, 1);
        now.store(NOW - minutes * 60, Ordering::Relaxed);
        assert_eq!((send(minutes * 60).await, send(minutes * 60 - 10).await), (1, 1), "{minutes} min");
        let seconds: Vec<_> = server
            .requests()
            .iter()
            .map(|request| server::body(request)["series"][0]["points"][0]["timestamp"].as_u64().unwrap())
            .collect();
        assert!(seconds[1..].iter().all(|second| *second <= NOW - minutes * 60 + 600), "{seconds:?}");
        assert_ne!(seconds[1], seconds[2]);
    }
}

/// A point of one of three series: which, when in milliseconds, and how much; times and values come again.
fn any_point() -> impl Strategy<Value = (usize, u64, u32)> {
    (0usize..3, prop_oneof![0u64..20_000, Just(7_000)], prop_oneof![0u32..1_000, Just(1)])
}

/// What becomes of an export: it is taken, or its answer is lost after it was taken, or before, and it is tried again.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Taken,
    AnswerLost,
    NeverArrived,
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![4 => Just(Fate::Taken), 1 => Just(Fate::AnswerLost), 1 => Just(Fate::NeverArrived)]
}

/// Adds the points of requests to those that Datadog has, of which the last of a second stays.
fn store(points: &mut HashMap<(String, u64), f64>, requests: &[Captured]) {
    for request in requests {
        for series in server::body(request)["series"].as_array().unwrap() {
            let point = &series["points"][0];
            let second = point["timestamp"].as_u64().unwrap();
            points.insert(
                (format!("{} {}", series["metric"], series["tags"]), second),
                point["value"].as_f64().unwrap(),
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The law of points: over any sequence of exports, some of which are tried again, what was counted is what Datadog has.
    #[test]
    fn no_point_overwrites_another_and_counts_are_conserved(
        exports in prop::collection::vec((prop::collection::vec(any_point(), 1..8), any_fate()), 1..12),
    ) {
        const NAMES: [&str; 3] = ["one", "Two", "two"];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (points, counted) = runtime.block_on(async {
            let server = CaptureServer::start().await;
            let exporter = server::exporter_of(plain(server::config(&server)));
            let (mut points, mut counted) = (HashMap::new(), 0.0);
            for (given, fate) in exports {
                let metrics = given.into_iter().map(|(name, millis, value)| {
                    let labels = Labels::from([("name", NAMES[name])]);
                    let sum = MetricValue::Sum { value: f64::from(value), monotonic: true };
                    let mut metric = Metric { labels, ..point("m", 0, sum) };
                    metric.time = Timestamp::from_nanos((NOW * 1_000 - 60_000 + millis) * 1_000_000);
                    counted += f64::from(value);
                    metric
                });
                let mut batch = batch(metrics.collect::<Vec<_>>());
                if fate != Fate::Taken {
                    server.answer([Answer::status(503)]);
                    batch = exporter.export(&batch).await.unwrap_err().undelivered().clone();
                    let sent = server.take_requests();
                    if fate == Fate::AnswerLost {
                        store(&mut points, &sent);
                    }
                }
                exporter.export(&batch).await.unwrap();
                store(&mut points, &server.take_requests());
            }
            (points, counted)
        });
        prop_assert_eq!(points.values().sum::<f64>(), counted);
    }
}
