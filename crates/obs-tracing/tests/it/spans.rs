use std::time::Duration;

use obs_core::{SpanKind, Status, Timestamp, Value};
use obs_instrument::Context;
use obs_instrument::pipeline::Clock;
use obs_tracing::CodeAttributes;
use tracing::field::Empty;
use tracing::info_span;

use crate::collect::{Bench, attribute};

#[test]
fn a_span_has_its_fields_each_in_its_own_type() {
    let arrived = Bench::new().run(|| {
        let text = String::from("text");
        let _span = info_span!("work", text = text.as_str(), whole = 7u64, part = 0.5, yes = true, shown = %text,
            debugged = ?Some(1), wide = u128::MAX, none = Empty);
    });
    let span = arrived.span("work");
    assert_eq!(*attribute(span, "text"), Value::from("text"));
    assert_eq!(*attribute(span, "whole"), Value::from(7));
    assert_eq!(*attribute(span, "part"), Value::from(0.5));
    assert_eq!(*attribute(span, "yes"), Value::from(true));
    assert_eq!(*attribute(span, "shown"), Value::from("text"));
    assert_eq!(*attribute(span, "debugged"), Value::from("Some(1)"));
    assert_eq!(*attribute(span, "wide"), Value::from(u128::MAX.to_string()));
    assert_eq!(span.attributes.len(), 7, "what was not told is not there, nor is anything else");
    assert_eq!((span.kind, span.status, span.is_root()), (SpanKind::Internal, Status::Unset, true));
}

#[test]
fn parents_are_contextual_explicit_or_none() {
    let arrived = Bench::new().run(|| {
        let outer = info_span!("outer").entered();
        info_span!("contextual").in_scope(|| info_span!("below").in_scope(|| {}));
        let other = info_span!(parent: None, "other");
        let _ = info_span!(parent: &other, "explicit");
        let _ = info_span!(parent: None, "root");
        drop(outer);
    });
    assert_eq!(arrived.parent("contextual"), Some("outer"));
    assert_eq!(arrived.parent("below"), Some("contextual"));
    assert_eq!(arrived.parent("explicit"), Some("other"));
    assert!(arrived.span("root").is_root() && arrived.span("other").is_root());
    assert_ne!(arrived.span("root").trace_id, arrived.span("outer").trace_id);
    assert_eq!(arrived.span("below").root_span_id(), Some(arrived.span("outer").span_id));
}

#[test]
fn spans_of_both_worlds_are_parents_of_each_other() {
    let bench = Bench::new();
    let arrived = bench.run(|| {
        let ours = bench.obs.span("ours");
        let current = ours.enter();
        let theirs = info_span!("theirs").entered();
        let within = bench.obs.span("within");
        within.scope(|| info_span!("innermost").in_scope(|| {}));
        drop((within, theirs));
        let _ = info_span!("after");
        drop(current);
    });
    assert_eq!(arrived.parent("theirs"), Some("ours"));
    assert_eq!(arrived.parent("within"), Some("theirs"));
    assert_eq!(arrived.parent("innermost"), Some("within"));
    assert_eq!(arrived.parent("after"), Some("ours"), "leaving makes what was before current again");
    assert_eq!(Context::current().span_id(), None);
}

#[test]
fn a_span_under_a_remote_parent_continues_its_trace() {
    let (trace_id, span_id) =
        ("0af7651916cd43dd8448eb211c80319c".parse().unwrap(), "b7ad6b7169203331".parse().unwrap());
    let arrived = Bench::new().run(|| {
        let remote = Context::remote(trace_id, span_id, true, None);
        remote.scope(|| info_span!("server").in_scope(|| {}));
    });
    let span = arrived.span("server");
    assert_eq!((span.trace_id, span.parent_span_id, span.remote_parent), (trace_id, Some(span_id), true));
}

#[test]
fn a_span_that_is_left_below_others_covers_nothing() {
    let bench = Bench::new();
    let arrived = bench.run(|| {
        let (a, b) = (info_span!("a"), info_span!("b"));
        let (in_a, in_b) = (a.enter(), b.enter());
        drop(in_a);
        let _ = bench.obs.span("under b");
        drop(in_b);
        let _ = bench.obs.span("under none");
    });
    assert_eq!(arrived.parent("under b"), Some("b"));
    assert!(arrived.span("under none").is_root());
}

#[test]
fn what_is_recorded_late_counts_and_the_last_word_wins() {
    let arrived = Bench::new().run(|| {
        let span = info_span!("late", first = 1, second = Empty);
        span.record("second", "told");
        span.record("first", 2);
        span.record("unknown", 3);
    });
    let span = arrived.span("late");
    assert_eq!(*attribute(span, "first"), Value::from(2));
    assert_eq!(*attribute(span, "second"), Value::from("told"));
    assert_eq!(span.attributes.len(), 2);
}

#[test]
fn a_span_that_follows_from_another_links_to_it() {
    let arrived = Bench::new().run(|| {
        let (cause, effect) = (info_span!("cause"), info_span!("effect"));
        effect.follows_from(&cause);
    });
    let (cause, effect) = (arrived.span("cause"), arrived.span("effect"));
    assert_eq!(effect.links.len(), 1);
    assert_eq!((effect.links[0].trace_id, effect.links[0].span_id), (cause.trace_id, cause.span_id));
}

#[test]
fn the_fields_of_tracing_opentelemetry_are_known() {
    let arrived = Bench::new().run(|| {
        let name = String::from("GET /");
        let span = info_span!("request", otel.name = %name, otel.kind = "Server", otel.status_code = Empty,
            otel.status_message = Empty);
        span.record("otel.status_code", "ERROR");
        span.record("otel.status_message", "upstream is gone");
        let span = info_span!("renamed", otel.name = Empty, otel.kind = Empty, otel.status_code = "OK");
        span.record("otel.name", "late name");
        span.record("otel.kind", "consumer");
    });
    let span = arrived.span("GET /");
    assert_eq!((span.kind, span.status), (SpanKind::Server, Status::Error));
    assert_eq!(span.error.as_ref().unwrap().message, "upstream is gone");
    assert!(span.attributes.is_empty(), "{:?}", span.attributes);
    let span = arrived.span("late name");
    assert_eq!((span.kind, span.status), (SpanKind::Consumer, Status::Ok));
}

#[test]
fn an_error_value_is_the_error_of_its_span_with_its_sources() {
    let arrived = Bench::new().run(|| {
        let error = std::io::Error::other("x".parse::<u8>().unwrap_err());
        let error: &(dyn std::error::Error + 'static) = &error;
        let _ = info_span!("typed", error);
        let span = info_span!("late", error = Empty);
        span.record("error", tracing::field::display("it broke"));
        let _ = info_span!("parts", error.type = "timeout", error.message = "too slow");
        let _ = info_span!("no error", error = false);
    });
    let error = arrived.span("typed").error.as_ref().unwrap();
    assert_eq!(error.message, "invalid digit found in string");
    assert!(error.error_id.is_some());
    assert_eq!(arrived.span("late").error.as_ref().unwrap().message, "it broke");
    let parts = arrived.span("parts").error.as_ref().unwrap();
    assert_eq!((parts.error_type.as_deref(), parts.message.as_str()), (Some("timeout"), "too slow"));
    assert_eq!(arrived.span("no error").status, Status::Unset);
    assert_eq!(*attribute(arrived.span("no error"), "error"), Value::from(false));
}

#[derive(Debug)]
struct Outer(std::num::ParseIntError);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no number")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn the_sources_of_an_error_are_kept() {
    let arrived = Bench::new().run(|| {
        let error = Outer("x".parse::<u8>().unwrap_err());
        let _ = info_span!("parse", cause = &error as &(dyn std::error::Error + 'static));
    });
    let span = arrived.span("parse");
    let error = span.error.as_ref().unwrap();
    assert_eq!((error.message.as_str(), error.sources.len()), ("no number", 1));
    assert_eq!(error.sources[0], "invalid digit found in string");
    assert_eq!(*attribute(span, "cause"), Value::from("no number"), "a field of another name stays one");
}

#[test]
fn a_span_that_a_panic_ends_has_failed() {
    let bench = Bench::new();
    let arrived = bench.run(|| {
        let panicked = std::panic::catch_unwind(|| info_span!("span").in_scope(|| panic!("on purpose")));
        assert!(panicked.is_err());
        let _ = info_span!("after");
    });
    let error = arrived.span("span").error.as_ref().unwrap();
    assert_eq!(error.error_type.as_deref(), Some("panic"));
    assert!(arrived.span("after").is_root(), "the context is as before");
}

#[test]
fn a_span_ends_when_it_is_last_left_or_told_something() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1_000));
    let bench = Bench::with(|builder| builder.clock(clock));
    let arrived = bench.run(|| {
        let (left, told, never) =
            (info_span!("left"), info_span!("told", tokens = Empty), info_span!("never"));
        left.in_scope(|| hand.advance(Duration::from_nanos(10)));
        told.in_scope(|| {});
        hand.advance(Duration::from_nanos(5));
        told.record("tokens", 3);
        hand.advance(Duration::from_nanos(100));
        drop((left, told, never));
    });
    let took = |name| arrived.span(name).duration().unwrap().as_nanos();
    assert_eq!((took("left"), took("told"), took("never")), (10, 15, 115));
}

#[test]
fn where_a_span_is_from_is_told_by_option() {
    let bench = Bench::new();
    let arrived = bench.run_with(
        |layer| layer.with_span_code(CodeAttributes::All),
        || drop(info_span!(target: "shop::orders", "placed")),
    );
    let span = arrived.span("placed");
    assert_eq!(*attribute(span, "target"), Value::from("shop::orders"));
    assert_eq!(*attribute(span, "level"), Value::from("INFO"));
    assert!(attribute(span, "code.file.path").as_str().unwrap().ends_with("spans.rs"));
    assert!(attribute(span, "code.line.number").as_i64().unwrap() > 0);
    assert!(attribute(span, "code.module.name").as_str().unwrap().ends_with("spans"));
}

#[test]
fn what_is_known_of_the_trace_reaches_the_spans_below() {
    let arrived = Bench::new().run(|| {
        let span = info_span!("request", user.id = "u-1", session.id = Empty).entered();
        span.record("session.id", "s-1");
        let _ = info_span!("below");
    });
    for name in ["request", "below"] {
        let context = &arrived.span(name).context;
        assert_eq!(
            (context.user_id.as_deref(), context.session_id.as_deref()),
            (Some("u-1"), Some("s-1")),
            "{name}"
        );
    }
}
