//! What metric exporters often get wrong, and what is right: by the rows of a list of eleven, of which these three are the
//! aggregator's.

use std::sync::Arc;

use obs_aggregate::{AggregateConfig, Aggregator, OVERFLOW_LABEL};
use obs_core::{Labels, Metric, MetricValue, Resource, Scope, Temporality, Timestamp};

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn values(metrics: &[Metric]) -> Vec<f64> {
    let value = |metric: &Metric| match metric.value {
        MetricValue::Sum { value, .. } => value,
        ref other => panic!("{other:?}"),
    };
    metrics.iter().map(value).collect()
}

/// Wrong: an export for every event, many points of one identity at nearly equal times.
#[test]
fn mistake_6_records_at_nearly_equal_times_are_one_point_of_one_interval() {
    for temporality in [Temporality::Delta, Temporality::Cumulative] {
        let mut series = Aggregator::new(AggregateConfig::new(temporality, at(0)));
        let (mut ends, mut starts) = (Vec::new(), Vec::new());
        for interval in 1..=3 {
            for event in 0..100 {
                let time = at(interval * 1_000 - 100 + event);
                series.fold(&Metric::new(time, "runs", MetricValue::Add(1.0))).unwrap();
            }
            let view = series.view(at(interval * 1_000));
            assert_eq!((view.metrics.len(), view.records), (1, 100), "one point, of all records");
            ends.push(view.metrics[0].time.as_nanos());
            starts.push(view.metrics[0].start.unwrap().as_nanos());
            series.commit(view.id);
        }
        assert_eq!(ends, [1_000, 2_000, 3_000]);
        let expected = if temporality == Temporality::Delta { [0, 1_000, 2_000] } else { [0; 3] };
        assert_eq!(starts, expected, "an interval starts where the one before ended");
    }
}

/// Wrong: increments 1, 1, 1 sent as cumulative points, a constant whose rate is zero.
#[test]
fn mistake_7_increments_are_summed_and_never_sent_as_cumulative_points() {
    for (temporality, expected) in
        [(Temporality::Cumulative, [1.0, 2.0, 3.0]), (Temporality::Delta, [1.0, 1.0, 1.0])]
    {
        let mut series = Aggregator::new(AggregateConfig::new(temporality, at(0)));
        let mut seen = Vec::new();
        for now in [10, 20, 30] {
            series.fold(&Metric::new(at(now - 1), "runs", MetricValue::Add(1.0))).unwrap();
            let view = series.view(at(now));
            assert_eq!(view.metrics[0].temporality, Some(temporality));
            seen.extend(values(&view.metrics));
            series.commit(view.id);
        }
        assert_eq!(seen, expected);
    }
}

/// Wrong: labels of any number of values, each a series for ever.
#[test]
fn mistake_10_series_beyond_the_limit_are_one_series_and_nothing_of_them_is_lost() {
    let mut series = Aggregator::new(AggregateConfig::new(Temporality::Cumulative, at(0)));
    for user in 0..5_000 {
        let mut record = Metric::new(at(1), "runs", MetricValue::Add(1.0));
        record.labels = Labels::from([("user", format!("{user:04}"))]);
        series.fold(&record).unwrap();
    }
    let view = series.view(at(10));
    assert_eq!((view.metrics.len(), series.series()), (2_000, 2_000), "OpenTelemetry's default limit");
    let overflow: Vec<_> =
        view.metrics.iter().filter(|metric| metric.labels.get(OVERFLOW_LABEL).is_some()).cloned().collect();
    assert_eq!(overflow[0].labels, Labels::from([("otel.metric.overflow", "true")]));
    assert_eq!((overflow.len(), values(&overflow)[0]), (1, 3_001.0));
    assert_eq!(values(&view.metrics).iter().sum::<f64>(), 5_000.0);
}

type Change = fn(&mut Metric);

#[test]
fn a_series_is_known_by_resource_scope_name_kind_unit_and_labels() {
    let scope = |name: &'static str| {
        let mut resource = Resource::service("s");
        resource.scope = Some(Scope { name: name.into(), ..Scope::default() });
        Arc::new(resource)
    };
    let plain = || {
        let mut record = Metric::new(at(1), "n", MetricValue::Add(1.0));
        record.labels = Labels::from([("a", "1"), ("b", "2")]);
        record.resource = scope("here");
        record
    };
    let changes: [(&str, Change); 6] = [
        ("name", |record| record.name = "m".into()),
        ("kind", |record| record.value = MetricValue::UpDown(1.0)),
        ("unit", |record| record.unit = Some("s".into())),
        ("labels", |record| record.labels = Labels::from([("a", "1")])),
        ("resource", |record| record.resource = Arc::new(Resource::service("t"))),
        ("scope", |record| {
            let mut resource = (*record.resource).clone();
            resource.scope = Some(Scope { name: "there".into(), ..Scope::default() });
            record.resource = Arc::new(resource);
        }),
    ];
    let mut series = Aggregator::new(AggregateConfig::new(Temporality::Delta, at(0)));
    for (known, (what, change)) in changes.into_iter().enumerate() {
        let (mut other, mut same) = (plain(), plain());
        change(&mut other);
        same.labels = Labels::from([("b", "2"), ("a", "1")]);
        for record in [plain(), same, other] {
            series.fold(&record).unwrap();
        }
        assert_eq!(series.series(), known + 2, "{what}");
    }
}
