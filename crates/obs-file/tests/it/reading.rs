//! What was written is read back.

use std::io::{Read as _, Write};

use obs_core::{Batch, Exporter, Record, Signal};
use obs_file::{Compression, FileConfig, read, read_directory};
use obs_testkit::fixtures;

use crate::support::{exporter, log, logs, names, said};

fn lines(records: impl IntoIterator<Item = Record>) -> Vec<String> {
    let line = |record: Record| {
        let mut line = Vec::new();
        record.write_line(&mut line).unwrap();
        String::from_utf8(line).unwrap()
    };
    let mut lines: Vec<String> = records.into_iter().map(line).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn every_record_comes_back_from_every_kind_of_file_open_or_closed() {
    let batches: Vec<Batch> = Signal::ALL
        .map(fixtures::batch)
        .into_iter()
        .chain(Signal::ALL.map(|signal| fixtures::nasty(signal).slice(0..12)))
        .collect();
    for (compression, end) in
        [(Compression::None, ""), (Compression::Gzip, ".gz"), (Compression::Zstd, ".zst")]
    {
        for template in ["all{sequence}.jsonl", "{signal}.jsonl"] {
            let folder = tempfile::tempdir().unwrap();
            let config = FileConfig::new(folder.path())
                .with_compression(compression)
                .with_filename_template(format!("{template}{end}"));
            let exporter = exporter(config);
            let (mut delivered, mut rejected) = (0, Vec::new());
            for batch in &batches {
                let receipt = exporter.export(batch).await.unwrap();
                delivered += receipt.delivered;
                rejected.extend(
                    receipt
                        .rejected
                        .into_iter()
                        .flat_map(|rejection| rejection.records.unwrap().to_records()),
                );
            }
            assert!(rejected.is_empty(), "every record has a line: {rejected:?}");
            let wanted = lines(batches.iter().flat_map(Batch::to_records));
            for _ in ["open", "closed"] {
                let back: Vec<Record> = read_directory(folder.path()).unwrap().map(Result::unwrap).collect();
                assert_eq!(back.len(), delivered);
                assert_eq!(lines(back), wanted, "{template}{end}");
                exporter.rotate().unwrap();
            }
        }
    }
}

#[tokio::test]
async fn what_breaks_off_is_reported_and_reading_goes_on_with_the_next_file() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = exporter(
        FileConfig::new(folder.path())
            .with_compression(Compression::Gzip)
            .with_filename_template("a{sequence}.jsonl.gz"),
    );
    for message in ["one", "two"] {
        exporter.export(&logs([message])).await.unwrap();
        exporter.rotate().unwrap();
    }
    let first = folder.path().join("a1.jsonl.gz");
    let mut piece = Vec::new();
    Record::Log(log("x".repeat(50_000))).write_line(&mut piece).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(&piece).unwrap();
    let torn = encoder.finish().unwrap();
    let whole = std::fs::read(&first).unwrap();
    std::fs::write(&first, [&whole[..], &torn[..30_000]].concat()).unwrap();
    let (found, bad) = said(read_directory(folder.path()).unwrap());
    assert!(found.contains(&"one".into()) && found.contains(&"two".into()), "{found:?}");
    assert_eq!(bad, ["the last line breaks off; what wrote it was stopped in the middle"]);

    // A stream that is damaged, not torn.
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x55;
    std::fs::write(&first, damaged).unwrap();
    let (found, bad) = said(read_directory(folder.path()).unwrap());
    assert!(found.contains(&"two".into()) && !bad.is_empty(), "{found:?} {bad:?}");
}

#[test]
fn lines_of_others_are_bad_lines_and_other_files_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = Vec::new();
    Record::Log(log("one")).write_line(&mut text).unwrap();
    text.extend_from_slice(b"nonsense\n\n");
    Record::Log(log("two")).write_line(&mut text).unwrap();
    std::fs::write(folder.path().join("a.jsonl"), &text).unwrap();
    std::fs::write(folder.path().join("a.txt"), "nonsense").unwrap();
    std::fs::create_dir(folder.path().join("b.jsonl")).unwrap();
    let (found, bad) = said(read_directory(folder.path()).unwrap());
    assert_eq!((found, bad.len()), (vec!["one".into(), "two".into()], 1));
    let line = read(folder.path().join("a.jsonl")).unwrap().find_map(Result::err).unwrap();
    assert_eq!(line.line, 2);
    let short = read(folder.path().join("a.jsonl")).unwrap().with_max_line_bytes(10);
    assert_eq!(said(short).0, [""; 0], "each line is longer");
}

#[test]
fn what_cannot_be_read_at_all_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    assert!(read(place.join("none.jsonl")).unwrap_err().message().contains("/none.jsonl: "));
    assert!(read(place).unwrap_err().message().ends_with("it is a folder; use `read_directory`"));
    assert!(
        read(place.join("a.csv.gz"))
            .unwrap_err()
            .message()
            .ends_with("only JSON Lines can be read back as records")
    );
    assert!(read_directory(place.join("none")).unwrap_err().message().contains("/none: "));
    assert_eq!(said(read_directory(place).unwrap()), (vec![], vec![]));
    assert_eq!(names(place), [""; 0]);
}

/// `NAME` and `NAME.open` are two files when they are two files, whichever the folder lists first.
#[test]
fn an_open_file_hides_no_closed_one_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let line = |message: &str| {
        let mut line = Vec::new();
        Record::Log(log(message)).write_line(&mut line).unwrap();
        line
    };
    for nth in 0..8 {
        let closed = folder.path().join(format!("a{nth}.jsonl"));
        let open = folder.path().join(format!("a{nth}.jsonl.open"));
        let (first, second) = if nth % 2 == 0 { (&closed, &open) } else { (&open, &closed) };
        std::fs::write(first, line(&format!("{nth} first"))).unwrap();
        std::fs::write(second, line(&format!("{nth} second"))).unwrap();
    }
    std::fs::write(folder.path().join("b.jsonl"), line("b")).unwrap();
    std::fs::write(folder.path().join("b.jsonl.open"), "").unwrap();
    let (mut found, bad) = said(read_directory(folder.path()).unwrap());
    found.sort();
    let mut wanted: Vec<String> =
        (0..8).flat_map(|nth| [format!("{nth} first"), format!("{nth} second")]).collect();
    wanted.push("b".into());
    assert_eq!((found, bad), (wanted, vec![]));
}

#[test]
fn a_file_that_inflates_beyond_all_measure_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut bomb = Vec::new();
    Record::Log(log("first")).write_line(&mut bomb).unwrap();
    let mut all = zstd::encode_all(&bomb[..], 1).unwrap();
    all.extend(zstd::encode_all(std::io::repeat(0).take(100 << 20), 1).unwrap());
    std::fs::write(folder.path().join("a.jsonl.zst"), &all).unwrap();
    let (found, bad) = said(read_directory(folder.path()).unwrap());
    assert_eq!((found, bad.len()), (vec!["first".to_owned()], 1), "{bad:?}");
    assert!(bad[0].contains("with_max_inflated"), "{bad:?}");

    let long = Record::Log(log("x".repeat(10_000)));
    let mut line = Vec::new();
    long.write_line(&mut line).unwrap();
    std::fs::write(folder.path().join("a.jsonl.zst"), zstd::encode_all(&line[..], 1).unwrap()).unwrap();
    assert_eq!(said(read_directory(folder.path()).unwrap()).0.len(), 1);
    let (found, bad) = said(read_directory(folder.path()).unwrap().with_max_line_bytes(5_000));
    assert_eq!((found.len(), bad.len()), (0, 1), "{bad:?}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("a.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let error = read(&pipe).unwrap_err();
    assert!(error.message().ends_with("it is no plain file"), "{error}");
}
