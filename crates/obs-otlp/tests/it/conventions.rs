//! Spans in GenAI, in OpenInference, and in both: what they are called, and that nothing is told twice or lost.

use std::collections::HashSet;

use obs_core::{
    AgentRun, Attributes, Chunk, Embedding, Entity, EvalExecution, LlmGeneration, McpToolCall, MemoryLookup,
    MemoryUpdate, Payload, RagQuery, Span, SpanKind, SpanType, Timestamp, ToolCall, TraceContext, Value,
    WorkflowRun, WorkflowStep,
};
use obs_otlp::conventions::mcp;
use obs_otlp::encode::{Encoding, Fields, SpanParts, TraceRequests, genai, openinference};
use obs_testkit::{arbitrary, fixtures};
use proptest::prelude::*;
use serde_json::json;

use crate::round_trip::{Convention, as_it_looks, back_in, canonical, expressible, sendable, within_json};

fn both(span: &Span, to: &mut Fields<'_>) {
    genai::attributes(span, to);
    openinference::own_attributes(span, to);
}

const CONVENTIONS: [(&str, Convention); 3] =
    [("genai", genai::attributes), ("openinference", openinference::attributes), ("both", both)];

/// The attributes as they go out, each with the text of its value.
fn told(span: &Span, attributes: Convention) -> Vec<(String, serde_json::Value)> {
    let mut requests = TraceRequests::new(Encoding::Json, 1, 0);
    let parts = SpanParts::of(span, span.end.unwrap_or(span.start));
    requests.push(0, &span.resource, &parts, |to| attributes(span, to));
    let body: serde_json::Value = serde_json::from_slice(&requests.finish().remove(0).body).unwrap();
    let span = &body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    let pairs = span["attributes"].as_array().cloned().unwrap_or_default();
    pairs
        .into_iter()
        .map(|pair| {
            let value = pair["value"].as_object().and_then(|value| value.values().next().cloned());
            (pair["key"].as_str().unwrap().to_owned(), value.unwrap_or_default())
        })
        .collect()
}

fn span(span_type: SpanType) -> Span {
    let mut span =
        Span::new(fixtures::trace_id(1), fixtures::span_id(1), "answer", Timestamp::from_nanos(1_000));
    span.end = Some(Timestamp::from_nanos(5_000));
    span.span_type = span_type;
    span
}

/// OpenInference tells some of it within JSON, as numbers that are, and tools as a list of schemas.
fn tellable(span: Span) -> Span {
    let mut span = expressible(span);
    let asked = match &span.span_type {
        SpanType::MemoryLookup(lookup) => lookup.query.clone(),
        SpanType::RagQuery(query) => query.query.clone(),
        _ => None,
    };
    // What was asked is the input where there is none.
    span.input = span.input.take().or(asked.map(Payload::text));
    match &mut span.span_type {
        SpanType::LlmGeneration(call) => {
            let json = serde_json::to_string(&call.parameters.other).unwrap();
            let Value::Map(other) = serde_json::from_str(&json).unwrap() else { panic!("{json}") };
            call.parameters.other = other;
            call.tools = Payload::from_json(r#"[{"name":"f"},{"name":"g"}]"#);
        }
        SpanType::MemoryLookup(lookup) => {
            lookup
                .results
                .retain(|hit| hit.id.is_some() || hit.content.is_some() || hit.similarity.is_some());
            for hit in &mut lookup.results {
                hit.content = hit.content.as_ref().map(in_words);
            }
        }
        SpanType::RagQuery(query) => {
            query.chunks.retain(|chunk| *chunk != Chunk::default());
            for chunk in &mut query.chunks {
                chunk.content = chunk.content.as_ref().map(in_words);
            }
        }
        SpanType::Generic => {
            // A chain may be of no type, or it is a chain because it has none: the reader keeps the word.
            span.attributes.remove("openinference.span.kind");
        }
        _ => {}
    }
    span
}

/// A document within JSON is one by its text alone in OpenInference.
fn in_words(document: &Payload) -> Payload {
    as_it_looks(&within_json(document))
}

fn read(mut span: Span) -> String {
    if span.span_type == SpanType::Generic {
        span.attributes.remove("openinference.span.kind");
    }
    canonical(span)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_span_keeps_its_name_exactly_if_the_conventions_give_it_no_other(span in arbitrary::span(), own in any::<bool>()) {
        let mut span = span;
        if own {
            span.name = genai::name(&span).into_owned().into();
        }
        let same = span.name.is_empty() || genai::name(&span) == span.name.as_str();
        prop_assert_eq!(genai::keeps_name(&span), same);
    }

    #[test]
    fn no_key_is_told_twice(span in arbitrary::span()) {
        for (name, attributes) in CONVENTIONS {
            let mut seen = HashSet::new();
            for (key, _) in told(&span, attributes) {
                prop_assert!(seen.insert(key.clone()), "{name}: {key}");
            }
        }
    }

    #[test]
    fn every_field_comes_back_from_openinference(span in arbitrary::span()) {
        let span = tellable(span);
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            let came_back = back_in(encoding, &span, openinference::attributes);
            prop_assert_eq!(read(came_back), read(span.clone()), "{:?}", encoding);
        }
    }

    #[test]
    fn any_span_is_read_back_and_from_then_on_stays_the_same(span in arbitrary::span()) {
        let mut span = sendable(span);
        for document in [&mut span.input, &mut span.output].into_iter().flatten() {
            // GenAI's messages do not tell text from JSON that is no object or list, which OpenInference does.
            *document = as_it_looks(document);
        }
        for (name, attributes) in CONVENTIONS {
            let once = back_in(Encoding::Protobuf, &span, attributes);
            let twice = back_in(Encoding::Protobuf, &once, attributes);
            prop_assert_eq!(read(twice), read(once), "{}", name);
        }
    }

    #[test]
    fn every_field_comes_back_from_both(span in arbitrary::span()) {
        let mut span = tellable(span);
        span.attributes = Attributes::new();
        let mut came_back = back_in(Encoding::Protobuf, &span, both);
        came_back.attributes = Attributes::new();
        prop_assert_eq!(read(came_back), read(span));
    }
}

/// A span's type; its name, role and operation in GenAI; its kind in OpenInference.
type Row = (SpanType, &'static str, SpanKind, Option<&'static str>, &'static str);

fn every_type() -> Vec<Row> {
    use SpanKind::{Client, Internal};
    let tool = ToolCall { tool: Some("search".into()), ..ToolCall::default() };
    let call = McpToolCall { call: tool.clone(), ..McpToolCall::default() };
    let prompt = McpToolCall { method: Some("prompts/get".into()), ..call.clone() };
    let agent = |id: Option<&'static str>, name: Option<&'static str>| {
        SpanType::AgentRun(AgentRun {
            agent_id: id.map(Into::into),
            agent_name: name.map(Into::into),
            ..AgentRun::default()
        })
    };
    let model = |model: Option<&'static str>| {
        SpanType::LlmGeneration(LlmGeneration { model: model.map(Into::into), ..LlmGeneration::default() })
    };
    let workflow = WorkflowRun { workflow_id: Some("w".into()), ..WorkflowRun::default() };
    let step = WorkflowStep { step_id: Some("s".into()), ..WorkflowStep::default() };
    let update = |done: Option<&'static str>| {
        SpanType::MemoryUpdate(MemoryUpdate { operation: done.map(Into::into), ..MemoryUpdate::default() })
    };
    let docs = RagQuery { store: Some("docs".into()), ..RagQuery::default() };
    let embedding = Embedding { model: Some("e".into()), ..Embedding::default() };
    let eval = EvalExecution { scorer: Some("f".into()), ..EvalExecution::default() };
    vec![
        (agent(None, Some("Ann")), "invoke_agent Ann", Internal, Some("invoke_agent"), "AGENT"),
        (agent(Some("a-1"), None), "invoke_agent a-1", Internal, Some("invoke_agent"), "AGENT"),
        (SpanType::WorkflowRun(workflow), "invoke_workflow w", Internal, Some("invoke_workflow"), "CHAIN"),
        (SpanType::WorkflowStep(step), "workflow_step s", Internal, None, "CHAIN"),
        (SpanType::WorkflowStep(WorkflowStep::default()), "workflow_step answer", Internal, None, "CHAIN"),
        (agent(Some(""), Some("")), "invoke_agent answer", Internal, Some("invoke_agent"), "AGENT"),
        (
            SpanType::ToolCall(ToolCall::default()),
            "execute_tool answer",
            Internal,
            Some("execute_tool"),
            "TOOL",
        ),
        (model(Some("gpt-4o")), "chat gpt-4o", Client, Some("chat"), "LLM"),
        (model(None), "chat", Client, Some("chat"), "LLM"),
        (SpanType::ToolCall(tool), "execute_tool search", Internal, Some("execute_tool"), "TOOL"),
        (SpanType::McpToolCall(call), "tools/call search", Client, Some("execute_tool"), "TOOL"),
        (SpanType::McpToolCall(prompt), "prompts/get search", Client, Some("execute_tool"), "TOOL"),
        (
            SpanType::MemoryLookup(MemoryLookup::default()),
            "search_memory",
            Internal,
            Some("search_memory"),
            "RETRIEVER",
        ),
        (update(None), "upsert_memory", Internal, Some("upsert_memory"), "CHAIN"),
        (update(Some("save")), "upsert_memory", Internal, Some("upsert_memory"), "CHAIN"),
        (update(Some("update")), "update_memory", Internal, Some("update_memory"), "CHAIN"),
        (update(Some("delete")), "delete_memory", Internal, Some("delete_memory"), "CHAIN"),
        (SpanType::RagQuery(docs), "retrieval docs", Client, Some("retrieval"), "RETRIEVER"),
        (SpanType::Embedding(embedding), "embeddings e", Client, Some("embeddings"), "EMBEDDING"),
        (SpanType::EvalExecution(eval), "evaluate f", Internal, None, "EVALUATOR"),
        (SpanType::Generic, "answer", Internal, None, "CHAIN"),
    ]
}

#[test]
fn a_span_has_the_name_role_and_kind_of_its_operation() {
    let table = every_type();
    let types: HashSet<&str> = table.iter().map(|(span_type, ..)| span_type.name()).collect();
    assert_eq!(types.len(), SpanType::NAMES.len(), "every type has a row");
    for (span_type, name, role, operation, kind) in table {
        let mut span = span(span_type);
        assert_eq!((&*genai::name(&span), genai::kind(&span)), (name, role));
        assert_eq!(openinference::kind(&span), kind);
        let both = told(&span, both);
        let says =
            |key: &str| both.iter().find(|(known, _)| known == key).and_then(|(_, value)| value.as_str());
        assert_eq!(says("gen_ai.operation.name"), operation, "{name}");
        assert_eq!(says("openinference.span.kind"), Some(kind), "{name}");
        span.kind = SpanKind::Server;
        assert_eq!(genai::kind(&span), SpanKind::Server, "a role that was given stays");
    }
}

#[test]
fn a_name_that_begins_with_the_operation_does_not_say_it_twice() {
    let mut step = span(SpanType::WorkflowStep(WorkflowStep::default()));
    for (own, name) in [
        ("workflow_step", "workflow_step"),
        ("workflow_step validate", "workflow_step validate"),
        ("workflow_steps", "workflow_step workflow_steps"),
        ("", "workflow_step"),
    ] {
        step.name = own.into();
        assert_eq!((&*genai::name(&step), genai::keeps_name(&step)), (name, own != "workflow_steps"));
    }
}

#[test]
fn a_step_names_its_workflow_and_comes_back_without_saying_it_twice() {
    let step = WorkflowStep { step_id: Some("s1".into()), ..WorkflowStep::default() };
    let mut span = span(SpanType::WorkflowStep(step));
    let workflow = Entity { kind: Some("workflow".into()), id: Some("w1".into()), ..Entity::default() };
    span.context = TraceContext { parent_entity: Some(workflow), ..TraceContext::default() }.into();
    let expected = pairs(&[
        ("mastra.span.type", json!("workflow_step")),
        ("mastra.workflow.step.id", json!("s1")),
        ("gen_ai.workflow.name", json!("w1")),
        ("obs.parent_entity.kind", json!("workflow")),
        ("obs.parent_entity.id", json!("w1")),
    ]);
    assert_eq!(told(&span, genai::attributes), expected);
    for (_, attributes) in CONVENTIONS {
        span.trace_flags = 1;
        let mut came_back = back_in(Encoding::Protobuf, &span, attributes);
        came_back.attributes.remove("openinference.span.kind");
        assert_eq!(came_back, span);
    }
}

#[test]
fn the_schema_is_that_of_the_version() {
    assert!(genai::SCHEMA_URL.ends_with(genai::VERSION));
}

#[test]
fn a_call_of_an_mcp_tool_says_how_it_was_made() {
    let call = ToolCall { tool: Some("read".into()), call_id: Some("c1".into()), ..ToolCall::default() };
    let mut span = span(SpanType::McpToolCall(McpToolCall {
        call,
        server: Some("files".into()),
        ..McpToolCall::default()
    }));
    for (name, value) in
        [(mcp::SESSION_ID, "s"), (mcp::PROTOCOL_VERSION, "2025-06-18"), (mcp::TRANSPORT, "pipe")]
    {
        span.attributes.push(name, value);
    }
    let expected = [
        ("gen_ai.operation.name", "execute_tool"),
        ("mcp.method.name", "tools/call"),
        ("mcp.server.name", "files"),
        ("gen_ai.tool.name", "read"),
        ("gen_ai.tool.call.id", "c1"),
        ("mcp.session.id", "s"),
        ("mcp.protocol.version", "2025-06-18"),
        ("network.transport", "pipe"),
    ];
    let expected: Vec<_> = expected.map(|(key, value)| (key.to_owned(), json!(value))).into();
    assert_eq!(told(&span, genai::attributes), expected);
}

fn pairs(pairs: &[(&str, serde_json::Value)]) -> Vec<(String, serde_json::Value)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

#[test]
fn a_model_call_is_flattened() {
    let mut call = LlmGeneration {
        model: Some("gpt-4o".into()),
        provider: Some("openai".into()),
        finish_reason: Some("tool_calls".into()),
        tools: Payload::from_json(r#"[{"name":"f"}]"#),
        cost: Some(Box::new(obs_core::Cost { input: Some(0.5), ..obs_core::Cost::usd(0.75) })),
        usage: obs_core::Usage::new(10, 4),
        ..LlmGeneration::default()
    };
    call.usage.input_details.cache_read = 6;
    call.parameters.temperature = Some(0.5);
    call.parameters.other.push("seed", 7);
    let mut span = span(SpanType::LlmGeneration(call));
    let input = r#"[{"role":"system","content":"be brief"},{"role":"user","parts":[{"type":"text","content":"what?"},{"type":"uri","modality":"image","uri":"http://i/1.png"}]}]"#;
    let output = r#"[{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}]"#;
    span.input = Payload::from_json(input);
    span.output = Payload::from_json(output);
    let expected = pairs(&[
        ("openinference.span.kind", json!("LLM")),
        ("llm.provider", json!("openai")),
        ("llm.system", json!("openai")),
        ("llm.model_name", json!("gpt-4o")),
        ("llm.invocation_parameters", json!(r#"{"temperature":0.5,"seed":7}"#)),
        ("llm.finish_reason", json!("tool_calls")),
        ("llm.token_count.prompt", json!("10")),
        ("llm.token_count.completion", json!("4")),
        ("llm.token_count.total", json!("14")),
        ("llm.token_count.prompt_details.cache_read", json!("6")),
        ("llm.cost.total", json!(0.75)),
        ("llm.tools.0.tool.json_schema", json!(r#"{"name":"f"}"#)),
        ("llm.input_messages.0.message.role", json!("system")),
        ("llm.input_messages.0.message.content", json!("be brief")),
        ("llm.input_messages.1.message.role", json!("user")),
        ("llm.input_messages.1.message.contents.0.message_content.type", json!("text")),
        ("llm.input_messages.1.message.contents.0.message_content.text", json!("what?")),
        ("llm.input_messages.1.message.contents.1.message_content.type", json!("image")),
        ("llm.input_messages.1.message.contents.1.message_content.image.image.url", json!("http://i/1.png")),
        ("llm.output_messages.0.message.role", json!("assistant")),
        ("llm.output_messages.0.message.tool_calls.0.tool_call.id", json!("c1")),
        ("llm.output_messages.0.message.tool_calls.0.tool_call.function.name", json!("f")),
        ("llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments", json!("{}")),
        ("input.mime_type", json!("application/json")),
        ("input.value", json!(input)),
        ("output.mime_type", json!("application/json")),
        ("output.value", json!(output)),
        ("llm.cost.prompt", json!(0.5)),
    ]);
    assert_eq!(told(&span, openinference::attributes), expected);
    assert_eq!(back_in(Encoding::Json, &span, openinference::attributes), span);
    assert_eq!(back_in(Encoding::Json, &span, both), span, "and nothing is left over from both");
}

#[test]
fn what_was_found_and_what_was_embedded_are_lists() {
    let chunk = Chunk {
        id: Some("d1".into()),
        source: Some("a.md".into()),
        content: Some(Payload::text("obs is")),
        relevance: Some(0.5),
    };
    let mut query = span(SpanType::RagQuery(RagQuery { chunks: vec![chunk], ..RagQuery::default() }));
    query.input = Some(Payload::text("what is obs?"));
    let expected = pairs(&[
        ("openinference.span.kind", json!("RETRIEVER")),
        ("retrieval.documents.0.document.id", json!("d1")),
        ("retrieval.documents.0.document.content", json!("obs is")),
        ("retrieval.documents.0.document.score", json!(0.5)),
        ("retrieval.documents.0.document.metadata", json!(r#"{"source":"a.md"}"#)),
        ("input.mime_type", json!("text/plain")),
        ("input.value", json!("what is obs?")),
    ]);
    assert_eq!(told(&query, openinference::attributes), expected);

    let mut embedding =
        span(SpanType::Embedding(Embedding { model: Some("e".into()), ..Embedding::default() }));
    embedding.input = Payload::from_json(r#"["a","b"]"#);
    let expected = pairs(&[
        ("openinference.span.kind", json!("EMBEDDING")),
        ("embedding.model_name", json!("e")),
        ("embedding.embeddings.0.embedding.text", json!("a")),
        ("embedding.embeddings.1.embedding.text", json!("b")),
        ("input.mime_type", json!("application/json")),
        ("input.value", json!(r#"["a","b"]"#)),
    ]);
    assert_eq!(told(&embedding, openinference::attributes), expected);
    assert_eq!(back_in(Encoding::Protobuf, &embedding, both), embedding);
}

#[test]
fn an_agent_is_a_node_below_the_one_that_called_it() {
    let run = AgentRun { agent_id: Some("a1".into()), agent_name: Some("Ann".into()), ..AgentRun::default() };
    let mut agent = span(SpanType::AgentRun(run));
    let context = TraceContext {
        user_id: Some("u".into()),
        session_id: Some("s".into()),
        tags: vec!["t".into()],
        metadata: Attributes::from_iter([("team", "ml")]),
        parent_entity: Some(Entity { id: Some("w1".into()), ..Entity::default() }),
        ..TraceContext::default()
    };
    agent.context = context.into();
    let expected = pairs(&[
        ("openinference.span.kind", json!("AGENT")),
        ("agent.name", json!("Ann")),
        ("graph.node.id", json!("a1")),
        ("graph.node.parent_id", json!("w1")),
        ("gen_ai.agent.id", json!("a1")),
        ("user.id", json!("u")),
        ("session.id", json!("s")),
        ("tag.tags", json!({"values": [{"stringValue": "t"}]})),
        ("obs.parent_entity.id", json!("w1")),
        ("metadata", json!(r#"{"team":"ml"}"#)),
    ]);
    assert_eq!(told(&agent, openinference::attributes), expected);
}
