//! What is particular to Parquet.

use std::fs::File;
use std::path::Path;

use obs_core::{Batch, Level, Log, Signal, Timestamp};
use obs_file::{Compression, FileConfig, FileFormat, columns};
use obs_testkit::fixtures;
use parquet::basic::Compression as Codec;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::printer::print_schema;

use crate::table::{Cell, Row, Written, write_with};

fn open(file: &Path) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(file).unwrap()).unwrap()
}

/// The rows of a file.
pub(crate) fn rows(file: &Path, signal: Signal) -> Vec<Row> {
    let reader = open(file);
    let names: Vec<&str> = columns(signal).iter().map(|column| column.name).collect();
    let schema = reader.metadata().file_metadata().schema();
    assert_eq!(schema.get_fields().iter().map(|field| field.name()).collect::<Vec<_>>(), names);
    let row = |row: parquet::errors::Result<parquet::record::Row>| {
        row.unwrap().into_columns().into_iter().map(|(name, field)| (name, cell(field))).collect()
    };
    reader.get_row_iter(None).unwrap().map(row).collect()
}

fn cell(field: Field) -> Cell {
    match field {
        Field::Null => Cell::Empty,
        Field::Str(text) => Cell::Text(text),
        Field::Long(value) => Cell::Integer(value),
        Field::Double(value) => Cell::Float(value),
        Field::Bool(value) => Cell::Boolean(value),
        Field::TimestampMicros(value) => Cell::Time(value),
        other => panic!("{other:?} stands in no column of ours"),
    }
}

async fn written(batch: &Batch, compression: Compression) -> Written {
    let options =
        |config: FileConfig| config.with_file_format(FileFormat::Parquet).with_compression(compression);
    let written = write_with(batch, options).await;
    assert_eq!(written.files.len(), 1, "{:?}", written.files);
    assert!(written.dir.path().is_dir());
    written
}

#[tokio::test]
async fn a_file_says_what_it_is() {
    let written = written(&fixtures::batch(Signal::Scores), Compression::Zstd).await;
    let reader = open(&written.files[0]);
    let metadata = reader.metadata().file_metadata();
    let pairs = metadata.key_value_metadata().unwrap().iter();
    let pairs: Vec<_> = pairs.map(|pair| (pair.key.as_str(), pair.value.as_deref().unwrap())).collect();
    let version = obs_file::TABLE_VERSION.to_string();
    assert_eq!(
        pairs,
        [
            ("obs.table_version", version.as_str()),
            ("obs.signal", "scores"),
            ("obs.version", env!("CARGO_PKG_VERSION"))
        ]
    );
    let mut schema = Vec::new();
    print_schema(&mut schema, metadata.schema());
    insta::assert_snapshot!(String::from_utf8(schema).unwrap());
}

#[tokio::test]
async fn columns_are_compressed_as_they_are_told_to() {
    let batch = Batch::Logs(
        (0..200)
            .map(|nth| Log::new(Timestamp::from_nanos(nth), Level::Info, "the same ".repeat(200)))
            .collect(),
    );
    let mut sizes = Vec::new();
    for (compression, is) in [
        (Compression::None, (|codec| codec == Codec::UNCOMPRESSED) as fn(Codec) -> bool),
        (Compression::Zstd, |codec| matches!(codec, Codec::ZSTD(_))),
    ] {
        let written = written(&batch, compression).await;
        let reader = open(&written.files[0]);
        let groups = reader.metadata().row_groups().iter();
        assert!(groups.flat_map(RowGroupMetaData::columns).all(|column| is(column.compression())));
        sizes.push(written.files[0].metadata().unwrap().len());
        assert_eq!(rows(&written.files[0], Signal::Logs).len(), 200);
    }
    assert!(sizes[1] < sizes[0], "{sizes:?}");
}
