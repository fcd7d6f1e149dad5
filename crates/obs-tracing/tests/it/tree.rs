//! Random trees of spans of both worlds.

use obs_instrument::Context;
use proptest::prelude::*;
use tracing::{Span, info, info_span};

use crate::collect::Bench;

/// A node of a tree: what it is, and what is started below it.
#[derive(Debug, Clone)]
struct Tree {
    kind: Kind,
    below: Vec<Tree>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Tracing,
    /// Of `tracing`, but nobody enters it: its children name it.
    Explicit,
    Ours,
    /// On a thread of its own, which takes its span along.
    Thread,
}

fn tree() -> impl Strategy<Value = Tree> {
    let kind = prop_oneof![Just(Kind::Tracing), Just(Kind::Explicit), Just(Kind::Ours), Just(Kind::Thread)];
    let leaf = kind.clone().prop_map(|kind| Tree { kind, below: Vec::new() });
    leaf.prop_recursive(5, 24, 4, move |below| {
        (kind.clone(), prop::collection::vec(below, 0..4)).prop_map(|(kind, below)| Tree { kind, below })
    })
}

/// Numbers every node and says which is above; the number is the span's field and the log's message.
struct Walk<'a> {
    bench: &'a Bench,
    number: u64,
    expected: Vec<(u64, u64)>,
}

/// A span of `tracing`, under the one that it names or else the current one.
fn span(parent: Option<&Span>, own: u64) -> Span {
    match parent {
        Some(parent) => info_span!(parent: parent, "span", own),
        None => info_span!("span", own),
    }
}

impl Walk<'_> {
    /// `parent` is a span that nobody has entered.
    fn run(&mut self, tree: &Tree, above: u64, parent: Option<&Span>) {
        self.number += 1;
        let own = self.number;
        self.expected.push((own, above));
        match tree.kind {
            Kind::Tracing => span(parent, own).in_scope(|| self.below(tree, own)),
            Kind::Explicit => {
                let span = span(parent, own);
                info!(parent: &span, "{own}");
                tree.below.iter().for_each(|tree| self.run(tree, own, Some(&span)));
            }
            Kind::Ours => {
                let start = || self.bench.obs.span("span");
                let mut span = parent.map_or_else(start, |parent| parent.in_scope(start));
                span.attribute("own", own);
                span.scope(|| self.below(tree, own));
            }
            Kind::Thread => {
                let span = span(parent, own);
                let dispatch = tracing::dispatcher::get_default(Clone::clone);
                let work = || {
                    assert_eq!(Context::current().span_id(), None);
                    tracing::dispatcher::with_default(&dispatch, || span.in_scope(|| self.below(tree, own)));
                    assert_eq!(Context::current().span_id(), None);
                };
                std::thread::scope(|scope| scope.spawn(work).join().unwrap());
            }
        }
    }

    /// What happens in a span that is entered.
    fn below(&mut self, tree: &Tree, own: u64) {
        info!("{own}");
        tree.below.iter().for_each(|tree| self.run(tree, own, None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_parent_is_right(trees in prop::collection::vec(tree(), 1..4)) {
        let bench = Bench::new();
        let mut walk = Walk { bench: &bench, number: 0, expected: Vec::new() };
        let arrived = bench.run(|| trees.iter().for_each(|tree| walk.run(tree, 0, None)));
        prop_assert_eq!(Context::current().span_id(), None);
        let numbered = |own: u64| {
            let of = |span: &&obs_core::Span| span.attributes.get("own").and_then(obs_core::Value::as_i64) == Some(own as i64);
            arrived.spans.iter().find(of).unwrap()
        };
        for (own, above) in walk.expected {
            let span = numbered(own);
            let parent = (above > 0).then(|| numbered(above).span_id);
            prop_assert_eq!(span.parent_span_id, parent, "{} under {}", own, above);
            prop_assert_eq!(arrived.log(&own.to_string()).span, Some(span.reference()));
        }
    }
}
