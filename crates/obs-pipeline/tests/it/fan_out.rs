//! Law 7: every destination gets the very same memory.

use std::sync::Arc;

use obs_core::{Batch, Signal, SpanRecord};
use obs_testkit::Scripted;

use crate::make::{PATIENCE, builder, record, span};

fn addresses(exporter: &Scripted) -> Vec<*const SpanRecord> {
    let spans = exporter.batches().into_iter().flat_map(|batch| match batch {
        Batch::Traces(spans) => spans.iter().map(std::ptr::from_ref).collect(),
        _ => Vec::new(),
    });
    spans.collect()
}

#[test]
fn law_7_fan_out_shares_segments() {
    let exporters = [Scripted::new([]), Scripted::new([]), Scripted::new([])];
    let mut builder = builder();
    for (at, exporter) in exporters.iter().enumerate() {
        builder = builder.to_named(format!("{at}"), Arc::clone(exporter));
    }
    let pipeline = builder.build().unwrap();
    let intake = pipeline.intake();
    (0..1_000).for_each(|at| record(&intake, Signal::Traces, at));
    pipeline.flush(PATIENCE);
    let first = addresses(&exporters[0]);
    assert_eq!(first.len(), 1_000);
    assert!(exporters.iter().all(|exporter| addresses(exporter) == first));
}

#[test]
fn starts_reach_only_those_that_want_them() {
    let wanting = Scripted::builder([]).with_descriptor(Scripted::DESCRIPTOR.with_started()).shared();
    let plain = Scripted::new([]);
    let pipeline = builder()
        .to_named("wanting", Arc::clone(&wanting))
        .to_named("plain", Arc::clone(&plain))
        .build()
        .unwrap();
    let intake = pipeline.intake();
    assert!(intake.wants_started());
    for at in 0..10 {
        intake.span_started(span(at));
        intake.span_ended(span(at));
    }
    let report = pipeline.flush(PATIENCE);
    assert!(report.is_balanced(), "{report}");
    assert_eq!((wanting.delivered(Signal::Traces), plain.delivered(Signal::Traces)), (20, 10));
    let terms = report.destination("plain").unwrap().signals.get(Signal::Traces);
    assert_eq!(terms.filtered.get(obs_pipeline::filtered::STARTED), 10);
}

#[test]
fn a_signal_that_a_destination_does_not_take_is_filtered_and_one_nobody_takes_is_not_recorded() {
    let only = |signal| {
        let descriptor = Scripted::DESCRIPTOR.narrowed([signal].into_iter().collect());
        Scripted::builder([]).with_descriptor(descriptor).shared()
    };
    let pipeline = builder()
        .to_named("logs", only(Signal::Logs))
        .to_named("scores", only(Signal::Scores))
        .build()
        .unwrap();
    let intake = pipeline.intake();
    assert_eq!(intake.wants().iter().collect::<Vec<_>>(), [Signal::Logs, Signal::Scores]);
    for signal in Signal::ALL {
        record(&intake, signal, 1);
    }
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    let terms = report.destination("scores").unwrap().signals.get(Signal::Logs);
    assert_eq!((terms.filtered.get(obs_pipeline::filtered::UNSUPPORTED), terms.delivered), (1, 0));
    assert!(report.intake.get(Signal::Traces).is_empty());
}
