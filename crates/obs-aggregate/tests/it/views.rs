//! What a view shows.

use std::sync::Arc;

use obs_aggregate::{AggregateConfig, Aggregator, OVERFLOW_LABEL, Refusal, TOKEN_BOUNDS};
use obs_core::{Histogram, Labels, Metric, MetricValue, Resource, Temporality, Timestamp};

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn series(temporality: Temporality) -> Aggregator {
    Aggregator::new(AggregateConfig::new(temporality, at(100)))
}

fn metric(time: u64, name: &'static str, value: MetricValue) -> Metric {
    Metric::new(at(time), name, value)
}

/// Name, start, end, temporality and value of a record.
type Shown<'a> = (&'a str, Option<u64>, u64, Option<Temporality>, &'a MetricValue);

fn shown(metrics: &[Metric]) -> Vec<Shown<'_>> {
    let start = |metric: &Metric| metric.start.map(Timestamp::as_nanos);
    metrics.iter().map(|m| (m.name.as_str(), start(m), m.time.as_nanos(), m.temporality, &m.value)).collect()
}

fn sum(value: f64, monotonic: bool) -> MetricValue {
    MetricValue::Sum { value, monotonic }
}

#[test]
fn delta_intervals_touch_and_a_failed_view_stretches_the_next() {
    let mut series = series(Temporality::Delta);
    let delta = Some(Temporality::Delta);
    for (now, commit, start) in [(200, true, 100), (300, false, 200), (400, true, 200), (350, true, 400)] {
        series.fold(&metric(now, "n", MetricValue::Add(1.0))).unwrap();
        let view = series.view(at(now));
        let grown = if now == 400 { 2.0 } else { 1.0 };
        let end = if now < start { start + 1_000_000 } else { now };
        assert_eq!(shown(&view.metrics), [("n", Some(start), end, delta, &sum(grown, true))]);
        if commit {
            series.commit(view.id);
        }
    }
    assert_eq!(series.view(at(500)).metrics, [], "nothing new");
}

#[test]
fn a_cumulative_series_starts_at_the_view_before_its_first_record_and_is_shown_when_idle() {
    let mut series = series(Temporality::Cumulative);
    series.fold(&metric(1, "a", MetricValue::Add(1.0))).unwrap();
    series.view(at(200));
    series.fold(&metric(2, "b", MetricValue::Add(5.0))).unwrap();
    let view = series.view(at(300));
    series.commit(view.id);
    series.fold(&metric(3, "a", MetricValue::Add(2.0))).unwrap();
    let view = series.view(at(400));
    let cumulative = Some(Temporality::Cumulative);
    assert_eq!(
        shown(&view.metrics),
        [
            ("a", Some(100), 400, cumulative, &sum(3.0, true)),
            ("b", Some(200), 400, cumulative, &sum(5.0, true))
        ]
    );
    assert_eq!(view.records, 1);
}

#[test]
fn an_up_down_sum_is_a_level_for_a_delta_reader_too() {
    let mut series = series(Temporality::Delta);
    for (now, change, level) in [(200, 5.0, 5.0), (300, -2.0, 3.0)] {
        series.fold(&metric(now, "open", MetricValue::UpDown(change))).unwrap();
        let view = series.view(at(now));
        let cumulative = Some(Temporality::Cumulative);
        assert_eq!(shown(&view.metrics), [("open", Some(100), now, cumulative, &sum(level, false))]);
        series.commit(view.id);
    }
}

#[test]
fn a_gauge_keeps_the_latest_reading_whatever_the_order() {
    for temporality in [Temporality::Delta, Temporality::Cumulative] {
        let mut series = series(temporality);
        for (time, value) in [(20, -2.0), (30, -3.0), (10, -1.0)] {
            series.fold(&metric(time, "depth", MetricValue::Gauge(value))).unwrap();
        }
        let view = series.view(at(200));
        assert_eq!(shown(&view.metrics), [("depth", None, 200, None, &MetricValue::Gauge(-3.0))]);
        assert_eq!((series.commit(view.id), series.pending()), (3, 0));
        series.fold(&metric(25, "depth", MetricValue::Gauge(9.0))).unwrap();
        let view = series.view(at(300));
        assert_eq!(
            view.metrics[0].value,
            MetricValue::Gauge(-3.0),
            "late readings do not replace newer ones"
        );
    }
}

#[test]
fn samples_and_histograms_share_a_series() {
    let mut series = series(Temporality::Delta);
    let mut sample = metric(1, "tokens", MetricValue::Sample(5.0));
    sample.unit = Some("{token}".into());
    series.fold(&sample).unwrap();
    let (count, counts) = (2, vec![0, 0, 2, 0]);
    let bounds = Arc::from([1.0, 4.0, 16.0]);
    let (min, max) = (Some(9.0), Some(11.0));
    let histogram = Histogram { count, sum: 20.0, min, max, bounds, counts, exemplars: Vec::new() };
    let mut point = sample.clone();
    point.value = MetricValue::Histogram(Box::new(histogram));
    assert_eq!(series.fold(&point), Err(Refusal::NoTemporality));
    point.temporality = Some(Temporality::Delta);
    series.fold(&point).unwrap();
    let view = series.view(at(200));
    let MetricValue::Histogram(merged) = &view.metrics[0].value else { panic!("{view:?}") };
    assert_eq!((merged.count, merged.sum, merged.min, merged.max), (3, 25.0, Some(5.0), Some(11.0)));
    assert_eq!((&*merged.bounds, &*merged.counts), ([1.0, 4.0, 16.0].as_slice(), [0, 0, 3, 0].as_slice()));
    assert!(TOKEN_BOUNDS.starts_with(&merged.bounds));
}

#[test]
fn cumulative_points_from_elsewhere_become_what_the_reader_wants() {
    let points = [(10, 7.0), (20, 9.0), (30, 4.0)];
    for (temporality, expected) in
        [(Temporality::Delta, [7.0, 2.0, 4.0]), (Temporality::Cumulative, [7.0, 9.0, 13.0])]
    {
        let mut series = series(temporality);
        for ((time, value), expected) in points.into_iter().zip(expected) {
            let mut point = metric(time, "n", sum(value, true));
            point.temporality = Some(Temporality::Cumulative);
            point.start = Some(at(5));
            series.fold(&point).unwrap();
            let view = series.view(at(200));
            assert_eq!(view.metrics[0].value, sum(expected, true));
            series.commit(view.id);
            let idle = series.view(at(200));
            series.commit(idle.id);
        }
        let start = series.view(at(200)).metrics.first().and_then(|metric| metric.start);
        assert!(start.is_none_or(|start| start == at(5)));
    }
}

#[test]
fn labels_in_any_order_and_resources_by_value_are_one_series() {
    let mut series = series(Temporality::Cumulative);
    for labels in [[("a", "1"), ("b", "2")], [("b", "2"), ("a", "1")]] {
        let mut record = metric(1, "n", MetricValue::Add(1.0));
        record.labels = Labels::from(labels);
        record.resource = Arc::new(Resource::service("s"));
        series.fold(&record).unwrap();
    }
    assert_eq!(series.series(), 1);
    let mut other = metric(1, "n", MetricValue::Add(1.0));
    other.resource = Arc::new(Resource::service("t"));
    series.fold(&other).unwrap();
    assert_eq!(series.series(), 2);
    assert_eq!(series.view(at(200)).metrics[0].resource.service_name(), Some("s"));
}

#[test]
fn what_is_beyond_the_limits_overflows_or_is_refused() {
    let config = AggregateConfig::new(Temporality::Delta, at(0)).with_max_series(3).with_max_metrics(1);
    let mut series = Aggregator::new(config);
    let add = |label: &str, value| {
        let mut record = metric(1, "n", value);
        record.labels = Labels::from([("user", label.to_owned())]);
        record
    };
    for label in ["a", "b", "c", "d", "a"] {
        series.fold(&add(label, MetricValue::Add(1.0))).unwrap();
    }
    let mut cumulative = add("e", sum(1.0, true));
    cumulative.temporality = Some(Temporality::Cumulative);
    assert_eq!(series.fold(&cumulative), Err(Refusal::TooManySeries));
    assert_eq!(series.fold(&metric(1, "m", MetricValue::Add(1.0))), Err(Refusal::TooManyMetrics));
    let view = series.view(at(10));
    let values: Vec<_> =
        view.metrics.iter().map(|m| (m.labels[0].0.as_str(), m.labels[0].1.as_str(), &m.value)).collect();
    assert_eq!(
        values,
        [
            (OVERFLOW_LABEL, "true", &sum(2.0, true)),
            ("user", "a", &sum(2.0, true)),
            ("user", "b", &sum(1.0, true))
        ]
    );
    assert_eq!((view.records, series.pending()), (5, 5));
}

#[test]
fn a_delta_reader_forgets_what_a_whole_interval_had_no_record_for() {
    let mut series = series(Temporality::Delta);
    series.fold(&metric(1, "n", MetricValue::Add(1.0))).unwrap();
    series.fold(&metric(1, "open", MetricValue::UpDown(1.0))).unwrap();
    for (now, left) in [(200, 2), (300, 1), (400, 1)] {
        let view = series.view(at(now));
        series.commit(view.id);
        assert_eq!(series.series(), left, "at {now}");
    }
}

#[test]
fn a_refused_record_leaves_nothing_behind() {
    let mut series = series(Temporality::Cumulative);
    for value in [MetricValue::Add(-1.0), MetricValue::Add(f64::NAN), MetricValue::Sample(f64::INFINITY)] {
        assert!(series.fold(&metric(1, "n", value)).is_err());
    }
    assert_eq!((series.series(), series.pending(), series.view(at(200)).metrics.len()), (0, 0, 0));
}

#[test]
fn views_of_new_records_end_one_after_the_other_whatever_the_clock_does() {
    let mut series = series(Temporality::Delta);
    let mut ends = Vec::new();
    for (now, is_new) in [(5_000_000, true), (5_000_000, true), (1, true), (1, false), (9_000_000, true)] {
        if is_new {
            series.fold(&metric(1, "open", MetricValue::UpDown(1.0))).unwrap();
            series.fold(&metric(1, "n", MetricValue::Add(1.0))).unwrap();
        }
        let view = series.view(at(now));
        ends.extend(view.metrics.iter().map(|metric| metric.time.as_nanos()));
        assert!(view.metrics.iter().all(|metric| metric.start < Some(metric.time)));
        series.commit(view.id);
    }
    let each = [5_000_000, 6_000_000, 7_000_000, 9_000_000];
    assert_eq!(ends, each.map(|end| [end, end]).concat());
}

#[test]
fn a_view_says_how_many_records_each_point_has() {
    for temporality in [Temporality::Delta, Temporality::Cumulative] {
        let mut series = series(temporality);
        let (mut open, mut seen) = (None, Vec::new());
        for names in [["a", "b", "a"].as_slice(), &["c"], &["a"], &[]] {
            for name in names {
                series.fold(&metric(1, name, MetricValue::Add(1.0))).unwrap();
            }
            let view = series.view(at(200 + seen.len() as u64));
            assert_eq!((view.shares.len(), view.shares.iter().sum()), (view.metrics.len(), view.records));
            let names = view.metrics.iter().map(|metric| metric.name.to_string());
            seen.push(
                names
                    .zip(view.shares)
                    .map(|(name, share)| format!("{name}{share}"))
                    .collect::<Vec<_>>()
                    .concat(),
            );
            // The first view is never delivered.
            if seen.len() > 1 {
                open = Some(view.id);
            }
            open.take().map(|open| series.commit(open));
        }
        let expected = match temporality {
            Temporality::Delta => ["a2b1", "a2b1c1", "a1", ""],
            Temporality::Cumulative => ["a2b1", "a2b1c1", "a1b0c0", "a0b0c0"],
        };
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_delta_reader_forgets_a_foreign_series_an_hour_after_its_last_point() {
    const MINUTE: u64 = 60_000_000_000;
    let mut series = Aggregator::new(AggregateConfig::new(Temporality::Delta, at(0)).with_max_series(3));
    let mut fold = |minute: u64, pod: &str, value| {
        let mut point = metric(minute * MINUTE, "n", sum(value, true));
        point.labels = Labels::from([("pod", pod.to_owned())]);
        point.temporality = Some(Temporality::Cumulative);
        let result = series.fold(&point);
        let view = series.view(at(minute * MINUTE + 1));
        series.commit(view.id);
        let value = view.metrics.first().map(|metric| metric.value.clone());
        (result.err(), value, series.series())
    };
    assert_eq!(fold(1, "old", 5.0), (None, Some(sum(5.0, true)), 1));
    assert_eq!(fold(2, "kept", 5.0), (None, Some(sum(5.0, true)), 2));
    assert_eq!(fold(3, "new", 5.0), (Some(Refusal::TooManySeries), None, 2));
    assert_eq!(fold(50, "kept", 6.0), (None, Some(sum(1.0, true)), 2));
    assert_eq!(
        fold(62, "kept", 7.0),
        (None, Some(sum(1.0, true)), 1),
        "what it was told at minute 1 is forgotten"
    );
    assert_eq!(fold(63, "new", 5.0), (None, Some(sum(5.0, true)), 2));
}
