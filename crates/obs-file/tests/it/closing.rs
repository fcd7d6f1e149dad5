//! When files are closed, what they are called, and what that does to what is in them.

use std::time::Duration;

use obs_core::{ErrorKind, Exporter, Health, Signal, Timestamp};
use obs_file::{Compression, FileConfig, FileExporter, FileFormat, RotationPolicy, read};
use obs_testkit::fixtures;

use crate::support::{Hands, NOON, all_said, config, exporter, logs, names, said};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_file_is_open_until_it_is_closed_and_begun_only_by_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = exporter(config(folder.path()));
    assert_eq!(names(folder.path()), [""; 0]);
    assert_eq!(exporter.export(&logs(["one", "two"])).await.unwrap().delivered, 2);
    assert_eq!(names(folder.path()), ["app-20261121T130500Z.jsonl.open"]);
    assert_eq!(all_said(folder.path()), ["one", "two"], "what is open can be read");
    let closed = exporter.rotate().unwrap();
    assert_eq!(closed, [folder.path().join("app-20261121T130500Z.jsonl")]);
    assert_eq!(names(folder.path()), ["app-20261121T130500Z.jsonl"]);
    assert_eq!(exporter.rotate().unwrap(), [""; 0].map(std::path::PathBuf::from));
    exporter.export(&logs(["three"])).await.unwrap();
    exporter.shutdown().await.unwrap();
    assert_eq!(names(folder.path()), ["app-20261121T130500Z-2.jsonl", "app-20261121T130500Z.jsonl"]);
    assert_eq!(all_said(folder.path()), ["one", "two", "three"]);
    assert_eq!(exporter.export(&logs(["four"])).await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn time_closes_a_file_at_the_full_interval() {
    let folder = tempfile::tempdir().unwrap();
    let hands = Hands::at(NOON);
    let config = config(folder.path()).with_rotation_interval(15 * MINUTE);
    let exporter = FileExporter::with_clock(config, hands.clone()).unwrap();
    for minutes in [0, 9, 1, 14, 1] {
        hands.pass(minutes * MINUTE);
        exporter.export(&logs([minutes])).await.unwrap();
    }
    exporter.shutdown().await.unwrap();
    let said = |name: &str| said(read(folder.path().join(name)).unwrap()).0;
    assert_eq!(said("app-20261121T130500Z.jsonl"), ["0", "9"]);
    assert_eq!(said("app-20261121T131500Z.jsonl"), ["1", "14"]);
    assert_eq!(said("app-20261121T133000Z.jsonl"), ["1"]);
    assert_eq!(names(folder.path()).len(), 3);
}

#[tokio::test]
async fn a_flush_and_the_clock_close_a_file_that_nobody_writes_to() {
    let folder = tempfile::tempdir().unwrap();
    let hands = Hands::at(NOON);
    let exporter = FileExporter::with_clock(config(folder.path()), hands.clone()).unwrap();
    exporter.export(&logs(["one"])).await.unwrap();
    exporter.flush().await.unwrap();
    assert_eq!(names(folder.path()), ["app-20261121T130500Z.jsonl.open"]);
    hands.set(Timestamp::from_nanos(9));
    hands.pass(59 * MINUTE);
    exporter.flush().await.unwrap();
    assert_eq!(names(folder.path()), ["app-20261121T130500Z.jsonl.open"], "the clock was set back");
    hands.pass(MINUTE);
    exporter.flush().await.unwrap();
    assert_eq!(names(folder.path()), ["app-20261121T130500Z.jsonl"]);
}

#[tokio::test]
async fn size_closes_a_file_before_it_outgrows_it_and_one_batch_may_be_larger() {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let folder = tempfile::tempdir().unwrap();
        let end = match compression {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
        };
        let config = FileConfig::new(folder.path())
            .with_compression(compression)
            .with_filename_template(format!("a-{{sequence}}.jsonl{end}"))
            .with_max_file_size(2_000);
        let exporter = exporter(config);
        // Letters that no compressor makes much smaller.
        let hash = |at: u64| format!("{:x}", (at + 7).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let text = |at: u64| (0..40).map(|i| hash(at * 40 + i)).collect::<Vec<_>>().concat();
        for at in 0..12 {
            exporter.export(&logs([text(at)])).await.unwrap();
        }
        exporter.export(&logs((12..40).map(text))).await.unwrap();
        exporter.shutdown().await.unwrap();
        let sizes: Vec<u64> = names(folder.path())
            .iter()
            .map(|name| folder.path().join(name).metadata().unwrap().len())
            .collect();
        assert!(sizes.len() > 3, "{compression}: {sizes:?}");
        assert_eq!(sizes.iter().filter(|size| **size > 2_000).count(), 1, "{compression}: {sizes:?}");
        let mut back = all_said(folder.path());
        back.sort();
        let mut wanted: Vec<String> = (0..40).map(text).collect();
        wanted.sort();
        assert_eq!(back, wanted, "{compression}");
    }
}

#[tokio::test]
async fn each_format_rotates_by_size() {
    for format in [FileFormat::Csv, FileFormat::Parquet] {
        let folder = tempfile::tempdir().unwrap();
        let config = FileConfig::new(folder.path())
            .with_file_format(format)
            .with_rotation_policy(RotationPolicy::Size)
            .with_max_file_size(4_000);
        let exporter = exporter(config);
        for _ in 0..20 {
            exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap();
        }
        exporter.shutdown().await.unwrap();
        assert!(names(folder.path()).len() > 1, "{format}: {:?}", names(folder.path()));
        assert!(names(folder.path()).iter().all(|name| name.ends_with(format.as_str())));
    }
}

#[tokio::test]
async fn dropping_closes_what_is_open() {
    for format in [FileFormat::Jsonl, FileFormat::Csv, FileFormat::Parquet] {
        let folder = tempfile::tempdir().unwrap();
        let exporter = exporter(FileConfig::new(folder.path()).with_file_format(format));
        exporter.export(&fixtures::batch(Signal::Scores)).await.unwrap();
        drop(exporter);
        let names = names(folder.path());
        assert!(names.len() == 1 && names[0].ends_with(format.as_str()), "{names:?}");
    }
}

#[tokio::test]
async fn a_file_that_somebody_took_away_is_told_and_the_next_record_begins_another() {
    let folder = tempfile::tempdir().unwrap();
    let hands = Hands::at(NOON);
    let exporter = FileExporter::with_clock(config(folder.path()), hands.clone()).unwrap();
    exporter.export(&logs(["one"])).await.unwrap();
    assert_eq!(exporter.check().await, Health::Healthy);
    std::fs::remove_file(folder.path().join("app-20261121T130500Z.jsonl.open")).unwrap();
    let Health::Degraded(said) = exporter.check().await else { panic!("it was removed") };
    assert!(said.contains("app-20261121T130500Z.jsonl.open: somebody moved or removed it"), "{said}");
    hands.pass(60 * MINUTE);
    exporter.export(&logs(["two"])).await.unwrap();
    let Health::Degraded(said) = exporter.check().await else { panic!("a record was lost") };
    assert!(said.contains("with the records in it"), "{said}");
    assert_eq!(exporter.check().await, Health::Healthy, "it is said once");
    assert_eq!(all_said(folder.path()), ["two"]);
}

#[tokio::test]
async fn a_folder_that_was_removed_is_told_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("telemetry");
    let exporter = exporter(config(&place));
    std::fs::remove_dir(&place).unwrap();
    exporter.export(&logs(["one"])).await.unwrap();
    assert_eq!(exporter.check().await, Health::Healthy);
    assert_eq!(all_said(&place), ["one"]);
}

#[test]
fn a_place_that_is_no_folder_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("taken"), "").unwrap();
    let error = FileExporter::new(FileConfig::new(folder.path().join("taken"))).unwrap_err();
    assert!(error.message().starts_with("output_directory: "), "{error}");
    assert!(error.message().ends_with("/taken: it is a file; name a folder"), "{error}");
}

#[tokio::test]
async fn a_removed_file_costs_what_was_in_it_and_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = exporter(config(folder.path()));
    exporter.export(&logs(["one"])).await.unwrap();
    std::fs::remove_file(folder.path().join("app-20261121T130500Z.jsonl.open")).unwrap();
    exporter.export(&logs(["two"])).await.unwrap();
    assert_eq!(all_said(folder.path()), ["two"]);
    let Health::Degraded(said) = exporter.check().await else { panic!("a record was lost") };
    assert!(said.contains("with the records in it"), "{said}");
    std::fs::remove_file(folder.path().join(&names(folder.path())[0])).unwrap();
    exporter.flush().await.unwrap();
    let Health::Degraded(said) = exporter.check().await else { panic!("a record was lost") };
    assert!(said.contains("with the records in it"), "{said}");
}

#[tokio::test]
async fn rows_of_an_open_table_that_are_in_memory_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = exporter(FileConfig::new(folder.path()).with_file_format(FileFormat::Parquet));
    exporter.export(&logs(["one", "two"])).await.unwrap();
    assert_eq!((exporter.rows_in_memory(), exporter.check().await), (2, Health::Healthy));
    exporter.rotate().unwrap();
    assert_eq!(exporter.rows_in_memory(), 0);
}
