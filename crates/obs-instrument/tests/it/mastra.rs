//! Defects of the observability that this project grew from, each in a test that shows it absent.

use obs_core::Level;
use obs_instrument::{Context, Sampling};

use crate::collect::Bench;

/// There, logs and metrics of an unsampled trace carry the id `no-op-trace`, which poisons every join.
#[test]
fn no_record_has_an_id_made_up_for_unsampled_traces() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never).unsampled_logs(Level::Trace));
    bench.obs.agent_run("run").scope(|| {
        bench.obs.info("in an unsampled trace");
        bench.obs.meter().counter("calls").add(1.0, ());
    });
    let arrived = bench.arrived();
    assert_eq!(arrived.logs[0].span, None);
    assert!(arrived.metrics.iter().all(|metric| metric.exemplar.is_none()));
}

/// There, a ratio is drawn anew in each service, so that two services with one trace id disagree.
#[test]
fn a_ratio_is_decided_by_the_trace_id() {
    let half = || Sampling::ratio(0.5).unwrap().ignoring_remote_parents();
    let [first, second] = [half(), half()].map(|half| Bench::with(|builder| builder.sampling(half)));
    for _ in 0..100 {
        let root = first.obs.span("root");
        let below = root.context().scope(|| second.obs.span("below"));
        assert_eq!(below.is_recording(), root.is_recording());
    }
}

/// There, the header always says that the trace is sampled.
#[test]
fn an_unsampled_context_says_so_and_keeps_its_ids() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never));
    let span = bench.obs.span("s");
    let context = span.context();
    assert_eq!((context.is_sampled(), context.trace_id()), (false, span.trace_id()));
    assert_eq!(context.span_id(), span.span_id());
}

/// There, a share that is none means "never" after a warning.
#[test]
fn a_share_that_is_none_is_an_error() {
    for share in [-0.1, 1.1, f64::NAN] {
        assert!(Sampling::ratio(share).is_err(), "{share}");
    }
}

/// There, an unsampled span still copies and cleans what it is given.
#[test]
fn an_unsampled_span_makes_nothing_of_what_it_is_given() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never));
    let mut span = bench.obs.llm_generation("chat");
    span.input_with(|| -> &str { panic!("not recording") }).attributes(|_| panic!("not recording"));
    span.scope(|| bench.obs.log_with(Level::Fatal, || -> String { panic!("not recording") }));
}

/// There, what a second copy of the library records has another global and is lost or crosses over.
#[test]
fn an_instance_needs_no_global() {
    let [one, two] = [Bench::new(), Bench::new()];
    one.obs.span("one").scope(|| two.obs.span("two").end());
    assert_eq!((one.arrived().spans.len(), two.arrived().spans.len()), (1, 1));
    assert_eq!(Context::current().trace_id(), None);
}
