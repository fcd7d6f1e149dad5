//! What holds for any metrics.

use obs_core::{Batch, Exporter, Signal};
use obs_prometheus::{MetricNames, PrometheusConfig};
use obs_testkit::arbitrary;
use obs_testkit::conformance::assert_conserved;
use proptest::prelude::*;

use crate::bench::{OPEN, OPEN_UTF8, exporter, open_page, page};
use crate::checker::Families;

/// All numbers that a page shows, but those that OpenMetrics does not take.
fn values(families: &Families) -> Vec<String> {
    let samples = families.values().flat_map(|family| &family.samples);
    let shown = samples.filter(|sample| !sample.name.ends_with("_sum") && !sample.name.ends_with("_count"));
    let mut values: Vec<String> = shown.map(|sample| sample.value.to_string()).collect();
    values.sort();
    values
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The strict reader finds no sample twice, no family in pieces, no bucket that shrinks, and the count in the infinite
    /// bucket, in any format, whatever was recorded.
    #[test]
    fn any_metrics_are_a_page_that_every_format_can_show(
        batches in prop::collection::vec(arbitrary::batch(Signal::Metrics, 12), 1..4),
        recorded in any::<bool>(),
    ) {
        let names = if recorded { MetricNames::Recorded } else { MetricNames::Idiomatic };
        let exporter = exporter(PrometheusConfig::pull().with_metric_names(names).with_label("zone", "z"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for batch in &batches {
            let outcome = runtime.block_on(exporter.export(batch));
            assert_conserved(batch, &outcome);
        }
        let (text, open) = (page(&exporter), open_page(&exporter, OPEN));
        prop_assert_eq!(values(&text), values(&open));
        prop_assert_eq!(values(&text), values(&open_page(&exporter, OPEN_UTF8)));
    }

    /// However increments are cut into batches, their sum is what the page shows.
    #[test]
    fn sums_are_conserved(increments in prop::collection::vec(0u32..1_000, 1..40), cut in 1usize..7) {
        let exporter = exporter(PrometheusConfig::pull());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let metric = |value: &u32| crate::bench::metric("runs", obs_core::MetricValue::Add(f64::from(*value)));
        for piece in increments.chunks(cut) {
            let batch = Batch::Metrics(piece.iter().map(metric).collect());
            prop_assert_eq!(runtime.block_on(exporter.export(&batch)).unwrap().delivered, piece.len());
        }
        let sum: u32 = increments.iter().sum();
        prop_assert_eq!(crate::bench::value(&exporter, "runs_total", &[]), f64::from(sum));
    }
}
