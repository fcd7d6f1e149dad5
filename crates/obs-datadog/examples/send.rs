//! Sends a model call, a log, a score and a user's feedback to what `DD_API_KEY`, `DD_SITE` and the like say.

use std::time::{SystemTime, UNIX_EPOCH};

use obs_core::{
    Batch, Exporter, Feedback, Level, LlmGeneration, Log, Payload, Score, ScoreValue, Span, SpanId,
    SpanRecord, SpanType, Target, Timestamp, TraceId, Usage,
};
use obs_datadog::{DatadogConfig, DatadogExporter};
use uuid::Uuid;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = DatadogExporter::new(DatadogConfig::from_env()?.with_ml_app("datadog-send"))?;
    println!("the key: {:?}", exporter.check().await);

    let time = now()?;
    let seed = Uuid::new_v4();
    let trace_id = TraceId::new(seed.as_u128()).ok_or("a zero trace id")?;
    let span_id = SpanId::new(seed.as_u64_pair().1).ok_or("a zero span id")?;

    let mut call = Span::new(trace_id, span_id, "chat", time);
    call.end = Some(now()?);
    call.input = Some(Payload::from(r#"[{"role":"user","content":"Where is my order?"}]"#));
    call.output = Some(Payload::text("It left yesterday."));
    call.span_type = SpanType::LlmGeneration(LlmGeneration {
        model: Some("gpt-4o-mini".into()),
        provider: Some("openai".into()),
        usage: Usage::new(120, 8),
        ..LlmGeneration::default()
    });
    let mut log = Log::new(time, Level::Info, "answered");
    log.span = Some(call.reference());
    let target = Target::Span { trace_id, span_id, root_span_id: Some(span_id) };
    let score = Score::new(Uuid::now_v7(), time, target.clone(), "relevance", ScoreValue::ratio(0.9));
    let liked = Feedback::new(Uuid::now_v7(), time, target, "thumbs", true);

    for batch in [
        Batch::Traces([SpanRecord::Ended(call)].into_iter().collect()),
        Batch::Logs([log].into_iter().collect()),
        Batch::Scores([score].into_iter().collect()),
        Batch::Feedback([liked].into_iter().collect()),
    ] {
        if !exporter.descriptor().signals().contains(batch.signal()) {
            println!("{} are not taken with this configuration", batch.signal());
            continue;
        }
        let receipt = exporter.export(&batch).await?;
        println!("{} {} delivered", receipt.delivered, batch.signal());
    }
    exporter.shutdown().await?;
    println!("search LLM Observability for @trace_id:{trace_id}");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "an example is an application: it brings the time")]
fn now() -> Result<Timestamp, Box<dyn std::error::Error>> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Timestamp::from_nanos(u64::try_from(since.as_nanos())?))
}
