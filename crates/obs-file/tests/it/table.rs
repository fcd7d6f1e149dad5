//! Every cell of every row against the canonical JSON of its record, in both formats, and that no field of a record is
//! without a place in its row.
//!
//! The oracle is data (`fields.rs`) and shares no code with the exporter: it reads canonical JSON, as another program would.

mod fields;

use std::collections::HashMap;
use std::path::PathBuf;

use obs_core::{Batch, Exporter, Signal};
use obs_file::{ColumnInfo, ColumnType, Compression, FileConfig, FileExporter, FileFormat, columns};
use obs_testkit::{arbitrary, fixtures};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use fields::{Field, From};

/// What a reader finds in a cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Empty,
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// Microseconds since 1970.
    Time(i64),
}

/// A row by the names of its columns.
pub(crate) type Row = HashMap<String, Cell>;

/// The files that a batch becomes in a folder.
pub(crate) struct Written {
    pub(crate) dir: TempDir,
    pub(crate) files: Vec<PathBuf>,
}

/// Writes a batch with these options, and closes the file.
pub(crate) async fn write_with(batch: &Batch, options: impl FnOnce(FileConfig) -> FileConfig) -> Written {
    let dir = tempfile::tempdir().unwrap();
    let exporter = FileExporter::new(options(FileConfig::new(dir.path()))).unwrap();
    let receipt = exporter.export(batch).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (batch.len(), 0));
    exporter.shutdown().await.unwrap();
    let files = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| !path.file_name().unwrap().as_encoded_bytes().starts_with(b".")).collect();
    files.sort();
    Written { dir, files }
}

async fn csv(batch: &Batch) -> Vec<Row> {
    let written = write_with(batch, |config| config.with_file_format(FileFormat::Csv)).await;
    written.files.iter().flat_map(|file| crate::csv::rows(file, batch.signal())).collect()
}

async fn parquet(batch: &Batch) -> Vec<Row> {
    let parquet =
        |config: FileConfig| config.with_file_format(FileFormat::Parquet).with_compression(Compression::Zstd);
    let written = write_with(batch, parquet).await;
    written.files.iter().flat_map(|file| crate::parquet::rows(file, batch.signal())).collect()
}

fn batches() -> Vec<Batch> {
    let mut batches = fixtures::all();
    batches.extend(fixtures::trace_batches());
    batches
}

#[tokio::test]
async fn csv_says_what_the_records_say() {
    for batch in batches() {
        check(&batch, &csv(&batch).await);
    }
}

#[tokio::test]
async fn parquet_says_what_the_records_say() {
    for batch in batches() {
        check(&batch, &parquet(&batch).await);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the records are, so far as another reader takes their JSON for the same.
    #[test]
    fn any_record_is_told_in_both_formats(batch in batch_of_any_signal()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (csv, parquet) = runtime.block_on(async { (csv(&batch).await, parquet(&batch).await) });
        check(&batch, &csv);
        check(&batch, &parquet);
    }
}

fn batch_of_any_signal() -> impl Strategy<Value = Batch> {
    proptest::sample::select(Signal::ALL.to_vec()).prop_flat_map(|signal| arbitrary::batch(signal, 6))
}

#[track_caller]
fn check(batch: &Batch, rows: &[Row]) {
    let documents = fields::documents(batch);
    assert_eq!(rows.len(), documents.len(), "{} rows", batch.signal());
    let map = fields::map(batch.signal());
    for (row, document) in rows.iter().zip(&documents) {
        for (column, field) in columns(batch.signal()).iter().zip(&map) {
            let (expected, cell) = (field.value(document), &row[column.name]);
            assert!(
                matches!(field.from, From::Rest) || agrees(column.column_type, &expected, cell),
                "{} {}: {expected} is {cell:?} in the row of {document}",
                batch.signal(),
                column.name,
            );
        }
        let rest = match &row["rest"] {
            Cell::Text(json) => serde_json::from_str(json).unwrap(),
            _ => json!({}),
        };
        each_leaf(&mut String::new(), document, &mut |at, value| {
            let told = map.iter().any(|field| field.tells(document, at, value));
            assert!(told || rest.pointer(at) == Some(value), "{at}: {value} is nowhere in {row:?}");
        });
    }
}

/// Whether a cell holds a value of canonical JSON; a missing value is `null`.
fn agrees(column_type: ColumnType, expected: &Value, cell: &Cell) -> bool {
    match (column_type, cell) {
        (ColumnType::Text, Cell::Text(text)) => expected.as_str() == Some(text),
        (ColumnType::Json, Cell::Text(text)) => serde_json::from_str::<Value>(text).unwrap() == *expected,
        (ColumnType::Integer, Cell::Integer(value)) => {
            expected.as_u64().map(|value| i64::try_from(value).unwrap_or(i64::MAX)) == Some(*value)
        }
        (ColumnType::Float, Cell::Float(value)) => match expected {
            Value::String(name) => match name.as_str() {
                "NaN" => value.is_nan(),
                "Infinity" => *value == f64::INFINITY,
                _ => *value == f64::NEG_INFINITY,
            },
            number => number.as_f64().map(f64::to_bits) == Some(value.to_bits()),
        },
        (ColumnType::Boolean, Cell::Boolean(value)) => expected.as_bool() == Some(*value),
        (ColumnType::Time, Cell::Time(micros)) => {
            expected.as_u64().map(|nanos| (nanos / 1_000) as i64) == Some(*micros)
        }
        (_, Cell::Empty) => expected.is_null(),
        _ => false,
    }
}

/// Calls `each` with the pointer and the value of everything that has nothing in it.
fn each_leaf(at: &mut String, value: &Value, each: &mut impl FnMut(&str, &Value)) {
    let len = at.len();
    let mut inner = |key: &str, value: &Value| {
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        each_leaf(at, value, each);
        at.truncate(len);
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(key, value)| inner(key, value));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(nth, value)| inner(&nth.to_string(), value));
        }
        leaf => each(at, leaf),
    }
}

impl Field {
    fn value(&self, document: &Value) -> Value {
        match self.from {
            From::At(places) => {
                places.iter().find_map(|at| document.pointer(at)).cloned().unwrap_or_default()
            }
            From::By(read) => read(document),
            From::Rest => Value::Null,
        }
    }

    /// Whether the column has what stands here, in full.
    fn tells(&self, document: &Value, at: &str, value: &Value) -> bool {
        let From::At(places) = self.from else { return false };
        let Some(place) = places.iter().find(|place| document.pointer(place).is_some()) else { return false };
        let whole = self.is_json || value.as_u64().is_none_or(|value| i64::try_from(value).is_ok());
        let same = self.also.contains(&at) && document.pointer(place) == Some(value);
        whole && (at == *place || same) || self.is_json && at.starts_with(&format!("{place}/"))
    }
}

#[test]
fn the_oracle_knows_every_column_and_each_column_has_one_name() {
    for signal in Signal::ALL {
        let names: Vec<&str> = columns(signal).iter().map(|column| column.name).collect();
        let known: Vec<&str> = fields::map(signal).iter().map(|field| field.column).collect();
        assert_eq!(names, known);
        let mut distinct = names.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), names.len(), "{signal}");
    }
}

#[test]
fn the_page_of_columns_has_every_column() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/exporters/file-columns.md");
    let page = std::fs::read_to_string(page).unwrap();
    for signal in Signal::ALL {
        let section =
            page.split("\n## ").find(|section| section.starts_with(&format!("`{signal}`\n"))).unwrap();
        let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
        let row = |column: &ColumnInfo| {
            format!("| `{}` | {} | {} |", column.name, column.column_type.as_str(), column.doc)
        };
        assert_eq!(rows, columns(signal).iter().map(row).collect::<Vec<_>>(), "{signal}");
    }
}

/// Columns are a contract: this changes only with `TABLE_VERSION`, except for what is added at the end.
#[test]
fn columns_stay_what_they_are() {
    let listed: Vec<String> = Signal::ALL
        .into_iter()
        .flat_map(|signal| {
            let columns = columns(signal).into_iter();
            columns.map(move |column| format!("{signal}.{}: {}", column.name, column.column_type.as_str()))
        })
        .collect();
    assert_eq!(obs_file::TABLE_VERSION, 1);
    insta::assert_snapshot!(listed.join("\n"));
}

#[tokio::test]
async fn the_rest_is_empty_where_the_columns_say_everything() {
    for batch in [Signal::Traces, Signal::Metrics, Signal::Logs].map(fixtures::batch) {
        for row in csv(&batch).await {
            assert_eq!(row["rest"], Cell::Empty, "{row:?}");
        }
    }
    // The experiment of a score is its own; that of its context has no other column.
    let scores = csv(&fixtures::batch(Signal::Scores)).await;
    let rest = Cell::Text(r#"{"context":{"experiment_id":"experiment-3"}}"#.into());
    assert!(scores.iter().any(|row| row["rest"] == rest), "{scores:?}");
}

#[tokio::test]
async fn labels_that_stand_twice_stand_twice() {
    let rows = parquet(&fixtures::nasty(Signal::Metrics)).await;
    let twice = |row: &&Row| row["name"] == Cell::Text("label.twice".into());
    assert_eq!(rows.iter().find(twice).unwrap()["labels"], Cell::Text(r#"{"a":"1","a":"2"}"#.into()));
}
