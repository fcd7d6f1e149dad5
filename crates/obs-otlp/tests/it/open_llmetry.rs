//! OpenLLMetry, as Traceloop has it, and Langfuse's own attributes.

use obs_core::{SpanType, Value};
use serde_json::json;

use crate::request::one;

#[test]
fn a_model_call_of_the_older_kind_is_read() {
    let span = one(&[
        ("llm.request.type", json!("chat")),
        ("gen_ai.system", json!("OpenAI")),
        ("gen_ai.request.model", json!("gpt-4")),
        ("gen_ai.prompt.0.role", json!("user")),
        ("gen_ai.prompt.0.content", json!("hi")),
        ("gen_ai.completion.0.content", json!("hello")),
        ("gen_ai.completion.0.finish_reason", json!("stop")),
        ("llm.request.functions.0.name", json!("f")),
        ("gen_ai.usage.prompt_tokens", json!(8)),
        ("gen_ai.usage.completion_tokens", json!(2)),
        ("llm.usage.total_tokens", json!(10)),
        ("llm.is_streaming", json!(false)),
        ("llm.temperature", json!(0.3)),
        ("traceloop.association.properties.user_id", json!("u")),
        ("traceloop.association.properties.plan", json!("pro")),
    ]);
    assert_eq!(span.attributes, obs_core::Attributes::new());
    let call = span.span_type.as_generation().unwrap();
    assert_eq!((call.usage.input, call.usage.output), (Some(8), Some(2)));
    assert_eq!((call.streaming, call.parameters.temperature), (Some(false), Some(0.3)));
    assert_eq!(call.tools.as_ref().unwrap().as_str(), r#"[{"name":"f"}]"#);
    assert_eq!(span.input.unwrap().as_str(), r#"[{"role":"user","content":"hi"}]"#);
    assert_eq!(span.output.unwrap().as_str(), r#"[{"content":"hello","finish_reason":"stop"}]"#);
    assert_eq!(span.context.user_id.as_deref(), Some("u"));
    assert_eq!(span.context.metadata.get("plan").and_then(Value::as_str), Some("pro"));
}

#[test]
fn entities_have_their_name_input_and_output() {
    let name = |kind: &str| {
        let span = one(&[
            ("traceloop.span.kind", json!(kind)),
            ("traceloop.entity.name", json!("x")),
            ("traceloop.entity.input", json!("{\"a\":1}")),
            ("traceloop.entity.output", json!("done")),
        ]);
        assert_eq!(span.attributes.len(), 0, "{:?}", span.attributes);
        assert_eq!(span.input.unwrap().as_str(), "{\"a\":1}");
        match span.span_type {
            SpanType::WorkflowRun(run) => run.workflow_id,
            SpanType::WorkflowStep(step) => step.step_id,
            SpanType::AgentRun(run) => run.agent_name,
            SpanType::ToolCall(call) => call.tool,
            other => panic!("{other:?}"),
        }
    };
    for kind in ["workflow", "task", "agent", "tool"] {
        assert_eq!(name(kind).as_deref(), Some("x"), "{kind}");
    }
}

#[test]
fn langfuse_says_what_a_call_took_and_how_it_ended() {
    let usage =
        r#"{"input":30,"input_cached_tokens":70,"output":15,"output_reasoning_tokens":5,"total":120}"#;
    let span = one(&[
        ("langfuse.observation.type", json!("generation")),
        ("langfuse.observation.level", json!("ERROR")),
        ("langfuse.observation.status_message", json!("too slow")),
        ("langfuse.observation.usage_details", json!(usage)),
        ("langfuse.observation.cost_details", json!(r#"{"input":0.25,"output":0.5,"total":0.75}"#)),
        ("langfuse.observation.metadata.attempt", json!(2)),
        ("langfuse.experiment.id", json!("e")),
    ]);
    let call = span.span_type.as_generation().unwrap();
    assert_eq!((call.usage.input, call.usage.output), (Some(100), Some(20)));
    assert_eq!((call.usage.input_details.cache_read, call.usage.output_details.reasoning), (70, 5));
    let cost = call.cost.as_ref().unwrap();
    assert_eq!((cost.input, cost.output, cost.total), (Some(0.25), Some(0.5), 0.75));
    assert_eq!(span.status, obs_core::Status::Error);
    assert_eq!(span.error.unwrap().message, "too slow");
    assert_eq!(span.context.experiment_id.as_deref(), Some("e"));
    assert_eq!(span.attributes, [("attempt", 2)].into_iter().collect());
}

#[test]
fn what_langfuse_says_beyond_a_field_is_kept_as_it_was() {
    let kept: &[(&str, serde_json::Value)] = &[
        ("langfuse.observation.level", json!("WARNING")),
        ("langfuse.observation.status_message", json!("slow")),
        ("langfuse.observation.usage_details", json!(r#"{"input":3,"input_of_tools":4,"total":7}"#)),
        ("langfuse.observation.cost_details", json!(r#"{"total":1,"input_of_tools":0.5}"#)),
    ];
    let mut given = vec![("langfuse.observation.type", json!("generation"))];
    given.extend(kept.iter().cloned());
    let span = one(&given);
    let names: Vec<_> = span.attributes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, kept.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    assert_eq!((span.status, span.error), (obs_core::Status::Unset, None));
    let call = span.span_type.as_generation().unwrap();
    assert_eq!((call.usage.input, call.cost.as_ref().unwrap().total), (Some(7), 1.0));
    // What other names said counts, and buckets that differ from it stay.
    given.push(("gen_ai.usage.input_tokens", json!(9)));
    let call = one(&given);
    assert_eq!(call.span_type.as_generation().unwrap().usage.input, Some(9));
}

#[test]
fn langfuse_says_what_is_known_of_the_trace() {
    let span = one(&[
        ("langfuse.observation.type", json!("generation")),
        ("langfuse.observation.model.name", json!("m")),
        ("langfuse.observation.model.parameters", json!("{\"temperature\":1}")),
        ("langfuse.observation.input", json!("q")),
        ("langfuse.trace.name", json!("t")),
        ("langfuse.user.id", json!("u")),
        ("langfuse.session.id", json!("s")),
        ("langfuse.trace.tags", json!(["x"])),
        ("langfuse.environment", json!("prod")),
        ("langfuse.release", json!("1")),
        ("langfuse.version", json!("2")),
        ("langfuse.trace.metadata.k", json!("v")),
    ]);
    assert_eq!(span.attributes.len(), 0, "{:?}", span.attributes);
    let context = &span.context;
    assert_eq!((context.name.as_deref(), context.user_id.as_deref()), (Some("t"), Some("u")));
    assert_eq!((context.session_id.as_deref(), context.environment.as_deref()), (Some("s"), Some("prod")));
    assert_eq!((context.release.as_deref(), context.version.as_deref()), (Some("1"), Some("2")));
    assert_eq!(context.tags, ["x"]);
    assert_eq!(span.span_type.model().unwrap().0.unwrap(), "m");
}
