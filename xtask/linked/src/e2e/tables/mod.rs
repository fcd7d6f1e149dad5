//! Files and the store, read by programs that know nothing of us: DuckDB, pyarrow and SQLite.
//!
//! Each tells how many rows of a signal it sees and what they add up to, and joins spans with their scores; all must agree
//! with the records, and so with each other.

mod expected;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use obs_core::{Record, Signal};
use obs_file::{FileConfig, FileExporter, FileFormat};
use obs_pipeline::{DestinationSpec, Pipeline};
use obs_store::{StoreConfig, StoreExporter};
use serde_json::Value;

use super::fact::{Fact, compare};
use super::install::Program;
use super::row::Row;
use super::{DELIVERY, Scene, settled};
use crate::live::record;

/// Python as it reads the files.
const READ: &str = include_str!("read.py");

/// The formats of files, each a folder and a destination of this name.
const FORMATS: [(&str, FileFormat); 3] =
    [("parquet", FileFormat::Parquet), ("csv", FileFormat::Csv), ("jsonl", FileFormat::Jsonl)];

const STORE: &str = "obs.db";

/// Writes all records in every format and into a store at once, and has all of them read.
pub(crate) fn all(scene: &Scene) -> Result<Vec<Row>> {
    let folder = scene.stage.folder("tables")?;
    let faults = write(&folder, &scene.records)?;
    let seen = read(scene, &folder)?;
    let expected = expected::tables(&scene.records);
    let mut rows = Vec::new();
    for (reader, form) in READERS {
        let found = facts(&seen[reader][form]).with_context(|| format!("{reader}, {form}"))?;
        let mut compared = compare(&expected, &found);
        compared
            .wrong
            .extend(faults.iter().filter(|(name, _)| *name == form).map(|(_, fault)| fault.clone()));
        let (what, transport) = ("counts, sums, a join".to_owned(), form.to_owned());
        rows.push(Row {
            what,
            backend: reader,
            transport,
            sent: scene.records.len(),
            requests: None,
            compared,
        });
    }
    Ok(rows)
}

/// Who reads what.
const READERS: [(&str, &str); 6] = [
    ("sqlite", STORE),
    ("duckdb", "parquet"),
    ("duckdb", "csv"),
    ("duckdb", "jsonl"),
    ("pyarrow", "parquet"),
    ("pyarrow", "csv"),
];

/// One pipeline with a destination for each format; what the ledgers say that is wrong, each with its destination.
fn write(folder: &Path, records: &[Record]) -> Result<Vec<(&'static str, String)>> {
    let made = |error: obs_core::Error| anyhow!("{error}");
    let store = StoreExporter::new(StoreConfig::new(folder.join(STORE))).map_err(made)?;
    let mut pipeline = Pipeline::builder().without_redaction().to_named(STORE, store);
    for (name, format) in FORMATS {
        let config = FileConfig::new(folder.join(name)).with_file_format(format);
        let exporter = FileExporter::new(config).map_err(made)?;
        pipeline = pipeline.to_named(name, DestinationSpec::new(exporter));
    }
    let pipeline = pipeline.build().map_err(made)?;
    record(&pipeline.intake(), records.iter().cloned());
    let flushed = pipeline.flush(DELIVERY);
    ensure!(flushed.complete, "not delivered within {DELIVERY:?}:\n{flushed}");
    // A file is whole once it is closed.
    let report = pipeline.shutdown(Duration::from_secs(10));
    let names = FORMATS.iter().map(|(name, _)| *name).chain([STORE]);
    let faults = names.flat_map(|name| {
        let of = Signal::ALL.into_iter().flat_map(|signal| settled(&report, name, signal));
        of.map(|fault| (name, fault)).collect::<Vec<_>>()
    });
    Ok(faults.collect())
}

/// What all readers see.
fn read(scene: &Scene, folder: &Path) -> Result<Value> {
    let python = scene.shelf.path(Program::Tables)?;
    let output = Command::new(python).args(["-c", READ]).arg(folder).arg(folder.join(STORE)).output();
    let output = output.with_context(|| format!("{} did not start", python.display()))?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "reading ended with {}:\n{told}", output.status);
    serde_json::from_slice(&output.stdout).context("what was read is no JSON")
}

/// What a reader sees, a fact for each table.
fn facts(seen: &Value) -> Result<Vec<Fact>> {
    let tables = seen.as_object().context("no tables")?;
    let facts = tables.iter().map(|(table, sums)| {
        let sums = sums.as_object().with_context(|| format!("{table}: no sums"))?;
        let mut fact = Fact::new("table", table.as_str());
        for (name, value) in sums {
            let name = expected::NAMES.iter().find(|known| *known == name);
            fact = fact.with(
                name.with_context(|| format!("{table}: nobody asked for it"))?,
                expected::rounded(value),
            );
        }
        Ok(fact)
    });
    facts.collect()
}
