//! Files as the place for dead letters.

use obs_core::{DeadLetters, ErrorKind, Exporter, Rejection, Signal};
use obs_file::{Compression, FileConfig, FileExporter, FileFormat, RecordRef, Serializer, read_directory};
use obs_testkit::fixtures;
use serde_json::Value;

use crate::support::{exporter, logs, names};

#[tokio::test]
async fn each_record_has_who_rejected_it_and_why_and_can_be_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let serializer = Serializer::new(|_: RecordRef<'_>| Err("never asked"));
    let exporter = exporter(
        FileConfig::new(folder.path())
            .with_serializer(serializer)
            .with_filename_template("dead-{signal}.jsonl"),
    );
    for signal in Signal::ALL {
        let mut rejection = Rejection::of(fixtures::batch(signal), ErrorKind::Rejected, "no such project");
        (rejection.status, rejection.attempts) = (Some(404), 3);
        exporter.put("langfuse", &rejection).await.unwrap();
    }
    exporter.shutdown().await.unwrap();
    let wanted: usize = Signal::ALL.map(|signal| fixtures::batch(signal).len()).iter().sum();
    assert_eq!(read_directory(folder.path()).unwrap().flatten().count(), wanted);
    assert_eq!(names(folder.path()).len(), Signal::COUNT);
    for name in names(folder.path()) {
        for line in std::fs::read_to_string(folder.path().join(name)).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let letter = &line["dead_letter"];
            assert_eq!(
                (&letter["destination"], &letter["reason"]),
                (&"langfuse".into(), &"no such project".into())
            );
            assert_eq!(
                (&letter["status"], &letter["attempts"], &letter["kind"]),
                (&404.into(), &3.into(), &"rejected".into())
            );
        }
    }
}

#[tokio::test]
async fn a_rejection_without_records_is_a_line_and_files_are_rotated_and_compressed_as_others() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = exporter(
        FileConfig::new(folder.path())
            .with_compression(Compression::Zstd)
            .with_filename_template("dead.jsonl.zst"),
    );
    let rejection = Rejection {
        records: None,
        count: 7,
        ..Rejection::of(logs(["x"]), ErrorKind::Rejected, "seven of them")
    };
    exporter.put("otel", &rejection).await.unwrap();
    exporter.rotate().unwrap();
    exporter.put("otel", &Rejection::of(logs(["one"]), ErrorKind::TooLarge, "too large")).await.unwrap();
    exporter.shutdown().await.unwrap();
    assert_eq!(names(folder.path()), ["dead-2.jsonl.zst", "dead.jsonl.zst"]);
    let text = zstd::decode_all(std::fs::File::open(folder.path().join("dead.jsonl.zst")).unwrap()).unwrap();
    let line: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!((&line["dead_letter"]["count"], line.get("record")), (&7.into(), None));
    let error = exporter.put("otel", &rejection).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_format_without_a_place_for_the_reason_is_refused() {
    for format in [FileFormat::Csv, FileFormat::Parquet] {
        let folder = tempfile::tempdir().unwrap();
        let config = FileConfig::new(folder.path()).with_file_format(format);
        let error = FileExporter::for_dead_letters(config.clone()).unwrap_err();
        assert!(error.message().ends_with("has no form for dead letters; set it to jsonl"), "{error}");
        let exporter = exporter(config);
        let error =
            exporter.put("otel", &Rejection::of(logs(["x"]), ErrorKind::Rejected, "no")).await.unwrap_err();
        assert_eq!(
            error.message(),
            format!("file_format: {format} has no form for dead letters; set it to jsonl")
        );
        assert_eq!(names(folder.path()), [""; 0]);
    }
}
