//! A program whose telemetry survives a backend that is out, and `kill -9`.
//!
//! `cargo run -p obs-instrument --example durable`

use obs_instrument::Observability;
use obs_instrument::pipeline::DestinationSpec;
use obs_json::JsonExporter;
use obs_queue::{DeadLetterConfig, DeadLetterStore, DiskQueue, QueueConfig};
use obs_store::{StoreConfig, StoreExporter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = StoreExporter::new(StoreConfig::new("traces.db"))?;
    let obs = Observability::builder("support-bot")
        .queue(DiskQueue::open(QueueConfig::new("obs-queue"))?)
        .to(DestinationSpec::new(store)
            .with_fallback("file", JsonExporter::file("fallback.jsonl")?)
            .with_dead_letters(DeadLetterStore::open(DeadLetterConfig::new("obs-queue"))?))
        .build()?;
    obs.info("ready");
    println!("{}", obs.flush(std::time::Duration::from_secs(5)));
    Ok(())
}
