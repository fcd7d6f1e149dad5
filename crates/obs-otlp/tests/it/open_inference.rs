//! OpenInference, as Arize and Phoenix have it.

use obs_core::{Payload, SpanType, Value};
use serde_json::json;

use crate::request::one;

#[test]
fn a_model_call_is_read_from_flattened_messages() {
    let span = one(&[
        ("openinference.span.kind", json!("LLM")),
        ("llm.model_name", json!("gpt-4o")),
        ("llm.provider", json!("openai")),
        ("llm.invocation_parameters", json!("{\"temperature\":0.1,\"seed\":7}")),
        ("llm.output_messages.0.message.role", json!("assistant")),
        ("llm.output_messages.0.message.tool_calls.0.tool_call.id", json!("c1")),
        ("llm.output_messages.0.message.tool_calls.0.tool_call.function.name", json!("f")),
        ("llm.input_messages.1.message.content", json!("hi")),
        ("llm.input_messages.0.message.role", json!("system")),
        ("llm.input_messages.1.message.role", json!("user")),
        ("llm.tools.0.tool.json_schema", json!("{\"name\":\"f\"}")),
        ("llm.token_count.prompt", json!(10)),
        ("llm.token_count.completion", json!(4)),
        ("llm.token_count.total", json!(14)),
        ("llm.token_count.prompt_details.cache_read", json!(6)),
        ("llm.token_count.completion_details.reasoning", json!(1)),
        ("llm.cost.prompt", json!(0.5)),
        ("llm.cost.completion", json!(0.25)),
        ("session.id", json!("s")),
        ("user.id", json!(42)),
        ("tag.tags", json!(["a", "b"])),
        ("metadata", json!("{\"team\":\"ml\"}")),
    ]);
    assert_eq!(span.attributes, obs_core::Attributes::new());
    let call = span.span_type.as_generation().unwrap();
    assert_eq!((call.model.as_deref(), call.provider.as_deref()), (Some("gpt-4o"), Some("openai")));
    assert_eq!(call.parameters.temperature, Some(0.1));
    assert_eq!(call.parameters.other.get("seed"), Some(&Value::I64(7)));
    assert_eq!((call.usage.input, call.usage.output), (Some(10), Some(4)));
    assert_eq!((call.usage.input_details.cache_read, call.usage.output_details.reasoning), (6, 1));
    let cost = call.cost.as_ref().unwrap();
    assert_eq!((cost.total, cost.input, cost.output), (0.75, Some(0.5), Some(0.25)));
    assert_eq!(call.tools.as_ref().unwrap().as_str(), r#"[{"name":"f"}]"#);
    assert_eq!(span.input.unwrap().as_str(), r#"[{"role":"system"},{"content":"hi","role":"user"}]"#);
    let output = r#"[{"role":"assistant","tool_calls":[{"id":"c1","function":{"name":"f"}}]}]"#;
    assert_eq!(span.output.unwrap().as_str(), output);
    assert_eq!(
        (span.context.user_id.as_deref(), span.context.session_id.as_deref()),
        (Some("42"), Some("s"))
    );
    assert_eq!(span.context.tags, ["a", "b"]);
    assert_eq!(span.context.metadata.get("team").and_then(Value::as_str), Some("ml"));
}

#[test]
fn values_have_the_form_that_their_media_type_says() {
    let input = |pairs: &[(&str, serde_json::Value)]| {
        let span = one(pairs);
        (span.input.unwrap(), span.attributes.len())
    };
    let value = ("input.value", json!("[1]"));
    let mime = |mime: &str| ("input.mime_type", json!(mime));
    assert_eq!(input(std::slice::from_ref(&value)), (Payload::from_json("[1]").unwrap(), 0));
    assert_eq!(input(&[mime("text/plain"), value.clone()]), (Payload::text("[1]"), 0));
    assert_eq!(input(&[value, mime("application/json")]), (Payload::from_json("[1]").unwrap(), 0));
    let wrong = [("input.value", json!("no json")), mime("application/json")];
    assert_eq!(input(&wrong), (Payload::text("no json"), 1));
    assert_eq!(input(&[("input.value", json!("x")), mime("image/png")]), (Payload::text("x"), 1));
}

#[test]
fn messages_come_before_the_raw_request_which_is_kept() {
    let span = one(&[
        ("input.value", json!("{\"messages\":[]}")),
        ("input.mime_type", json!("application/json")),
        ("llm.input_messages.0.message.role", json!("user")),
        ("openinference.span.kind", json!("LLM")),
    ]);
    assert_eq!(span.input.unwrap().as_str(), r#"[{"role":"user"}]"#);
    assert!(span.attributes.get("input.value").is_some());
}

#[test]
fn a_retriever_has_its_query_and_documents() {
    let span = one(&[
        ("openinference.span.kind", json!("RETRIEVER")),
        ("input.value", json!("what is obs?")),
        ("retrieval.documents.0.document.id", json!("d1")),
        ("retrieval.documents.0.document.content", json!("a library")),
        ("retrieval.documents.0.document.score", json!(0.9)),
        ("retrieval.documents.1.document.id", json!("d2")),
    ]);
    assert_eq!(span.attributes.len(), 0, "{:?}", span.attributes);
    let SpanType::RagQuery(query) = &span.span_type else { panic!("{:?}", span.span_type) };
    assert_eq!(query.query.as_deref(), Some("what is obs?"));
    assert_eq!(query.chunks.len(), 2);
    assert_eq!((query.chunks[0].id.as_deref(), query.chunks[0].relevance), (Some("d1"), Some(0.9)));
    assert_eq!(query.chunks[0].content, Some(Payload::text("a library")));
    let more = one(&[
        ("openinference.span.kind", json!("RETRIEVER")),
        ("retrieval.documents.0.document.metadata", json!("{}")),
    ]);
    assert!(more.attributes.get("retrieval.documents.0.document.metadata").is_some());
}

#[test]
fn tools_agents_and_embeddings_have_their_names() {
    let tool = one(&[
        ("openinference.span.kind", json!("TOOL")),
        ("tool.name", json!("f")),
        ("tool.parameters", json!("{}")),
    ]);
    let SpanType::ToolCall(call) = &tool.span_type else { panic!("{:?}", tool.span_type) };
    assert_eq!(call.tool.as_deref(), Some("f"));
    assert!(tool.attributes.get("tool.parameters").is_some(), "a definition is no input");
    let agent = one(&[("openinference.span.kind", json!("AGENT")), ("agent.name", json!("Ann"))]);
    let SpanType::AgentRun(run) = &agent.span_type else { panic!("{:?}", agent.span_type) };
    assert_eq!(run.agent_name.as_deref(), Some("Ann"));
    let embedding = one(&[
        ("openinference.span.kind", json!("EMBEDDING")),
        ("embedding.model_name", json!("e")),
        ("llm.token_count.prompt", json!(5)),
        ("embedding.embeddings.0.embedding.text", json!("t")),
    ]);
    let SpanType::Embedding(made) = &embedding.span_type else { panic!("{:?}", embedding.span_type) };
    assert_eq!((made.model.as_deref(), made.usage.input), (Some("e"), Some(5)));
    assert_eq!(embedding.attributes.len(), 1);
}
