//! Random trees of spans over calls, awaits, tasks, threads, pools, streams, iterators, processes and instances, some of
//! them hidden, given up or ended by a panic: every parent is right.

use std::collections::HashMap;
use std::fmt;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{self, Poll};
use std::thread;

use futures_core::Stream;
use obs_core::{Level, Span, SpanId, SpanType, Target, ToolCall, TraceId};
use obs_instrument::{Context, FutureExt, Observability, Sampling, StreamExt};
use proptest::prelude::*;

use crate::collect::{Arrived, Bench};
use crate::executors::{Flavour, Walk, all, block_on, yield_now};

/// How a child is reached from its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Await,
    Task,
    Thread,
    Blocking,
    Stream,
    Iterator,
    /// By its headers, as if it were in another process.
    Remote,
    /// Under a span of an instance that records nothing.
    Disabled,
    /// Under a span of another instance.
    OtherInstance,
    /// Awaited, and given up before it ends.
    Dropped,
    /// Awaited, and ended by a panic.
    Panic,
}

const WAYS: [Way; 11] = [
    Way::Await,
    Way::Task,
    Way::Thread,
    Way::Blocking,
    Way::Stream,
    Way::Iterator,
    Way::Remote,
    Way::Disabled,
    Way::OtherInstance,
    Way::Dropped,
    Way::Panic,
];

/// The end of the name of a span whose type is left out.
const HIDDEN: char = '#';

#[derive(Debug, Clone)]
struct Plan {
    way: Way,
    hidden: bool,
    children: Vec<Plan>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let one = || (prop::sample::select(&WAYS[..]), prop::bool::weighted(0.25));
    let leaf = one().prop_map(|(way, hidden)| Plan { way, hidden, children: vec![] });
    leaf.prop_recursive(5, 28, 4, move |inner| {
        (one(), prop::collection::vec(inner, 0..4)).prop_map(|((way, hidden), children)| Plan {
            way,
            hidden,
            children,
        })
    })
}

/// The instance under test, and those that stand in between.
#[derive(Clone)]
struct World {
    obs: Observability,
    off: Observability,
    other: Observability,
    /// Set when a child that is to be given up is as far as it gets.
    stuck: Arc<AtomicBool>,
}

/// What arrives where.
struct Benches {
    own: Bench,
    other: Bench,
    off: Bench,
}

impl Benches {
    fn new(sampling: Sampling) -> Self {
        Self {
            own: Bench::with(|builder| {
                let builder = builder.sampling(sampling).unsampled_logs(Level::Trace);
                builder.exclude_span_types(["tool_call"]).unwrap()
            }),
            other: Bench::new(),
            off: Bench::with(|builder| builder.enabled(false)),
        }
    }

    /// Runs the tree, under a caller in another process or as a root.
    fn run(&self, plan: Plan, flavour: Flavour, caller: Option<&Context>) -> (Arrived, Arrived) {
        let [obs, off, other] = [&self.own, &self.off, &self.other].map(|bench| bench.obs.clone());
        let world = World { obs, off, other, stuck: Arc::default() };
        let walk = walk(world, plan, "0".into(), flavour);
        match caller {
            Some(caller) => flavour.run(Box::pin(walk.with_context(caller.clone()))),
            None => flavour.run(walk),
        }
        (self.own.arrived(), self.other.arrived())
    }
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
fn walk(world: World, plan: Plan, name: String, flavour: Flavour) -> Walk {
    Box::pin(async move {
        let obs = &world.obs;
        let span_type = if plan.hidden { SpanType::ToolCall(ToolCall::default()) } else { SpanType::Generic };
        let span = obs.recorder().start(name.clone(), span_type, &Context::current());
        yield_now().await;
        let children = plan.children.into_iter().enumerate().map(|(at, child)| {
            let mark = if child.hidden { HIDDEN.to_string() } else { String::new() };
            let name = format!("{name}.{at}{:?}{mark}", child.way);
            let world = World { stuck: Arc::default(), ..world.clone() };
            reach(world, child, name, span.context(), flavour)
        });
        all(children.collect()).await;
        span.scope(|| drop(obs.info(name.clone())));
        span.score_trace(name.clone(), true);
        match plan.way {
            _ if name == "0" => {}
            Way::Dropped => {
                world.stuck.store(true, Ordering::Relaxed);
                pending::<()>().await;
            }
            // A panic of which no hook is told.
            Way::Panic => resume_unwind(Box::new("planned")),
            _ => {}
        }
        span.end();
    })
}

/// The child, under the context of its parent.
fn reach(world: World, child: Plan, name: String, parent: Context, flavour: Flavour) -> Walk {
    let way = child.way;
    let (off, other, stuck) = (world.off.clone(), world.other.clone(), Arc::clone(&world.stuck));
    let between = name.clone();
    let here = |flavour| walk(world, child, name, flavour);
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
        Way::Disabled => run_under(parent.scope(|| off.span("nothing")), here(flavour), parent),
        Way::OtherInstance => run_under(parent.scope(|| other.span(between)), here(flavour), parent),
        Way::Dropped => {
            let mut child = Box::pin(here(flavour).with_context(parent));
            Box::pin(poll_fn(move |cx| match child.as_mut().poll(cx) {
                Poll::Pending if !stuck.load(Ordering::Relaxed) => Poll::Pending,
                _ => Poll::Ready(()),
            }))
        }
        Way::Panic => {
            let mut child = Some(Box::pin(here(flavour).with_context(parent)));
            Box::pin(poll_fn(move |cx| {
                let polled =
                    child.as_mut().map(|child| catch_unwind(AssertUnwindSafe(|| child.as_mut().poll(cx))));
                if matches!(polled, Some(Ok(Poll::Pending))) {
                    return Poll::Pending;
                }
                child = None;
                Poll::Ready(())
            }))
        }
    }
}

/// Awaits the child under a span of another instance.
fn run_under(span: obs_instrument::ActiveSpan, child: Walk, parent: Context) -> Walk {
    let run = span.run(async {
        child.await;
        Ok::<_, fmt::Error>(())
    });
    Box::pin(async { run.await.unwrap() }.with_context(parent))
}

fn is_foreign(name: &str) -> bool {
    let own = name.rsplit_once('.').map_or("", |(_, own)| own).trim_end_matches(HIDDEN);
    own.ends_with("Remote") || own.ends_with("OtherInstance")
}

/// Whether a span of this name is shown: what begins a trace in this process is, whatever its type.
fn is_shown(name: &str) -> bool {
    !name.ends_with(HIDDEN) || is_foreign(name)
}

/// The names above a name, the nearest first.
fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.rsplit_once('.'), |(up, _)| up.rsplit_once('.')).map(|(up, _)| up)
}

/// The names of the spans above that a span knows in this process and instance: up to where the trace came in.
fn chain(name: &str) -> Vec<&str> {
    let mut chain = Vec::new();
    let mut at = name;
    while let Some((up, _)) = at.rsplit_once('.').filter(|_| !is_foreign(at)) {
        chain.extend(Some(up).filter(|up| is_shown(up)));
        at = up;
    }
    chain
}

fn ids(spans: &[Span]) -> HashMap<&str, SpanId> {
    spans.iter().map(|span| (span.name.as_str(), span.span_id)).collect()
}

/// Whether every record says where it was made.
fn check(
    (own, other): &(Arrived, Arrived),
    plan: &Plan,
    caller: Option<&Context>,
) -> Result<(), TestCaseError> {
    prop_assert_eq!((own.logs.len(), own.scores.len()), (size(plan), size(plan)));
    let (known, between) = (ids(&own.spans), ids(&other.spans));
    let shown_above = |name: &str| ancestors(name).find(|up| is_shown(up)).map(|up| known[up]);
    let (root, trace) = (own.span("0").span_id, own.span("0").trace_id);
    for span in &own.spans {
        let name = span.name.as_str();
        let above = if between.contains_key(name) { Some(between[name]) } else { shown_above(name) };
        let parent = above.or_else(|| caller?.span_id());
        prop_assert_eq!((span.parent_span_id, span.trace_id), (parent, trace), "{}", name);
        let remote = is_foreign(name) || (name == "0" && caller.is_some());
        prop_assert_eq!(span.remote_parent, remote, "{}", name);
        let expected: Vec<_> = chain(name).into_iter().map(|up| known[up]).collect();
        let found: Vec<_> = span.ancestors().map(|ancestor| ancestor.span_id).collect();
        prop_assert_eq!(found, expected, "{}", name);
        let parent = own.spans.iter().find(|other| Some(other.span_id) == parent);
        prop_assert!(parent.is_none_or(|parent| span.end <= parent.end), "{} ends after its parent", name);
        let panicked = name.trim_end_matches(HIDDEN).ends_with("Panic");
        prop_assert_eq!(span.error.is_some(), panicked, "{}", name);
    }
    for span in &other.spans {
        prop_assert_eq!(
            (span.parent_span_id, span.trace_id),
            (shown_above(&span.name), trace),
            "{}",
            span.name
        );
    }
    for log in &own.logs {
        let name = log.message.as_str();
        let span = if is_shown(name) { Some(known[name]) } else { shown_above(name) };
        prop_assert_eq!(log.span.map(|at| (at.trace_id, at.span_id)), Some((trace, span)), "{}", name);
    }
    let root_span_id = caller.is_none().then_some(root);
    for score in &own.scores {
        let of_root = Target::Trace { trace_id: trace, root_span_id };
        prop_assert_eq!(&score.target, &of_root, "{}", score.name);
    }
    Ok(())
}

fn size(plan: &Plan) -> usize {
    1 + plan.children.iter().map(size).sum::<usize>()
}

/// How many spans of the tree are shown.
fn shown(plan: &Plan) -> usize {
    let of = |child: &Plan| {
        let foreign = matches!(child.way, Way::Remote | Way::OtherInstance);
        shown(child) - usize::from(child.hidden && !foreign)
    };
    1 + plan.children.iter().map(of).sum::<usize>()
}

fn caller() -> Context {
    Context::remote(TraceId::new(7).unwrap(), SpanId::new(9).unwrap(), true, None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_span_log_and_score_finds_its_place(
        plan in plan(),
        flavour in prop::sample::select(&Flavour::ALL[..]),
        called in any::<bool>(),
    ) {
        let (benches, caller) = (Benches::new(Sampling::Always), called.then(caller));
        let arrived = benches.run(plan.clone(), flavour, caller.as_ref());
        prop_assert_eq!(arrived.0.spans.len(), shown(&plan));
        check(&arrived, &plan, caller.as_ref())?;
        prop_assert!(benches.own.obs.report().is_balanced());
    }

    #[test]
    fn a_tree_is_recorded_whole_or_not_at_all(
        plan in plan(),
        flavour in prop::sample::select(&Flavour::ALL[..]),
    ) {
        let benches = Benches::new(Sampling::ratio(0.5).unwrap());
        let arrived = benches.run(plan.clone(), flavour, None);
        let (own, other) = &arrived;
        if own.spans.is_empty() {
            prop_assert!(own.scores.is_empty() && own.logs.len() == size(&plan) && other.spans.is_empty());
            prop_assert!(own.logs.iter().all(|log| log.span.is_none()), "no fake ids appear");
        } else {
            prop_assert_eq!(own.spans.len(), shown(&plan));
            check(&arrived, &plan, None)?;
        }
    }
}
