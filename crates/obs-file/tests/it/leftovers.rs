//! Files that a process left open when it died.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use obs_core::{Exporter, Health, Signal};
use obs_file::{Compression, FileConfig, FileFormat, read};
use obs_testkit::fixtures;

use crate::support::{all_said, config, exporter, logs, names, said};

/// Leaves a file as a process that was killed does: with these bytes, open, and nobody holding it.
async fn left(folder: &Path, config: &FileConfig, batches: &[obs_core::Batch]) -> std::path::PathBuf {
    let scratch = tempfile::tempdir().unwrap();
    let mut elsewhere = config.clone();
    elsewhere.output_directory = scratch.path().to_owned();
    let exporter = exporter(elsewhere);
    for batch in batches {
        exporter.export(batch).await.unwrap();
    }
    let name = names(scratch.path()).remove(0);
    std::fs::create_dir_all(folder).unwrap();
    std::fs::copy(scratch.path().join(&name), folder.join(&name)).unwrap();
    folder.join(name)
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

async fn told(exporter: &obs_file::FileExporter) -> String {
    match exporter.check().await {
        Health::Degraded(said) => said.into(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_torn_line_is_cut_off_and_the_file_gets_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let open = left(folder.path(), &config(folder.path()), &[logs(["one", "two"])]).await;
    append(&open, b"{\"v\":1,\"signal\":\"lo");
    let (found, bad) = said(read(&open).unwrap());
    assert_eq!((found.len(), bad.len()), (2, 1), "{bad:?}");
    assert!(bad[0].contains("breaks off"), "{bad:?}");

    let exporter = exporter(config(folder.path()));
    assert_eq!(names(folder.path()), ["app-20261121T130500Z.jsonl"]);
    assert_eq!(all_said(folder.path()), ["one", "two"]);
    let said = told(&exporter).await;
    assert!(said.contains("app-20261121T130500Z.jsonl: it was left open by a process that died"), "{said}");
    assert!(said.contains("19 bytes of what was being written were cut off"), "{said}");
    assert_eq!(exporter.check().await, Health::Healthy, "it is said once");
    exporter.export(&logs(["three"])).await.unwrap();
    assert_eq!(names(folder.path()).len(), 2, "a new process begins a new file");
}

#[tokio::test]
async fn a_torn_piece_is_cut_off() {
    for (compression, end) in [(Compression::Gzip, "gz"), (Compression::Zstd, "zst")] {
        let folder = tempfile::tempdir().unwrap();
        let config = FileConfig::new(folder.path())
            .with_compression(compression)
            .with_filename_template(format!("a.jsonl.{end}"));
        let open = left(folder.path(), &config, &[logs(["one"]), logs(["two"]), logs(["three"])]).await;
        let len = open.metadata().unwrap().len();
        OpenOptions::new().write(true).open(&open).unwrap().set_len(len - 5).unwrap();
        let (found, bad) = said(read(&open).unwrap());
        assert!(found.starts_with(&["one".into(), "two".into()]), "{found:?}");
        assert_eq!(bad, ["the last line breaks off; what wrote it was stopped in the middle"], "{end}");
        // So far that only a part of the front of the piece is there.
        let front = whole_len(compression, &["one", "two"]).await + 3;
        let torn = folder.path().join(format!("torn.jsonl.{end}"));
        std::fs::write(&torn, &std::fs::read(&open).unwrap()[..front]).unwrap();
        let (found, bad) = said(read(&torn).unwrap());
        assert_eq!((found.len(), bad.len()), (2, 1), "{end} {bad:?}");
        std::fs::remove_file(torn).unwrap();
        let _exporter = exporter(config);
        assert_eq!(names(folder.path()), [format!("a.jsonl.{end}")]);
        assert_eq!(all_said(folder.path()), ["one", "two"]);
    }
}

#[tokio::test]
async fn a_torn_row_of_csv_is_cut_off_and_a_header_alone_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let config = FileConfig::new(folder.path())
        .with_file_format(FileFormat::Csv)
        .with_filename_template("a-{signal}.csv");
    let open = left(folder.path(), &config, &[logs(["one", "two\nlines"])]).await;
    let whole = std::fs::read(&open).unwrap();
    append(&open, b"2026-11-21T13:05:00Z,\"torn\nin a cell");
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap();
    std::fs::write(folder.path().join("a-scores.csv.open"), &whole[..header / 2]).unwrap();
    let _exporter = exporter(config);
    assert_eq!(names(folder.path()), ["a-logs.csv"]);
    assert_eq!(std::fs::read(folder.path().join("a-logs.csv")).unwrap(), whole);
}

#[tokio::test]
async fn a_table_without_its_end_is_set_aside_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let config = FileConfig::new(folder.path())
        .with_file_format(FileFormat::Parquet)
        .with_filename_template("a-{signal}.parquet");
    {
        let exporter = exporter(config.clone());
        exporter.export(&fixtures::batch(Signal::Scores)).await.unwrap();
    }
    let whole = std::fs::read(folder.path().join("a-scores.parquet")).unwrap();
    std::fs::rename(folder.path().join("a-scores.parquet"), folder.path().join("a-scores.parquet.open"))
        .unwrap();
    std::fs::write(folder.path().join("a-logs.parquet.open"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(folder.path().join("a-traces.parquet.open"), b"PAR1").unwrap();
    let exporter = exporter(config);
    assert_eq!(names(folder.path()), ["a-logs.parquet.torn", "a-scores.parquet"]);
    assert_eq!(std::fs::read(folder.path().join("a-scores.parquet")).unwrap(), whole);
    let said = told(&exporter).await;
    assert!(said.contains("a-logs.parquet.torn: a process died before it could end this file"), "{said}");
}

#[tokio::test]
async fn a_name_that_is_taken_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let config = FileConfig::new(folder.path()).with_filename_template("a.jsonl");
    left(folder.path(), &config, &[logs(["mine"])]).await;
    std::fs::write(folder.path().join("a.jsonl"), "theirs").unwrap();
    let exporter = exporter(config);
    assert_eq!(names(folder.path()), ["a-2.jsonl", "a.jsonl"]);
    exporter.export(&logs(["more"])).await.unwrap();
    exporter.rotate().unwrap();
    assert_eq!(names(folder.path()), ["a-2.jsonl", "a-3.jsonl", "a.jsonl"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("a.jsonl")).unwrap(), "theirs");
}

#[tokio::test]
async fn files_of_the_living_and_of_strangers_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let living = exporter(config(folder.path()));
    living.export(&logs(["one"])).await.unwrap();
    for stranger in ["app-20261121.jsonl.open", "other.jsonl.open", "app-20261121T130500Z.csv.open"] {
        std::fs::write(folder.path().join(stranger), "torn").unwrap();
    }
    let before = names(folder.path());
    let next = exporter(config(folder.path()));
    assert_eq!(names(folder.path()), before);
    assert_eq!(next.check().await, Health::Healthy);
    living.export(&logs(["two"])).await.unwrap();
    living.shutdown().await.unwrap();
    let (found, _) = said(read(folder.path().join("app-20261121T130500Z.jsonl")).unwrap());
    assert_eq!(found, ["one", "two"]);
}

/// How long a file of these batches is.
async fn whole_len(compression: Compression, messages: &[&str]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let exporter = exporter(FileConfig::new(folder.path()).with_compression(compression));
    for message in messages {
        exporter.export(&logs([message])).await.unwrap();
    }
    folder.path().join(&names(folder.path())[0]).metadata().unwrap().len() as usize
}

#[tokio::test]
async fn damage_in_the_middle_costs_nothing_behind_it() {
    for (compression, end) in [(Compression::Gzip, "gz"), (Compression::Zstd, "zst")] {
        let folder = tempfile::tempdir().unwrap();
        let config = FileConfig::new(folder.path())
            .with_compression(compression)
            .with_filename_template(format!("a.jsonl.{end}"));
        for flipped in [2, 12, 30] {
            let open = left(folder.path(), &config, &[logs(["one"]), logs(["two"]), logs(["three"])]).await;
            let mut bytes = std::fs::read(&open).unwrap();
            bytes[flipped] ^= 0x41;
            std::fs::write(&open, &bytes).unwrap();
            let exporter = exporter(config.clone());
            let torn = folder.path().join(format!("a.jsonl.{end}.torn"));
            assert_eq!(std::fs::read(&torn).unwrap(), bytes, "{end} {flipped}: all of it is there");
            let said = told(&exporter).await;
            assert!(said.contains("damaged") && said.contains(".torn"), "{said}");
            std::fs::remove_file(torn).unwrap();
        }
    }
}

#[tokio::test]
async fn a_flipped_quote_costs_no_row_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = FileConfig::new(folder.path())
        .with_file_format(FileFormat::Csv)
        .with_filename_template("a-{signal}.csv");
    let batches = [logs(["one", "two"]), logs(["three"])];
    let count = {
        let open = left(folder.path(), &config, &batches).await;
        let bytes = std::fs::read(&open).unwrap();
        std::fs::remove_file(open).unwrap();
        bytes.split(|byte| *byte == b'"').count() - 1
    };
    for nth in 0..count - 4 {
        let open = left(folder.path(), &config, &batches).await;
        let mut bytes = std::fs::read(&open).unwrap();
        let at = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'"').nth(nth).unwrap().0;
        bytes[at] = b'#';
        std::fs::write(&open, &bytes).unwrap();
        let _exporter = exporter(config.clone());
        let name = names(folder.path()).remove(0);
        assert_eq!(std::fs::read(folder.path().join(&name)).unwrap(), bytes, "{nth} {name}");
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
}

#[tokio::test]
async fn a_short_row_under_a_short_header_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = FileConfig::new(folder.path())
        .with_file_format(FileFormat::Csv)
        .with_filename_template("a-{signal}.csv");
    std::fs::write(folder.path().join("a-logs.csv.open"), "id,rest\r\n1,\r\n").unwrap();
    let _exporter = exporter(config);
    assert_eq!(names(folder.path()), ["a-logs.csv"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_of_another_user_is_not_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let open = left(folder.path(), &config(folder.path()), &[logs(["forged"])]).await;
    // Only root may give files away.
    if std::os::unix::fs::chown(&open, Some(12_345), None).is_err() {
        eprintln!("skipped: only root may give files to another user");
        return;
    }
    let exporter = exporter(config(folder.path()));
    assert_eq!(names(folder.path()), ["app-20261121T130500Z.jsonl.open"]);
    let said = told(&exporter).await;
    assert!(said.contains("app-20261121T130500Z.jsonl.open: another user owns it"), "{said}");
}
