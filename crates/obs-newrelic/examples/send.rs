//! Sends a model call, its log, a sum, a score and feedback to the account of `NEW_RELIC_LICENSE_KEY`; the last two only with
//! `NEW_RELIC_ACCOUNT_ID`.

use std::time::{SystemTime, UNIX_EPOCH};

use obs_core::{
    Batch, Exporter, Feedback, Level, LlmGeneration, Log, Metric, MetricValue, Payload, Score, ScoreValue,
    Span, SpanId, SpanRecord, SpanRef, SpanType, Target, Temporality, Timestamp, TraceId, Usage,
};
use obs_newrelic::{NewRelicConfig, NewRelicExporter};
use uuid::Uuid;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = NewRelicExporter::new(NewRelicConfig::from_env()?.with_service_name("newrelic-send"))?;
    println!("the key: {:?}", exporter.check().await);

    let start = now()?;
    let seed = Uuid::new_v4();
    let trace_id = TraceId::new(seed.as_u128()).ok_or("a zero trace id")?;
    let span_id = SpanId::new(seed.as_u64_pair().1).ok_or("a zero span id")?;

    let mut call = Span::new(trace_id, span_id, "chat", start);
    call.end = Some(now()?);
    call.input = Some(Payload::from(r#"[{"role":"user","content":"Where is my order?"}]"#));
    call.output = Some(Payload::text("It left yesterday."));
    call.span_type = SpanType::LlmGeneration(LlmGeneration {
        model: Some("gpt-4o-mini".into()),
        provider: Some("openai".into()),
        usage: Usage::new(120, 8),
        ..LlmGeneration::default()
    });
    let mut answered = Log::new(now()?, Level::Info, "answered");
    answered.span = Some(SpanRef { trace_id, span_id: Some(span_id) });
    // A pipeline makes series of measurements; alone, an exporter is given them.
    let mut calls = Metric::new(now()?, "demo.calls", MetricValue::Sum { value: 1.0, monotonic: true });
    (calls.start, calls.temporality) = (Some(start), Some(Temporality::Delta));
    let target = Target::Span { trace_id, span_id, root_span_id: Some(span_id) };
    let score = Score::new(Uuid::now_v7(), now()?, target.clone(), "relevance", ScoreValue::ratio(0.9));
    let liked = Feedback::new(Uuid::now_v7(), now()?, target, "thumbs", true);

    for batch in [
        Batch::Traces([SpanRecord::Ended(call)].into_iter().collect()),
        Batch::Logs([answered].into_iter().collect()),
        Batch::Metrics([calls].into_iter().collect()),
        Batch::Scores([score].into_iter().collect()),
        Batch::Feedback([liked].into_iter().collect()),
    ] {
        if !exporter.descriptor().signals().contains(batch.signal()) {
            println!("{} want NEW_RELIC_ACCOUNT_ID", batch.signal());
            continue;
        }
        let receipt = exporter.export(&batch).await?;
        println!("{} {} delivered", receipt.delivered, batch.signal());
    }
    exporter.shutdown().await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "an example is an application: it brings the time")]
fn now() -> Result<Timestamp, Box<dyn std::error::Error>> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Timestamp::from_nanos(u64::try_from(since.as_nanos())?))
}
