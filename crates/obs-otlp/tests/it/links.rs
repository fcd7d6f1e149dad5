//! Ancestors over several requests, in any order.

use std::collections::HashMap;

use obs_core::{MAX_DEPTH, Record, Score, Span, SpanId, SpanRecord, Target, Timestamp, TraceId};
use obs_otlp::ingest::link;
use proptest::prelude::*;
use uuid::Uuid;

fn trace_id() -> TraceId {
    TraceId::new(7).unwrap()
}

fn record(id: u64, parent: Option<u64>) -> Record {
    let mut span = Span::new(trace_id(), SpanId::new(id).unwrap(), "s", Timestamp::from_nanos(id));
    span.parent_span_id = parent.and_then(SpanId::new);
    Record::Span(SpanRecord::Ended(span))
}

fn paths(records: &[Record]) -> HashMap<u64, Vec<u64>> {
    let path = |record: &Record| match record {
        Record::Span(record) => {
            let span = record.span();
            Some((span.span_id.get(), span.ancestors().map(|above| above.span_id.get()).collect()))
        }
        _ => None,
    };
    records.iter().filter_map(path).collect()
}

/// The ancestors by following parents, as far as they are known; none for a span on a cycle.
fn expected(parents: &HashMap<u64, Option<u64>>, id: u64) -> Vec<u64> {
    let climb = |from: u64| {
        let (mut path, mut at) = (Vec::new(), from);
        while let Some(parent) = parents.get(&at).copied().flatten().filter(|p| parents.contains_key(p)) {
            if parent == from || path.len() > parents.len() {
                return None;
            }
            path.push(parent);
            at = parent;
        }
        Some(path)
    };
    let on_cycle = |of: u64| {
        let mut at = of;
        (0..=parents.len()).any(|_| match parents.get(&at).copied().flatten() {
            Some(parent) => {
                at = parent;
                at == of
            }
            None => false,
        })
    };
    if on_cycle(id) {
        return Vec::new();
    }
    climb(id).unwrap_or_else(|| {
        let (mut path, mut at) = (Vec::new(), id);
        while let Some(parent) = parents.get(&at).copied().flatten() {
            path.push(parent);
            if on_cycle(parent) {
                break;
            }
            at = parent;
        }
        path
    })
}

proptest! {
    #[test]
    fn every_span_has_the_ancestors_that_its_parents_lead_to(
        parents in prop::collection::vec(prop::option::of(1u64..24), 1..20),
        order in any::<prop::sample::Index>(),
    ) {
        let parents: HashMap<u64, Option<u64>> = (1..).zip(parents).collect();
        let mut records: Vec<Record> = parents.iter().map(|(id, parent)| record(*id, *parent)).collect();
        let middle = order.index(records.len());
        records.rotate_left(middle);
        link(&mut records);
        for (id, path) in paths(&records) {
            prop_assert_eq!(path, expected(&parents, id), "of span {}", id);
        }
        for record in &records {
            let Record::Span(record) = record else { continue };
            let span = record.span();
            if let Some(root) = span.root_span_id() {
                prop_assert!(parents[&root.get()].is_none(), "a root has no parent");
            }
        }
    }
}

#[test]
fn a_very_deep_chain_keeps_its_nearest_ancestors() {
    let depth = 20_000;
    let mut records: Vec<Record> = (1..=depth).rev().map(|id| record(id, Some(id - 1))).collect();
    link(&mut records);
    let Record::Span(deepest) = &records[0] else { panic!("{:?}", records[0]) };
    let path = deepest.span().path.as_ref().unwrap();
    assert!((1..=MAX_DEPTH).contains(&path.depth()));
    assert_eq!(path.span_id.get(), depth - 1);
    assert_eq!(deepest.span().root_span_id(), None);
}

#[test]
fn spans_of_other_traces_are_not_ancestors() {
    let mut other = record(1, None);
    if let Record::Span(record) = &mut other {
        record.span_mut().trace_id = TraceId::new(8).unwrap();
    }
    let mut records = vec![record(2, Some(1)), other];
    link(&mut records);
    assert!(paths(&records)[&2].is_empty());
}

#[test]
fn linking_again_changes_nothing() {
    let mut records = vec![record(3, Some(2)), record(1, None), record(2, Some(1)), record(5, Some(9))];
    link(&mut records);
    let once = records.clone();
    link(&mut records);
    assert_eq!(records, once);
}

#[test]
fn a_trace_with_two_roots_has_no_root_for_its_scores() {
    let target = Target::Trace { trace_id: trace_id(), root_span_id: None };
    let score = Record::Score(Score::new(Uuid::nil(), Timestamp::default(), target, "s", 1.0));
    let root = |records: &mut [Record]| {
        link(records);
        match records.last() {
            Some(Record::Score(score)) => score.target.root_span_id().map(SpanId::get),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(root(&mut [record(1, None), record(2, Some(1)), score.clone()]), Some(1));
    assert_eq!(root(&mut [record(1, None), record(2, None), score.clone()]), None);
    assert_eq!(root(&mut [record(2, Some(1)), score]), None);
}
