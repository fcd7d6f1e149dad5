//! Writes a span and a log to a file, and prints the file and the tree.

use obs_core::{Batch, Exporter, Level, Log, Span, SpanRecord, Timestamp};
use obs_json::{JsonExporter, normalise_pretty, read_lines};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::temp_dir().join("obs-json-send.jsonl");
    let exporter = JsonExporter::file(&file)?;
    let (trace_id, span_id) = ("0af7651916cd43dd8448eb211c80319c".parse()?, "00f067aa0ba902b7".parse()?);
    let mut span = Span::new(trace_id, span_id, "chat", Timestamp::from_nanos(1));
    span.end = Some(Timestamp::from_nanos(5));
    let mut log = Log::new(Timestamp::from_nanos(3), Level::Info, "asked the model");
    log.span = Some(span.reference());
    exporter.export(&Batch::Traces(vec![SpanRecord::Ended(span)].into())).await?;
    exporter.export(&Batch::Logs(vec![log].into())).await?;
    exporter.shutdown().await?;

    let lines = std::fs::read_to_string(&file)?;
    let records = read_lines(&file)?.collect::<Result<Vec<_>, _>>()?;
    std::fs::remove_file(file)?;
    print!("{lines}");
    println!("{}", normalise_pretty(&records));
    Ok(())
}
