//! What a file says of itself: its columns, how they are compressed, and of which version they are.

use std::io;
use std::sync::Arc;

use obs_core::Signal;
use parquet::basic::{Compression as Codec, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::Type;

use crate::options::Compression;
use crate::table::{ColumnInfo, ColumnType, TABLE_VERSION, columns};

/// The key of the metadata under which the version of the table stands.
pub(super) const VERSION_KEY: &str = "obs.table_version";

/// The columns of a signal as Parquet has them.
pub(super) fn of(signal: Signal) -> Result<Arc<Type>, ParquetError> {
    let fields = columns(signal).iter().map(field).collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder(signal.as_str()).with_fields(fields).build().map(Arc::new)
}

fn field(column: &ColumnInfo) -> Result<Arc<Type>, ParquetError> {
    let (physical, logical) = match column.column_type {
        // JSON is marked as text, too: few readers know the mark for JSON, and they differ in what they make of it.
        ColumnType::Text | ColumnType::Json => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnType::Integer => (Physical::INT64, None),
        ColumnType::Float => (Physical::DOUBLE, None),
        ColumnType::Boolean => (Physical::BOOLEAN, None),
        ColumnType::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
    };
    // Every column may be empty, so that a file of a later version can leave one out.
    let field = Type::primitive_type_builder(column.name, physical)
        .with_logical_type(logical)
        .with_repetition(Repetition::OPTIONAL);
    field.build().map(Arc::new)
}

/// How a file is written.
pub(super) fn properties(signal: Signal, compression: Compression) -> io::Result<Arc<WriterProperties>> {
    let about = [
        (VERSION_KEY, TABLE_VERSION.to_string()),
        ("obs.signal", signal.as_str().to_owned()),
        ("obs.version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let about = about.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect();
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(about))
        .set_compression(codec(compression)?)
        // Row groups are small: what they say of their columns as a whole is enough to pass over one.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true);
    Ok(Arc::new(properties.build()))
}

fn codec(compression: Compression) -> io::Result<Codec> {
    match compression {
        Compression::None => Ok(Codec::UNCOMPRESSED),
        Compression::Zstd => Ok(Codec::ZSTD(ZstdLevel::default())),
        Compression::Gzip => Err(io::Error::other("Parquet is not written with gzip; take zstd")),
    }
}
