use obs_core::{ScoreValue, Signal, Signals, SpanId, Target, TraceId};

use obs_instrument::AutomaticMetrics;

use crate::collect::Bench;

/// A destination of judgements alone, such as a page of scores, gets those of spans as well.
#[test]
fn judgements_find_their_span_where_nobody_takes_spans() {
    let judged = Signals::NONE.with(Signal::Scores).with(Signal::Feedback);
    let bench = Bench::taking(judged);
    let span = bench.obs.llm_generation("call");
    let target = span.target().unwrap();
    span.score("relevance", 0.75);
    span.feedback_trace("thumbs", true);
    span.end();

    let arrived = bench.arrived();
    assert_eq!((arrived.spans.len(), arrived.scores.len(), arrived.feedback.len()), (0, 1, 1));
    assert_eq!(arrived.scores[0].target, target);
}

/// Metrics of one's own name spans as examples only, for which none is started.
#[test]
fn no_span_is_started_for_metrics_that_are_not_made_of_it() {
    let automatic = AutomaticMetrics::off();
    let bench = Bench::taking_with(Signals::NONE.with(Signal::Metrics), |builder| {
        builder.automatic_metrics(automatic)
    });
    let span = bench.obs.llm_generation("call");
    assert_eq!((span.trace_id(), span.is_recording()), (None, false));
}

#[test]
fn scores_and_feedback_find_span_trace_and_root() {
    let bench = Bench::new();
    let mut root = bench.obs.agent_run("root");
    root.trace(|trace| trace.experiment_id = Some("e-1".into()));
    let child = root.scope(|| bench.obs.llm_generation("child"));
    child.score("relevance", ScoreValue::ratio(0.75)).comment("on topic").scorer("overlap", Some("1".into()));
    child.feedback_trace("thumbs", true).user("u-1").comment("nice").source("app").with("page", 3);
    child.end();
    root.score_trace("done", true);
    root.end();
    let late = Target::Trace { trace_id: TraceId::new(5).unwrap(), root_span_id: SpanId::new(6) };
    bench.obs.score(late.clone(), "late", 0.5);

    let arrived = bench.arrived();
    let (root, child) = (arrived.span("root"), arrived.span("child"));
    let score = |name: &str| arrived.scores.iter().find(|score| score.name == name).unwrap();
    let whole = Target::Trace { trace_id: root.trace_id, root_span_id: Some(root.span_id) };
    let span =
        Target::Span { trace_id: root.trace_id, span_id: child.span_id, root_span_id: Some(root.span_id) };
    assert_eq!(score("relevance").target, span);
    assert_eq!(score("relevance").experiment_id.as_deref(), Some("e-1"));
    assert_eq!(score("done").target, whole);
    assert_eq!(score("late").target, late);
    assert_eq!(arrived.feedback[0].target, whole);
    assert_eq!(arrived.feedback[0].user_id.as_deref(), Some("u-1"));
    let ids: std::collections::HashSet<_> = arrived.scores.iter().map(|score| score.id).collect();
    assert_eq!(ids.len(), 3);
}

/// No filter of a destination takes away what a score speaks of.
#[test]
fn a_span_says_that_it_was_judged() {
    let bench = Bench::new();
    let root = bench.obs.span("root");
    for name in ["scored", "liked", "plain"] {
        let span = root.scope(|| bench.obs.span(name));
        match name {
            "scored" => drop(span.score("good", 1.0)),
            "liked" => drop(span.feedback("thumbs", true)),
            _ => drop(span.score_trace("good", 1.0)),
        }
    }
    root.end();
    let arrived = bench.arrived();
    let judged = ["root", "scored", "liked", "plain"].map(|name| arrived.span(name).judged);
    assert_eq!(judged, [false, true, true, false]);
}
