//! The measurements that stand for a point.

use obs_aggregate::{AggregateConfig, Aggregator, View};
use obs_core::{Exemplar, Histogram, Metric, MetricValue, SpanId, SpanRef, Temporality, Timestamp, TraceId};

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn exemplar(span: u64) -> Exemplar {
    let span = SpanRef { trace_id: TraceId::new(1).expect("it is not zero"), span_id: SpanId::new(span) };
    Exemplar { span, value: None, time: None }
}

fn record(time: u64, value: MetricValue, span: u64) -> Metric {
    let mut metric = Metric::new(at(time), "m", value);
    metric.exemplar = Some(exemplar(span));
    metric
}

/// Span, value and time of the exemplars that a view of one series shows.
fn shown(view: &View) -> Vec<(u64, f64, u64)> {
    let [metric] = &*view.metrics else { panic!("{view:?}") };
    let exemplars = match &metric.value {
        MetricValue::Histogram(histogram) => histogram.exemplars.clone(),
        MetricValue::ExpHistogram(histogram) => histogram.exemplars.clone(),
        _ => metric.exemplar.clone().into_iter().collect(),
    };
    let span = |exemplar: &Exemplar| exemplar.span.span_id.map_or(0, SpanId::get);
    let value = |exemplar: &Exemplar| exemplar.value.expect("it is filled in");
    let time = |exemplar: &Exemplar| exemplar.time.expect("it is filled in").as_nanos();
    exemplars.iter().map(|exemplar| (span(exemplar), value(exemplar), time(exemplar))).collect()
}

fn both(check: impl Fn(Aggregator)) {
    for temporality in [Temporality::Delta, Temporality::Cumulative] {
        check(Aggregator::new(AggregateConfig::new(temporality, at(0))));
    }
}

#[test]
fn a_number_keeps_the_last_with_its_value_and_time() {
    for make in [MetricValue::Add, MetricValue::UpDown, MetricValue::Gauge] {
        both(|mut series| {
            for (time, value, span) in [(10, 1.0, 1), (30, 2.0, 3), (20, 5.0, 2)] {
                series.fold(&record(time, make(value), span)).unwrap();
            }
            series.fold(&Metric::new(at(40), "m", make(1.0))).unwrap();
            assert_eq!(shown(&series.view(at(50))), [(3, 2.0, 30)]);
        });
    }
}

#[test]
fn what_an_exemplar_says_itself_is_kept() {
    both(|mut series| {
        let mut metric = record(10, MetricValue::Add(1.0), 1);
        metric.exemplar = Some(Exemplar { value: Some(7.0), time: Some(at(3)), ..exemplar(1) });
        series.fold(&metric).unwrap();
        assert_eq!(shown(&series.view(at(50))), [(1, 7.0, 3)]);
    });
}

#[test]
fn exemplars_are_of_the_time_since_the_last_commit() {
    both(|mut series| {
        series.fold(&record(10, MetricValue::Sample(3.0), 1)).unwrap();
        series.fold(&record(11, MetricValue::Sample(4.0), 2)).unwrap();
        series.fold(&record(12, MetricValue::Sample(9.0), 3)).unwrap();
        let lost = series.view(at(20));
        assert_eq!(shown(&lost), [(2, 4.0, 11), (3, 9.0, 12)], "the last of each bucket");
        series.fold(&record(21, MetricValue::Sample(5.0), 4)).unwrap();
        let sent = series.view(at(30));
        assert_eq!(shown(&sent), [(4, 5.0, 21), (3, 9.0, 12)], "a view that failed loses none");
        series.fold(&record(31, MetricValue::Sample(8.0), 5)).unwrap();
        series.commit(sent.id);
        assert_eq!(shown(&series.view(at(40))), [(5, 8.0, 31)], "what was delivered is not shown again");
    });
}

#[test]
fn an_idle_cumulative_series_shows_its_sum_without_exemplars() {
    let mut series = Aggregator::new(AggregateConfig::new(Temporality::Cumulative, at(0)));
    series.fold(&record(10, MetricValue::Add(3.0), 1)).unwrap();
    let view = series.view(at(20));
    series.commit(view.id);
    let idle = series.view(at(30));
    assert_eq!((shown(&idle), idle.records), (vec![], 0));
    assert_eq!(idle.metrics[0].value, MetricValue::Sum { value: 3.0, monotonic: true });
}

#[test]
fn buckets_that_join_keep_the_last_of_both() {
    both(|mut series| {
        for (time, value) in [(10, 3.0), (11, 9.0), (12, 400.0)] {
            series.fold(&record(time, MetricValue::Sample(value), time)).unwrap();
        }
        let bounds = [100.0].into();
        let own = Exemplar { value: Some(50.0), time: Some(at(5)), ..exemplar(50) };
        let histogram = Histogram {
            count: 2,
            sum: 100.0,
            bounds,
            counts: vec![2, 0],
            exemplars: vec![own, exemplar(51)],
            ..Histogram::default()
        };
        let mut point = Metric::new(at(20), "m", MetricValue::Histogram(Box::new(histogram)));
        point.temporality = Some(Temporality::Delta);
        series.fold(&point).unwrap();
        assert_eq!(shown(&series.view(at(30))), [(11, 9.0, 11), (12, 400.0, 12)]);
    });
}

#[test]
fn an_exponential_histogram_keeps_twenty() {
    for temporality in [Temporality::Delta, Temporality::Cumulative] {
        let config = AggregateConfig::new(temporality, at(0)).with_exponential("m").unwrap();
        let mut series = Aggregator::new(config);
        for time in 1..=30u64 {
            series.fold(&record(time, MetricValue::Sample(time as f64), time)).unwrap();
        }
        let view = series.view(at(40));
        let spans: Vec<u64> = shown(&view).iter().map(|(span, ..)| *span).collect();
        assert_eq!(spans, (11..=30).collect::<Vec<_>>(), "the last, by value");
        assert_eq!(series.commit(view.id), 30);
    }
}

#[test]
fn a_cumulative_point_does_not_tell_the_same_exemplar_twice() {
    let mut series = Aggregator::new(AggregateConfig::new(Temporality::Delta, at(0)));
    let mut told = Vec::new();
    for (time, measured) in [(10, 9), (20, 9), (30, 25)] {
        let value = MetricValue::Sum { value: time as f64, monotonic: true };
        let mut point = Metric::new(at(time), "m", value);
        point.temporality = Some(Temporality::Cumulative);
        point.exemplar = Some(Exemplar { value: Some(1.0), time: Some(at(measured)), ..exemplar(measured) });
        series.fold(&point).unwrap();
        let view = series.view(at(time));
        told.push(shown(&view).len());
        series.commit(view.id);
    }
    assert_eq!(told, [1, 0, 1]);
}
