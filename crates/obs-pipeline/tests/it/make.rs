//! Records and pipelines for the tests.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    Feedback, Level, Log, Metric, MetricValue, Payload, Score, ScoreValue, Signal, Span, SpanId, Target,
    Timestamp, TraceId,
};
use obs_pipeline::{Intake, Pipeline, PipelineBuilder};
use obs_testkit::{Scripted, Step};

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A pipeline that ends at once when dropped, whatever hangs.
pub(crate) fn builder() -> PipelineBuilder {
    Pipeline::builder().drop_deadline(Duration::from_millis(200))
}

/// A pipeline with one scripted destination, named `scripted`.
pub(crate) fn pipeline(script: impl IntoIterator<Item = Step>) -> (Pipeline, Arc<Scripted>) {
    let exporter = Scripted::new(script);
    let pipeline = builder().to(Arc::clone(&exporter)).build().unwrap();
    (pipeline, exporter)
}

/// Waits for something that other threads bring about.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let clock = obs_pipeline::Clock::system();
    while !is_so() {
        assert!(clock.monotonic() < PATIENCE, "never: {what}");
        std::thread::yield_now();
    }
}

/// Flushes until something is so: on a busy machine one flush with a short deadline may come to nothing.
#[track_caller]
pub(crate) fn flushed_until(pipeline: &Pipeline, what: &str, mut is_so: impl FnMut() -> bool) {
    eventually(what, || {
        pipeline.flush(Duration::from_millis(1));
        is_so()
    });
}

pub(crate) fn span(at: u64) -> Span {
    let (trace, id) = (TraceId::new(u128::from(at) + 1).unwrap(), SpanId::new(at + 1).unwrap());
    let mut span = Span::new(trace, id, "work", Timestamp::from_nanos(at));
    span.end = Some(Timestamp::from_nanos(at + 5));
    span.input = Some(Payload::from("an input"));
    span
}

pub(crate) fn log(message: &'static str) -> Log {
    Log::new(Timestamp::from_nanos(1), Level::Info, message)
}

/// Records one of a signal.
pub(crate) fn record(intake: &Intake, signal: Signal, at: u64) {
    let time = Timestamp::from_nanos(at);
    let target = Target::Session { session_id: "s".into() };
    match signal {
        Signal::Traces => intake.span_ended(span(at)),
        Signal::Metrics => intake.metric(Metric::new(time, "work.done", MetricValue::Add(1.0))),
        Signal::Logs => intake.log(log("work")),
        Signal::Scores => intake.score(Score::new(
            uuid::Uuid::from_u128(u128::from(at) + 1),
            time,
            target,
            "good",
            ScoreValue::Boolean(true),
        )),
        Signal::Feedback => intake.feedback(Feedback::new(
            uuid::Uuid::from_u128(u128::from(at) + 1),
            time,
            target,
            "thumbs",
            ScoreValue::Boolean(true),
        )),
    }
}
