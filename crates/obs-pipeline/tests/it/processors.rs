//! Processors: what they remove, add and break.

use std::sync::Arc;

use obs_core::{Metric, MetricValue, Signal, Signals, Timestamp};
use obs_pipeline::{Emit, Processor, Segment, dropped};
use obs_testkit::Scripted;

use crate::make::{PATIENCE, builder, log, record};

/// Removes every second record.
#[derive(Debug)]
struct Half;

impl Processor for Half {
    fn name(&self) -> &'static str {
        "half"
    }

    fn needs(&self) -> Signals {
        Signals::NONE
    }

    fn process(&mut self, records: &mut Segment, _: &mut Emit) {
        if let Segment::Traces(spans) = records {
            let mut keep = false;
            spans.retain(|_| {
                keep = !keep;
                keep
            });
        }
    }
}

/// Makes a metric of every span, and of every log a panic.
#[derive(Debug)]
struct Count;

impl Processor for Count {
    fn name(&self) -> &'static str {
        "count"
    }

    fn needs(&self) -> Signals {
        Signals::NONE.with(Signal::Traces)
    }

    fn process(&mut self, records: &mut Segment, emit: &mut Emit) {
        assert_ne!(records.signal(), Signal::Logs, "this processor cannot stand logs");
        if let Segment::Traces(spans) = records {
            for _ in spans {
                emit.metric(Metric::new(Timestamp::from_nanos(1), "spans", MetricValue::Add(1.0)));
            }
        }
    }
}

#[test]
fn removed_and_added_records_are_accounted_for() {
    let exporter = Scripted::new([]);
    let pipeline = builder().to(Arc::clone(&exporter)).processor(Half).processor(Count).build().unwrap();
    let intake = pipeline.intake();
    (0..100).for_each(|at| record(&intake, Signal::Traces, at));
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    assert_eq!(report.intake.get(Signal::Traces).filtered.get("processor:half"), 50);
    assert_eq!((exporter.delivered(Signal::Traces), exporter.delivered(Signal::Metrics)), (50, 50));
}

#[test]
fn what_a_processor_needs_is_recorded_even_where_no_destination_takes_it() {
    let descriptor = Scripted::DESCRIPTOR.narrowed([Signal::Metrics].into_iter().collect());
    let exporter = Scripted::builder([]).with_descriptor(descriptor).shared();
    let pipeline = builder().to(Arc::clone(&exporter)).processor(Count).build().unwrap();
    let intake = pipeline.intake();
    assert!(intake.wants().contains(Signal::Traces));
    record(&intake, Signal::Traces, 1);
    pipeline.flush(PATIENCE);
    assert_eq!((exporter.delivered(Signal::Traces), exporter.delivered(Signal::Metrics)), (0, 1));
}

#[test]
fn law_6_redaction_fails_closed_when_a_processor_panics() {
    let exporter = Scripted::new([]);
    let pipeline = builder().to(Arc::clone(&exporter)).processor(Count).build().unwrap();
    let intake = pipeline.intake();
    intake.log(log("sk-ant-api03-not-a-real-key-but-a-secret-nevertheless-0000000000000000000000000000"));
    record(&intake, Signal::Scores, 1);
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    assert_eq!(report.intake.get(Signal::Logs).dropped.get(dropped::PANIC), 1);
    assert_eq!((exporter.delivered(Signal::Logs), exporter.delivered(Signal::Scores)), (0, 1));
    record(&intake, Signal::Traces, 1);
    pipeline.flush(PATIENCE);
    assert_eq!(exporter.delivered(Signal::Metrics), 1, "the processor is used again");
}

/// Takes the input out of spans, and breaks on the one named `poison`.
#[derive(Debug)]
struct Cleaner;

impl Processor for Cleaner {
    fn name(&self) -> &'static str {
        "cleaner"
    }

    fn needs(&self) -> Signals {
        Signals::NONE
    }

    fn process(&mut self, records: &mut Segment, _: &mut Emit) {
        let Segment::Traces(spans) = records else { return };
        for span in spans.iter_mut().map(obs_core::SpanRecord::span_mut) {
            assert_ne!(&*span.name, "poison", "this processor cannot stand it");
            span.input = None;
        }
    }
}

#[test]
fn a_panicking_processor_lets_nothing_through() {
    let descriptor = Scripted::DESCRIPTOR.with_started();
    let exporter = Scripted::builder([]).with_descriptor(descriptor).shared();
    let pipeline = builder().to(Arc::clone(&exporter)).processor(Cleaner).build().unwrap();
    let intake = pipeline.intake();
    for name in ["clean", "poison", "not reached"] {
        let mut span = crate::make::span(1);
        span.name = name.into();
        intake.span_started(obs_core::Span { end: None, ..span.clone() });
        intake.span_ended(span);
    }
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    let terms = report.intake.get(Signal::Traces);
    assert_eq!((terms.recorded, terms.dropped.get(dropped::PANIC), terms.sealed), (6, 6, 0), "{report}");
    assert_eq!(exporter.delivered(Signal::Traces), 0, "neither starts nor ends, cleaned or not");
    record(&intake, Signal::Traces, 1);
    let report = pipeline.flush(PATIENCE);
    assert_eq!(exporter.delivered(Signal::Traces), 1, "the processor is used again: {report}");
}
