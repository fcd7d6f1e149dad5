//! Which instance records, under which parent, and at what cost.

use std::sync::atomic::{AtomicUsize, Ordering};

use obs_core::Signals;
use obs_instrument::{Context, FutureExt, Sampling, observe};
use serde::{Serialize, Serializer};

use crate::collect::{Bench, with_global_registry};

#[observe(agent_run)]
async fn agent(depth: u8) -> u8 {
    let mut sum = 0;
    for _ in 0..2 {
        sum += step(depth);
        tokio::task::yield_now().await;
    }
    let spawned = tokio::spawn(tool(depth).with_current_context());
    sum + spawned.await.unwrap()
}

#[observe(workflow_step)]
fn step(depth: u8) -> u8 {
    if depth == 0 { 1 } else { step(depth - 1) }
}

#[observe(tool_call)]
async fn tool(depth: u8) -> u8 {
    tokio::task::yield_now().await;
    depth
}

#[tokio::test]
async fn nested_calls_are_under_their_callers() {
    let bench = Bench::new();
    let run = async { tokio::join!(agent(1), agent(1)) };
    assert_eq!(run.with_context(bench.obs.context()).await, (3, 3));
    assert!(Context::current().trace_id().is_none());
    let arrived = bench.arrived();
    let agents: Vec<_> = arrived.spans.iter().filter(|span| span.name == "agent").collect();
    assert_eq!((agents.len(), arrived.spans.len()), (2, 2 * (1 + 2 * 2 + 1)));
    for agent in agents {
        assert!(agent.is_root());
        let trace = arrived.spans.iter().filter(|span| span.trace_id == agent.trace_id);
        let of = |name: &'static str| trace.clone().filter(move |span| span.name == name);
        let under = |parent| of("step").filter(move |step| step.parent_span_id == Some(parent));
        assert_eq!(under(agent.span_id).count(), 2);
        assert!(under(agent.span_id).all(|step| under(step.span_id).count() == 1));
        assert!(of("tool").all(|tool| tool.parent_span_id == Some(agent.span_id)));
    }
}

#[tokio::test]
async fn contexts_keep_instances_apart() {
    let (left, right) = (Bench::new(), Bench::new());
    let (a, b) = tokio::join!(
        tool(1).with_context(left.obs.context()),
        async { tool(2).await + right.obs.context().scope(|| step(0)) }.with_context(right.obs.context())
    );
    assert_eq!((a, b), (1, 3));
    left.obs.span("outer").scope(|| step(0));
    assert_eq!((left.arrived().spans.len(), right.arrived().spans.len()), (3, 2));
}

#[observe(registry = "macros-tenant", attributes(from = "tenant"))]
fn of_the_tenant() {
    step(0);
}

#[test]
fn a_registered_name_chooses_the_instance_whatever_is_current() {
    let (tenant, other) = (Bench::new(), Bench::new());
    with_global_registry(|registry| {
        registry.register("macros-tenant-here", tenant.obs.clone()).unwrap();
        let outer = other.obs.span("outer");
        outer.scope(of_a_registered_tenant);
        outer.end();
        assert!(registry.remove("macros-tenant-here").is_some());
    });
    other.obs.span("after").scope(of_a_registered_tenant);
    let (tenant, other) = (tenant.arrived(), other.arrived());
    assert_eq!((tenant.spans.len(), other.spans.len()), (2, 3));
    let span = tenant.span("of_a_registered_tenant");
    assert_eq!((span.trace_id, span.parent_span_id), {
        let outer = other.span("outer");
        (outer.trace_id, Some(outer.span_id))
    });
    assert!(span.remote_parent, "to the tenant, the other's span is in another process");
}

#[observe(registry = "macros-tenant-here")]
fn of_a_registered_tenant() {
    step(0);
}

#[test]
fn a_name_that_nobody_registered_records_nothing_and_hides_nobody() {
    let bench = Bench::new();
    let outer = bench.obs.span("outer");
    outer.scope(of_the_tenant);
    outer.end();
    let arrived = bench.arrived();
    assert_eq!(arrived.spans.len(), 2);
    assert_eq!(arrived.span("step").parent_span_id, Some(arrived.span("outer").span_id));
}

/// Counts how often it is serialised.
struct Counted<'a>(&'a AtomicUsize);

impl Serialize for Counted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        serializer.serialize_unit()
    }
}

#[observe(attributes(again = counted))]
fn counting<'a>(counted: Counted<'a>) -> Counted<'a> {
    counted
}

#[observe(attributes(again = counted))]
async fn counting_later<'a>(counted: Counted<'a>) -> Result<Counted<'a>, u8> {
    Ok(counted)
}

#[tokio::test]
async fn what_is_not_recorded_is_not_serialised() {
    let seen = AtomicUsize::new(0);
    let count = async |context: Context| {
        seen.store(0, Ordering::Relaxed);
        context.scope(|| counting(Counted(&seen)));
        assert!(counting_later(Counted(&seen)).with_context(context).await.is_ok());
        seen.load(Ordering::Relaxed)
    };
    let never = Bench::with(|builder| builder.sampling(Sampling::Never));
    let off = Bench::with(|builder| builder.enabled(false));
    let no_spans = Bench::taking(Signals::NONE);
    assert_eq!(count(never.obs.context()).await, 0);
    assert_eq!(count(off.obs.context()).await, 0);
    assert_eq!(count(no_spans.obs.context()).await, 0);
    let recording = Bench::new();
    assert_eq!(count(recording.obs.context()).await, 6, "argument, attribute and result, twice");
    assert!(never.arrived().spans.is_empty());
}

#[observe]
fn ids() -> bool {
    let context = Context::current();
    context.trace_id().is_some() && !context.is_sampled()
}

#[test]
fn an_unsampled_call_has_ids_for_those_below() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never));
    assert!(bench.obs.context().scope(ids));
}
