use obs_core::{LlmGeneration, Payload, Signal, Signals, ToolCall};
use obs_instrument::{Context, MetricsOf, Sampling};

use crate::collect::Bench;

fn unsampled(metrics: MetricsOf) -> Bench {
    Bench::with(|builder| builder.sampling(Sampling::Never).metrics(metrics))
}

/// How many spans the collector took out under a processor's name.
fn filtered(bench: &Bench, processor: &str) -> u64 {
    let report = bench.obs.report();
    let traces = report.intake.get(Signal::Traces);
    assert!(traces.is_balanced(), "{traces:?}");
    traces.filtered.get(&format!("processor:{processor}"))
}

#[test]
fn law_1_accounting_tells_what_was_measured_and_not_shown() {
    let bench = unsampled(MetricsOf::All);
    let run = bench.obs.agent_run("run");
    run.child::<ToolCall>("tool").end();
    run.end();
    let arrived = bench.arrived();
    assert!(arrived.spans.is_empty(), "{arrived:?}");
    assert_eq!((filtered(&bench, "unsampled"), filtered(&bench, "hidden")), (2, 0));

    let bench = Bench::with(|builder| builder.exclude_span_types(["tool_call"]).unwrap());
    let run = bench.obs.agent_run("run");
    run.child::<ToolCall>("tool").end();
    run.end();
    assert_eq!(bench.arrived().spans.len(), 1);
    assert_eq!((filtered(&bench, "unsampled"), filtered(&bench, "hidden")), (0, 1));
}

#[test]
fn without_anybody_counting_an_unsampled_span_leaves_nothing() {
    let sampled = unsampled(MetricsOf::Sampled);
    let unwanted = Bench::taking(Signals::ALL.without(Signal::Metrics));
    unwanted.obs.set_sampling(Sampling::Never);
    for bench in [sampled, unwanted] {
        let mut call = bench.obs.llm_generation("chat");
        call.fields(|_| panic!("nobody keeps them"));
        drop(call);
        bench.arrived();
        assert_eq!(filtered(&bench, "unsampled"), 0);
    }
}

#[test]
fn a_measured_span_keeps_its_typed_fields_and_calls_no_closure_for_the_rest() {
    let bench = unsampled(MetricsOf::All);
    let mut call = bench.obs.llm_generation("chat");
    assert!(!call.is_recording() && !call.context().is_sampled());
    call.input_with(|| -> Payload { panic!("not kept") });
    call.output_with(|| -> Payload { panic!("not kept") });
    call.attribute_with("k", || -> i64 { panic!("not kept") });
    call.attributes(|_| panic!("not kept"));
    call.event_with("e", || panic!("not kept"));
    let mut called = false;
    call.fields(|_| called = true);
    assert!(called, "tokens are counted from typed fields");
    call.score("quality", 1.0);
    call.scope(|| bench.obs.info("inside"));
    let (trace_id, context) = (call.trace_id(), call.context());
    let child = context.scope(|| bench.obs.tool_call("tool"));
    assert_eq!((child.trace_id(), context.span_id()), (trace_id, call.span_id()));
    assert!(trace_id.is_some() && call.reference().is_none() && call.target().is_none());
    drop((child, call));
    let arrived = bench.arrived();
    assert!(arrived.scores.is_empty(), "no destination has the span");
    assert!(arrived.logs.is_empty(), "an unsampled trace leaves no log behind unless asked");
}

#[test]
fn a_remote_parent_that_is_not_sampled_is_measured_below() {
    let bench = Bench::new();
    let (trace, parent) = (obs_core::TraceId::new(7).unwrap(), obs_core::SpanId::new(8).unwrap());
    let remote = Context::remote(trace, parent, false, None);
    let call = bench.obs.start("chat", LlmGeneration::default(), &remote);
    assert_eq!((call.trace_id(), call.is_recording()), (Some(trace), false));
    assert!(call.span_id().is_some() && call.span_id() != Some(parent));
    drop(call);
    assert!(bench.arrived().spans.is_empty());
    assert_eq!(filtered(&bench, "unsampled"), 1);
}
