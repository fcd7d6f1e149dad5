//! Sends a model call and a log to the receiver of `OTEL_EXPORTER_OTLP_ENDPOINT`, `http://localhost:4318` by default.

use std::time::{SystemTime, UNIX_EPOCH};

use obs_core::{
    Batch, Exporter, Level, LlmGeneration, Log, Payload, Span, SpanId, SpanRecord, SpanType, Timestamp,
    TraceId, Usage,
};
use obs_otel::{OtelConfig, OtelExporter};
use uuid::Uuid;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = OtelExporter::new(OtelConfig::from_env()?.with_service_name("obs-example"))?;
    println!("the receiver: {:?}", exporter.check().await);

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
    let mut log = Log::new(time, Level::Info, "the order was found");
    log.span = Some(call.reference());

    for batch in [
        Batch::Traces([SpanRecord::Ended(call)].into_iter().collect()),
        Batch::Logs([log].into_iter().collect()),
    ] {
        let receipt = exporter.export(&batch).await?;
        println!("{} {} delivered", receipt.delivered, batch.signal());
    }
    exporter.shutdown().await?;
    println!("look for trace {trace_id}");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "an example is an application: it brings the time")]
fn now() -> Result<Timestamp, Box<dyn std::error::Error>> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Timestamp::from_nanos(u64::try_from(since.as_nanos())?))
}
