use obs_instrument::{Context, Registry};
use tracing::{Dispatch, info, info_span};
use tracing_subscriber::layer::SubscriberExt;

use crate::collect::Bench;

#[test]
fn two_layers_of_one_registry_keep_their_trees_apart() {
    let (a, b) = (Bench::new(), Bench::new());
    let subscriber = tracing_subscriber::registry()
        .with(obs_tracing::layer(&a.obs))
        .with(obs_tracing::layer(&b.obs).ignoring(["only_a"]));
    tracing::dispatcher::with_default(&Dispatch::new(subscriber), || {
        let _outer = info_span!("outer").entered();
        let _middle = info_span!(target: "only_a", "middle").entered();
        let _inner = info_span!("inner").entered();
        info!("said");
    });
    assert_eq!(Context::current().span_id(), None);
    let (a, b) = (a.arrived(), b.arrived());
    assert_eq!((a.spans.len(), b.spans.len()), (3, 2));
    assert_eq!((a.parent("inner"), b.parent("inner")), (Some("middle"), Some("outer")));
    assert_ne!(a.span("outer").trace_id, b.span("outer").trace_id);
    assert_eq!(a.log("said").span, Some(a.span("inner").reference()));
    assert_eq!(b.log("said").span, Some(b.span("inner").reference()));
}

#[test]
fn two_layers_with_one_instance_record_twice_and_do_not_panic() {
    let bench = Bench::new();
    let subscriber = tracing_subscriber::registry()
        .with(obs_tracing::layer(&bench.obs))
        .with(obs_tracing::layer(&bench.obs));
    tracing::dispatcher::with_default(&Dispatch::new(subscriber), || info_span!("twice").in_scope(|| {}));
    assert_eq!(bench.arrived().spans.len(), 2);
}

#[test]
fn subscribers_of_a_scope_do_not_meet() {
    let (a, b) = (Bench::new(), Bench::new());
    let (of_a, of_b) = (a.dispatch(), b.dispatch());
    tracing::dispatcher::with_default(&of_a, || {
        let _outer = info_span!("outer").entered();
        tracing::dispatcher::with_default(&of_b, || info_span!("other").in_scope(|| info!("of b")));
        let _ = info_span!("inner");
    });
    let (a, b) = (a.arrived(), b.arrived());
    assert_eq!(a.parent("inner"), Some("outer"));
    assert_eq!((a.logs.len(), b.logs.len()), (0, 1));
    let other = b.span("other");
    assert_eq!(other.parent_span_id, Some(a.span("outer").span_id), "one trace through both, by ids");
    assert!(other.remote_parent);
}

#[test]
fn the_subscriber_keeps_no_instance_alive() {
    let bench = Bench::new();
    let dispatch = bench.dispatch();
    let Bench { obs, .. } = bench;
    let context = obs.context();
    assert!(context.scope(obs_instrument::Observability::current).is_some());
    drop(obs);
    assert!(context.scope(obs_instrument::Observability::current).is_none());
    tracing::dispatcher::with_default(&dispatch, || {
        let span = info_span!("after the end", late = tracing::field::Empty).entered();
        span.record("late", 1);
        info!("nobody hears");
    });
}

#[test]
fn one_subscriber_serves_each_context_with_its_own_instance() {
    let (a, b) = (Bench::new(), Bench::new());
    let layer = tracing_subscriber::registry().with(obs_tracing::ObsLayer::current());
    tracing::dispatcher::with_default(&Dispatch::new(layer), || {
        for bench in [&a, &b] {
            bench.obs.context().scope(|| {
                info_span!("outer").in_scope(|| {
                    let _ = info_span!("inner");
                    info!("said");
                });
            });
        }
        let _ = info_span!("nobody's");
    });
    for arrived in [a.arrived(), b.arrived()] {
        assert_eq!((arrived.spans.len(), arrived.parent("inner")), (2, Some("outer")));
        assert_eq!(arrived.log("said").span, Some(arrived.span("outer").reference()));
    }
}

#[test]
fn a_layer_by_name_records_while_there_is_an_instance_of_the_name() {
    let name = "the tracing layer's own";
    let bench = Bench::new();
    let layer = tracing_subscriber::registry().with(obs_tracing::ObsLayer::registered(name));
    tracing::dispatcher::with_default(&Dispatch::new(layer), || {
        let _ = info_span!("before");
        Registry::global().register(name, bench.obs.clone()).unwrap();
        let _ = info_span!("while");
        drop(Registry::global().remove(name));
        let _ = info_span!("after");
    });
    let arrived = bench.arrived();
    assert_eq!(arrived.spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), ["while"]);
}
