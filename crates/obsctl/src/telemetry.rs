//! The two files that commands write: a store and JSON Lines.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use obs_instrument::cost::Prices;
use obs_instrument::pipeline::Report;
use obs_json::JsonExporter;
use obs_store::{StoreConfig, StoreExporter, StoreReader};

/// How long the last records may take to reach the files.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A folder with `obs.db` and `telemetry.jsonl`, which are made where they are missing and added to where they exist.
#[derive(Debug)]
pub(crate) struct Telemetry {
    store: PathBuf,
    lines: PathBuf,
}

impl Telemetry {
    /// Makes the folder.
    pub(crate) fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        let made = fs::create_dir_all(folder);
        made.with_context(|| format!("cannot make the folder {}; --out names another", folder.display()))?;
        Ok(Self { store: folder.join("obs.db"), lines: folder.join("telemetry.jsonl") })
    }

    /// The store's file.
    pub(crate) fn store_path(&self) -> &Path {
        &self.store
    }

    /// The JSON Lines file.
    pub(crate) fn lines_path(&self) -> &Path {
        &self.lines
    }

    /// The store as a destination.
    pub(crate) fn store(&self) -> anyhow::Result<StoreExporter> {
        Ok(StoreExporter::new(StoreConfig::new(&self.store))?)
    }

    /// The JSON Lines file as a destination.
    pub(crate) fn lines(&self) -> anyhow::Result<JsonExporter> {
        Ok(JsonExporter::file(&self.lines)?)
    }

    /// The store, to read.
    pub(crate) fn reader(&self) -> anyhow::Result<StoreReader> {
        open(&self.store)
    }
}

/// The prices in the file that `--prices` names.
pub(crate) fn prices(file: Option<&Path>) -> anyhow::Result<Option<Prices>> {
    Ok(file.map(Prices::from_file).transpose()?)
}

/// Opens a store to read; a folder stands for the `obs.db` in it. Nothing is created.
pub(crate) fn open(path: &Path) -> anyhow::Result<StoreReader> {
    let path = if path.is_dir() { path.join("obs.db") } else { path.to_owned() };
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let path = path.display();
            bail!("there is no store {path}; `obsctl demo` makes obs-demo/obs.db, --db names another")
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        Ok(_) => {}
    }
    Ok(StoreReader::open(StoreConfig::new(path))?)
}

/// An error unless every record reached every destination.
pub(crate) fn all_delivered(report: &Report) -> anyhow::Result<()> {
    let lost = report.intake.iter().any(|(_, terms)| !terms.dropped.is_empty() || terms.pending > 0);
    let undelivered = report
        .destinations
        .iter()
        .any(|destination| destination.signals.iter().any(|(_, terms)| terms.offered != terms.delivered));
    if !report.complete || lost || undelivered {
        bail!("not every record reached the files; the ledgers say: {report}");
    }
    Ok(())
}
