//! Metric lanes whose destination wants series.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{ErrorKind, Metric, MetricForm, MetricValue, Record, Retry, Signal, Timestamp};
use obs_pipeline::{Clock, Pipeline};
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
