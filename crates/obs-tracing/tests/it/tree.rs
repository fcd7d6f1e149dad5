//! Random trees of spans of both worlds.

use obs_instrument::Context;
use proptest::prelude::*;
use tracing::{info, info_span};

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
fn run(bench: &Bench, tree: &Tree, number: &mut u64, above: u64, expected: &mut Vec<(u64, u64)>) {
    *number += 1;
    let own = *number;
    expected.push((own, above));
    let mut below = |number: &mut u64| {
        info!("{own}");
        for tree in &tree.below {
            run(bench, tree, number, own, expected);
        }
    };
    match tree.kind {
        Kind::Tracing => info_span!("span", own).in_scope(|| below(number)),
        Kind::Explicit => {
            let outer = tracing::Span::current();
            let _ = &outer;
            let span = info_span!("span", own);
            // Leaves that name it stand for its children; what is below enters it all the same.
            info_span!(parent: &span, "named", under = own).in_scope(|| {});
            span.in_scope(|| below(number));
        }
        Kind::Ours => {
            let mut span = bench.obs.span("span");
            span.attribute("own", own);
            span.scope(|| below(number));
        }
        Kind::Thread => {
            let span = info_span!("span", own);
            let dispatch = tracing::dispatcher::get_default(Clone::clone);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    assert_eq!(Context::current().span_id(), None);
                    tracing::dispatcher::with_default(&dispatch, || span.in_scope(|| below(number)));
                    assert_eq!(Context::current().span_id(), None);
                });
            });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_parent_is_right(trees in prop::collection::vec(tree(), 1..4)) {
        let bench = Bench::new();
        let mut expected = Vec::new();
        let arrived = bench.run(|| {
            let mut number = 0;
            for tree in &trees {
                run(&bench, tree, &mut number, 0, &mut expected);
            }
        });
        prop_assert_eq!(Context::current().span_id(), None);
        let numbered = |own: u64| {
            let of = |span: &&obs_core::Span| span.attributes.get("own").and_then(obs_core::Value::as_i64) == Some(own as i64);
            arrived.spans.iter().find(of).unwrap()
        };
        for (own, above) in expected {
            let span = numbered(own);
            let parent = (above > 0).then(|| numbered(above).span_id);
            prop_assert_eq!(span.parent_span_id, parent, "{} under {}", own, above);
            prop_assert_eq!(arrived.log(&own.to_string()).span, Some(span.reference()));
        }
        for named in arrived.spans.iter().filter(|span| span.name == "named") {
            let under = named.attributes.get("under").and_then(obs_core::Value::as_i64).unwrap();
            prop_assert_eq!(named.parent_span_id, Some(numbered(under as u64).span_id));
        }
    }
}
