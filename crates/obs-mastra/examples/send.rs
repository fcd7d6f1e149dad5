//! Sends a model call, a log, a measurement, a score and a thumb to the Mastra platform.
//!
//! `MASTRA_PLATFORM_ACCESS_TOKEN=… MASTRA_PROJECT_ID=… cargo run -p obs-mastra --example mastra-send`

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use obs_core::{
    Batch, Exporter, Feedback, Level, LlmGeneration, Log, Metric, MetricValue, Payload, Score, ScoreValue,
    Span, SpanId, SpanRecord, SpanType, Target, Timestamp, TraceId, Usage,
};
use obs_mastra::{MastraConfig, MastraExporter};
use uuid::Uuid;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = MastraExporter::new(MastraConfig::from_env()?)?;
    let span = model_call().ok_or("an id that is zero")?;
    let (trace_id, time, reference) = (span.trace_id, span.start, span.reference());
    let target = Target::Span { trace_id, span_id: span.span_id, root_span_id: Some(span.span_id) };
    exporter.export(&Batch::Traces(vec![SpanRecord::Ended(span)].into())).await?;

    let mut log = Log::new(time, Level::Info, "the order was found");
    log.span = Some(reference);
    exporter.export(&Batch::Logs(vec![log].into())).await?;
    let found = Metric::new(time, "orders_found", MetricValue::Add(1.0));
    exporter.export(&Batch::Metrics(vec![found].into())).await?;
    let score = Score::new(Uuid::now_v7(), time, target.clone(), "relevance", ScoreValue::ratio(0.9));
    exporter.export(&Batch::Scores(vec![score].into())).await?;
    let thumb = Feedback::new(Uuid::now_v7(), time, target, "thumbs", true);
    exporter.export(&Batch::Feedback(vec![thumb].into())).await?;

    exporter.shutdown().await?;
    println!("sent as trace {trace_id}");
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
