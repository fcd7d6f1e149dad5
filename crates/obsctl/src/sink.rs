//! Where records go that a queue or the dead letters held.

use std::path::Path;

use anyhow::bail;
use obs_core::Exporter;
use obs_json::{JsonConfig, JsonExporter};
use obs_store::{StoreConfig, StoreExporter};

/// The file as a destination: its ending says what it is.
pub(crate) fn open(path: &Path) -> anyhow::Result<Box<dyn Exporter>> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "jsonl" | "ndjson" | "json" => {
            Ok(Box::new(JsonExporter::new(JsonConfig::new(path).with_sync(true))?))
        }
        "db" | "sqlite" | "sqlite3" => Ok(Box::new(StoreExporter::new(StoreConfig::new(path))?)),
        _ => bail!(
            "--to {}: its ending does not say what it is to be; name a .jsonl file, or the .db file of a store",
            path.display()
        ),
    }
}
