use obs_core::{SpanId, TraceId};
use obs_instrument::{Context, Observability, Sampling};

use crate::collect::Bench;

#[test]
fn a_remote_parent_decides_and_is_marked() {
    let bench = Bench::new();
    let (trace, parent) = (TraceId::new(7).unwrap(), SpanId::new(9).unwrap());
    let remote = Context::remote(trace, parent, true, Some("vendor=1".into()));
    remote.scope(|| bench.obs.span("child").scope(|| bench.obs.span("grandchild").end()));
    Context::remote(trace, parent, false, None).scope(|| bench.obs.span("unsampled").end());
    let arrived = bench.arrived();
    assert_eq!(arrived.spans.len(), 2);
    let child = arrived.span("child");
    assert_eq!((child.trace_id, child.parent_span_id, child.remote_parent), (trace, Some(parent), true));
    assert_eq!((child.trace_state.as_deref(), child.root_span_id()), (Some("vendor=1"), None));
    assert_eq!(arrived.span("grandchild").trace_state.as_deref(), Some("vendor=1"));
    assert!(!arrived.span("grandchild").remote_parent);
}

#[test]
fn what_is_known_of_the_trace_goes_down_the_tree() {
    let bench = Bench::new();
    let mut root = bench.obs.agent_run("root");
    root.trace(|trace| trace.session_id = Some("s-1".into()));
    root.scope(|| bench.obs.span("child").end());
    root.end();
    let arrived = bench.arrived();
    let (root, child) = (arrived.span("root"), arrived.span("child"));
    assert_eq!(child.context.session_id.as_deref(), Some("s-1"));
    assert_eq!(root.context.session_id, child.context.session_id);
    let at_work = child.context.entity.as_ref().unwrap();
    assert_eq!((at_work.kind.as_deref(), at_work.name.as_deref()), (Some("agent"), Some("root")));
}

#[test]
fn a_context_tells_its_instance_and_keeps_none_alive() {
    let bench = Bench::new();
    assert!(Observability::current().is_none());
    let context = bench.obs.context();
    context.scope(|| {
        let current = Observability::current().unwrap();
        assert_eq!(Context::current().trace_id(), None);
        current.span("found").scope(|| Observability::current().unwrap().span("below").end());
    });
    assert_eq!(bench.arrived().span("below").parent_span_id, Some(bench.arrived().span("found").span_id));
    let span = bench.obs.span("open");
    let under = span.context();
    assert!(under.scope(Observability::current).is_some());
    drop(bench);
    assert!(context.scope(Observability::current).is_none());
    assert!(under.scope(Observability::current).is_none());
}

#[test]
fn an_unsampled_span_still_knows_its_instance() {
    let bench =
        Bench::with(|builder| builder.sampling(Sampling::Never).unsampled_logs(obs_core::Level::Info));
    bench.obs.span("unsampled").scope(|| {
        Observability::current().unwrap().info("heard");
    });
    assert_eq!(bench.arrived().logs[0].span, None);
}

#[test]
fn a_span_under_another_instance_attaches_by_ids_alone() {
    let (one, other) = (Bench::new(), Bench::new());
    let mut parent = one.obs.span("parent");
    parent.trace(|trace| trace.user_id = Some("u-1".into()));
    parent.scope(|| {
        other.obs.span("child").scope(|| assert_eq!(Observability::current().map(|_| ()), Some(())));
        other.obs.info("said");
        one.obs.info("told");
    });
    let (child, log) = (other.arrived(), other.arrived().logs.remove(0));
    let child = child.span("child");
    assert_eq!((child.trace_id, child.parent_span_id), (parent.trace_id().unwrap(), parent.span_id()));
    assert!(child.remote_parent && child.ancestors().count() == 0, "{child:?}");
    assert_eq!((child.context.user_id.clone(), log.context.user_id.clone()), (None, None));
    assert_eq!(log.span, parent.reference());
    assert_eq!(one.arrived().logs[0].context.user_id.as_deref(), Some("u-1"));
}

#[test]
fn what_is_started_under_a_remote_parent_has_its_own_environment() {
    let bench = Bench::with(|builder| builder.environment("staging"));
    let remote = Context::remote(TraceId::new(7).unwrap(), SpanId::new(9).unwrap(), true, None);
    remote.scope(|| {
        bench.obs.span("child").end();
        bench.obs.info("said");
    });
    let arrived = bench.arrived();
    for context in [&arrived.span("child").context, &arrived.logs[0].context] {
        assert_eq!(context.environment.as_deref(), Some("staging"));
    }
}
