//! Sends a model call, a score and a thumb to Braintrust, and prints where they are shown.
//!
//! `BRAINTRUST_API_KEY=sk-… BRAINTRUST_ORG_NAME=Acme cargo run -p obs-braintrust --example braintrust-send`

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use obs_braintrust::{BraintrustConfig, BraintrustExporter};
use obs_core::{
    Batch, Exporter, Feedback, LlmGeneration, Payload, Score, ScoreValue, Span, SpanId, SpanRecord, SpanType,
    Target, Timestamp, TraceId, Usage,
};
use uuid::Uuid;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = BraintrustExporter::new(BraintrustConfig::from_env()?.with_project("obs example"))?;
    let span = model_call().ok_or("an id that is zero")?;
    let target =
        Target::Span { trace_id: span.trace_id, span_id: span.span_id, root_span_id: Some(span.span_id) };
    let (trace_id, time) = (span.trace_id, span.start);
    exporter.export(&Batch::Traces(vec![SpanRecord::Ended(span)].into())).await?;

    let (id, value) = (Uuid::now_v7(), ScoreValue::ratio(0.9));
    let score = Score::new(id, time, target.clone(), "relevance", value);
    exporter.export(&Batch::Scores(vec![score].into())).await?;
    let thumb = Feedback::new(Uuid::now_v7(), time, target, "thumbs", ScoreValue::category("thumbs_up"));
    exporter.export(&Batch::Feedback(vec![thumb].into())).await?;

    exporter.shutdown().await?;
    match exporter.trace_url(trace_id) {
        Some(url) => println!("{url}"),
        None => println!("sent; set BRAINTRUST_ORG_NAME to see where"),
    }
    Ok(())
}

/// A call that ended just now.
#[expect(clippy::disallowed_methods, reason = "an example reads the real clock")]
fn model_call() -> Option<Span> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let end = Timestamp::from_nanos(now.as_nanos() as u64);
    let (trace_id, span_id) = (Uuid::now_v7().as_u128(), Uuid::now_v7().as_u64_pair().1);
    let start = end.saturating_sub(Duration::from_millis(400));
    let mut span = Span::new(TraceId::new(trace_id)?, SpanId::new(span_id)?, "chat", start);
    span.end = Some(end);
    span.input = Some(Payload::from(r#"[{"role":"user","content":"Where is order A-7?"}]"#));
    span.output = Some(Payload::text("It left yesterday."));
    span.span_type = SpanType::LlmGeneration(LlmGeneration {
        model: Some("gpt-4o-mini".into()),
        provider: Some("openai".into()),
        usage: Usage::new(420, 30),
        ..LlmGeneration::default()
    });
    Some(span)
}
