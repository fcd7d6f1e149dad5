use std::time::Duration;

use obs_core::{
    Attributes, Chunk, ErrorInfo, Payload, ResultType, SpanKind, SpanType, Status, Timestamp, Usage, Value,
    WorkflowStatus,
};
use obs_instrument::pipeline::Clock;
use obs_instrument::{ActiveSpan, Generic, Sampling};

use crate::collect::Bench;

#[test]
fn a_generation_carries_its_typed_fields() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1_000));
    let bench = Bench::with(|builder| builder.clock(clock).environment("staging"));
    let mut call = bench.obs.llm_generation("chat");
    call.model("gpt-4o").provider("openai").temperature(0.2).max_tokens(256).input("[{\"role\":\"user\"}]");
    hand.advance(Duration::from_nanos(40));
    call.first_token();
    hand.advance(Duration::from_nanos(60));
    call.first_token()
        .response("gpt-4o-2024-08-06", "resp_1")
        .usage(Usage::new(12, 30))
        .finish_reason("stop");
    call.result_type(ResultType::ResponseGeneration);
    call.end_with("hello");

    let arrived = bench.arrived();
    let span = arrived.span("chat");
    let SpanType::LlmGeneration(call) = &span.span_type else { panic!("{:?}", span.span_type) };
    assert_eq!(call.time_to_first_token, Some(Duration::from_nanos(40)), "only the first token counts");
    assert_eq!((call.streaming, call.usage.total()), (Some(true), Some(42)));
    assert_eq!(call.model.as_deref(), Some("gpt-4o"));
    assert_eq!(call.parameters.max_tokens, Some(256));
    assert_eq!(span.duration(), Some(Duration::from_nanos(100)));
    assert_eq!(span.kind, SpanKind::Client);
    assert_eq!(span.input, Some(Payload::from("[{\"role\":\"user\"}]")));
    assert_eq!(span.output, Some(Payload::text("hello")));
    assert_eq!(span.context.environment.as_deref(), Some("staging"));
    assert_eq!(span.resource.service_name(), Some("test"));
}

#[test]
fn every_type_of_span_arrives_as_its_type() {
    let bench = Bench::new();
    let obs = &bench.obs;
    obs.span("generic").end();
    let mut agent = obs.agent_run("agent_run");
    agent.agent("a").tools(["t"]).max_steps(3).instructions("be kind").decide("call t", "it fits", ["stop"]);
    agent.end();
    obs.workflow_run("workflow_run").end();
    obs.workflow_step("workflow_step").end();
    obs.llm_generation("llm_generation").end();
    obs.tool_call("tool_call").end();
    obs.mcp_tool_call("mcp_tool_call").end();
    let mut lookup = obs.memory_lookup("memory_lookup");
    lookup.query("q").hit("1", "fact", 0.5);
    lookup.end();
    obs.memory_update("memory_update").end();
    let mut rag = obs.rag_query("rag_query");
    rag.query("q", 3).chunk(Chunk { relevance: Some(1.5), ..Chunk::default() });
    rag.end();
    obs.embedding("embedding").end();
    obs.eval_execution("eval_execution").end();

    let arrived = bench.arrived();
    assert_eq!(arrived.spans.len(), SpanType::NAMES.len());
    for span in &arrived.spans {
        assert_eq!(span.name, span.span_type.name());
    }
    let SpanType::AgentRun(agent) = &arrived.span("agent_run").span_type else { panic!() };
    assert_eq!((agent.decisions.len(), agent.decisions[0].reasoning.as_deref()), (1, Some("it fits")));
    assert!(agent.decisions[0].time >= arrived.span("agent_run").start);
}

#[test]
fn an_error_is_recorded_with_type_and_sources_and_one_id_up_the_tree() {
    let bench = Bench::new();
    let mut run = bench.obs.workflow_run("run");
    let mut step = run.scope(|| bench.obs.workflow_step("step"));
    let mut tool = step.scope(|| bench.obs.tool_call("read"));
    let error = std::fs::read("/no/such/file").unwrap_err();
    tool.fail(&error);
    tool.end();
    step.fail(&error).end_now();
    run.fail_with(|| ErrorInfo {
        sources: vec![error.to_string().into()],
        ..ErrorInfo::message("run failed")
    });
    run.end();
    let mut other = bench.obs.span("other");
    other.fail(&error);
    other.end();

    let arrived = bench.arrived();
    let of = |name| arrived.span(name).error.as_ref().unwrap();
    assert_eq!(of("read").error_type.as_deref(), Some("std::io::error::Error"));
    assert!(of("read").error_id.is_some());
    assert_eq!(of("read").error_id, of("step").error_id);
    assert_eq!(of("step").error_id, of("run").error_id, "an error that wraps it is the same");
    assert_ne!(of("run").error_id, of("other").error_id);
    let SpanType::ToolCall(tool) = &arrived.span("read").span_type else { panic!() };
    assert_eq!(tool.success, Some(false));
    let SpanType::WorkflowStep(step) = &arrived.span("step").span_type else { panic!() };
    assert_eq!(step.status, Some(WorkflowStatus::Failed));
    assert_eq!(arrived.span("run").status, Status::Error);
}

/// Ends a span at the end of a chain of setters.
trait EndNow {
    fn end_now(&mut self);
}

impl<T: obs_instrument::Kind> EndNow for ActiveSpan<T> {
    fn end_now(&mut self) {
        std::mem::replace(self, ActiveSpan::noop()).end();
    }
}

#[test]
fn dropping_ends_and_a_panic_shows() {
    let bench = Bench::new();
    drop(bench.obs.span("dropped"));
    let obs = bench.obs.clone();
    let panicked = std::thread::spawn(move || {
        let _span = obs.span("panicked");
        panic!("on purpose");
    });
    assert!(panicked.join().is_err());
    let arrived = bench.arrived();
    assert_eq!(arrived.span("dropped").status, Status::Unset);
    assert_eq!(arrived.span("panicked").error.as_ref().unwrap().error_type.as_deref(), Some("panic"));
}

#[test]
fn late_attributes_events_links_and_names_arrive() {
    let bench = Bench::new();
    let other = bench.obs.span("other");
    let mut span = bench.obs.span("first name");
    span.attribute("k", 1).attribute("k", "two").event("tick", Attributes::from_iter([("n", 1)]));
    span.link(other.trace_id().unwrap(), other.span_id().unwrap(), Attributes::new());
    span.rename("second name").kind(SpanKind::Server).ok();
    span.end_at(Timestamp::from_nanos(1));
    drop(other);
    let arrived = bench.arrived();
    let span = arrived.span("second name");
    assert_eq!(span.attributes.get("k"), Some(&Value::Str("two".into())));
    assert_eq!((span.attributes.len(), span.events.len(), span.links.len()), (1, 1, 1));
    assert_eq!(span.links[0].span_id, arrived.span("other").span_id);
    assert_eq!(span.duration(), Some(Duration::ZERO), "an end before the start counts as the start");
    assert_eq!((span.status, span.kind), (Status::Ok, SpanKind::Server));
}

#[test]
fn an_unsampled_trace_records_nothing_and_calls_no_closure() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never));
    let mut span: ActiveSpan<Generic> = bench.obs.span("s");
    assert!(!span.is_recording() && span.trace_id().is_some());
    span.input_with(|| -> Payload { panic!("not recording") });
    let child = span.scope(|| bench.obs.tool_call("t"));
    assert_eq!(child.trace_id(), span.trace_id());
    assert!(!child.is_recording() && !child.context().is_sampled());
    span.score("quality", 1.0);
    drop((child, span));
    let arrived = bench.arrived();
    assert!(arrived.spans.is_empty() && arrived.scores.is_empty(), "{arrived:?}");
}

#[test]
fn a_custom_sampler_sees_the_root() {
    let bench = Bench::with(|builder| {
        builder.sampling(Sampling::custom(|root| root.name != "healthz" && root.span_type == "generic"))
    });
    bench.obs.span("healthz").end();
    bench.obs.tool_call("tool").end();
    bench.obs.span("work").scope(|| bench.obs.tool_call("child").end());
    let arrived = bench.arrived();
    assert_eq!(arrived.spans.len(), 2);
    assert_eq!(arrived.span("child").parent_span_id, Some(arrived.span("work").span_id));
}

#[test]
fn law_2_host_is_safe_from_a_panicking_sampler() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::custom(|_| panic!("on purpose"))));
    let span = bench.obs.span("s");
    assert!(!span.is_recording() && span.trace_id().is_some());
}

#[test]
fn a_disabled_instance_does_nothing_until_enabled() {
    let bench = Bench::with(|builder| builder.enabled(false));
    assert_eq!(bench.obs.span("off").trace_id(), None);
    bench.obs.info("off");
    bench.obs.set_enabled(true);
    bench.obs.span("on").end();
    let arrived = bench.arrived();
    assert_eq!((arrived.spans.len(), arrived.logs.len()), (1, 0));
}

#[tokio::test]
async fn run_awaits_under_the_span_and_records_the_error() {
    let bench = Bench::new();
    let failed: Result<(), String> = bench
        .obs
        .workflow_step("step")
        .run_display(async {
            tokio::task::yield_now().await;
            bench.obs.tool_call("inside").end();
            Err("no luck".to_owned())
        })
        .await;
    assert_eq!(failed, Err("no luck".to_owned()));
    let arrived = bench.arrived();
    assert_eq!(arrived.span("inside").parent_span_id, Some(arrived.span("step").span_id));
    assert_eq!(arrived.span("step").error.as_ref().unwrap().message, "no luck");
}
