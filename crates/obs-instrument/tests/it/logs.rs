use obs_core::{Level, Payload, Value};
use obs_instrument::Sampling;

use crate::collect::Bench;

#[test]
fn log_from_tool_correlates() {
    let bench = Bench::new();
    let tool = bench.obs.tool_call("search");
    tool.scope(|| {
        bench.obs.warn("slow").with("ms", 1200).data(Payload::from("{\"a\":1}"));
    });
    tool.log(Level::Debug, "direct").event_name("tool.hint");
    tool.end();
    bench.obs.info("outside");
    let arrived = bench.arrived();
    let tool = arrived.span("search");
    let by = |message: &str| arrived.logs.iter().find(|log| log.message == message).unwrap();
    assert_eq!(by("slow").span, Some(tool.reference()));
    assert_eq!(by("slow").attributes.get("ms"), Some(&Value::I64(1200)));
    assert_eq!((by("slow").level, by("direct").level), (Level::Warn, Level::Debug));
    assert_eq!(by("direct").span, Some(tool.reference()));
    assert_eq!(by("outside").span, None);
    assert_eq!(by("outside").resource.service_name(), Some("test"));
}

#[test]
fn log_from_workflow_step_correlates() {
    let bench = Bench::new();
    let run = bench.obs.workflow_run("run");
    run.scope(|| {
        let step = bench.obs.workflow_step("step");
        step.scope(|| bench.obs.info("in the step"));
    });
    drop(run);
    let arrived = bench.arrived();
    assert_eq!(arrived.logs[0].span, Some(arrived.span("step").reference()));
}

#[test]
fn a_log_under_an_unsampled_trace_carries_no_ids() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never));
    bench.obs.span("s").scope(|| bench.obs.error("kept"));
    let arrived = bench.arrived();
    assert_eq!((arrived.logs.len(), arrived.logs[0].span), (1, None));
}
