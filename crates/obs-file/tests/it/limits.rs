//! How much a file and an export may have.

use obs_core::{Exporter, Signal};
use obs_file::{DESCRIPTOR, FileFormat};

use crate::support::{all_said, config, exporter, logs, names};

#[tokio::test]
async fn a_batch_as_large_as_the_descriptor_allows_is_one_file_s() {
    let limits = DESCRIPTOR.limits(Signal::Logs);
    let folder = tempfile::tempdir().unwrap();
    let exporter = exporter(config(folder.path()).with_max_file_size(10_000));
    exporter.export(&logs(0..limits.items)).await.unwrap();
    exporter.export(&logs(["behind"])).await.unwrap();
    exporter.shutdown().await.unwrap();
    assert_eq!(names(folder.path()).len(), 2);
    assert_eq!(all_said(folder.path()).len(), limits.items + 1);
}

#[tokio::test]
async fn a_record_longer_than_a_file_is_written_whole() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = exporter(config(folder.path()).with_max_file_size(1_000));
    let long = "x".repeat(3 << 20);
    for message in ["before", &long, "behind"] {
        exporter.export(&logs([message])).await.unwrap();
    }
    exporter.shutdown().await.unwrap();
    assert_eq!(names(folder.path()).len(), 3);
    assert_eq!(all_said(folder.path()).iter().map(String::len).sum::<usize>(), long.len() + 12);
}

#[test]
fn a_dry_run_gives_what_a_batch_becomes_and_writes_nothing() {
    for format in [FileFormat::Jsonl, FileFormat::Csv, FileFormat::Parquet] {
        let folder = tempfile::tempdir().unwrap();
        let exporter = exporter(obs_file::FileConfig::new(folder.path()).with_file_format(format));
        let bodies = exporter.encode(&logs(["one", "two"]));
        assert_eq!(bodies.len(), 1);
        match format {
            FileFormat::Parquet => assert!(bodies[0].starts_with(b"PAR1") && bodies[0].ends_with(b"PAR1")),
            _ => assert_eq!(bodies[0].split_inclusive(|byte| *byte == b'\n').count(), 2),
        }
        assert!(exporter.encode(&logs([""; 0])).is_empty());
        assert_eq!(names(folder.path()), [""; 0]);
    }
}
