//! A trace as a tree, in the order a reader prints it.

use std::collections::HashMap;

use crate::{Feedback, Log, Score, Span, SpanId, Trace};

/// A span in its place in the tree, with what belongs to it.
///
/// Nodes come as a flat list in depth-first order, so that no depth of a trace needs recursion.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'a> {
    /// The span.
    pub span: &'a Span,
    /// How deep it stands, 0 for a root.
    pub depth: usize,
    /// The position of its parent in the list.
    pub parent: Option<usize>,
    /// Whether no sibling follows.
    pub last: bool,
    /// Logs made under it, by time.
    pub logs: Vec<&'a Log>,
    /// Scores of it.
    pub scores: Vec<&'a Score>,
    /// Feedback on it.
    pub feedback: Vec<&'a Feedback>,
}

impl Trace {
    /// The spans as a tree: parents before children, siblings by start time.
    ///
    /// Every span appears once: one whose parent is unknown stands as a root, and so does the first of a cycle.
    /// Of several records of one span the last that ended wins.
    pub fn tree(&self) -> Vec<Node<'_>> {
        let spans = self.distinct();
        let at: HashMap<SpanId, usize> =
            spans.iter().enumerate().map(|(at, span)| (span.span_id, at)).collect();
        let parent = |span: &Span| {
            span.parent_span_id.filter(|id| *id != span.span_id).and_then(|id| at.get(&id).copied())
        };
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
        let mut roots = Vec::new();
        for (index, span) in spans.iter().enumerate() {
            match parent(span) {
                Some(parent) => children[parent].push(index),
                None => roots.push(index),
            }
        }
        let mut nodes = Vec::with_capacity(spans.len());
        let mut seen = vec![false; spans.len()];
        walk(&spans, &children, &roots, &mut seen, &mut nodes);
        for index in 0..spans.len() {
            if !seen[index] {
                walk(&spans, &children, &[index], &mut seen, &mut nodes);
            }
        }
        self.attach(&mut nodes);
        nodes
    }

    fn distinct(&self) -> Vec<&Span> {
        let mut at: HashMap<SpanId, usize> = HashMap::new();
        let mut spans: Vec<&Span> = Vec::new();
        for span in &self.spans {
            match at.get(&span.span_id) {
                Some(known) if span.end.is_some() || spans[*known].end.is_none() => spans[*known] = span,
                Some(_) => {}
                None => {
                    at.insert(span.span_id, spans.len());
                    spans.push(span);
                }
            }
        }
        spans.sort_by_key(|span| span.start);
        spans
    }

    fn attach<'a>(&'a self, nodes: &mut [Node<'a>]) {
        let at: HashMap<SpanId, usize> =
            nodes.iter().enumerate().map(|(at, node)| (node.span.span_id, at)).collect();
        for log in &self.logs {
            if let Some(at) = log.span.and_then(|span| at.get(&span.span_id?)) {
                nodes[*at].logs.push(log);
            }
        }
        for score in &self.scores {
            if let Some(at) = score.target.span_id().and_then(|id| at.get(&id)) {
                nodes[*at].scores.push(score);
            }
        }
        for feedback in &self.feedback {
            if let Some(at) = feedback.target.span_id().and_then(|id| at.get(&id)) {
                nodes[*at].feedback.push(feedback);
            }
        }
        for node in nodes {
            node.logs.sort_by_key(|log| log.time);
        }
    }
}

fn walk<'a>(
    spans: &[&'a Span],
    children: &[Vec<usize>],
    roots: &[usize],
    seen: &mut [bool],
    nodes: &mut Vec<Node<'a>>,
) {
    let mut stack: Vec<(usize, usize, Option<usize>, bool)> = Vec::new();
    let push = |stack: &mut Vec<_>, siblings: &[usize], depth, parent| {
        for (nth, index) in siblings.iter().enumerate().rev() {
            stack.push((*index, depth, parent, nth + 1 == siblings.len()));
        }
    };
    push(&mut stack, roots, 0, None);
    while let Some((index, depth, parent, last)) = stack.pop() {
        if std::mem::replace(&mut seen[index], true) {
            continue;
        }
        let at = nodes.len();
        let (logs, scores, feedback) = (vec![], vec![], vec![]);
        nodes.push(Node { span: spans[index], depth, parent, last, logs, scores, feedback });
        push(&mut stack, &children[index], depth + 1, Some(at));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Timestamp, TraceId};

    fn trace(parents: &[Option<u64>]) -> Trace {
        let mut trace = Trace::new(TraceId::new(1).unwrap());
        for (at, parent) in parents.iter().enumerate() {
            let id = SpanId::new(at as u64 + 1).unwrap();
            let mut span = Span::new(trace.trace_id, id, "s", Timestamp::from_nanos(100 - at as u64));
            span.parent_span_id = parent.and_then(SpanId::new);
            trace.spans.push(span);
        }
        trace
    }

    proptest! {
        #[test]
        fn every_span_stands_once_below_its_parent(parents in prop::collection::vec(prop::option::of(0u64..20), 0..20)) {
            let trace = trace(&parents);
            let tree = trace.tree();
            prop_assert_eq!(tree.len(), parents.len());
            for (at, node) in tree.iter().enumerate() {
                if let Some(parent) = node.parent {
                    prop_assert!(parent < at);
                    prop_assert_eq!(node.span.parent_span_id, Some(tree[parent].span.span_id));
                    prop_assert_eq!(node.depth, tree[parent].depth + 1);
                }
            }
        }
    }

    #[test]
    fn the_ended_record_of_a_span_wins() {
        let mut trace = trace(&[None]);
        let mut ended = trace.spans[0].clone();
        ended.end = Some(Timestamp::from_nanos(200));
        trace.spans.insert(0, ended);
        assert_eq!(trace.tree().len(), 1);
        assert_eq!(trace.tree()[0].span.end, Some(Timestamp::from_nanos(200)));
    }
}
