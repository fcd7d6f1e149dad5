//! Spans as rig makes them: rig-core 0.44 and 0.46 for calls of models, and rig's agents as of 2026; names and fields are facts.

use obs_core::{Payload, SpanType, Value};
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::collect::{Bench, attribute, generation};

fn completion(name: &str) -> Span {
    match name {
        "chat" => info_span!(target: "rig::completions", "chat", gen_ai.operation.name = "chat",
            gen_ai.provider.name = "openai", gen_ai.request.model = "gpt-5", gen_ai.system_instructions = Empty,
            gen_ai.request.stream = Empty, gen_ai.response.id = Empty, gen_ai.response.model = Empty,
            rig.provider_request_id = Empty, gen_ai.usage.input_tokens = Empty, gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty, gen_ai.usage.cache_creation.input_tokens = Empty,
            gen_ai.usage.tool_use_prompt_tokens = Empty, gen_ai.usage.reasoning_tokens = Empty,
            gen_ai.input.messages = Empty, gen_ai.output.messages = Empty),
        // Of rig-core before it told streaming apart.
        _ => {
            info_span!(target: "rig::completions", "chat_streaming", gen_ai.operation.name = "chat_streaming",
            gen_ai.provider.name = "anthropic", gen_ai.request.model = "claude-sonnet-4-5",
            gen_ai.usage.input_tokens = Empty)
        }
    }
}

#[test]
fn a_completion_is_a_generation() {
    let arrived = Bench::new().run(|| {
        let span = completion("chat");
        span.record("gen_ai.request.stream", true);
        span.record("gen_ai.input.messages", r#"[{"role":"system","parts":[]},{"role":"user","parts":[]}]"#);
        span.record("gen_ai.system_instructions", r#"[{"type":"text","content":"be kind"}]"#);
        span.record(
            "gen_ai.output.messages",
            r#"[{"role":"assistant","parts":[],"finish_reason":"unknown"}]"#,
        );
        span.record("gen_ai.response.id", "resp_1");
        span.record("gen_ai.response.model", "gpt-5-2025-08-07");
        span.record("rig.provider_request_id", "req_1");
        for (field, count) in [
            ("gen_ai.usage.input_tokens", 1_000u64),
            ("gen_ai.usage.output_tokens", 50),
            ("gen_ai.usage.cache_read.input_tokens", 600),
            ("gen_ai.usage.tool_use_prompt_tokens", 3),
            ("gen_ai.usage.reasoning_tokens", 20),
        ] {
            span.record(field, count);
        }
    });
    let span = arrived.span("chat");
    let call = generation(span);
    assert_eq!(
        (call.model.as_deref(), call.response_model.as_deref()),
        (Some("gpt-5"), Some("gpt-5-2025-08-07"))
    );
    assert_eq!((call.streaming, call.response_id.as_deref()), (Some(true), Some("resp_1")));
    assert_eq!((call.usage.input, call.usage.output), (Some(1_000), Some(50)));
    assert_eq!((call.usage.input_details.cache_read, call.usage.output_details.reasoning), (600, 20));
    let input = r#"[{"role":"system","parts":[]},{"role":"user","parts":[]}]"#;
    assert_eq!(span.input.as_ref().unwrap().as_str(), input, "a system message is there already");
    assert!(span.output.is_some());
    assert_eq!(*attribute(span, "rig.provider_request_id"), Value::from("req_1"));
    assert_eq!(*attribute(span, "gen_ai.usage.tool_use_prompt_tokens"), Value::from(3));
    assert!(span.attributes.get("gen_ai.system_instructions").is_some(), "what is not joined is not lost");
}

#[test]
fn the_older_name_of_a_stream_is_known() {
    let arrived = Bench::new().run(|| drop(completion("chat_streaming")));
    let span = arrived.span("chat_streaming");
    assert_eq!(generation(span).streaming, Some(true));
    assert_eq!(*attribute(span, "gen_ai.operation.name"), Value::from("chat_streaming"));
}

#[test]
fn an_agent_and_its_tools_are_a_tree_of_types() {
    let arrived = Bench::new().run(|| {
        let agent = info_span!("invoke_agent", gen_ai.operation.name = "invoke_agent",
            gen_ai.agent.name = "scout", gen_ai.system_instructions = "be kind", gen_ai.prompt = Empty,
            gen_ai.completion = Empty, gen_ai.usage.input_tokens = Empty, gen_ai.usage.output_tokens = Empty);
        agent.record("gen_ai.prompt", "find obs");
        agent.in_scope(|| {
            completion("chat").in_scope(|| {});
            let tool = info_span!("execute_tool", gen_ai.operation.name = "execute_tool", gen_ai.tool.type = "function",
                gen_ai.tool.name = Empty, gen_ai.tool.call.id = Empty, gen_ai.tool.call.arguments = Empty,
                gen_ai.tool.call.result = Empty);
            tool.in_scope(|| {
                let tool = Span::current();
                tool.record("gen_ai.tool.name", "search");
                tool.record("gen_ai.tool.call.arguments", "{}");
                tool.record("gen_ai.tool.call.arguments", "{\"q\":\"rewritten\"}");
                tool.record("gen_ai.tool.call.result", "found");
            });
        });
        agent.record("gen_ai.completion", "here it is");
        agent.record("gen_ai.usage.input_tokens", 1_000u64);
    });
    let agent = arrived.span("invoke_agent");
    let SpanType::AgentRun(run) = &agent.span_type else { panic!("{agent:?}") };
    assert_eq!(run.agent_name.as_deref(), Some("scout"));
    assert_eq!(run.instructions, Some(Payload::text("be kind")));
    assert_eq!(
        (agent.input.clone(), agent.output.clone()),
        (Some("find obs".into()), Some("here it is".into()))
    );
    assert_eq!(
        *attribute(agent, "gen_ai.usage.input_tokens"),
        Value::from(1_000),
        "its calls are counted, not it"
    );
    assert_eq!(
        (arrived.parent("chat"), arrived.parent("execute_tool")),
        (Some("invoke_agent"), Some("invoke_agent"))
    );
    let tool = arrived.span("execute_tool");
    let SpanType::ToolCall(call) = &tool.span_type else { panic!("{tool:?}") };
    assert_eq!(call.tool.as_deref(), Some("search"));
    assert_eq!(tool.input, Some(Payload::from("{\"q\":\"rewritten\"}")));
}

#[test]
fn other_operations_do_not_pass_for_generations() {
    let arrived = Bench::new().run(|| {
        drop(info_span!(target: "rig::modalities", "embeddings", gen_ai.operation.name = "embeddings",
            gen_ai.provider.name = "openai", gen_ai.request.model = "e-3"));
        drop(info_span!(target: "rig::modalities", "rerank", gen_ai.operation.name = "rerank",
            gen_ai.provider.name = "cohere", gen_ai.request.model = "r-3"));
    });
    assert_eq!(arrived.span("embeddings").span_type.name(), "embedding");
    let rerank = arrived.span("rerank");
    assert_eq!(rerank.span_type, SpanType::Generic);
    assert_eq!(*attribute(rerank, "gen_ai.request.model"), Value::from("r-3"));
}
