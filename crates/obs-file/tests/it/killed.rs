//! A process that is killed at any moment.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use obs_core::Exporter;
use obs_file::{Compression, FileConfig, FileFormat, Fsync, read};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

use crate::support::{all_said, exporter, logs, names, said};

/// The variables that make this program the child: where the files are, what they are, and the first number.
const FOLDER: &str = "OBS_TEST_KILLED_FOLDER";
const KIND: &str = "OBS_TEST_KILLED_KIND";
const FIRST: &str = "OBS_TEST_KILLED_FIRST";

const PER_BATCH: u32 = 30;

fn config(folder: &Path, kind: &str) -> FileConfig {
    let config = FileConfig::new(folder).with_max_file_size(400_000).with_fsync(Fsync::Never);
    match kind {
        "jsonl" => config,
        "gzip" => config.with_compression(Compression::Gzip).with_max_file_size(20_000),
        "zstd" => config.with_compression(Compression::Zstd).with_max_file_size(20_000),
        "csv" => config.with_file_format(FileFormat::Csv),
        "parquet" => config.with_file_format(FileFormat::Parquet).with_max_file_size(40_000),
        other => panic!("{other}"),
    }
}

/// A number, and so much behind it that a write takes a while.
fn text(number: u32) -> String {
    format!("{number} {}", format!("{:x}", u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)).repeat(120))
}

fn number(text: &str) -> u32 {
    let (first, _) = text.split_once(' ').unwrap();
    let number = first.parse().unwrap();
    assert_eq!(text, self::text(number), "a record is whole");
    number
}

/// Exports numbers, and says which were delivered, until it is killed.
#[tokio::test]
async fn the_child_of_another_test() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut next: u32 = std::env::var(FIRST).unwrap().parse().unwrap();
    let exporter = exporter(config(Path::new(&folder), &std::env::var(KIND).unwrap()));
    let mut out = std::io::stdout();
    loop {
        let receipt = exporter.export(&logs((next..next + PER_BATCH).map(text))).await.unwrap();
        assert_eq!(receipt.delivered, PER_BATCH as usize);
        next += PER_BATCH;
        writeln!(out, "delivered {next}").unwrap();
    }
}

/// Lets a child run until it was seen to deliver so often, kills it, and returns up to where it delivered.
fn run_and_kill(folder: &Path, kind: &str, first: u32, wanted: u64) -> u32 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::the_child_of_another_test", "--nocapture"])
        .envs([(FOLDER, folder.as_os_str()), (KIND, kind.as_ref()), (FIRST, first.to_string().as_ref())])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut end, mut seen) = (first, 0);
    for line in lines {
        if let Some((_, number)) = line.unwrap().split_once("delivered ") {
            end = number.parse().unwrap();
            seen += 1;
            if seen == wanted {
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    assert!(seen >= wanted, "the child ended by itself");
    end
}

/// Kills children, looks at what each leaves, and returns the numbers that were delivered.
fn rounds(folder: &Path, kind: &str, rounds: u64, mut look: impl FnMut(&Path)) -> BTreeSet<u32> {
    let (mut first, mut delivered) = (0, BTreeSet::new());
    for round in 0..rounds {
        let end = run_and_kill(folder, kind, first, 1 + round * 7 % 23);
        delivered.extend(first..end);
        // Numbers that were written and not delivered may be there or not.
        first = end + 1_000;
        look(folder);
    }
    delivered
}

fn ends(name: &str, end: &str) -> bool {
    name.ends_with(end)
}

/// Holds closed files of lines to be whole, and open ones to be torn at the very end at most.
fn only_the_open_are_torn(folder: &Path) {
    for name in names(folder) {
        let (found, bad) = said(read(folder.join(&name)).unwrap());
        assert!(found.iter().all(|text| number(text) < u32::MAX));
        let most = usize::from(ends(&name, ".open"));
        assert!(bad.len() <= most && bad.iter().all(|bad| bad.contains("breaks off")), "{name}: {bad:?}");
    }
}

fn assert_none_lost(delivered: &BTreeSet<u32>, found: &BTreeSet<u32>) {
    let lost: Vec<_> = delivered.difference(found).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), delivered.len());
}

#[test]
fn law_1_accounting_kill_9_loses_no_delivered_line_and_tears_at_most_the_last_of_an_open_file() {
    for (kind, kills) in [("jsonl", 25), ("gzip", 5), ("zstd", 5)] {
        let folder = tempfile::tempdir().unwrap();
        let delivered = rounds(folder.path(), kind, kills, only_the_open_are_torn);
        let rest = exporter(config(folder.path(), kind));
        assert!(names(folder.path()).iter().all(|name| !ends(name, ".open")), "all are closed now");
        let found: Vec<u32> = all_said(folder.path()).iter().map(|text| number(text)).collect();
        let set: BTreeSet<u32> = found.iter().copied().collect();
        assert_eq!(set.len(), found.len(), "{kind}: none is there twice");
        assert_none_lost(&delivered, &set);
        drop(rest);
    }
}

#[test]
fn law_1_accounting_kill_9_loses_no_delivered_row_of_csv() {
    let folder = tempfile::tempdir().unwrap();
    let delivered = rounds(folder.path(), "csv", 8, |folder| {
        for name in names(folder).iter().filter(|name| ends(name, ".csv")) {
            assert!(!rows_of_csv(&folder.join(name)).is_empty(), "{name}");
        }
    });
    drop(exporter(config(folder.path(), "csv")));
    let found = names(folder.path()).iter().flat_map(|name| rows_of_csv(&folder.path().join(name))).collect();
    assert_none_lost(&delivered, &found);
}

fn rows_of_csv(path: &Path) -> Vec<u32> {
    let mut reader = ::csv::Reader::from_path(path).unwrap();
    let message = reader.headers().unwrap().iter().position(|name| name == "message").unwrap();
    reader.records().map(|row| number(&row.unwrap()[message])).collect()
}

/// A table is readable up to the last file that was closed, and what is behind that is told.
#[test]
fn kill_9_leaves_every_closed_table_readable() {
    let folder = tempfile::tempdir().unwrap();
    let mut closed = BTreeSet::new();
    rounds(folder.path(), "parquet", 8, |folder| {
        for name in names(folder).iter().filter(|name| ends(name, ".parquet")) {
            closed.extend(rows_of_parquet(&folder.join(name)));
        }
    });
    assert!(closed.len() > 100, "{} rows in closed files", closed.len());
    // Within a run, no file that was closed lacks a record.
    let gaps = closed.iter().zip(closed.iter().skip(1)).filter(|(a, b)| **b > **a + 1 && **b < **a + 1_000);
    assert_eq!(gaps.count(), 0);
    drop(exporter(config(folder.path(), "parquet")));
    assert!(names(folder.path()).iter().all(|name| ends(name, ".parquet") || ends(name, ".torn")));
}

fn rows_of_parquet(path: &Path) -> Vec<u32> {
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let fields = reader.metadata().file_metadata().schema().get_fields().to_vec();
    let message = fields.iter().position(|field| field.name() == "message").unwrap();
    reader.get_row_iter(None).unwrap().map(|row| number(row.unwrap().get_string(message).unwrap())).collect()
}
