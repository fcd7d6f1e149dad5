//! Ids of runs and dotted orders: pure functions of a span, whoever computes them.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use obs_core::{Ancestor, Batch, MAX_DEPTH, Span, SpanId, SpanRecord, Target, Timestamp, TraceId};
use obs_langsmith::{LangsmithConfig, LangsmithExporter, RunIds};
use obs_testkit::fixtures;
use proptest::prelude::*;
use serde_json::Value;

use super::bench::{self, Sent, encoded, encoded_by, ended, feedback_of, run_of, started};

const SPAN: &str = "b7ad6b7169203331";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn config(run_ids: RunIds) -> LangsmithConfig {
    LangsmithConfig::new(bench::KEY).with_run_ids(run_ids)
}

/// An exporter for each rule, since making one costs more than a case of a property.
fn exporter(rule: RunIds, post_on_start: bool) -> &'static LangsmithExporter {
    static ALL: LazyLock<[[LangsmithExporter; 2]; 3]> = LazyLock::new(|| {
        [RunIds::OtelPadded, RunIds::Uuid7, RunIds::TraceRoot].map(|rule| {
            [false, true].map(|on| LangsmithExporter::new(config(rule).with_post_on_start(on)).unwrap())
        })
    });
    &ALL[rule as usize][usize::from(post_on_start)]
}

fn span(id: &str, start: u64) -> Span {
    Span::new(TRACE.parse().unwrap(), id.parse().unwrap(), "s", Timestamp::from_nanos(start))
}

/// The spans of a chain, each below the one before.
fn chain(ids: impl IntoIterator<Item = (SpanId, u64)>) -> Vec<Span> {
    let mut path: Option<Arc<Ancestor>> = None;
    let below = |(span_id, start): (SpanId, u64)| {
        let mut span = Span::new(TRACE.parse().unwrap(), span_id, "s", Timestamp::from_nanos(start));
        span.parent_span_id = path.as_ref().map(|parent| parent.span_id);
        span.path.clone_from(&path);
        path = Some(Arc::new(Ancestor::new(span_id, span.start, span.is_root(), path.clone())));
        span
    };
    ids.into_iter().map(below).collect()
}

fn text<'a>(run: &'a Sent, name: &str) -> Option<&'a str> {
    run.json[name].as_str()
}

/// The levels of a dotted order: stamp and id each.
fn levels(run: &Sent) -> Vec<(&str, &str)> {
    text(run, "dotted_order").unwrap().split('.').map(|level| level.split_at(22)).collect()
}

/// All that LangSmith asks of a dotted order.
fn assert_invariants(run: &Sent) {
    let levels = levels(run);
    assert_eq!(levels.last().unwrap().1, text(run, "id").unwrap());
    assert_eq!(levels[0].1, text(run, "trace_id").unwrap());
    let above = levels.len().checked_sub(2).map(|at| levels[at].1);
    assert_eq!(above, text(run, "parent_run_id"));
    for (stamp, id) in &levels {
        assert_eq!((stamp.len(), &stamp[8..9], &stamp[21..], id.len()), (22, "T", "Z", 36), "{stamp}{id}");
    }
    assert!(levels.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{levels:?}");
}

#[test]
fn the_vectors_of_the_contract() {
    let root = span(SPAN, 1_763_700_000_000_000_000);
    let mut child = span("00f067aa0ba902b7", 1_763_700_000_000_100_000);
    child.parent_span_id = Some(root.span_id);
    child.path = Some(Arc::new(Ancestor::new(root.span_id, root.start, true, None)));
    let runs = encoded(config(RunIds::OtelPadded), &ended([root, child]));
    assert_eq!(text(&runs[0], "id"), Some("00000000-0000-0000-b7ad-6b7169203331"));
    assert_eq!(text(&runs[0], "trace_id"), text(&runs[0], "id"));
    assert_eq!(text(&runs[0], "parent_run_id"), None);
    assert_eq!(text(&runs[1], "parent_run_id"), text(&runs[0], "id"));
    assert_eq!(
        text(&runs[1], "dotted_order"),
        Some(
            "20251121T044000000000Z00000000-0000-0000-b7ad-6b7169203331.\
             20251121T044000000100Z00000000-0000-0000-00f0-67aa0ba902b7"
        )
    );
}

#[test]
fn trace_root_gives_the_root_the_trace_id_and_uuid7_the_start() {
    let spans = chain([
        (SPAN.parse().unwrap(), 1_763_700_000_123_000_000),
        ("00f067aa0ba902b7".parse().unwrap(), 1_763_700_000_124_000_000),
    ]);
    let runs = encoded(config(RunIds::TraceRoot), &ended(spans.clone()));
    assert_eq!(text(&runs[0], "id"), Some("0af76519-16cd-43dd-8448-eb211c80319c"));
    assert_eq!(text(&runs[1], "id"), Some("00000000-0000-0000-00f0-67aa0ba902b7"));
    assert_eq!(text(&runs[1], "trace_id"), text(&runs[0], "id"));
    let runs = encoded(config(RunIds::Uuid7), &ended(spans));
    for (run, millis) in runs.iter().zip([1_763_700_000_123u64, 1_763_700_000_124]) {
        let id = text(run, "id").unwrap().replace('-', "");
        assert_eq!((&id[..12], &id[12..13]), (format!("{millis:012x}").as_str(), "7"));
        assert!(matches!(&id[16..17], "8" | "9" | "a" | "b"), "{id}");
        assert_invariants(run);
    }
}

/// A tree: for each span but the root the position of its parent, and when each began, clocks set back and all.
fn trees() -> impl Strategy<Value = Vec<(usize, u64)>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0u64..4_000_000_000), 1..24).prop_map(|spans| {
        let place =
            |(nth, (above, start)): (usize, (prop::sample::Index, u64))| (above.index(nth.max(1)), start);
        spans.into_iter().enumerate().map(place).collect()
    })
}

fn spans_of(tree: &[(usize, u64)], top: Top) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (nth, (above, start)) in tree.iter().enumerate() {
        let mut span = span(SPAN, 1_763_700_000_000_000_000 + start);
        span.span_id = SpanId::new(nth as u64 + 1).unwrap();
        if nth > 0 {
            let parent = &spans[*above];
            span.parent_span_id = Some(parent.span_id);
            let ancestor = Ancestor::new(parent.span_id, parent.start, parent.is_root(), parent.path.clone());
            span.path = Some(Arc::new(ancestor));
        } else if top == Top::Elsewhere {
            (span.parent_span_id, span.remote_parent) = (SpanId::new(999), true);
        }
        spans.push(span);
    }
    spans
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Top {
    Here,
    Elsewhere,
}

fn tops() -> impl Strategy<Value = Top> {
    prop_oneof![Just(Top::Here), Just(Top::Elsewhere)]
}

fn rules() -> impl Strategy<Value = RunIds> {
    prop_oneof![Just(RunIds::OtelPadded), Just(RunIds::Uuid7), Just(RunIds::TraceRoot)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn law_5_every_tree_is_whole_whatever_comes_first(tree in trees(), top in tops(), rule in rules(), backwards in any::<bool>()) {
        let mut spans = spans_of(&tree, top);
        if backwards {
            spans.reverse();
        }
        let runs = encoded_by(exporter(rule, false), &ended(spans.clone()));
        let by_id: HashMap<&str, &Sent> = runs.iter().map(|run| (text(run, "id").unwrap(), run)).collect();
        prop_assert_eq!(by_id.len(), runs.len(), "two runs have one id");
        for run in &runs {
            assert_invariants(run);
            if let Some(parent) = text(run, "parent_run_id") {
                let above = text(by_id[parent], "dotted_order").unwrap();
                let order = text(run, "dotted_order").unwrap();
                prop_assert!(order.strip_prefix(above).is_some_and(|rest| rest.starts_with('.')), "{} below {}", order, above);
            }
        }
        let tops: Vec<_> = runs.iter().filter(|run| run.json.get("parent_run_id").is_none()).collect();
        prop_assert_eq!(tops.len(), 1);
        prop_assert!(runs.iter().all(|run| run.json["trace_id"] == tops[0].json["id"]));
    }

    #[test]
    fn law_5_a_start_and_an_end_have_one_place(tree in trees(), top in tops(), rule in rules()) {
        let spans = spans_of(&tree, top);
        let places = |batch: &Batch, on| -> Vec<[Value; 4]> {
            let place = |run: &Sent| ["id", "trace_id", "parent_run_id", "dotted_order"].map(|name| run.json[name].clone());
            encoded_by(exporter(rule, on), batch).iter().map(place).collect()
        };
        let later = spans.iter().cloned().map(|mut span| { span.end = Some(Timestamp::from_nanos(u64::MAX)); span });
        prop_assert_eq!(places(&started(spans.clone()), true), places(&ended(later), false));
    }

    #[test]
    fn law_5_uuid7_keeps_spans_apart(a in 1u64.., b in 1u64.., trace in 1u128.., start in 0u64..1 << 60) {
        prop_assume!(a != b);
        let of = |id| {
            let mut span = Span::new(TraceId::new(trace).unwrap(), SpanId::new(id).unwrap(), "s", Timestamp::from_nanos(start));
            span.end = Some(span.start);
            span
        };
        let runs = encoded_by(exporter(RunIds::Uuid7, false), &ended([of(a), of(b)]));
        prop_assert_ne!(&runs[0].json["id"], &runs[1].json["id"]);
    }
}

#[test]
fn a_chain_deeper_than_is_kept_falls_into_whole_trees() {
    let ids = (1..=600).map(|nth| (SpanId::new(nth).unwrap(), nth));
    let spans = chain(ids);
    let runs = encoded(config(RunIds::OtelPadded), &ended(spans.clone()));
    let by_id: HashMap<&str, &Sent> = runs.iter().map(|run| (text(run, "id").unwrap(), run)).collect();
    for run in &runs {
        assert_invariants(run);
        assert!(levels(run).len() <= MAX_DEPTH);
        if let Some(parent) = text(run, "parent_run_id") {
            assert_eq!(by_id[parent].json["trace_id"], run.json["trace_id"], "a parent in another tree");
        }
    }
    let tops: Vec<_> = runs.iter().filter(|run| run.json.get("parent_run_id").is_none()).collect();
    assert_eq!(tops.len(), 3);
    assert!(tops[1..].iter().all(|top| top.metadata("otel.parent_span_id").is_string()));
}

#[tokio::test]
async fn a_parent_elsewhere_makes_a_tree_of_its_own_that_names_it() {
    for remote in [true, false] {
        let mut orphan = span(SPAN, 5_000);
        (orphan.parent_span_id, orphan.remote_parent) = ("00f067aa0ba902b7".parse().ok(), remote);
        let run = run_of(orphan).await;
        assert_eq!((text(&run, "parent_run_id"), text(&run, "trace_id")), (None, text(&run, "id")));
        assert_eq!(run.metadata("otel.trace_id"), TRACE);
        assert_eq!(run.metadata("otel.parent_span_id"), "00f067aa0ba902b7");
        assert_eq!(run.metadata("remote_parent").as_bool().unwrap_or(false), remote);
    }
}

#[test]
fn a_span_that_is_its_own_ancestor_stands_alone() {
    let mut own = span(SPAN, 5_000);
    own.parent_span_id = Some(own.span_id);
    let mut looped = span("00f067aa0ba902b7", 5_000);
    looped.parent_span_id = Some(looped.span_id);
    looped.path = Some(Arc::new(Ancestor::new(looped.span_id, looped.start, false, None)));
    for run in encoded(config(RunIds::OtelPadded), &ended([own, looped])) {
        assert_invariants(&run);
        assert_eq!(text(&run, "parent_run_id"), None);
    }
}

#[tokio::test]
async fn law_5_a_score_from_another_process_lands_on_the_run() {
    let trace = fixtures::trace();
    let runs = encoded(config(RunIds::OtelPadded), &ended(trace.spans.clone()));
    let by_span =
        |id: SpanId| runs.iter().find(|run| run.metadata("otel.span_id") == &id.to_string()).unwrap();
    for score in trace.scores {
        let (target, root) = (score.target.clone(), score.target.root_span_id().unwrap());
        let feedback = feedback_of(score).await;
        let run = by_span(target.span_id().unwrap_or(root));
        assert_eq!(feedback["run_id"], run.json["id"]);
        // Which tree a span's run is in, only the process that sent it knows.
        let root = target.span_id().is_none_or(|span| span == root).then_some(&run.json["trace_id"]);
        assert_eq!(feedback.get("trace_id"), root);
    }
}

#[tokio::test]
async fn law_5_a_restart_sends_the_same_bytes() {
    let batch = fixtures::batch(obs_core::Signal::Traces);
    let bodies = |config| LangsmithExporter::new(config).unwrap().encode(&batch);
    assert_eq!(bodies(config(RunIds::OtelPadded)), bodies(config(RunIds::OtelPadded)));
}

#[tokio::test]
async fn trace_root_finds_a_trace_without_its_root_and_a_span_with_it() {
    let server = bench::server().await;
    let exporter = LangsmithExporter::new(bench::config(&server).with_run_ids(RunIds::TraceRoot)).unwrap();
    let (trace_id, root): (TraceId, SpanId) = (TRACE.parse().unwrap(), SPAN.parse().unwrap());
    let other: SpanId = "00f067aa0ba902b7".parse().unwrap();
    let targets = [
        Target::Trace { trace_id, root_span_id: None },
        Target::Span { trace_id, span_id: root, root_span_id: Some(root) },
        Target::Span { trace_id, span_id: other, root_span_id: Some(root) },
        Target::Span { trace_id, span_id: other, root_span_id: None },
    ];
    let score = |(nth, target)| obs_core::Score::new(fixtures::uuid(nth), fixtures::BASE, target, "s", 1.0);
    let outcome = obs_core::Exporter::export(&exporter, &bench::scores((0..).zip(targets).map(score))).await;
    let reasons = bench::reasons(outcome);
    assert_eq!(reasons.len(), 1);
    assert!(
        reasons[0].starts_with("unresolvable_target: whether the span 00f067aa0ba902b7 is the root"),
        "{reasons:?}"
    );
    let sent = bench::sent(&server.requests());
    let mut runs: Vec<_> = sent.iter().map(|sent| text(sent, "run_id").unwrap()).collect();
    runs.sort_unstable();
    let root = "0af76519-16cd-43dd-8448-eb211c80319c";
    assert_eq!(runs, ["00000000-0000-0000-00f0-67aa0ba902b7", root, root]);
}

#[test]
fn an_unfinished_end_and_a_start_in_one_tick_are_one_run() {
    let span = span(SPAN, 5_000);
    let records = [SpanRecord::Started(span.clone()), SpanRecord::Ended(span)];
    let runs = encoded(config(RunIds::OtelPadded), &Batch::Traces(records.into_iter().collect()));
    assert_eq!((runs.len(), runs[0].verb.as_str()), (1, "post"));
    assert_eq!(runs[0].json["end_time"], runs[0].json["start_time"]);
}
