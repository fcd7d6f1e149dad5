//! The contract, as the testkit has it, for each kind of place.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use obs_core::{Descriptor, Exporter, Record, Signal};
use obs_json::{DESCRIPTOR, JsonConfig, JsonExporter, Lines, Memory};
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use serde_json::json;
use tempfile::TempDir;

fn observed(text: &[u8]) -> Observed {
    let mut observed = Observed { bytes: text.to_vec(), ..Observed::default() };
    for record in Lines::new(text, "written") {
        observed.records[record.unwrap().signal().index()] += 1;
        observed.writes += 1;
    }
    observed
}

struct InFile(TempDir, Arc<JsonExporter>);

#[async_trait]
impl Harness for InFile {
    fn descriptor() -> Descriptor {
        DESCRIPTOR
    }

    fn config() -> Option<ConfigCheck> {
        Some(ConfigCheck::of::<JsonConfig>(json!({"path": "telemetry.jsonl", "sync": true})))
    }

    async fn start(setup: Setup) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = JsonConfig::new(dir.path().join("made/telemetry.jsonl"));
        let exporter = JsonExporter::new(config.with_sync(setup == Setup::Everything)).unwrap();
        Self(dir, Arc::new(exporter))
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.1.clone()
    }

    async fn observe(&self) -> Observed {
        observed(&std::fs::read(self.0.path().join("made/telemetry.jsonl")).unwrap())
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct ToWriter(Shared, Arc<JsonExporter>);

#[async_trait]
impl Harness for ToWriter {
    fn descriptor() -> Descriptor {
        DESCRIPTOR
    }

    fn config() -> Option<ConfigCheck> {
        None
    }

    async fn start(_: Setup) -> Self {
        let shared = Shared::default();
        let exporter = JsonExporter::writer(shared.clone());
        Self(shared, Arc::new(exporter))
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.1.clone()
    }

    async fn observe(&self) -> Observed {
        observed(&self.0.0.lock().unwrap())
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

struct InMemory(Memory, Arc<JsonExporter>);

#[async_trait]
impl Harness for InMemory {
    fn descriptor() -> Descriptor {
        DESCRIPTOR
    }

    fn config() -> Option<ConfigCheck> {
        None
    }

    async fn start(_: Setup) -> Self {
        let (exporter, memory) = JsonExporter::memory();
        Self(memory, Arc::new(exporter))
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.1.clone()
    }

    async fn observe(&self) -> Observed {
        let records: Vec<Record> = self.0.records();
        let count = |at: usize| self.0.len(Signal::ALL[at]);
        Observed { records: std::array::from_fn(count), writes: records.len(), bytes: Vec::new() }
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

mod in_file {
    obs_testkit::conformance!(super::InFile);
}

mod to_writer {
    obs_testkit::conformance!(super::ToWriter);
}

mod in_memory {
    obs_testkit::conformance!(super::InMemory);
}
