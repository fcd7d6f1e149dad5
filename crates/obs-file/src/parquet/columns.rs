//! Rows turned into columns, as a row group wants them.

use std::io::Write;
use std::mem;

use obs_core::Signal;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};

use crate::table::{Cell, ColumnType, columns};

/// The rows of a row group, column by column.
#[derive(Debug)]
pub(super) struct Columns {
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

/// The cells of a column; of the lists of values, the one of its type is filled.
#[derive(Debug)]
struct Column {
    column_type: ColumnType,
    /// For each row, whether there is a value: 1 or 0.
    levels: Vec<i16>,
    text: Vec<u8>,
    /// Where each text ends.
    ends: Vec<usize>,
    integers: Vec<i64>,
    floats: Vec<f64>,
    booleans: Vec<bool>,
}

impl Columns {
    /// No rows of a signal.
    pub(super) fn of(signal: Signal) -> Self {
        let columns = columns(signal).iter().map(|column| Column::of(column.column_type)).collect();
        Self { columns, rows: 0, bytes: 0 }
    }

    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// About how many bytes of memory they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a row.
    pub(super) fn push(&mut self, cells: &[Cell<'_>]) {
        self.rows += 1;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            self.bytes += size_of::<i16>() + column.push(cell);
        }
    }

    /// Begins anew, with the memory there is.
    pub(super) fn clear(&mut self) {
        (self.rows, self.bytes) = (0, 0);
        self.columns.iter_mut().for_each(Column::clear);
    }

    /// Writes them as a row group; to be followed by [`Self::clear`].
    pub(super) fn write<W: Write + Send>(
        &mut self,
        file: &mut SerializedFileWriter<W>,
    ) -> Result<(), ParquetError> {
        let mut group = file.next_row_group()?;
        for column in &mut self.columns {
            if let Some(mut writer) = group.next_column()? {
                column.write(&mut writer)?;
                writer.close()?;
            }
        }
        group.close().map(drop)
    }
}

impl Column {
    fn of(column_type: ColumnType) -> Self {
        Self {
            column_type,
            levels: Vec::new(),
            text: Vec::new(),
            ends: Vec::new(),
            integers: Vec::new(),
            floats: Vec::new(),
            booleans: Vec::new(),
        }
    }

    /// Adds a cell, and says how many bytes it takes.
    fn push(&mut self, cell: &Cell<'_>) -> usize {
        self.levels.push(i16::from(*cell != Cell::Empty));
        match cell {
            Cell::Empty => 0,
            Cell::Text(text) => {
                self.text.extend_from_slice(text.as_bytes());
                self.ends.push(self.text.len());
                text.len() + size_of::<usize>()
            }
            Cell::Integer(value) => push(&mut self.integers, *value),
            Cell::Time(time) => push(&mut self.integers, i64::try_from(time.as_micros()).unwrap_or(i64::MAX)),
            Cell::Float(value) => push(&mut self.floats, *value),
            Cell::Boolean(value) => push(&mut self.booleans, *value),
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.levels.clear();
        self.ends.clear();
        self.integers.clear();
        self.floats.clear();
        self.booleans.clear();
    }

    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        match self.column_type {
            ColumnType::Text | ColumnType::Json => {
                let texts = self.texts();
                self.values::<ByteArrayType>(writer, &texts)
            }
            ColumnType::Integer | ColumnType::Time => self.values::<Int64Type>(writer, &self.integers),
            ColumnType::Float => self.values::<DoubleType>(writer, &self.floats),
            ColumnType::Boolean => self.values::<BoolType>(writer, &self.booleans),
        }
    }

    fn values<T: DataType>(
        &self,
        writer: &mut SerializedColumnWriter<'_>,
        values: &[T::T],
    ) -> Result<(), ParquetError> {
        writer.typed::<T>().write_batch(values, Some(&self.levels), None).map(drop)
    }

    /// Takes the texts out, as pieces of one shared buffer.
    fn texts(&mut self) -> Vec<ByteArray> {
        let all = ByteArray::from(mem::take(&mut self.text));
        let mut start = 0;
        let piece = |end: &usize| {
            let piece = all.slice(start, end - start);
            start = *end;
            piece
        };
        self.ends.iter().map(piece).collect()
    }
}

fn push<T>(values: &mut Vec<T>, value: T) -> usize {
    values.push(value);
    size_of::<T>()
}
