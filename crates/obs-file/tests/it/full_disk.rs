//! A disk that takes no more: the system's own limit of a file's size, in a process of its own.

#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use obs_core::{Batch, ErrorKind, Exporter, Health, Retry};
use obs_file::{Compression, FileConfig, FileFormat};

use crate::support::{all_said, exporter, logs, names};

/// The variable that makes this program the child: where the files are.
const FOLDER: &str = "OBS_TEST_FULL_DISK";

/// Exports until the file takes no more, makes room by beginning another, and goes on.
async fn fill(config: FileConfig) -> Vec<String> {
    let exporter = exporter(config);
    let mut failures = 0;
    for round in 0..60_u32 {
        let mut left = logs((0..40).map(|at| format!("{round}-{at}-{}", at * 7_919 % 1_009)));
        while !left.is_empty() {
            let (given, settled) = (left.len(), exporter.export(&left).await);
            match settled {
                Ok(receipt) => {
                    assert_eq!(receipt.delivered, given);
                    left = left.slice(0..0);
                }
                Err(error) => {
                    failures += 1;
                    assert!(failures < 1_000, "{error}");
                    assert_eq!((error.kind(), error.retry()), (ErrorKind::Io, Retry::Backoff), "{error}");
                    assert_eq!(error.settled().delivered + error.undelivered().len(), given);
                    left = error.undelivered().clone();
                    assert!(
                        matches!(exporter.check().await, Health::Degraded(said) if said.contains("the last write failed"))
                    );
                    exporter.rotate().unwrap();
                }
            }
        }
    }
    assert!(failures > 1, "the limit was never reached");
    exporter.shutdown().await.unwrap();
    (0..60).flat_map(|round| (0..40).map(move |at| format!("{round}-{at}-{}", at * 7_919 % 1_009))).collect()
}

fn in_order(mut said: Vec<String>) -> Vec<String> {
    said.sort();
    said
}

#[tokio::test]
async fn the_child_of_another_test() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    for (name, compression) in
        [("plain", Compression::None), ("gzip", Compression::Gzip), ("zstd", Compression::Zstd)]
    {
        let place = Path::new(&folder).join(name);
        let sent = fill(FileConfig::new(&place).with_compression(compression)).await;
        assert_eq!(in_order(all_said(&place)), in_order(sent), "{name}");
    }
    let place = Path::new(&folder).join("csv");
    let sent = fill(FileConfig::new(&place).with_file_format(FileFormat::Csv)).await;
    let mut said = Vec::new();
    for name in names(&place) {
        let mut reader = ::csv::Reader::from_path(place.join(name)).unwrap();
        let message = reader.headers().unwrap().iter().position(|name| name == "message").unwrap();
        said.extend(reader.records().map(|row| row.unwrap()[message].to_owned()));
    }
    assert_eq!(in_order(said), in_order(sent), "csv");
}

#[test]
fn law_1_accounting_a_full_disk_leaves_undelivered_exactly_what_was_not_written_whole() {
    let folder = tempfile::tempdir().unwrap();
    // 16 blocks of 512 or 1024 bytes, as the shell counts; the signal beside the error is not wanted.
    let script =
        "trap '' XFSZ; ulimit -f 16; exec \"$0\" --exact full_disk::the_child_of_another_test --nocapture";
    let child = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{}\n{said}", String::from_utf8_lossy(&child.stdout));
    assert_eq!(names(folder.path()), ["csv", "gzip", "plain", "zstd"]);
}

/// What is settled and what is left are the batch, also where some have no form.
#[tokio::test]
async fn a_record_without_a_form_is_rejected_and_the_others_are_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let serializer = obs_file::Serializer::new(|record| match record {
        obs_file::RecordRef::Log(log) if log.message.as_str() == "bad" => Err("it is bad"),
        obs_file::RecordRef::Log(log) => Ok(serde_json::json!([log.message.as_str()])),
        _ => Err("no log"),
    });
    let exporter = exporter(
        FileConfig::new(folder.path()).with_serializer(serializer).with_filename_template("a.jsonl"),
    );
    let batch: Batch = logs(["one", "bad", "two", "bad"]);
    let receipt = exporter.export(&batch).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (2, 2));
    assert_eq!(receipt.rejected[1].records, Some(batch.select(&[3])));
    assert_eq!(&*receipt.rejected[0].reason, "the serializer has no line for it: it is bad");
    exporter.shutdown().await.unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("a.jsonl")).unwrap(), "[\"one\"]\n[\"two\"]\n");
}
