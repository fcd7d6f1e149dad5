//! A span that records nothing leaves alone what is around it, other instances' spans and a caller's headers for two.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use obs_core::{Signal, Signals, ToolCall};
use obs_instrument::{
    ActiveSpan, AutomaticMetrics, Context, FutureExt, Generic, Observability, ObservabilityBuilder,
};

use crate::collect::Bench;
use crate::executors::{block_on, yield_now};

/// Instances of which no span goes anywhere, each for another reason.
fn idle() -> [(&'static str, Bench); 3] {
    let ended = Bench::new();
    assert!(ended.obs.shutdown(Duration::from_secs(20)).complete);
    [
        ("disabled", Bench::with(|builder| builder.enabled(false))),
        ("shut down", ended),
        (
            "metrics alone are wanted",
            Bench::taking_with(Signals::NONE.with(Signal::Metrics), measuring_nothing),
        ),
    ]
}

fn measuring_nothing(builder: ObservabilityBuilder) -> ObservabilityBuilder {
    builder.automatic_metrics(AutomaticMetrics::off())
}

/// A way to do something under a span.
type Way = fn(ActiveSpan, &dyn Fn());

const WAYS: [(&str, Way); 6] = [
    ("scope", |span, inner| span.scope(inner)),
    ("enter", |span, inner| {
        let _entered = span.enter();
        inner();
    }),
    ("call", |span, inner| {
        span.call(|| {
            inner();
            Ok::<_, fmt::Error>(())
        })
        .unwrap();
    }),
    ("run", |span, inner| {
        let work = async {
            yield_now().await;
            inner();
            Ok::<_, fmt::Error>(())
        };
        block_on(span.run(work)).unwrap();
    }),
    ("with_context", |span, inner| {
        let context = span.context();
        block_on(async { inner() }.with_context(context));
    }),
    ("wrap", |span, inner| span.context().wrap(inner)()),
];

#[test]
fn law_3_isolation_of_spans_from_instances_that_record_nothing() {
    for (why, off) in idle() {
        for (way, under) in WAYS {
            let bench = Bench::new();
            let outer = bench.obs.span("outer");
            outer.scope(|| {
                under(off.obs.span("nothing"), &|| {
                    bench.obs.span("inner").scope(|| drop(bench.obs.info("said")));
                    Observability::current().unwrap().span("of the instance at hand").end();
                });
                bench.obs.span("after").end();
            });
            outer.end();
            let arrived = bench.arrived();
            let outer = arrived.span("outer").span_id;
            for name in ["inner", "of the instance at hand", "after"] {
                assert_eq!(arrived.span(name).parent_span_id, Some(outer), "{name}: {why}, {way}");
            }
            assert_eq!(arrived.logs[0].span, Some(arrived.span("inner").reference()), "{why}, {way}");
        }
    }
}

#[test]
fn a_callers_trace_and_baggage_go_on_through_a_service_that_records_nothing() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let came = HashMap::from([
        ("traceparent".to_owned(), parent.to_owned()),
        ("baggage".to_owned(), "tenant=acme".to_owned()),
    ]);
    for (why, off) in idle() {
        for (way, under) in WAYS {
            Context::extract(&came).scope(|| {
                under(off.obs.span("serve"), &|| {
                    let mut went = HashMap::new();
                    Context::current().inject(&mut went);
                    assert_eq!(went, came, "{why}, {way}");
                });
            });
        }
    }
}

#[test]
fn a_parent_that_was_named_is_the_one_that_goes_on() {
    for (why, off) in idle() {
        let bench = Bench::new();
        let (named, current) = (bench.obs.span("named"), bench.obs.span("current"));
        for (way, under) in WAYS {
            current.scope(|| {
                let span = off.obs.start("nothing", Generic, &named.context());
                let child = span.child::<ToolCall>("nothing, either");
                assert!(!child.is_recording() && !off.obs.span("x").child::<ToolCall>("y").is_recording());
                under(span, &|| bench.obs.span("below").end());
                child.scope(|| bench.obs.span("below the child").end());
            });
            let arrived = bench.arrived();
            let all = arrived.spans.iter().all(|span| span.parent_span_id == named.span_id());
            assert!(all && arrived.spans.len().is_multiple_of(2), "{why}, {way}: {arrived:?}");
        }
    }
}

#[test]
fn a_span_of_nobody_leaves_the_context_alone_too() {
    let bench = Bench::new();
    let outer = bench.obs.span("outer");
    for (way, under) in WAYS {
        outer.scope(|| {
            under(ActiveSpan::noop(), &|| assert_eq!(Context::current().span_id(), outer.span_id(), "{way}"));
        });
        under(ActiveSpan::noop(), &|| assert_eq!(Context::current().trace_id(), None, "{way}"));
    }
}
