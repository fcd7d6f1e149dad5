//! The page of the whole fixture set, in each format, and what a Pushgateway gets of it.

use obs_core::{Batch, Exporter, Signal};
use obs_prometheus::{MetricNames, PrometheusConfig};
use obs_testkit::fixtures::{batch, nasty, trace_batches};
use obs_testkit::{CaptureServer, Captured};

use crate::bench::{OPEN, OPEN_UTF8, exporter};

fn everything() -> PrometheusConfig {
    PrometheusConfig::pull().with_scores(true).with_feedback(true).with_label("zone", "z1")
}

/// The page after these batches, under the line of its type.
async fn page(config: PrometheusConfig, batches: &[Batch], accept: &str) -> String {
    let exporter = exporter(config);
    for batch in batches {
        exporter.export(batch).await.unwrap();
    }
    let rendered = exporter.render(accept);
    format!("{}\n\n{}", rendered.content_type, rendered.body)
}

fn ordinary() -> [Batch; 3] {
    [Signal::Metrics, Signal::Scores, Signal::Feedback].map(batch)
}

#[tokio::test]
async fn the_fixtures_in_text() {
    insta::assert_snapshot!(page(everything(), &ordinary(), "").await);
}

#[tokio::test]
async fn the_fixtures_in_openmetrics() {
    insta::assert_snapshot!(page(everything(), &ordinary(), OPEN).await);
}

#[tokio::test]
async fn the_fixtures_under_any_names() {
    insta::assert_snapshot!(page(everything(), &ordinary(), OPEN_UTF8).await);
}

#[tokio::test]
async fn the_fixtures_as_recorded() {
    let config = PrometheusConfig::pull().with_metric_names(MetricNames::Recorded);
    insta::assert_snapshot!(page(config, &ordinary()[..1], OPEN).await);
}

#[tokio::test]
async fn the_nasty_fixtures_in_text() {
    let nasty = [Signal::Metrics, Signal::Scores, Signal::Feedback].map(nasty);
    let page = page(everything(), &nasty, "").await;
    // Control characters would make the snapshot a file of bytes.
    let shown =
        |c: char| if c.is_control() && c != '\n' { c.escape_unicode().to_string() } else { c.to_string() };
    insta::assert_snapshot!(page.chars().map(shown).collect::<String>());
}

#[tokio::test]
async fn pushes_of_a_trace() {
    let server = CaptureServer::start().await;
    let config = PrometheusConfig::push(server.url(), "shop").with_instance_label("web/1");
    let exporter = exporter(config.with_scores(true).with_feedback(true).with_delete_on_shutdown(true));
    for batch in trace_batches() {
        if exporter.descriptor().support(batch.signal()).is_some() {
            exporter.export(&batch).await.unwrap();
        }
    }
    exporter.shutdown().await.unwrap();
    let requests: Vec<_> = server.requests().iter().map(Captured::redacted_snapshot).collect();
    insta::assert_snapshot!(requests.join("\n---\n\n"));
}
