//! Prints one run to standard error.

use obs_console::{ConsoleConfig, ConsoleExporter};
use obs_core::{Batch, Exporter, LlmGeneration, Span, SpanRecord, SpanType, Timestamp, Usage};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = ConsoleExporter::new(ConsoleConfig::from_env()?)?;
    let (trace_id, start) = ("0af7651916cd43dd8448eb211c80319c".parse()?, 1_795_255_113_000_000_000);
    let mut root = Span::new(trace_id, "00f067aa0ba902b7".parse()?, "answer", Timestamp::from_nanos(start));
    root.end = Some(Timestamp::from_nanos(start + 1_250_000_000));
    let mut chat =
        Span::new(trace_id, "b7ad6b7169203331".parse()?, "chat", Timestamp::from_nanos(start + 1_000));
    chat.parent_span_id = Some(root.span_id);
    chat.end = root.end;
    chat.input = Some("What is a ledger?".into());
    chat.output = Some("A book of accounts.".into());
    chat.span_type = SpanType::LlmGeneration(LlmGeneration {
        model: Some("gpt-4o-mini".into()),
        usage: Usage::new(12, 5),
        ..LlmGeneration::default()
    });
    let records = [SpanRecord::Ended(chat), SpanRecord::Ended(root)];
    exporter.export(&Batch::Traces(records.into_iter().collect())).await?;
    exporter.shutdown().await?;
    Ok(())
}
