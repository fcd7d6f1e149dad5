//! Writes one record of each signal to a store, and reads the trace back.
//!
//! `OBS_STORAGE=obs.db cargo run -p obs-store --example store-send`

use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};

use obs_core::{
    Batch, Exporter, Feedback, Level, Log, Metric, MetricValue, Record, Score, Span, SpanId, SpanRecord,
    Status, Target, Timestamp, TraceId,
};
use obs_store::{StoreConfig, StoreExporter};
use uuid::Uuid;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = StoreConfig::from_env().unwrap_or_else(|_| StoreConfig::new("obs.db"));
    let exporter = StoreExporter::new(config)?;
    let now = now()?;
    let id = Uuid::now_v7();
    let trace_id = TraceId::new(id.as_u128()).ok_or("an id is never zero")?;
    let span_id = SpanId::new(id.as_u64_pair().1).ok_or("an id is never zero")?;

    let mut span = Span::new(trace_id, span_id, "answer a question", now);
    span.end = Some(now.saturating_add(Duration::from_millis(120)));
    span.status = Status::Ok;
    span.input = Some("What is a span?".into());
    span.output = Some("A unit of work.".into());
    let mut log = Log::new(now, Level::Info, "the model answered");
    log.span = Some(span.reference());
    let target = Target::Span { trace_id, span_id, root_span_id: Some(span_id) };
    let records: [Record; 5] = [
        SpanRecord::Ended(span).into(),
        log.into(),
        Metric::new(now, "questions", MetricValue::Add(1.0)).into(),
        Score::new(Uuid::now_v7(), now, target.clone(), "relevance", 0.9).into(),
        Feedback::new(Uuid::now_v7(), now, target, "thumbs", true).into(),
    ];
    for batch in Batch::group(records) {
        let receipt = exporter.export(&batch).await?;
        println!("{}: {} delivered", batch.signal(), receipt.delivered);
    }
    if let Some(summary) = exporter.reader().find_trace(trace_id)?.and_then(|trace| trace.summary()) {
        println!("{} {} in {:?}", summary.trace_id, summary.name, summary.duration());
    }
    exporter.shutdown().await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "an example stands where the application does")]
fn now() -> Result<Timestamp, Box<dyn Error>> {
    Ok(Timestamp::default().saturating_add(std::time::SystemTime::now().duration_since(UNIX_EPOCH)?))
}
