use std::time::Duration;

use crate::collect::Bench;

const DEADLINE: Duration = Duration::from_secs(20);

fn record(bench: &Bench) {
    bench.obs.agent_run("run").scope(|| bench.obs.info("hello"));
    assert!(bench.obs.shutdown(DEADLINE).complete);
    assert!(!bench.obs.span("after").is_recording());
}

#[test]
fn law_2_host_is_safe_without_a_runtime() {
    record(&Bench::new());
}

#[test]
fn law_2_host_is_safe_on_every_runtime_flavour() {
    use tokio::runtime::Builder;
    let flavours = [
        Builder::new_current_thread().build(),
        Builder::new_multi_thread().worker_threads(1).build(),
        Builder::new_multi_thread().worker_threads(2).build(),
    ];
    for runtime in flavours {
        runtime.unwrap().block_on(async {
            tokio::spawn(async { record(&Bench::new()) }).await.unwrap();
        });
    }
}

#[test]
fn the_last_handle_delivers_what_is_left() {
    let bench = Bench::new();
    let guard = bench.obs.guard().with_deadline(DEADLINE);
    bench.obs.span("s").end();
    drop(guard);
    assert_eq!(bench.obs.report().to_string(), bench.obs.report().to_string());
    assert_eq!(bench.arrived().spans.len(), 1);
}
