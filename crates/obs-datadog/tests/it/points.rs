//! No point of a series overwrites another.

use std::collections::HashMap;

use obs_core::{Exporter, Labels, Metric, MetricValue, Timestamp};
use obs_datadog::DatadogConfig;
use proptest::prelude::*;
use serde_json::Value;

use crate::metrics::{NOW, batch, counted, plain, point, second};
use crate::server;

#[tokio::test]
async fn what_is_flushed_between_ticks_does_not_overwrite_and_a_batch_that_is_tried_again_overwrites_itself()
{
    let server = server::start().await;
    let exporter = server::exporter_of(plain(server::config(&server)));
    let at = |millis: u64, value| {
        let mut metric = counted("hits", 0, value);
        metric.time = Timestamp::from_nanos((NOW * 1_000 - 5_000 + millis) * 1_000_000);
        batch([metric])
    };
    for batch in [at(200, 1.0), at(800, 2.0), at(800, 2.0), at(900, 3.0), at(2_000, 4.0), at(9_000, 5.0)] {
        exporter.export(&batch).await.unwrap();
    }
    let points: Vec<_> = server
        .requests()
        .iter()
        .map(|request| {
            let point = &server::body(request)["series"][0]["points"][0];
            (point["timestamp"].as_u64().unwrap() + 5 - NOW, point["value"].as_f64().unwrap())
        })
        .collect();
    assert_eq!(points, [(0, 1.0), (1, 2.0), (1, 2.0), (2, 3.0), (3, 4.0), (9, 5.0)]);
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

/// A point of one of three series: which, when in milliseconds, and how much.
fn any_point() -> impl Strategy<Value = (usize, u64, u32)> {
    (0usize..3, 0u64..20_000, 0u32..1_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The law of points: over any sequence of exports no two points of a series have one second, but for batches that are
    /// sent again, and what was counted is what arrived.
    #[test]
    fn no_point_overwrites_another_and_counts_are_conserved(
        exports in prop::collection::vec((prop::collection::vec(any_point(), 1..8), any::<bool>()), 1..12),
    ) {
        const NAMES: [&str; 3] = ["one", "Two", "two"];
        let exporter = server::exporter_of(plain(DatadogConfig::new(server::KEY)));
        let mut store: HashMap<(String, u64), f64> = HashMap::new();
        let mut counted = 0.0;
        let mut nth = 0;
        for (points, again) in exports {
            let metrics = points.into_iter().map(|(name, millis, value)| {
                nth += 1;
                let labels = Labels::from([("name", NAMES[name])]);
                let nanos = (NOW * 1_000 - 60_000 + millis) * 1_000_000 + nth;
                let sum = MetricValue::Sum { value: f64::from(value), monotonic: true };
                let mut metric = Metric { labels, ..point("m", 0, sum) };
                metric.time = Timestamp::from_nanos(nanos);
                counted += f64::from(value);
                metric
            });
            let batch = batch(metrics.collect::<Vec<_>>());
            let bodies = exporter.encode(&batch);
            if again {
                prop_assert_eq!(&exporter.encode(&batch), &bodies, "the same batch is the same requests");
            }
            for body in bodies {
                let body: Value = serde_json::from_slice(&body).unwrap();
                for series in body["series"].as_array().unwrap() {
                    let point = &series["points"][0];
                    let key = (format!("{} {}", series["metric"], series["tags"]), point["timestamp"].as_u64().unwrap());
                    let before = store.insert(key.clone(), point["value"].as_f64().unwrap());
                    prop_assert!(before.is_none(), "{:?} is overwritten", key);
                }
            }
        }
        prop_assert_eq!(store.values().sum::<f64>(), counted);
    }
}
