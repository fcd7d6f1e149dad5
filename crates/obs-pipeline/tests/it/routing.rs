//! Routes of a whole pipeline.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Signal, Status, Timestamp};
use obs_pipeline::{Clock, DestinationSpec, Matching, Pipeline, RecordRef, Route, Window, WindowStats};
use obs_testkit::Scripted;

use crate::make::{PATIENCE, builder, eventually, record, span};

const MINUTE: Window = Window::over(Duration::from_mins(1));

fn when(description: &'static str, holds: fn(&WindowStats) -> bool) -> Route {
    Route::new().with_description(description).when_window(MINUTE, holds)
}

/// "Average latency over 100 ms to Datadog, error rate over 5 % to New Relic, everything to Prometheus."
struct Example {
    pipeline: Pipeline,
    hand: obs_pipeline::ManualClock,
    datadog: Arc<Scripted>,
    new_relic: Arc<Scripted>,
    prometheus: Arc<Scripted>,
}

impl Example {
    fn new() -> Self {
        let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
        let [datadog, new_relic, prometheus] = [(); 3].map(|()| Scripted::new([]));
        let slow = when("High latency alerts", |stats| stats.average > Duration::from_millis(100));
        let failing = when("Error rate monitoring", |stats| stats.error_rate > 0.05);
        let base = Route::new().with_description("Base metrics collection");
        let to =
            |exporter: &Arc<Scripted>, route| DestinationSpec::new(Arc::clone(exporter)).with_route(route);
        let pipeline = builder()
            .clock(clock)
            .to_named("datadog", to(&datadog, slow))
            .to_named("new relic", to(&new_relic, failing))
            .to_named("prometheus", to(&prometheus, base))
            .build()
            .unwrap();
        Self { pipeline, hand, datadog, new_relic, prometheus }
    }

    /// Twenty spans that take so long, of which so many fail, and a measurement; returns who got that.
    fn round(&self, took: Duration, failed: u64) -> [bool; 3] {
        let before = self.measurements();
        let intake = self.pipeline.intake();
        for at in 0..20 {
            let mut span = span(at);
            span.end = Some(span.start.saturating_add(took));
            if at < failed {
                span.status = Status::Error;
            }
            intake.span_ended(span);
        }
        assert!(self.pipeline.flush(PATIENCE).complete);
        record(&intake, Signal::Metrics, 1);
        let report = self.pipeline.flush(PATIENCE);
        assert!(report.complete && report.is_balanced(), "{report}");
        let after = self.measurements();
        [0, 1, 2].map(|at| after[at] > before[at])
    }

    fn measurements(&self) -> [usize; 3] {
        [&self.datadog, &self.new_relic, &self.prometheus].map(|exporter| exporter.delivered(Signal::Metrics))
    }
}

#[test]
fn slow_goes_to_datadog_failing_to_new_relic_and_everything_to_prometheus() {
    let example = Example::new();
    let (quick, slow) = (Duration::from_millis(20), Duration::from_millis(400));
    assert_eq!(example.round(quick, 0), [false, false, true]);
    assert_eq!(example.round(slow, 0), [true, false, true], "the average is over 100 ms");
    example.hand.advance(Duration::from_mins(2));
    assert_eq!(example.round(quick, 0), [false, false, true], "the window has forgotten");
    assert_eq!(example.round(quick, 10), [false, true, true], "a quarter of the spans failed");
    assert_eq!(example.round(slow, 10), [true, true, true]);
    let report = example.pipeline.report();
    let filtered = |name: &str, reason: &str| {
        report.destination(name).unwrap().signals.get(Signal::Metrics).filtered.get(reason)
    };
    assert_eq!(filtered("datadog", "route:High latency alerts"), 3);
    assert_eq!(filtered("new relic", "route:Error rate monitoring"), 3);
    assert!(report.destination("prometheus").unwrap().signals.get(Signal::Metrics).filtered.is_empty());
}

#[test]
fn the_first_match_takes_a_record_where_the_pipeline_says_so() {
    let [logs, rest, all] = [(); 3].map(|()| Scripted::new([]));
    let to = |exporter: &Arc<Scripted>, route| DestinationSpec::new(Arc::clone(exporter)).with_route(route);
    let only_logs = Route::new().when(|record| record.signal() == Signal::Logs);
    let pipeline = builder()
        .matching(Matching::First)
        .to_named("logs", to(&logs, only_logs))
        .to_named("rest", to(&rest, Route::new()))
        .to_named("all", Arc::clone(&all))
        .build()
        .unwrap();
    for signal in Signal::ALL {
        record(&pipeline.intake(), signal, 1);
    }
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    assert_eq!((logs.delivered(Signal::Logs), logs.delivered(Signal::Traces)), (1, 0));
    assert_eq!((rest.delivered(Signal::Logs), rest.delivered(Signal::Traces)), (0, 1));
    assert_eq!((all.delivered(Signal::Logs), all.delivered(Signal::Traces)), (1, 1), "it has no route");
}

#[test]
fn a_predicate_that_panics_loses_its_records_for_that_destination_alone() {
    let (careless, careful) = (Scripted::new([]), Scripted::new([]));
    let route = Route::new().when(|record| match record {
        RecordRef::Log(_) => panic!("a predicate of the user's"),
        _ => true,
    });
    let pipeline = builder()
        .to_named("careless", DestinationSpec::new(Arc::clone(&careless)).with_route(route))
        .to_named("careful", Arc::clone(&careful))
        .build()
        .unwrap();
    record(&pipeline.intake(), Signal::Logs, 1);
    record(&pipeline.intake(), Signal::Scores, 1);
    eventually("all was routed", || pipeline.report().intake.get(Signal::Logs).sealed == 1);
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    let terms = report.destination("careless").unwrap().signals.get(Signal::Logs);
    assert_eq!((terms.dropped.get("panic"), careless.delivered(Signal::Scores)), (1, 1));
    assert_eq!(careful.delivered(Signal::Logs), 1);
}

#[test]
fn a_predicate_may_ask_the_pipeline_and_be_slow_without_stopping_anybody() {
    let asked: Arc<std::sync::OnceLock<std::sync::Weak<Pipeline>>> = Arc::default();
    let to_ask = Arc::clone(&asked);
    let curious = Route::new().when(move |_| {
        let pipeline = to_ask.get().and_then(std::sync::Weak::upgrade);
        pipeline.is_none_or(|pipeline| pipeline.report().is_balanced() && !pipeline.health().is_empty())
    });
    let exporter = Scripted::new([]);
    let spec = DestinationSpec::new(Arc::clone(&exporter)).with_route(curious);
    let pipeline = Arc::new(builder().to(spec).build().unwrap());
    asked.set(Arc::downgrade(&pipeline)).unwrap();
    record(&pipeline.intake(), Signal::Logs, 1);
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete, "{report}");
    assert_eq!(exporter.delivered(Signal::Logs), 1);
}

#[test]
fn the_first_match_leaves_what_its_destination_does_not_take_to_the_next() {
    let no_scores =
        Scripted::DESCRIPTOR.narrowed(Signal::ALL.into_iter().filter(|s| *s != Signal::Scores).collect());
    let first = Scripted::builder([]).with_descriptor(no_scores).shared();
    let second = Scripted::new([]);
    let pipeline = builder()
        .matching(Matching::First)
        .to_named("first", DestinationSpec::new(Arc::clone(&first)).with_route(Route::new()))
        .to_named("second", DestinationSpec::new(Arc::clone(&second)).with_route(Route::new()))
        .build()
        .unwrap();
    record(&pipeline.intake(), Signal::Scores, 1);
    record(&pipeline.intake(), Signal::Logs, 1);
    assert!(pipeline.flush(PATIENCE).complete);
    assert_eq!((first.delivered(Signal::Logs), second.delivered(Signal::Logs)), (1, 0));
    assert_eq!(second.delivered(Signal::Scores), 1);
}
