//! Filters on spans, and what they never take away.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Batch, Log, Span, SpanId, SpanRecord, SpanType, Timestamp};
use obs_pipeline::{DestinationSpec, Gate, Route};
use obs_testkit::{Scripted, arbitrary};
use proptest::prelude::*;

use crate::make::{PATIENCE, builder, span};

/// A span of a type, below a parent.
fn child(at: u64, span_type: &str) -> Span {
    let mut child = span(at);
    child.parent_span_id = SpanId::new(99);
    child.span_type = of_type(span_type);
    child
}

fn of_type(name: &str) -> SpanType {
    match name {
        "tool_call" => SpanType::ToolCall(obs_core::ToolCall::default()),
        "embedding" => SpanType::Embedding(obs_core::Embedding::default()),
        _ => SpanType::Generic,
    }
}

fn passes(route: &Route, span: &Span) -> bool {
    let batch = Batch::Traces(vec![SpanRecord::Ended(span.clone())].into());
    let gate = Gate::new(Some(route.clone()), vec![]);
    let selected = gate.select(&batch, Duration::ZERO);
    assert_eq!((selected.batch.len() + selected.filtered, selected.panicked), (1, 0));
    selected.filtered == 0
}

#[test]
fn excluded_types_are_left_out_but_for_what_a_trace_needs() {
    let route = Route::new().exclude_span_types(["tool_call", "generic"]).unwrap();
    let tool = child(1, "tool_call");
    assert!(!passes(&route, &tool) && !passes(&route, &child(1, "generic")));
    assert!(passes(&route, &child(1, "embedding")));
    assert!(passes(&route, &Span { parent_span_id: None, ..tool.clone() }), "a root");
    assert!(passes(&route, &Span { remote_parent: true, ..tool.clone() }), "the root of this process's part");
    assert!(passes(&route, &Span { judged: true, ..tool.clone() }), "a score speaks of it");
    let more = route.exclude_span_types(["embedding"]).unwrap();
    assert!(!passes(&more, &child(1, "embedding")) && !passes(&more, &tool), "both sets are left out");
}

#[test]
fn a_strict_choice_of_types_goes_before_what_is_left_out() {
    let route = Route::new().span_types(["tool_call", "generic"]).unwrap();
    let route = route.exclude_span_types(["generic"]).unwrap();
    assert!(passes(&route, &child(1, "tool_call")) && !passes(&route, &child(1, "generic")));
    assert!(passes(&route, &span(1)), "a root of a chosen type, though its type is left out");
    let root = Span { parent_span_id: None, ..child(1, "embedding") };
    assert!(!passes(&route, &root), "a root of another type");
}

#[test]
fn unknown_types_are_refused_with_the_nearest_name() {
    let error = Route::new().exclude_span_types(["tool_cal"]).unwrap_err();
    for part in ["route.exclude_span_types", "did you mean `tool_call`", "memory_lookup"] {
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn a_span_filter_that_panics_keeps_the_span_and_is_not_asked_about_logs() {
    let route = Route::new().span_filter(|span| {
        assert_ne!(&*span.name, "poison", "this filter cannot stand it");
        &*span.name == "good"
    });
    let named = |name: &'static str| Span { name: name.into(), ..child(1, "generic") };
    assert!(passes(&route, &named("good")) && passes(&route, &named("poison")));
    assert!(!passes(&route, &named("bad")));
    assert!(passes(&route, &Span { judged: true, ..named("bad") }));
    let logs = Batch::Logs(vec![Log::new(Timestamp::default(), obs_core::Level::Info, "m")].into());
    assert_eq!(Gate::new(Some(route), vec![]).select(&logs, Duration::ZERO).batch, logs);
}

#[test]
fn law_1_accounting_counts_left_out_spans_at_the_one_destination_that_leaves_them_out() {
    let (noisy, quiet) = (Scripted::new([]), Scripted::new([]));
    let route = Route::new().exclude_span_types(["embedding"]).unwrap().with_description("no noise");
    let pipeline = builder()
        .to_named("noisy", Arc::clone(&noisy))
        .to_named("quiet", DestinationSpec::new(Arc::clone(&quiet)).with_route(route))
        .build()
        .unwrap();
    let intake = pipeline.intake();
    (0..10).for_each(|at| intake.span_ended(child(at, if at < 4 { "embedding" } else { "generic" })));
    let report = pipeline.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    let filtered = |name: &str| {
        let terms = report.destination(name).unwrap().signals.get(obs_core::Signal::Traces);
        terms.filtered.get("route:no noise")
    };
    assert_eq!((filtered("noisy"), filtered("quiet")), (0, 4), "{report}");
    let delivered = [noisy, quiet].map(|exporter| exporter.delivered(obs_core::Signal::Traces));
    assert_eq!(delivered, [10, 6]);
}

proptest! {
    #[test]
    fn no_filter_takes_a_root_or_a_judged_span(span in arbitrary::span(), keeps in any::<bool>()) {
        let route = Route::new().exclude_span_types(SpanType::NAMES).unwrap().span_filter(move |_| keeps);
        let needed = span.is_root() || span.remote_parent || span.judged;
        prop_assert_eq!(passes(&route, &span), needed);
        let filtered = Route::new().span_filter(move |_| keeps);
        prop_assert_eq!(passes(&filtered, &span), needed || keeps);
    }
}
