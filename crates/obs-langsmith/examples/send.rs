//! Sends a span and a score to LangSmith, with the key of the environment; without one it says which variable it wants.

use obs_core::{Batch, Exporter, LlmGeneration, Payload, Score, Span, SpanRecord, SpanType, Usage};
use obs_core::{SpanId, Target, Timestamp, TraceId};
use obs_langsmith::{LangsmithConfig, LangsmithExporter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = match LangsmithConfig::from_env() {
        Ok(config) => config.with_project("obs-example"),
        Err(missing) => {
            println!("{missing}");
            return Ok(());
        }
    };
    let exporter = LangsmithExporter::new(config)?;

    let trace_id: TraceId = "0af7651916cd43dd8448eb211c80319c".parse()?;
    let span_id: SpanId = "00f067aa0ba902b7".parse()?;
    let start = Timestamp::from_nanos(1_795_255_200_000_000_000);
    let mut span = Span::new(trace_id, span_id, "chat", start);
    span.end = Some(start.saturating_add(std::time::Duration::from_millis(850)));
    span.input = Some(Payload::text("Where is my order?"));
    span.output = Some(Payload::text("It left yesterday."));
    span.span_type = SpanType::LlmGeneration(LlmGeneration {
        model: Some("claude-sonnet-4-5".into()),
        provider: Some("anthropic".into()),
        usage: Usage::new(12, 7),
        ..LlmGeneration::default()
    });
    let receipt = exporter.export(&Batch::Traces([SpanRecord::Ended(span)].into_iter().collect())).await?;
    println!("{} span delivered", receipt.delivered);

    let target = Target::Trace { trace_id, root_span_id: Some(span_id) };
    let id = "019bc0f5-8600-7000-8000-000000000001".parse()?;
    let score = Score::new(id, start, target, "helpful", true);
    let receipt = exporter.export(&Batch::Scores([score].into_iter().collect())).await?;
    println!("{} score delivered, see {:?}", receipt.delivered, exporter.trace_url(trace_id));
    exporter.shutdown().await?;
    Ok(())
}
