//! Spans as the crate `genai` 0.7.2 makes them with its feature `otel`: names and fields are facts.

use std::time::Duration;

use obs_core::{Form, Payload, SpanKind, SpanType, Status, Timestamp, Value};
use obs_instrument::pipeline::Clock;
use tracing::field::Empty;
use tracing::{Span, info, info_span};

use crate::collect::{Bench, attribute, generation};

fn chat(stream: bool) -> Span {
    info_span!(
        "genai.chat",
        "otel.name" = "chat claude-sonnet-4-5",
        "otel.kind" = "client",
        "otel.status_code" = Empty,
        "error.type" = Empty,
        "gen_ai.operation.name" = "chat",
        "gen_ai.provider.name" = "anthropic",
        "gen_ai.request.model" = "claude-sonnet-4-5",
        "gen_ai.request.stream" = stream,
        "gen_ai.request.temperature" = Empty,
        "gen_ai.request.max_tokens" = Empty,
        "gen_ai.request.top_p" = Empty,
        "gen_ai.request.seed" = Empty,
        "gen_ai.request.stop_sequences" = Empty,
        "gen_ai.output.type" = Empty,
        "server.address" = Empty,
        "server.port" = Empty,
        "gen_ai.response.id" = Empty,
        "gen_ai.response.model" = Empty,
        "gen_ai.response.finish_reasons" = Empty,
        "gen_ai.usage.input_tokens" = Empty,
        "gen_ai.usage.output_tokens" = Empty,
        "gen_ai.usage.cache_read.input_tokens" = Empty,
        "gen_ai.usage.cache_creation.input_tokens" = Empty,
        "gen_ai.usage.reasoning.output_tokens" = Empty,
        "gen_ai.response.time_to_first_chunk" = Empty,
        "gen_ai.system_instructions" = Empty,
        "gen_ai.input.messages" = Empty,
    )
}

#[test]
fn a_chat_is_a_generation_with_all_it_said() {
    let arrived = Bench::new().run(|| {
        let span = chat(true);
        span.record("server.address", "api.anthropic.com");
        span.record("server.port", 443i64);
        span.record("gen_ai.request.temperature", 0.2);
        span.record("gen_ai.request.max_tokens", 256i64);
        span.record("gen_ai.request.top_p", 0.9);
        span.record("gen_ai.request.seed", 7i64);
        span.record("gen_ai.request.stop_sequences", "[\"END\"]");
        span.record("gen_ai.system_instructions", r#"[{"type":"text","content":"be kind"}]"#);
        span.record("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#);
        // What comes at the end of the stream.
        span.record("gen_ai.response.time_to_first_chunk", 0.25);
        span.record("gen_ai.response.id", "msg_1");
        span.record("gen_ai.response.model", "claude-sonnet-4-5-20250929");
        span.record("gen_ai.response.finish_reasons", "[\"end_turn\"]");
        span.record("gen_ai.usage.input_tokens", 1_200i64);
        span.record("gen_ai.usage.output_tokens", 90i64);
        span.record("gen_ai.usage.cache_read.input_tokens", 1_000i64);
        span.record("gen_ai.usage.cache_creation.input_tokens", 100i64);
        span.record("gen_ai.usage.reasoning.output_tokens", 40i64);
    });
    let span = arrived.span("chat claude-sonnet-4-5");
    let call = generation(span);
    assert_eq!(
        (call.model.as_deref(), call.provider.as_deref()),
        (Some("claude-sonnet-4-5"), Some("anthropic"))
    );
    assert_eq!(call.response_model.as_deref(), Some("claude-sonnet-4-5-20250929"));
    assert_eq!(
        (call.response_id.as_deref(), call.finish_reason.as_deref()),
        (Some("msg_1"), Some("end_turn"))
    );
    assert_eq!((call.streaming, call.time_to_first_token), (Some(true), Some(Duration::from_millis(250))));
    let parameters = &call.parameters;
    assert_eq!(
        (parameters.temperature, parameters.top_p, parameters.max_tokens),
        (Some(0.2), Some(0.9), Some(256))
    );
    assert_eq!(parameters.other.get("seed"), Some(&Value::from(7)));
    assert_eq!(parameters.other.get("stop_sequences"), Some(&Value::from("[\"END\"]")));
    assert_eq!((call.usage.input, call.usage.output), (Some(1_200), Some(90)));
    let details = call.usage.input_details;
    assert_eq!(
        (details.cache_read, details.cache_write, call.usage.output_details.reasoning),
        (1_000, 100, 40)
    );
    let input = span.input.as_ref().unwrap();
    assert_eq!(input.form(), Form::Json);
    let said = r#"[{"role":"system","parts":[{"type":"text","content":"be kind"}]},{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#;
    assert_eq!(input.as_str(), said);
    assert_eq!((span.kind, span.status), (SpanKind::Client, Status::Unset));
    let left: Vec<_> = span.attributes.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(left, ["server.address", "server.port"], "all else has a field");
}

#[test]
fn a_call_that_failed_says_how() {
    let arrived = Bench::new().run(|| {
        let span = chat(false);
        span.record("otel.status_code", "error");
        span.record("error.type", "429");
    });
    let span = arrived.span("chat claude-sonnet-4-5");
    assert_eq!(span.status, Status::Error);
    assert_eq!(span.error.as_ref().unwrap().error_type.as_deref(), Some("429"));
    assert_eq!(generation(span).streaming, Some(false));
}

#[test]
fn tools_agents_workflows_and_embeddings_have_their_types() {
    let arrived = Bench::new().run(|| {
        let span = info_span!(
            "genai.execute_tool",
            "otel.name" = "execute_tool search",
            "otel.kind" = "internal",
            "otel.status_code" = Empty,
            "error.type" = Empty,
            "gen_ai.operation.name" = "execute_tool",
            "gen_ai.tool.name" = "search",
            "gen_ai.tool.call.id" = Empty,
            "gen_ai.tool.description" = Empty,
            "gen_ai.tool.type" = Empty,
            "gen_ai.tool.call.arguments" = Empty,
            "gen_ai.tool.call.result" = Empty
        );
        span.record("gen_ai.tool.call.id", "call_1");
        span.record("gen_ai.tool.description", "finds pages");
        span.record("gen_ai.tool.type", "function");
        span.record("gen_ai.tool.call.arguments", "{\"q\":\"obs\"}");
        span.record("gen_ai.tool.call.result", "3 pages");
        let span = info_span!(
            "genai.agent",
            "otel.name" = "invoke_agent scout",
            "otel.kind" = "internal",
            "gen_ai.operation.name" = "invoke_agent",
            "gen_ai.agent.name" = Empty,
            "gen_ai.agent.id" = Empty,
            "gen_ai.request.model" = Empty
        );
        span.record("gen_ai.agent.name", "scout");
        span.record("gen_ai.agent.id", "a-1");
        span.record("gen_ai.request.model", "gpt-5");
        drop(info_span!(
            "genai.invoke_workflow",
            "otel.name" = "invoke_workflow triage",
            "gen_ai.operation.name" = "invoke_workflow",
            "gen_ai.workflow.name" = "triage"
        ));
        let span = info_span!(
            "genai.embeddings",
            "otel.name" = "embeddings e-3",
            "gen_ai.operation.name" = "embeddings",
            "gen_ai.provider.name" = "openai",
            "gen_ai.request.model" = "e-3",
            "gen_ai.embeddings.dimension.count" = Empty,
            "gen_ai.usage.input_tokens" = Empty
        );
        span.record("gen_ai.embeddings.dimension.count", 1_536i64);
        span.record("gen_ai.usage.input_tokens", 12i64);
    });
    let span = arrived.span("execute_tool search");
    let SpanType::ToolCall(call) = &span.span_type else { panic!("{span:?}") };
    assert_eq!((call.tool.as_deref(), call.call_id.as_deref()), (Some("search"), Some("call_1")));
    assert_eq!((call.kind.as_deref(), call.description.as_deref()), (Some("function"), Some("finds pages")));
    assert_eq!(call.success, Some(true), "settled by the end of the span");
    assert_eq!(span.input, Some(Payload::from("{\"q\":\"obs\"}")));
    assert_eq!(span.output, Some(Payload::text("3 pages")));
    assert!(span.attributes.is_empty(), "{:?}", span.attributes);
    let span = arrived.span("invoke_agent scout");
    let SpanType::AgentRun(run) = &span.span_type else { panic!("{span:?}") };
    assert_eq!((run.agent_name.as_deref(), run.agent_id.as_deref()), (Some("scout"), Some("a-1")));
    assert_eq!(
        *attribute(span, "gen_ai.request.model"),
        Value::from("gpt-5"),
        "an agent has no field for it"
    );
    let SpanType::WorkflowRun(run) = &arrived.span("invoke_workflow triage").span_type else { panic!() };
    assert_eq!(run.workflow_id.as_deref(), Some("triage"));
    let SpanType::Embedding(embedding) = &arrived.span("embeddings e-3").span_type else { panic!() };
    assert_eq!((embedding.dimensions, embedding.usage.input), (Some(1_536), Some(12)));
}

#[test]
fn a_type_may_come_late_or_be_guessed() {
    let arrived = Bench::new().run(|| {
        let late = info_span!(
            "late",
            gen_ai.request.model = "e-3",
            gen_ai.operation.name = Empty,
            gen_ai.usage.input_tokens = 4
        );
        late.record("gen_ai.operation.name", "embeddings");
        let never = info_span!("never named", gen_ai.request.model = Empty, gen_ai.operation.name = Empty);
        never.record("gen_ai.request.model", "gpt-5");
        let _ = info_span!("guessed", gen_ai.request.model = %"gpt-5", gen_ai.usage.output_tokens = 9);
        let _ = info_span!("tool", gen_ai.tool.name = "search");
        let _ = info_span!("mcp", gen_ai.operation.name = "execute_tool", mcp.method.name = "tools/call");
        let _ = info_span!("nothing told", gen_ai.request.model = Empty, gen_ai.usage.input_tokens = 1);
    });
    let SpanType::Embedding(embedding) = &arrived.span("late").span_type else { panic!() };
    assert_eq!((embedding.model.as_deref(), embedding.usage.input), (Some("e-3"), Some(4)));
    assert_eq!(arrived.span("late").kind, SpanKind::Client);
    assert_eq!(generation(arrived.span("never named")).model.as_deref(), Some("gpt-5"));
    let call = generation(arrived.span("guessed"));
    assert_eq!((call.model.as_deref(), call.usage.output), (Some("gpt-5"), Some(9)));
    assert_eq!(arrived.span("tool").span_type.name(), "tool_call");
    let SpanType::McpToolCall(mcp) = &arrived.span("mcp").span_type else { panic!() };
    assert_eq!(mcp.method.as_deref(), Some("tools/call"));
    let span = arrived.span("nothing told");
    assert_eq!(span.span_type, SpanType::Generic);
    assert_eq!(*attribute(span, "gen_ai.usage.input_tokens"), Value::from(1));
}

#[test]
fn names_of_other_conventions_and_older_ones_are_known() {
    let arrived = Bench::new().run(|| {
        let _ = info_span!("openinference", openinference.span.kind = "LLM", llm.model_name = "gpt-5",
            llm.provider = "openai", llm.token_count.prompt = 10, llm.token_count.completion = 4,
            input.value = "hi", output.value = "hello");
        let _ = info_span!("openllmetry", llm.request.type = "chat", gen_ai.system = "openai",
            gen_ai.request.model = "gpt-5", gen_ai.usage.prompt_tokens = 10, gen_ai.usage.completion_tokens = 4,
            llm.usage.total_tokens = 15);
        let _ = info_span!("both", gen_ai.operation.name = "chat", gen_ai.system = "az.ai.openai",
            gen_ai.provider.name = "azure.ai.openai");
    });
    let span = arrived.span("openinference");
    let call = generation(span);
    assert_eq!((call.model.as_deref(), call.provider.as_deref()), (Some("gpt-5"), Some("openai")));
    assert_eq!(call.usage.total(), Some(14));
    assert_eq!((span.input.clone(), span.output.clone()), (Some("hi".into()), Some("hello".into())));
    let span = arrived.span("openllmetry");
    assert_eq!(
        (generation(span).provider.as_deref(), generation(span).usage.total()),
        (Some("openai"), Some(14))
    );
    assert_eq!(*attribute(span, "llm.usage.total_tokens"), Value::from(15), "it says something else");
    let span = arrived.span("both");
    assert_eq!(
        generation(span).provider.as_deref(),
        Some("azure.ai.openai"),
        "the better name gives the value"
    );
    assert_eq!(*attribute(span, "gen_ai.system"), Value::from("az.ai.openai"), "and the other is not lost");
}

#[test]
fn cached_input_that_a_provider_counts_apart_is_counted_once() {
    let arrived = Bench::new().run(|| {
        let _ = info_span!(
            "call",
            gen_ai.operation.name = "chat",
            gen_ai.system = "anthropic",
            gen_ai.usage.input_tokens = 900,
            gen_ai.usage.cache_read_input_tokens = 300,
            gen_ai.usage.cache_creation_input_tokens = 50
        );
    });
    assert_eq!(generation(arrived.span("call")).usage.input, Some(1_250));
}

#[test]
fn the_first_token_may_be_an_event() {
    for message in ["first_token", "llm.content.completion.chunk"] {
        let (clock, hand) = Clock::manual(Timestamp::from_nanos(1_000));
        let bench = Bench::with(|builder| builder.clock(clock));
        let arrived = bench.run(|| {
            let _call = info_span!("call", gen_ai.operation.name = "chat").entered();
            hand.advance(Duration::from_nanos(30));
            info!("{message}");
            hand.advance(Duration::from_nanos(30));
            info!("{message}");
        });
        let call = generation(arrived.span("call"));
        assert_eq!(call.time_to_first_token, Some(Duration::from_nanos(30)), "{message}");
    }
}

#[test]
fn the_agent_is_known_to_what_runs_below_it() {
    let arrived = Bench::new().run(|| {
        let agent =
            info_span!("invoke_agent", gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "scout");
        agent.in_scope(|| drop(info_span!("call", gen_ai.operation.name = "chat")));
    });
    let call = arrived.span("call");
    assert_eq!(arrived.parent("call"), Some("invoke_agent"));
    assert_eq!(call.context.entity.as_ref().unwrap().name.as_deref(), Some("scout"));
}
