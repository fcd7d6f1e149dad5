//! What records of each form make of a series.

use obs_core::{
    Exemplar, ExpBuckets, ExpHistogram, Histogram, Metric, MetricValue, Resource, Scope, Temporality,
};

use crate::bench::{OPEN, at, delivered, exemplar, metric, open_page, pull, refused, total, value};
use crate::checker;

fn histogram(counts: &[u64], sum: f64, temporality: Temporality) -> Metric {
    let bounds = [1.0, 2.0, 4.0][..counts.len() - 1].into();
    let count = counts.iter().sum();
    let histogram = Histogram { count, sum, bounds, counts: counts.to_vec(), ..Histogram::default() };
    let mut metric = metric("latency", MetricValue::Histogram(Box::new(histogram)));
    metric.temporality = Some(temporality);
    metric
}

fn exponential(scale: i32, counts: &[u64], temporality: Temporality) -> Metric {
    let positive = ExpBuckets { offset: 0, counts: counts.to_vec() };
    let count = counts.iter().sum();
    let histogram = ExpHistogram { count, sum: 3.0, scale, positive, ..ExpHistogram::default() };
    let mut metric = metric("latency", MetricValue::ExpHistogram(Box::new(histogram)));
    metric.temporality = Some(temporality);
    metric
}

#[tokio::test]
async fn measurements_add_up_and_gauges_keep_the_latest() {
    let exporter = pull();
    let mut older = metric("depth", MetricValue::Gauge(9.0));
    older.time = at(9);
    let metrics = vec![
        metric("runs", MetricValue::Add(1.0)),
        metric("runs", MetricValue::Add(2.5)),
        metric("open", MetricValue::UpDown(3.0)),
        metric("open", MetricValue::UpDown(-5.0)),
        metric("depth", MetricValue::Gauge(4.0)),
        older,
        metric("size", MetricValue::Sample(7.0)),
        metric("size", MetricValue::Sample(12.0)),
    ];
    delivered(&exporter, metrics).await;
    for (name, labels, expected) in [
        ("runs_total", &[][..], 3.5),
        ("open", &[], -2.0),
        ("depth", &[], 4.0),
        ("size_sum", &[], 19.0),
        ("size_count", &[], 2.0),
        ("size_bucket", &[("le", "5.0")], 0.0),
        ("size_bucket", &[("le", "10.0")], 1.0),
        ("size_bucket", &[("le", "25.0")], 2.0),
    ] {
        assert_eq!(value(&exporter, name, labels), expected, "{name}");
    }
}

#[tokio::test]
async fn samples_get_the_bounds_that_aggregation_advises() {
    let exporter = pull();
    for (name, unit, le) in [
        ("step.duration", "s", "0.02"),
        ("gen_ai.client.token.usage", "{token}", "16.0"),
        ("gen_ai.server.time_to_first_token", "s", "0.001"),
    ] {
        let mut sample = metric(name, MetricValue::Sample(0.5));
        sample.unit = Some(unit.into());
        delivered(&exporter, vec![sample]).await;
        let page = crate::bench::page(&exporter);
        let samples = page.values().flat_map(|family| &family.samples);
        assert!(
            samples.into_iter().any(|sample| sample.labels.get("le").is_some_and(|known| known == le)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn cumulative_points_replace_and_late_ones_change_nothing() {
    let exporter = pull();
    delivered(&exporter, vec![total("runs", 10, 5.0)]).await;
    delivered(&exporter, vec![total("runs", 20, 8.0), total("runs", 15, 7.0)]).await;
    assert_eq!(value(&exporter, "runs_total", &[]), 8.0);
    // The process began anew: Prometheus knows a counter that went back.
    delivered(&exporter, vec![total("runs", 30, 1.0)]).await;
    assert_eq!(value(&exporter, "runs_total", &[]), 1.0);
}

#[tokio::test]
async fn deltas_add_up() {
    let exporter = pull();
    delivered(&exporter, vec![histogram(&[1, 0, 2, 0], 7.0, Temporality::Delta)]).await;
    delivered(&exporter, vec![histogram(&[0, 1, 0, 1], 9.0, Temporality::Delta)]).await;
    assert_eq!(value(&exporter, "latency_bucket", &[("le", "2.0")]), 2.0);
    assert_eq!(value(&exporter, "latency_sum", &[]), 16.0);
    // Of other bounds those stay that both have.
    delivered(&exporter, vec![histogram(&[1, 1], 3.0, Temporality::Delta)]).await;
    assert_eq!(value(&exporter, "latency_bucket", &[("le", "1.0")]), 2.0);
    assert_eq!(value(&exporter, "latency_count", &[]), 7.0);
}

#[tokio::test]
async fn exponential_histograms_are_shown_under_explicit_bounds() {
    for (temporality, twice) in [(Temporality::Cumulative, 1.0), (Temporality::Delta, 2.0)] {
        let exporter = pull();
        for _ in 0..2 {
            delivered(&exporter, vec![exponential(0, &[1, 0, 2], temporality)]).await;
        }
        assert_eq!(value(&exporter, "latency_bucket", &[("le", "2.0")]), twice);
        assert_eq!(value(&exporter, "latency_bucket", &[("le", "8.0")]), 3.0 * twice);
        assert_eq!(value(&exporter, "latency_count", &[]), 3.0 * twice);
    }
    // Of two scales, aggregation finds the one that both have.
    let exporter = pull();
    delivered(&exporter, vec![exponential(0, &[1], Temporality::Delta)]).await;
    delivered(&exporter, vec![exponential(1, &[1, 1, 1, 1], Temporality::Delta)]).await;
    assert_eq!(value(&exporter, "latency_bucket", &[("le", "2.0")]), 3.0);
    assert_eq!(value(&exporter, "latency_count", &[]), 5.0);
}

#[tokio::test]
async fn what_would_spoil_a_series_is_rejected_with_the_reason() {
    let exporter = pull();
    let no_temporality = metric("sum", MetricValue::Sum { value: 1.0, monotonic: true });
    let bad = Histogram { count: 3, counts: vec![1], ..Histogram::default() };
    let mut malformed = metric("h", MetricValue::Histogram(Box::new(bad)));
    malformed.temporality = Some(Temporality::Delta);
    for (metric, said) in [
        (metric("runs", MetricValue::Add(-1.0)), "only grows"),
        (metric("runs", MetricValue::Add(f64::NAN)), "not finite"),
        (metric("size", MetricValue::Sample(f64::INFINITY)), "not finite"),
        (metric("", MetricValue::Gauge(1.0)), "no name"),
        (no_temporality, "delta or cumulative"),
        (malformed, "do not fit"),
    ] {
        let reason = refused(&exporter, metric).await;
        assert!(reason.contains(said), "{reason}");
    }
    delivered(&exporter, vec![metric("runs", MetricValue::Add(1.0))]).await;
    let reason = refused(&exporter, total("runs", 20, 5.0)).await;
    assert!(reason.contains("counted twice"), "{reason}");
    assert_eq!(value(&exporter, "runs_total", &[]), 1.0);
}

#[tokio::test]
async fn exemplars_stand_on_counters_and_buckets_in_openmetrics_alone() {
    let exporter = pull();
    let mut runs = metric("runs", MetricValue::Add(2.0));
    runs.exemplar = Some(exemplar(None));
    let mut points = histogram(&[1, 1, 0, 1], 9.0, Temporality::Cumulative);
    if let MetricValue::Histogram(histogram) = &mut points.value {
        histogram.exemplars = vec![exemplar(Some(0.5)), exemplar(Some(9.0)), exemplar(None)];
    }
    delivered(&exporter, vec![runs, points]).await;
    let text = exporter.render(OPEN).body;
    let labels = "{trace_id=\"0af7651916cd43dd8448eb211c80319c\",span_id=\"00f067aa0ba902b7\"}";
    for line in [
        format!("runs_total 2 # {labels} 2 5.000000000\n"),
        format!("latency_bucket{{le=\"1.0\"}} 1 # {labels} 0.5 5.000000000\n"),
        format!("latency_bucket{{le=\"+Inf\"}} 3 # {labels} 9 5.000000000\n"),
    ] {
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
    assert_eq!(text.matches("trace_id").count(), 3);
    assert!(!exporter.render("").body.contains("trace_id"));
}

#[tokio::test]
async fn of_two_exemplars_the_later_stands_whichever_came_first() {
    let runs = |seconds: u32, scope: &'static str| {
        let mut runs = metric("runs", MetricValue::Add(f64::from(seconds)));
        runs.exemplar = Some(Exemplar { time: Some(at(u64::from(seconds))), ..exemplar(None) });
        let scope = Some(Scope { name: scope.into(), ..Scope::default() });
        runs.resource = Resource { scope, ..Resource::default() }.into();
        runs
    };
    // Of one series, and of two that are shown as one.
    for (first, second) in [("a", "a"), ("a", "b"), ("b", "a")] {
        for times in [[2, 1], [1, 2]] {
            let exporter = pull();
            delivered(&exporter, vec![runs(times[0], first), runs(times[1], second)]).await;
            let text = exporter.render(OPEN).body;
            assert!(text.contains("runs_total 3 # ") && text.contains(" 2 2.000000000\n"), "{text}");
        }
    }
}

#[tokio::test]
async fn openmetrics_has_no_sum_of_what_can_be_negative() {
    let exporter = pull();
    let below = Histogram {
        count: 2,
        sum: -3.0,
        bounds: [-1.0, 1.0].into(),
        counts: vec![1, 1, 0],
        ..Histogram::default()
    };
    let mut below = metric("change", MetricValue::Histogram(Box::new(below)));
    below.temporality = Some(Temporality::Cumulative);
    delivered(&exporter, vec![below]).await;
    assert_eq!(value(&exporter, "change_sum", &[]), -3.0);
    let open = open_page(&exporter, OPEN);
    assert!(open["change"].samples.iter().all(|sample| sample.name == "change_bucket"));
    assert_eq!(checker::value(&open, "change_bucket", &[("le", "+Inf")]), 2.0);
}
