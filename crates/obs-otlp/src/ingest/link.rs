//! Putting together what came in several records.

use std::collections::HashMap;
use std::sync::Arc;

use obs_core::{Ancestor, Record, Span, SpanId, SpanRecord, Target, TraceId};

use super::told::Told;

type Key = (TraceId, SpanId);

/// Sets the path of every span whose parent is among the records, and the root of every target whose root is, and gives model calls the messages that only logs tell of them.
///
/// The order of the records does not matter, nor which request they came in.
/// A missing parent ends a path; so does a cycle, whose spans have no path.
/// A trace with several roots gives its trace-level targets none, since none of them is the root.
pub fn link(records: &mut [Record]) {
    let above = Paths::of(records).finish();
    let told = Told::of(records);
    for record in records {
        match record {
            Record::Span(record) => {
                let span = record.span_mut();
                told.fill(span);
                let parent = span.parent_span_id.map(|parent| (span.trace_id, parent));
                if let Some(path) = parent.and_then(|parent| above.ancestors.get(&parent)) {
                    span.path = (!above.cyclic(span)).then(|| Arc::clone(path));
                }
            }
            Record::Score(score) => above.set_root(&mut score.target),
            Record::Feedback(feedback) => above.set_root(&mut feedback.target),
            Record::Metric(_) | Record::Log(_) => {}
        }
    }
}

/// What is known of a span to those below it.
struct Known {
    parent: Option<Key>,
    start: obs_core::Timestamp,
    is_root: bool,
}

#[derive(Default)]
struct Paths {
    spans: HashMap<Key, Known>,
    roots: HashMap<TraceId, Option<SpanId>>,
    ancestors: HashMap<Key, Arc<Ancestor>>,
    cycles: std::collections::HashSet<Key>,
}

impl Paths {
    fn of(records: &[Record]) -> Self {
        let mut paths = Self::default();
        for record in records {
            let Record::Span(SpanRecord::Started(span) | SpanRecord::Ended(span)) = record else { continue };
            let parent = span.parent_span_id.map(|parent| (span.trace_id, parent));
            let known = Known { parent, start: span.start, is_root: span.is_root() };
            paths.spans.insert((span.trace_id, span.span_id), known);
            if span.is_root() {
                let root = paths.roots.entry(span.trace_id).or_insert(Some(span.span_id));
                *root = root.filter(|root| *root == span.span_id);
            }
        }
        paths
    }

    /// Makes the ancestor of every span, each once, those above first.
    fn finish(mut self) -> Self {
        let keys: Vec<Key> = self.spans.keys().copied().collect();
        for key in keys {
            self.climb(key);
        }
        self
    }

    fn climb(&mut self, from: Key) {
        let mut chain: Vec<Key> = Vec::new();
        let mut on_chain: HashMap<Key, usize> = HashMap::new();
        let mut at = Some(from);
        while let Some(key) =
            at.filter(|key| self.spans.contains_key(key) && !self.ancestors.contains_key(key))
        {
            if let Some(first) = on_chain.get(&key) {
                self.cycles.extend(&chain[*first..]);
                break;
            }
            on_chain.insert(key, chain.len());
            chain.push(key);
            at = self.spans[&key].parent;
        }
        for key in chain.into_iter().rev() {
            let known = &self.spans[&key];
            let above = known.parent.filter(|_| !self.cycles.contains(&key));
            let above = above.and_then(|parent| self.ancestors.get(&parent)).cloned();
            let ancestor = Ancestor::new(key.1, known.start, known.is_root, above);
            self.ancestors.insert(key, Arc::new(ancestor));
        }
    }

    fn cyclic(&self, span: &Span) -> bool {
        self.cycles.contains(&(span.trace_id, span.span_id))
    }

    fn set_root(&self, target: &mut Target) {
        match target {
            Target::Span { trace_id, span_id, root_span_id } => {
                let top = self.ancestors.get(&(*trace_id, *span_id)).and_then(|at| at.iter().last());
                *root_span_id = root_span_id.or(top.filter(|top| top.is_root).map(|top| top.span_id));
            }
            Target::Trace { trace_id, root_span_id } => {
                *root_span_id = root_span_id.or_else(|| self.roots.get(trace_id).copied().flatten());
            }
            Target::Session { .. } | Target::ExperimentRun { .. } => {}
        }
    }
}
