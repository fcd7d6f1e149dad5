//! Sends one span to Datadog, with the key that the environment has.

use obs_core::{Batch, Exporter, Span, SpanRecord, Timestamp};
use obs_datadog::{DatadogConfig, DatadogExporter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = DatadogExporter::new(DatadogConfig::from_env()?)?;
    let (trace_id, span_id) = ("0af7651916cd43dd8448eb211c80319c".parse()?, "00f067aa0ba902b7".parse()?);
    let mut span = Span::new(trace_id, span_id, "chat", Timestamp::from_nanos(1));
    span.end = Some(Timestamp::from_nanos(5));
    let batch = Batch::Traces([SpanRecord::Ended(span)].into_iter().collect());
    let receipt = exporter.export(&batch).await?;
    exporter.shutdown().await?;
    println!("{} delivered", receipt.delivered);
    Ok(())
}
