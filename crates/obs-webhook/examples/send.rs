//! Tells a chat of a failed run, as a message that a template makes.
//!
//! `OBS_WEBHOOK_URL=https://hooks.slack.com/services/… cargo run -p obs-webhook --example webhook-send`

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use obs_core::{Batch, ErrorInfo, Exporter, Signal, Span, SpanId, SpanRecord, Status, Timestamp, TraceId};
use obs_webhook::{Template, WebhookConfig, WebhookExporter};

/// A message as Slack takes it.
const MESSAGE: &str = r#"{
  "text": {{ count ~ " failed runs" }},
  "blocks": [
    {%- for record in records %}
    {"type": "section", "text": {"type": "plain_text", "text":
      {{ (record.ended.name ~ ": " ~ record.ended.error.message)|truncate(200) }}
    }}{% if not loop.last %},{% endif %}
    {%- endfor %}
  ]
}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = WebhookConfig::from_env()?
        .with_signals([Signal::Traces])
        .with_max_items(50)
        .with_template(Template::per_batch(MESSAGE));
    let exporter = WebhookExporter::new(config)?;
    let run = failed_run().ok_or("an id that is zero")?;
    let receipt = exporter.export(&Batch::Traces(vec![SpanRecord::Ended(run)].into())).await?;
    exporter.shutdown().await?;
    println!("{} told, {} refused", receipt.delivered, receipt.rejected_count());
    Ok(())
}

/// A run that failed just now.
#[expect(clippy::disallowed_methods, reason = "an example reads the real clock")]
fn failed_run() -> Option<Span> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let end = Timestamp::from_nanos(now.as_nanos() as u64);
    let (trace_id, span_id) = (TraceId::new(now.as_nanos())?, SpanId::new(now.as_nanos() as u64)?);
    let mut span = Span::new(trace_id, span_id, "support agent", end.saturating_sub(Duration::from_secs(2)));
    span.end = Some(end);
    span.status = Status::Error;
    span.error = Some(ErrorInfo::message("the model did not answer within 30 s").into());
    Some(span)
}
