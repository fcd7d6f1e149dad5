//! The lines as they are written.

use obs_core::{Batch, Exporter, Record, Signal};
use obs_json::{JsonExporter, read_lines};
use obs_testkit::fixtures;

/// The lines of a batch as the file has them.
async fn written(batch: &Batch) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let exporter = JsonExporter::file(&path).unwrap();
    exporter.export(batch).await.unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn the_lines_of_every_signal() {
    for signal in Signal::ALL {
        insta::assert_snapshot!(signal.as_str(), written(&fixtures::batch(signal)).await);
    }
}

#[tokio::test]
async fn every_fixture_is_read_back_as_it_was() {
    for batch in fixtures::all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        let exporter = JsonExporter::file(&path).unwrap();
        assert_eq!(exporter.export(&batch).await.unwrap().delivered, batch.len());
        let read: Vec<Record> = read_lines(&path).unwrap().collect::<Result<_, _>>().unwrap();
        let line = |record: &Record| {
            let mut line = Vec::new();
            record.write_line(&mut line).unwrap();
            line
        };
        // Lines are compared, since NaN equals nothing.
        let (given, read): (Vec<_>, Vec<_>) =
            (batch.to_records().iter().map(line).collect(), read.iter().map(line).collect());
        assert!(given == read, "{} differ after reading", batch.signal());
    }
}
