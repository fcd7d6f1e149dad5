//! A client of a model that makes the spans that the crates `genai` (feature `otel`) and `rig` make, and what obs reads in them.
//!
//! `cargo run -p obs-tracing --example tracing-genai`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{Record, SpanType};
use obs_instrument::Observability;
use obs_testkit::Scripted;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};
use tracing_subscriber::layer::SubscriberExt;

/// Asks a model, as `genai::Client::exec_chat_stream` does.
async fn chat(model: &str, prompt: &str) -> String {
    let span = info_span!(
        "genai.chat",
        otel.name = %format!("chat {model}"),
        otel.kind = "client",
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = "openai",
        gen_ai.request.model = model,
        gen_ai.request.stream = true,
        gen_ai.input.messages = %format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"{prompt}"}}]}}]"#),
        gen_ai.output.messages = Empty,
        gen_ai.response.model = Empty,
        gen_ai.response.finish_reasons = Empty,
        gen_ai.response.time_to_first_chunk = Empty,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        gen_ai.usage.cache_read.input_tokens = Empty,
    );
    async {
        tokio::task::yield_now().await;
        let span = Span::current();
        span.record("gen_ai.response.time_to_first_chunk", 0.2);
        span.record(
            "gen_ai.output.messages",
            r#"[{"role":"assistant","parts":[{"type":"text","content":"a library"}]}]"#,
        );
        span.record("gen_ai.response.model", "gpt-5-2025-08-07");
        span.record("gen_ai.response.finish_reasons", r#"["stop"]"#);
        span.record("gen_ai.usage.input_tokens", 1_204i64);
        span.record("gen_ai.usage.output_tokens", 35i64);
        span.record("gen_ai.usage.cache_read.input_tokens", 1_024i64);
        "a library".to_owned()
    }
    .instrument(span)
    .await
}

/// Runs a tool, as rig's agents do.
async fn search(query: &str) -> String {
    let span = info_span!(
        "execute_tool",
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.type = "function",
        gen_ai.tool.name = "search",
        gen_ai.tool.call.arguments = query,
        gen_ai.tool.call.result = Empty,
    );
    async {
        Span::current().record("gen_ai.tool.call.result", "3 pages");
        "3 pages".to_owned()
    }
    .instrument(span)
    .await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // In an application: an exporter of your backend.
    let arrived = Scripted::new([]);
    let obs = Observability::builder("assistant").to(Arc::clone(&arrived)).build()?;
    let layer = obs_tracing::layer(&obs);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;

    let agent =
        info_span!("invoke_agent", gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "scout");
    async {
        search("obs").await;
        chat("gpt-5", "What is obs?").await;
    }
    .instrument(agent)
    .await;

    assert!(obs.flush(Duration::from_secs(10)).complete);
    let (mut types, mut tokens) = (Vec::new(), None);
    for record in arrived.records() {
        let Record::Span(span) = record else { continue };
        let span = span.span();
        println!("{}: {}", span.name, span.span_type.name());
        types.push(span.span_type.name());
        if let SpanType::LlmGeneration(call) = &span.span_type {
            println!("  {:?} at {:?}: {:?}", call.model, call.provider, call.usage);
            println!("  {:?} after {:?}", call.finish_reason, call.time_to_first_token);
            tokens = call.usage.total();
        }
    }
    assert_eq!(types, ["tool_call", "llm_generation", "agent_run"]);
    assert_eq!(tokens, Some(1_239), "cached input is part of the input");
    Ok(())
}
