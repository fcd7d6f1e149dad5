//! The laws of a leaf.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Descriptor, Exporter, Signal};
use obs_store::{StoreConfig, StoreExporter};
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use rusqlite::Connection;

use crate::support::Place;

const TABLES: [(Signal, &str); Signal::COUNT] = [
    (Signal::Traces, "spans"),
    (Signal::Metrics, "metrics"),
    (Signal::Logs, "logs"),
    (Signal::Scores, "scores"),
    (Signal::Feedback, "feedback"),
];

/// A store in which triggers count what arrives: a record that is delivered again takes its own place.
struct Counted {
    exporter: Arc<StoreExporter>,
    database: std::sync::Mutex<Connection>,
    place: Place,
}

#[async_trait]
impl Harness for Counted {
    fn descriptor() -> Descriptor {
        StoreExporter::DESCRIPTOR
    }

    fn config() -> Option<ConfigCheck> {
        let valid = r#"{ "path": "obs.db", "max_age": "30d", "max_size": "500MB" }"#;
        Some(ConfigCheck::of::<StoreConfig>(serde_json::from_str(valid).unwrap()))
    }

    async fn start(_: Setup) -> Self {
        let place = Place::new();
        let exporter = Arc::new(place.exporter());
        let database = Connection::open(place.path()).unwrap();
        database.execute_batch("CREATE TABLE arrivals (of TEXT NOT NULL)").unwrap();
        for (_, table) in TABLES {
            let count = format!("BEGIN INSERT INTO arrivals VALUES ('{table}'); END");
            database
                .execute_batch(&format!("CREATE TRIGGER of_{table} AFTER INSERT ON {table} {count}"))
                .unwrap();
        }
        Self { exporter, database: database.into(), place }
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.exporter.clone()
    }

    async fn observe(&self) -> Observed {
        let database = self.database.lock().unwrap();
        let mut observed = Observed::default();
        for (signal, table) in TABLES {
            let sql = format!("SELECT count(*) FROM arrivals WHERE of = '{table}'");
            let count: i64 = database.query_row(&sql, [], |row| row.get(0)).unwrap();
            observed.records[signal.index()] = usize::try_from(count).unwrap();
            observed.writes += observed.of(signal);
        }
        for name in ["obs.db", "obs.db-wal"] {
            observed.bytes.extend(std::fs::read(self.place.folder.path().join(name)).unwrap_or_default());
        }
        observed
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

obs_testkit::conformance!(Counted);
