//! What reaches the wire.

use obs_core::{Batch, Exporter, Span, SpanRecord, Timestamp};
use obs_mastra::{MastraConfig, MastraExporter};

#[tokio::test]
async fn a_span_is_written_with_its_ids() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("requests.jsonl");
    let exporter = MastraExporter::new(MastraConfig::new(&file)).unwrap();
    let (trace_id, span_id) = ("0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7");
    let span =
        Span::new(trace_id.parse().unwrap(), span_id.parse().unwrap(), "chat", Timestamp::from_nanos(1));
    let receipt =
        exporter.export(&Batch::Traces([SpanRecord::Ended(span)].into_iter().collect())).await.unwrap();
    assert_eq!(receipt.delivered, 1);
    let written = std::fs::read_to_string(file).unwrap();
    assert_eq!(
        written,
        format!("{{\"spans\":[{{\"trace\":\"{trace_id}\",\"id\":\"{span_id}\",\"name\":\"chat\"}}]}}\n")
    );
}
