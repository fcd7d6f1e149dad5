//! What the page about this exporter shows is what the exporter takes.

use std::path::Path;

use obs_core::{Batch, Exporter, Signal};
use obs_testkit::{CaptureServer, fixtures};
use obs_webhook::{WebhookConfig, WebhookExporter};

use crate::server;

/// The configurations of the page, as YAML; `None` where the page is not there, as in a package.
fn configs() -> Option<Vec<WebhookConfig>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/exporters/webhook.md");
    let page = std::fs::read_to_string(page).ok()?;
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    Some(blocks.map(|block| yaml_serde::from_str(block).unwrap()).collect())
}

#[test]
fn every_configuration_of_the_page_is_taken() {
    let Some(configs) = configs() else { return };
    assert!(configs.len() >= 3);
    for config in configs {
        WebhookExporter::new(config).unwrap();
    }
}

#[tokio::test]
async fn the_message_of_the_page_tells_of_failed_runs() {
    let Some(mut configs) = configs() else { return };
    let server = CaptureServer::start().await;
    let config = configs.remove(0).with_endpoint_of(Signal::Traces, format!("{}/services/x", server.url()));
    let Batch::Traces(records) = fixtures::batch(Signal::Traces) else { unreachable!() };
    let failed = records.iter().filter(|record| record.ended().is_some_and(|span| span.error.is_some()));
    let batch = Batch::Traces(failed.cloned().collect());
    let receipt = server::exporter(config).export(&batch).await.unwrap();
    assert_eq!((receipt.delivered, batch.is_empty()), (batch.len(), false), "{:?}", receipt.rejected);
    insta::assert_snapshot!(format!("{:#}", server.requests()[0].json().unwrap()));
}
