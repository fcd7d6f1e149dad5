//! What spans were given and gave back, by their kind.

use std::time::Duration;

use obs_core::{
    Chunk, Cost, Embedding, ErrorInfo, InputTokens, LlmGeneration, MemoryHit, MemoryLookup, ModelParameters,
    OutputTokens, Payload, PromptLink, RagQuery, Span, SpanType, Status, Usage, Value as Attribute,
};
use obs_testkit::fixtures::{at, context, resource, span_id, trace_id};
use serde_json::{Value, json};

use crate::server::{ended, sent, sent_with};

fn span(span_type: SpanType) -> Span {
    let mut span = Span::new(trace_id(1), span_id(1), "step", at(0));
    span.end = Some(at(1_000));
    span.span_type = span_type;
    span
}

async fn of(span: Span) -> Value {
    sent(ended([span])).await.span()
}

fn generation() -> LlmGeneration {
    LlmGeneration {
        model: Some("gpt-4o".into()),
        provider: Some("OpenAI".into()),
        ..LlmGeneration::default()
    }
}

#[tokio::test]
async fn a_model_call_has_messages_of_every_provider_s_form() {
    let asked = "Weather?";
    for input in [
        json!([{"role": "user", "content": asked}]),
        json!([{"role": "user", "parts": [{"type": "text", "content": asked}]}]),
        json!([{"role": "user", "content": [{"type": "text", "text": asked}]}]),
        json!({"messages": [{"role": "user", "content": asked}]}),
    ] {
        let mut call = span(SpanType::LlmGeneration(generation()));
        call.input = Some(Payload::from(input.clone()));
        call.output = Some(Payload::text("Clear."));
        let told = of(call).await;
        assert_eq!(
            told["meta"]["input"],
            json!({"messages": [{"role": "user", "content": asked}]}),
            "{input}"
        );
        assert_eq!(told["meta"]["output"], json!({"messages": [{"role": "assistant", "content": "Clear."}]}));
    }
    let mut call = span(SpanType::LlmGeneration(generation()));
    call.input = Some(Payload::from(json!({"rows": 7})));
    assert_eq!(of(call).await["meta"]["input"], json!({"value": r#"{"rows":7}"#}));
}

#[tokio::test]
async fn what_a_model_call_has_stands_where_datadog_reads_it() {
    let mut whole = generation();
    whole.response_model = Some("gpt-4o-2024-08-06".into());
    whole.parameters = ModelParameters {
        temperature: Some(0.5),
        max_tokens: Some(100),
        other: [("seed", Attribute::from(7))].into_iter().collect(),
        ..ModelParameters::default()
    };
    whole.usage = Usage {
        input: Some(120),
        output: Some(30),
        input_details: InputTokens { cache_read: 80, cache_write_5m: 10, audio: 2, ..InputTokens::default() },
        output_details: OutputTokens { reasoning: 20, ..OutputTokens::default() },
    };
    whole.cost = Some(Box::new(Cost { input: Some(0.25), ..Cost::usd(0.5) }));
    whole.time_to_first_token = Some(Duration::from_millis(250));
    whole.prompt = Some(Box::new(PromptLink { name: "greeting".into(), version: Some("3".into()) }));
    whole.tools = Some(Payload::from(json!([{"name": "weather", "input_schema": {"type": "object"}}])));
    let mut call = span(SpanType::LlmGeneration(whole));
    call.input = Some(Payload::text("hi"));
    let told = of(call).await;
    let meta = &told["meta"];
    assert_eq!(
        (&meta["kind"], &meta["model_name"], &meta["model_provider"]),
        (&json!("llm"), &json!("gpt-4o"), &json!("openai"))
    );
    assert_eq!(meta["input"]["prompt"], json!({"id": "greeting", "version": "3"}));
    assert_eq!(meta["tool_definitions"], json!([{"name": "weather", "schema": {"type": "object"}}]));
    for (name, expected) in [
        ("model_name", json!("gpt-4o")),
        ("temperature", json!(0.5)),
        ("max_tokens", json!(100)),
        ("seed", json!(7)),
        ("response_model", json!("gpt-4o-2024-08-06")),
        ("input_audio_tokens", json!(2)),
    ] {
        assert_eq!(meta["metadata"][name], expected, "{name}");
    }
    let numbers = json!({
        "input_tokens": 120, "output_tokens": 30, "total_tokens": 150, "cache_read_input_tokens": 80,
        "cache_write_input_tokens": 10, "ephemeral_5m_input_tokens": 10, "reasoning_output_tokens": 20,
        "time_to_first_token": 0.25, "input_cost": 0.25, "total_cost": 0.5,
    });
    assert_eq!(told["metrics"], numbers);
}

#[tokio::test]
async fn another_currency_is_kept_and_not_taken_for_dollars() {
    let mut call = generation();
    call.cost = Some(Box::new(Cost { currency: "EUR".into(), ..Cost::usd(0.5) }));
    let told = of(span(SpanType::LlmGeneration(call))).await;
    assert!(told.get("metrics").is_none());
    assert!(told["meta"]["metadata"]["cost"].as_str().unwrap().contains("EUR"));
}

#[tokio::test]
async fn what_is_retrieved_and_embedded_are_documents() {
    let chunk = Chunk {
        id: Some("c-1".into()),
        source: Some("guide.md".into()),
        content: Some(Payload::text("Plug it in.")),
        relevance: Some(0.75),
    };
    let query =
        RagQuery { query: Some("how?".into()), chunks: vec![chunk], top_k: Some(3), ..RagQuery::default() };
    let told = of(span(SpanType::RagQuery(query))).await;
    assert_eq!(told["meta"]["input"], json!({"value": "how?"}));
    let document = json!({"text": "Plug it in.", "name": "guide.md", "score": 0.75, "id": "c-1"});
    assert_eq!(told["meta"]["output"], json!({"documents": [document]}));
    assert_eq!((&told["meta"]["kind"], &told["meta"]["metadata"]["top_k"]), (&json!("retrieval"), &json!(3)));

    let hit = |similarity| MemoryHit { similarity: Some(similarity), ..MemoryHit::default() };
    let lookup = MemoryLookup { results: vec![hit(0.5), hit(f64::NAN)], ..MemoryLookup::default() };
    let told = of(span(SpanType::MemoryLookup(lookup))).await;
    assert_eq!(told["meta"]["output"]["documents"], json!([{"score": 0.5}, {}]));
    assert_eq!(told["meta"]["metadata"]["documents.1.score"], "NaN");

    let mut embedding = span(SpanType::Embedding(Embedding {
        usage: Usage { input: Some(9), ..Usage::default() },
        ..Embedding::default()
    }));
    embedding.input = Some(Payload::from(json!(["a", "b"])));
    let told = of(embedding.clone()).await;
    assert_eq!(told["meta"]["input"], json!({"documents": [{"text": "a"}, {"text": "b"}]}));
    assert_eq!((&told["meta"]["kind"], &told["metrics"]["input_tokens"]), (&json!("embedding"), &json!(9)));
    embedding.input = Some(Payload::text("whole"));
    assert_eq!(of(embedding).await["meta"]["input"], json!({"documents": [{"text": "whole"}]}));
}

#[tokio::test]
async fn an_error_has_its_message_type_and_stack() {
    let mut failed = span(SpanType::Generic);
    let mut error = ErrorInfo::message("it broke");
    error.error_type = Some("io::Error".into());
    error.sources = vec!["disk".into(), "cable".into()];
    error.code = Some("E7".into());
    failed.error = Some(Box::new(error.clone()));
    let told = of(failed.clone()).await;
    assert_eq!(told["status"], "error");
    let expected =
        json!({"message": "it broke", "stack": "caused by: disk\ncaused by: cable", "type": "io::Error"});
    assert_eq!(told["meta"]["error"], expected);
    assert_eq!(told["meta"]["metadata"]["error.code"], "E7");
    error.stack = Some("at main".into());
    failed.error = Some(Box::new(error));
    let told = of(failed).await;
    assert_eq!(told["meta"]["error"]["stack"], "at main");
    assert_eq!(told["meta"]["metadata"]["error.sources"], r#"["disk","cable"]"#);
    let mut unsaid = span(SpanType::Generic);
    unsaid.status = Status::Error;
    let told = of(unsaid).await;
    assert_eq!((&told["status"], told["meta"].get("error")), (&json!("error"), None));
}

/// Datadog's documentation has tools and tasks below others and without children; they are sent as what they are, since
/// a span that was made up would be one that nobody made.
#[tokio::test]
async fn a_lone_tool_and_a_step_with_children_stay_what_they_are() {
    let tool = span(SpanType::ToolCall(obs_core::ToolCall::default()));
    let told = of(tool).await;
    assert_eq!((&told["meta"]["kind"], &told["parent_id"]), (&json!("tool"), &json!("undefined")));
    let mut step = span(SpanType::WorkflowStep(obs_core::WorkflowStep::default()));
    step.parent_span_id = Some(span_id(9));
    let mut call = span(SpanType::LlmGeneration(generation()));
    (call.span_id, call.parent_span_id) = (span_id(2), Some(span_id(1)));
    let spans = sent(ended([step, call])).await.spans();
    assert_eq!(
        (&spans[0]["meta"]["kind"], &spans[1]["parent_id"]),
        (&json!("task"), &json!(span_id(1).to_string()))
    );
}

#[tokio::test]
async fn a_span_without_a_type_is_a_workflow_at_the_root_and_a_task_below() {
    let root = span(SpanType::Generic);
    let child = Span { span_id: span_id(2), parent_span_id: Some(span_id(1)), ..span(SpanType::Generic) };
    let spans = sent(ended([root, child])).await.spans();
    assert_eq!((&spans[0]["meta"]["kind"], &spans[1]["meta"]["kind"]), (&json!("workflow"), &json!("task")));
}

#[tokio::test]
async fn metadata_are_numbers_truth_values_and_texts_alone() {
    let batch = obs_testkit::fixtures::batch(obs_core::Signal::Traces);
    for span in sent(batch).await.spans() {
        for (name, value) in span["meta"]["metadata"].as_object().unwrap() {
            assert!(value.is_number() || value.is_boolean() || value.is_string(), "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn service_environment_version_user_and_the_configured_are_tags() {
    let mut whole = span(SpanType::Generic);
    (whole.context, whole.resource) = (context(), resource());
    let sent = sent_with(ended([whole, span(SpanType::Generic)]), |config, _| {
        config
            .with_service("chat")
            .with_env("dev")
            .with_version("9")
            .with_tags(["team:platform", "env:other"])
            .with_tag_keys(["tier", "retries", "none"])
    })
    .await;
    let spans = sent.spans();
    let expected = [
        "service:support",
        "env:staging",
        "version:2026.01",
        "user_id:user-7",
        "tier:gold",
        "retries:2",
        "team:platform",
        "beta",
        "support",
    ];
    assert_eq!((&spans[0]["tags"], &spans[0]["session_id"]), (&json!(expected), &json!("session-42")));
    assert_eq!(spans[1]["tags"], json!(["service:chat", "env:dev", "version:9", "team:platform"]));
}

#[tokio::test]
async fn without_a_name_the_application_is_the_service_or_obs() {
    for (service, expected) in [(Some("Chat Service"), "chat_service"), (None, "obs")] {
        let sent = sent_with(ended([span(SpanType::Generic)]), |mut config, _| {
            config.ml_app = None;
            service.map_or(config.clone(), |service| config.with_service(service))
        })
        .await;
        let body = crate::server::body(&sent.server.requests()[0]);
        assert_eq!(body["data"]["attributes"]["ml_app"], expected);
    }
}
