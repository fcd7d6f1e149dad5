//! What stays on this machine while backends refuse records and repeat them in what they answer.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Result, anyhow};
use obs_pipeline::{DestinationSpec, Pipeline};
use obs_queue::{DeadLetterConfig, DeadLetterStore, DiskQueue, QueueConfig};
use obs_redact::RedactConfig;
use obs_testkit::{Answer, CaptureServer};
use obs_webhook::{WebhookConfig, WebhookExporter};

use super::plant::Plant;
use super::send::{put, ruled};
use super::{Found, secrets};
use crate::arrivals::ground::Ground;
use crate::arrivals::place::beside;

/// How long delivery is tried; what is refused for now is there to the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends the ordinary records so often to a backend that refuses them for good and to one that is out, and searches the dead
/// letters, the queue on disk, and what is told of both.
pub(super) fn kept(rounds: u64, rules: Option<&RedactConfig>) -> Result<[Found; 3]> {
    let ground = Ground::new()?;
    let (letters, queue) = (ground.path("letters"), ground.path("queue"));
    let wrong = |error: obs_core::Error| anyhow!("{error}");
    let (refusing, out) = (repeating(&ground, 400), repeating(&ground, 503));
    let dead_letters = DeadLetterStore::open(DeadLetterConfig::new(letters.clone())).map_err(wrong)?;
    let log = QueueConfig::new(queue.clone()).with_compress_buffer(false);
    let builder = Pipeline::builder()
        .queue(DiskQueue::open(log).map_err(wrong)?)
        .to_named("refusing", webhook(&refusing)?.with_dead_letters(dead_letters))
        .to_named("out", webhook(&out)?);
    let pipeline = ruled(builder, rules).build().map_err(wrong)?;
    let mut plant = Plant::new(secrets::secrets());
    for record in (0..rounds).flat_map(|round| plant.round(round)) {
        put(&pipeline.intake(), record);
    }
    let mut told = pipeline.flush(PATIENCE).to_string();
    for (name, health) in pipeline.health() {
        let _ = write!(
            told,
            "{name}: {health:?}, {:?}\n{:?}",
            pipeline.last_result(&name),
            pipeline.stats(&name)
        );
    }
    let _ = write!(told, "{}", pipeline.shutdown(PATIENCE));
    let mut found = ["dead letters", "queue on disk", "what is told"].map(Found::nothing);
    found[0].search(&beside(&letters, "")?);
    found[1].search(&beside(&queue, "")?);
    found[2].search(told.as_bytes());
    // What a backend says is searched where it is read, whatever the pipeline's rules are.
    found[2].seen = false;
    Ok(found)
}

/// A backend that answers every request with what was in it.
fn repeating(ground: &Ground, status: u16) -> CaptureServer {
    let server = ground.server();
    server.answer_with(move |request| Some(Answer::status(status).with_body(request.body.clone())));
    server
}

fn webhook(server: &CaptureServer) -> Result<DestinationSpec> {
    let config = WebhookConfig::new(format!("{}/hook", server.url()));
    Ok(DestinationSpec::new(WebhookExporter::new(config).map_err(|error| anyhow!("{error}"))?))
}
