//! Metric lanes whose destination wants series.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    Descriptor, ErrorKind, Exemplar, HistogramForm, Metric, MetricForm, MetricValue, Record, Retry, Signal,
    SpanId, SpanRef, Timestamp, TraceId,
};
use obs_pipeline::{Clock, DestinationSpec, LaneConfig, MetricsConfig, Pipeline, dropped};
use obs_testkit::{Scripted, Step};

use crate::make::{PATIENCE, builder, eventually, record};

fn pipeline(form: MetricForm, script: impl IntoIterator<Item = Step>) -> (Pipeline, Arc<Scripted>) {
    let descriptor = Scripted::DESCRIPTOR.with_metric_form(form);
    let exporter = Scripted::builder(script).with_descriptor(descriptor).shared();
    let pipeline = builder().to(Arc::clone(&exporter)).build().unwrap();
    (pipeline, exporter)
}

fn sums(exporter: &Scripted) -> Vec<f64> {
    let values = exporter.records().into_iter().map(|record| match record {
        Record::Metric(Metric { value: MetricValue::Sum { value, .. }, .. }) => value,
        other => panic!("not a sum: {other:?}"),
    });
    values.collect()
}

#[test]
fn a_flush_offers_the_series_and_the_ledger_counts_records() {
    for (form, expected) in [(MetricForm::Delta, [100.0, 50.0]), (MetricForm::Cumulative, [100.0, 150.0])] {
        let (pipeline, exporter) = pipeline(form, []);
        let intake = pipeline.intake();
        for count in [100, 50] {
            (0..count).for_each(|at| record(&intake, Signal::Metrics, at));
            let report = pipeline.flush(PATIENCE);
            assert!(report.complete && report.is_balanced(), "{report}");
        }
        assert_eq!(sums(&exporter), expected, "{form:?}");
        let terms = pipeline.report().destinations[0].signals.get(Signal::Metrics).clone();
        assert_eq!((terms.offered, terms.delivered), (150, 150));
    }
}

#[test]
fn a_view_that_fails_is_left_to_the_next_one() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let descriptor = Scripted::DESCRIPTOR.with_metric_form(MetricForm::Delta);
    let exporter =
        Scripted::builder([Step::fail(ErrorKind::Unavailable, Retry::Hold(Duration::from_secs(1)))])
            .with_descriptor(descriptor)
            .shared();
    let pipeline = builder().clock(clock).to(Arc::clone(&exporter)).build().unwrap();
    let intake = pipeline.intake();
    (0..10).for_each(|at| record(&intake, Signal::Metrics, at));
    assert!(!pipeline.flush(Duration::from_millis(50)).complete);
    (0..5).for_each(|at| record(&intake, Signal::Metrics, at));
    eventually("all is with the lane", || pipeline.report().intake.get(Signal::Metrics).sealed == 15);
    eventually("the next view is delivered", || {
        hand.advance(Duration::from_secs(1));
        pipeline.flush(Duration::from_millis(20)).complete
    });
    assert_eq!(sums(&exporter), [15.0]);
    assert!(pipeline.report().is_balanced());
}

#[test]
fn what_cannot_be_folded_is_rejected() {
    let (pipeline, exporter) = pipeline(MetricForm::Delta, []);
    let intake = pipeline.intake();
    intake.metric(Metric::new(Timestamp::from_nanos(1), "work.done", MetricValue::Add(-1.0)));
    record(&intake, Signal::Metrics, 1);
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    let terms = report.destinations[0].signals.get(Signal::Metrics);
    assert_eq!((terms.rejected, terms.delivered), (1, 1));
    assert_eq!(sums(&exporter), [1.0]);
}

#[test]
fn a_refused_measurement_is_counted_and_told_with_its_name() {
    let (pipeline, _exporter) = pipeline(MetricForm::Delta, []);
    for value in [-1.0, -2.0] {
        pipeline.intake().metric(Metric::new(Timestamp::from_nanos(1), "jobs.done", MetricValue::Add(value)));
    }
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    let destination = &report.destinations[0];
    assert_eq!(destination.signals.get(Signal::Metrics).rejected, 2);
    assert!(format!("{:?}", destination.health).contains("jobs.done"), "{:?}", destination.health);
}

/// What one destination is given of some records.
fn given(
    descriptor: Descriptor,
    metrics: MetricsConfig,
    records: impl IntoIterator<Item = Metric>,
) -> Vec<Metric> {
    let exporter = Scripted::builder([]).with_descriptor(descriptor).shared();
    let spec = DestinationSpec::new(Arc::clone(&exporter))
        .with_config(LaneConfig { metrics, ..LaneConfig::DEFAULT });
    let pipeline = builder().to(spec).build().expect("the options are sound");
    let intake = pipeline.intake();
    records.into_iter().for_each(|metric| intake.metric(metric));
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    let metric = |record| match record {
        Record::Metric(metric) => metric,
        other => panic!("not a metric: {other:?}"),
    };
    exporter.records().into_iter().map(metric).collect()
}

fn sample(name: &'static str, value: f64) -> Metric {
    Metric::new(Timestamp::from_nanos(1), name, MetricValue::Sample(value))
}

#[test]
fn the_exporter_says_what_samples_become_and_the_options_say_it_of_a_metric() {
    let metrics = MetricsConfig {
        bounds: [("bounded".to_owned(), vec![1.0, 2.0])].into(),
        exponential: vec!["fine".to_owned()],
        ..MetricsConfig::DEFAULT
    };
    for form in [HistogramForm::Explicit, HistogramForm::Exponential] {
        let descriptor = Scripted::DESCRIPTOR.with_metric_form(MetricForm::Delta).with_histogram_form(form);
        let records = ["bounded", "fine", "other"].map(|name| sample(name, 1.5));
        let shapes: Vec<_> = given(descriptor, metrics.clone(), records)
            .into_iter()
            .map(|metric| match metric.value {
                MetricValue::Histogram(histogram) => (metric.name.to_string(), Some(histogram.bounds.len())),
                MetricValue::ExpHistogram(_) => (metric.name.to_string(), None),
                other => panic!("{other:?}"),
            })
            .collect();
        let other = (form == HistogramForm::Explicit).then_some(15);
        let expected = [("bounded", Some(2)), ("fine", None), ("other", other)];
        assert_eq!(shapes, expected.map(|(name, bounds)| (name.to_owned(), bounds)), "{form:?}");
    }
}

#[test]
fn series_are_limited_as_the_options_say() {
    let metrics = MetricsConfig { max_series: 2, ..MetricsConfig::DEFAULT };
    let records = (0..5).map(|user| {
        let mut metric = Metric::new(Timestamp::from_nanos(1), "work.done", MetricValue::Add(1.0));
        metric.labels = [("user", format!("{user}"))].into();
        metric
    });
    let given = given(Scripted::DESCRIPTOR.with_metric_form(MetricForm::Cumulative), metrics, records);
    let labels: Vec<_> = given.iter().map(|metric| metric.labels[0].0.to_string()).collect();
    assert_eq!(labels, ["otel.metric.overflow", "user"]);
}

#[test]
fn an_exemplar_reaches_the_exporter_with_its_value_and_time() {
    let span = SpanRef { trace_id: TraceId::new(1).unwrap(), span_id: SpanId::new(2) };
    let mut metric = Metric::new(Timestamp::from_nanos(5), "work.done", MetricValue::Add(3.0));
    metric.exemplar = Some(Exemplar { span, value: None, time: None });
    let descriptor = Scripted::DESCRIPTOR.with_metric_form(MetricForm::Cumulative);
    let given = given(descriptor, MetricsConfig::DEFAULT, [metric]);
    let expected = Exemplar { span, value: Some(3.0), time: Some(Timestamp::from_nanos(5)) };
    assert_eq!(given[0].exemplar, Some(expected));
}

#[test]
fn a_cumulative_destination_is_given_every_series_at_each_change() {
    let (pipeline, exporter) = pipeline(MetricForm::Cumulative, []);
    let intake = pipeline.intake();
    for name in ["a", "b", "a"] {
        intake.metric(Metric::new(Timestamp::from_nanos(1), name, MetricValue::Add(1.0)));
        assert!(pipeline.flush(PATIENCE).complete);
    }
    assert!(pipeline.flush(PATIENCE).complete, "nothing new, nothing offered");
    assert_eq!(sums(&exporter), [1.0, 1.0, 1.0, 2.0, 1.0]);
}

#[test]
fn series_are_offered_every_ten_seconds_and_every_second_on_this_machine() {
    for (descriptor, least) in [(Scripted::DESCRIPTOR, 10), (Scripted::DESCRIPTOR.with_local(), 1)] {
        let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
        let exporter =
            Scripted::builder([]).with_descriptor(descriptor.with_metric_form(MetricForm::Delta)).shared();
        let pipeline = builder().clock(clock.clone()).to(Arc::clone(&exporter)).build().unwrap();
        record(&pipeline.intake(), Signal::Metrics, 1);
        eventually("the series is offered", || {
            hand.advance(Duration::from_millis(10));
            exporter.delivered(Signal::Metrics) == 1
        });
        assert!(clock.monotonic() >= Duration::from_secs(least), "after {:?}", clock.monotonic());
    }
}

fn labelled(name: &'static str, label: u64, value: MetricValue) -> Metric {
    let mut metric = Metric::new(Timestamp::from_nanos(1), name, value);
    metric.labels = [("at", format!("{label:02}"))].into();
    metric
}

/// A destination that rejects its first series in every view, and what became of the records.
#[test]
fn law_1_accounting_a_refused_series_costs_the_records_that_are_in_it_and_no_other() {
    let reject = || Step::Reject(vec![0]);
    let (pipeline, _exporter) = pipeline(MetricForm::Cumulative, [reject(), reject(), reject()]);
    let intake = pipeline.intake();
    let mut outcomes = Vec::new();
    for records in [(0..20).collect::<Vec<u64>>(), vec![7, 8, 9], vec![0, 0, 5]] {
        for at in records {
            intake.metric(labelled("runs", at, MetricValue::Add(1.0)));
        }
        let report = pipeline.flush(PATIENCE);
        assert!(report.complete && report.is_balanced(), "{report}");
        let terms = report.destinations[0].signals.get(Signal::Metrics).clone();
        outcomes.push((terms.rejected, terms.delivered));
    }
    assert_eq!(outcomes, [(1, 19), (1, 22), (3, 23)]);
}

#[test]
fn law_1_accounting_parts_of_a_view_that_arrived_are_delivered_though_the_rest_is_given_up() {
    let descriptor = Scripted::DESCRIPTOR.with_metric_form(MetricForm::Delta);
    let exporter = Scripted::builder([Step::Deliver, Step::Hang]).with_descriptor(descriptor).shared();
    let config = LaneConfig { batch_size: Some(10), ..LaneConfig::DEFAULT };
    let pipeline =
        builder().to(DestinationSpec::new(Arc::clone(&exporter)).with_config(config)).build().unwrap();
    (0..30).for_each(|at| pipeline.intake().metric(labelled("runs", at % 15, MetricValue::Add(1.0))));
    assert!(!pipeline.flush(Duration::from_millis(100)).complete);
    eventually("the first part has arrived", || exporter.delivered(Signal::Metrics) == 10);
    let report = pipeline.shutdown(Duration::from_millis(50));
    assert!(report.is_balanced(), "{report}");
    let terms = report.destinations[0].signals.get(Signal::Metrics);
    assert_eq!((terms.delivered, terms.dropped.get(dropped::SHUTDOWN)), (20, 10));
}

/// How many views a destination of one series is given within so long.
fn views_within(time: Duration, descriptor: Descriptor, metrics: MetricsConfig) -> usize {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let exporter = Scripted::builder([]).with_descriptor(descriptor).shared();
    let spec = DestinationSpec::new(Arc::clone(&exporter))
        .with_config(LaneConfig { metrics, ..LaneConfig::DEFAULT });
    let pipeline = builder().clock(clock).to(spec).build().unwrap();
    record(&pipeline.intake(), Signal::Metrics, 1);
    assert!(pipeline.flush(PATIENCE).complete);
    for _ in 0..time.as_secs() {
        let before = exporter.delivered(Signal::Metrics);
        hand.advance(Duration::from_secs(1));
        // A flush has nothing to wait for; it lets the destination's thread see the new time.
        let report = pipeline.flush(PATIENCE);
        assert!(report.complete && report.is_balanced(), "{report}");
        let terms = report.destinations[0].signals.get(Signal::Metrics);
        assert_eq!((terms.offered, terms.delivered, terms.queued), (1, 1, 0), "after {before}");
    }
    exporter.delivered(Signal::Metrics)
}

#[test]
fn law_1_accounting_an_idle_cumulative_destination_is_shown_its_series_and_the_ledger_stays() {
    let cumulative = || Scripted::DESCRIPTOR.with_metric_form(MetricForm::Cumulative);
    let delta = Scripted::DESCRIPTOR.with_metric_form(MetricForm::Delta);
    let every = |heartbeat| MetricsConfig { heartbeat, ..MetricsConfig::DEFAULT };
    let minutes = Duration::from_secs(200);
    assert_eq!(views_within(minutes, cumulative(), MetricsConfig::DEFAULT), 4, "at 0, 60, 120 and 180 s");
    assert_eq!(views_within(minutes, cumulative(), every(Some(Duration::from_secs(90)))), 3);
    assert_eq!(views_within(minutes, cumulative(), every(None)), 1, "switched off");
    assert_eq!(
        views_within(minutes, cumulative().with_local(), MetricsConfig::DEFAULT),
        1,
        "on this machine"
    );
    assert_eq!(views_within(minutes, delta, MetricsConfig::DEFAULT), 1, "a delta of nothing says nothing");
    let seldom = MetricsConfig { interval: Some(Duration::from_secs(150)), ..MetricsConfig::DEFAULT };
    assert_eq!(views_within(minutes, cumulative(), seldom), 2, "no more often than series with new records");
}

#[test]
fn neither_a_flush_nor_a_shutdown_waits_for_a_heartbeat() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let descriptor = Scripted::DESCRIPTOR.with_metric_form(MetricForm::Cumulative);
    let exporter = Scripted::builder([Step::Deliver, Step::Hang]).with_descriptor(descriptor).shared();
    let pipeline = builder().clock(clock).to(Arc::clone(&exporter)).build().unwrap();
    record(&pipeline.intake(), Signal::Metrics, 1);
    assert!(pipeline.flush(PATIENCE).complete);
    hand.advance(Duration::from_mins(1));
    eventually("a heartbeat is on its way", || exporter.under_way() == 1);
    assert!(pipeline.flush(PATIENCE).complete, "a flush");
    let report = pipeline.shutdown(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
}

#[test]
fn a_heartbeat_that_failed_is_not_followed_by_another_before_its_time() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let descriptor = Scripted::DESCRIPTOR.with_metric_form(MetricForm::Cumulative);
    let down = Step::fail(ErrorKind::Unavailable, Retry::Hold(Duration::from_secs(1)));
    let exporter = Scripted::builder([Step::Deliver, down]).with_descriptor(descriptor).shared();
    let pipeline = builder().clock(clock).to(Arc::clone(&exporter)).build().unwrap();
    record(&pipeline.intake(), Signal::Metrics, 1);
    for second in 0..=120 {
        assert!(pipeline.flush(PATIENCE).complete);
        let calls = exporter.calls().exports;
        assert!(calls <= 1 + second / 60, "{calls} calls after {second} s");
        hand.advance(Duration::from_secs(1));
    }
    eventually("the next heartbeat arrives", || sums(&exporter) == [1.0, 1.0]);
    assert!(pipeline.report().is_balanced());
}
