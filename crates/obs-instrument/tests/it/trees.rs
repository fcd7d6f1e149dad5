//! Random trees of spans over calls, awaits, tasks, threads, pools, streams and iterators: every parent is right.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{self, Poll};
use std::thread;

use futures_core::Stream;
use obs_core::{Level, SpanId, Target, TraceId};
use obs_instrument::{Context, FutureExt, Observability, Sampling, StreamExt};
use proptest::prelude::*;

use crate::collect::{Arrived, Bench};
use crate::executors::{Flavour, Walk, all, block_on, yield_now};

/// How a child is reached from its parent.
#[derive(Debug, Clone, Copy)]
enum Way {
    Await,
    Task,
    Thread,
    Blocking,
    Stream,
    Iterator,
    /// By its headers, as if it were in another process.
    Remote,
}

const WAYS: [Way; 7] =
    [Way::Await, Way::Task, Way::Thread, Way::Blocking, Way::Stream, Way::Iterator, Way::Remote];

#[derive(Debug, Clone)]
struct Plan {
    way: Way,
    children: Vec<Plan>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let way = || prop::sample::select(&WAYS[..]);
    let leaf = way().prop_map(|way| Plan { way, children: vec![] });
    leaf.prop_recursive(5, 28, 4, move |inner| {
        (way(), prop::collection::vec(inner, 0..4)).prop_map(|(way, children)| Plan { way, children })
    })
}

/// A stream that is a future, and ends with it.
struct Once(Option<Walk>);

impl Stream for Once {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<()>> {
        let Some(walk) = &mut self.0 else { return Poll::Ready(None) };
        walk.as_mut().poll(cx).map(|()| {
            self.0 = None;
            Some(())
        })
    }
}

/// Starts a span named by its place and its way, then its children side by side.
fn walk(obs: Observability, plan: Plan, name: String, flavour: Flavour) -> Walk {
    Box::pin(async move {
        let span = obs.span(name.clone());
        yield_now().await;
        let children = plan.children.into_iter().enumerate().map(|(at, child)| {
            let name = format!("{name}.{at}{:?}", child.way);
            reach(obs.clone(), child, name, span.context(), flavour)
        });
        all(children.collect()).await;
        span.scope(|| drop(obs.info(name.clone())));
        span.score_trace(name, true);
        span.end();
    })
}

/// The child, under the context of its parent.
fn reach(obs: Observability, child: Plan, name: String, parent: Context, flavour: Flavour) -> Walk {
    let way = child.way;
    let here = |flavour| walk(obs, child, name, flavour);
    match way {
        Way::Await => Box::pin(here(flavour).with_context(parent)),
        Way::Task => {
            let child = here(flavour);
            let task = parent.scope(|| child.with_current_context());
            Box::pin(flavour.spawn(task))
        }
        Way::Thread => {
            let child = here(Flavour::Plain);
            let run = parent.wrap(move || block_on(child));
            Box::pin(async { thread::spawn(run).join().unwrap() })
        }
        Way::Blocking => {
            let child = here(Flavour::Plain);
            let run = parent.scope(|| Context::wrap_current(move || block_on(child)));
            Box::pin(flavour.blocking(run))
        }
        Way::Stream => {
            let mut stream = Once(Some(here(flavour))).with_context(parent);
            Box::pin(async move {
                while poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await.is_some() {
                    yield_now().await;
                }
            })
        }
        Way::Iterator => {
            let child = here(Flavour::Plain);
            Box::pin(async { parent.iter([child].into_iter().map(block_on)).for_each(drop) })
        }
        Way::Remote => {
            let mut headers = HashMap::new();
            parent.inject(&mut headers);
            Box::pin(here(flavour).with_context(Context::extract(&headers)))
        }
    }
}

/// Whether every record says where it was made.
fn check(arrived: &Arrived, count: usize) -> Result<(), TestCaseError> {
    let counts = (arrived.spans.len(), arrived.logs.len(), arrived.scores.len());
    prop_assert_eq!(counts, (count, count, count));
    let ids: HashMap<&str, (TraceId, SpanId)> =
        arrived.spans.iter().map(|span| (span.name.as_str(), (span.trace_id, span.span_id))).collect();
    let (trace, root) = ids["0"];
    for span in &arrived.spans {
        let (parent, own) = span.name.rsplit_once('.').map_or((None, ""), |(up, own)| (Some(ids[up].1), own));
        prop_assert_eq!((span.parent_span_id, span.trace_id), (parent, trace), "{}", span.name);
        prop_assert_eq!(span.remote_parent, own.ends_with("Remote"), "{}", span.name);
        // The chain goes up to where the trace came in.
        let near = span.name.rsplit_once("Remote").map_or(&*span.name, |(_, near)| near);
        let chain: Vec<_> = span.ancestors().map(|ancestor| ancestor.span_id).collect();
        let expected: Vec<_> =
            ancestors(&span.name).take(near.matches('.').count()).map(|up| ids[up].1).collect();
        prop_assert_eq!(chain, expected, "{}", span.name);
    }
    for log in &arrived.logs {
        let reference = log.span.map(|span| (span.trace_id, span.span_id.unwrap()));
        prop_assert_eq!(reference, Some(ids[log.message.as_str()]));
    }
    for score in &arrived.scores {
        let of_root = Target::Trace { trace_id: trace, root_span_id: Some(root) };
        prop_assert_eq!(&score.target, &of_root, "{}", score.name);
    }
    Ok(())
}

/// The names above a name, the nearest first.
fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.rsplit_once('.'), |(up, _)| up.rsplit_once('.')).map(|(up, _)| up)
}

fn size(plan: &Plan) -> usize {
    1 + plan.children.iter().map(size).sum::<usize>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_span_log_and_score_finds_its_place(plan in plan(), flavour in prop::sample::select(&Flavour::ALL[..])) {
        let bench = Bench::new();
        let count = size(&plan);
        flavour.run(walk(bench.obs.clone(), plan, "0".into(), flavour));
        check(&bench.arrived(), count)?;
        prop_assert!(bench.obs.report().is_balanced());
    }

    #[test]
    fn a_tree_is_recorded_whole_or_not_at_all(plan in plan(), flavour in prop::sample::select(&Flavour::ALL[..])) {
        let half = Sampling::ratio(0.5).unwrap();
        let bench = Bench::with(|builder| builder.sampling(half).unsampled_logs(Level::Trace));
        let count = size(&plan);
        flavour.run(walk(bench.obs.clone(), plan, "0".into(), flavour));
        let arrived = bench.arrived();
        if arrived.spans.is_empty() {
            prop_assert!(arrived.scores.is_empty() && arrived.logs.len() == count);
            prop_assert!(arrived.logs.iter().all(|log| log.span.is_none()), "no fake ids appear");
        } else {
            check(&arrived, count)?;
        }
    }
}
