//! Tasks that are polled in turns on few threads.

use obs_instrument::{Context, FutureExt};
use proptest::prelude::*;
use tracing::{Instrument, info, info_span};

use crate::collect::Bench;

/// A task of three levels, which gives way as often as it is told, and checks what is current after every turn.
async fn work(own: u64, turns: [u8; 3]) {
    let outer = Context::current().span_id();
    for _ in 0..turns[0] {
        tokio::task::yield_now().await;
        assert_eq!(Context::current().span_id(), outer);
    }
    async {
        let inner = Context::current().span_id();
        assert_ne!(inner, outer);
        for _ in 0..turns[1] {
            tokio::task::yield_now().await;
            assert_eq!(Context::current().span_id(), inner);
        }
        tokio::spawn(
            async move {
                for _ in 0..turns[2] {
                    tokio::task::yield_now().await;
                }
                info!("{own}");
            }
            .instrument(info_span!("leaf", own))
            .with_current_context(),
        )
        .await
        .unwrap();
        assert_eq!(Context::current().span_id(), inner);
    }
    .instrument(info_span!("inner", own))
    .await;
    assert_eq!(Context::current().span_id(), outer);
}

async fn all(tasks: &[[u8; 3]]) {
    let spawn = |(own, turns): (usize, &[u8; 3])| {
        tokio::spawn(work(own as u64, *turns).instrument(info_span!("outer", own)))
    };
    let spawned: Vec<_> = tasks.iter().enumerate().map(spawn).collect();
    for task in spawned {
        task.await.unwrap();
    }
    assert_eq!(Context::current().span_id(), None);
}

fn check(threads: usize, tasks: &[[u8; 3]]) {
    let bench = Bench::new();
    let dispatch = bench.dispatch();
    // A registry closes parents through the subscriber that is current, so each thread has one for good.
    let of_thread = dispatch.clone();
    let mut runtime = match threads {
        0 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    runtime
        .worker_threads(threads.max(1))
        .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&of_thread)));
    let runtime = runtime.build().unwrap();
    tracing::dispatcher::with_default(&dispatch, || runtime.block_on(all(tasks)));
    drop(runtime);
    let arrived = bench.arrived();
    assert_eq!(arrived.spans.len(), tasks.len() * 3);
    let of = |name: &str, own: usize| {
        let is = |span: &&obs_core::Span| {
            span.name == name
                && span.attributes.get("own").and_then(obs_core::Value::as_i64) == Some(own as i64)
        };
        arrived.spans.iter().find(is).unwrap()
    };
    for own in 0..tasks.len() {
        let [outer, inner, leaf] = ["outer", "inner", "leaf"].map(|name| of(name, own));
        assert!(outer.is_root());
        assert_eq!(inner.parent_span_id, Some(outer.span_id), "{own}");
        assert_eq!(leaf.parent_span_id, Some(inner.span_id), "{own}");
        assert_eq!(arrived.log(&own.to_string()).span, Some(leaf.reference()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_task_sees_the_span_of_another(
        threads in 0usize..4,
        tasks in prop::collection::vec(proptest::array::uniform3(0u8..6), 1..24),
    ) {
        check(threads, &tasks);
    }
}
