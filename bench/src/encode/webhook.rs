//! Records for a webhook, as JSON of their own form.

use std::error::Error;

use obs_core::Batch;
use obs_webhook::{WebhookConfig, WebhookExporter};

use super::tree::bytes;
use super::{Contest, against_records, calls};

pub(super) fn spans() -> Result<Contest, Box<dyn Error>> {
    let exporter = WebhookExporter::new(WebhookConfig::new("https://hook.example.com/records"))?;
    assert!(bytes(&exporter.encode(&calls::batch(1))) > 0, "the spans are taken");
    let ours = move |batch: &Batch| bytes(&exporter.encode(batch));
    Ok(against_records("model calls for a webhook", ["encode.webhook", "value.records.webhook"], ours))
}
