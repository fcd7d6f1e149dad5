use obs_instrument::Context;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, debug_span, info, info_span};
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::reload;

use crate::collect::Bench;

#[test]
fn a_filter_of_the_layer_hides_spans_from_it_alone() {
    let (filtered, whole) = (Bench::new(), Bench::new());
    let subscriber = tracing_subscriber::registry()
        .with(obs_tracing::layer(&filtered.obs).with_filter(LevelFilter::INFO))
        .with(obs_tracing::layer(&whole.obs));
    tracing::dispatcher::with_default(&Dispatch::new(subscriber), || {
        let _outer = info_span!("outer").entered();
        let _hidden = debug_span!("hidden").entered();
        let _inner = info_span!("inner").entered();
        info!("said");
    });
    let (filtered, whole) = (filtered.arrived(), whole.arrived());
    assert_eq!((filtered.spans.len(), whole.spans.len()), (2, 3));
    assert_eq!(filtered.parent("inner"), Some("outer"), "what is hidden is no parent");
    assert_eq!(whole.parent("inner"), Some("hidden"));
    assert_eq!(filtered.log("said").span, Some(filtered.span("inner").reference()));
    assert_eq!(whole.log("said").span, Some(whole.span("inner").reference()));
}

#[test]
fn the_filter_of_the_environment_decides_by_target_and_level() {
    let bench = Bench::new();
    let filter: EnvFilter = "warn,shop=debug".parse().unwrap();
    let subscriber = tracing_subscriber::registry().with(obs_tracing::layer(&bench.obs).with_filter(filter));
    tracing::dispatcher::with_default(&Dispatch::new(subscriber), || {
        let _ = debug_span!(target: "shop", "taken");
        let _ = info_span!(target: "other", "not taken");
        info!(target: "shop", "heard");
        info!(target: "other", "not heard");
    });
    let arrived = bench.arrived();
    assert_eq!((arrived.spans.len(), arrived.logs.len()), (1, 1));
}

#[test]
fn a_filter_may_be_above_the_layer_or_by_span() {
    let bench = Bench::new();
    let only_spans = filter_fn(|metadata| !metadata.is_event());
    let subscriber = tracing_subscriber::registry()
        .with(obs_tracing::layer(&bench.obs).with_filter(only_spans))
        .with(LevelFilter::INFO);
    tracing::dispatcher::with_default(&Dispatch::new(subscriber), || {
        let _span = info_span!("span").entered();
        let _ = debug_span!("fine");
        info!("event");
    });
    let arrived = bench.arrived();
    assert_eq!((arrived.spans.len(), arrived.logs.len()), (1, 0));
}

#[test]
fn a_filter_may_change_while_spans_are_open() {
    let bench = Bench::new();
    let (filter, handle) = reload::Layer::new(LevelFilter::INFO);
    let subscriber = tracing_subscriber::registry().with(obs_tracing::layer(&bench.obs).with_filter(filter));
    tracing::dispatcher::with_default(&Dispatch::new(subscriber), || {
        let open = info_span!("open").entered();
        handle.reload(LevelFilter::OFF).unwrap();
        let unseen = info_span!("unseen").entered();
        info!("unheard");
        handle.reload(LevelFilter::DEBUG).unwrap();
        let _ = debug_span!("seen again");
        drop((unseen, open));
        assert_eq!(Context::current().span_id(), None);
    });
    let arrived = bench.arrived();
    assert_eq!((arrived.spans.len(), arrived.logs.len()), (2, 0));
    assert_eq!(arrived.parent("seen again"), Some("open"));
}

#[test]
fn a_span_below_a_hidden_parent_of_its_choice_starts_a_trace() {
    let bench = Bench::new();
    let layer = obs_tracing::layer(&bench.obs).with_filter(LevelFilter::INFO);
    tracing::dispatcher::with_default(&Dispatch::new(tracing_subscriber::registry().with(layer)), || {
        let _around = info_span!("around").entered();
        let hidden = debug_span!("hidden");
        let _ = info_span!(parent: &hidden, "below");
    });
    assert!(bench.arrived().span("below").is_root());
}

#[test]
fn the_layers_own_filter_goes_by_target() {
    let arrived = Bench::new().run_with(
        |layer| layer.ignoring(["noisy", "hyper"]),
        || {
            let _noise = info_span!(target: "noisy::inner", "noise").entered();
            let _ = info_span!("kept");
            info!(target: "hyper", "noise");
            info!(target: "hyper_like", "kept");
        },
    );
    assert_eq!((arrived.spans.len(), arrived.logs.len()), (1, 1));
    assert!(arrived.span("kept").is_root());
}
