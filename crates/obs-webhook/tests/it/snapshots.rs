//! Every request of the whole fixture set, headers included.

use obs_core::{Batch, Exporter, Signal};
use obs_testkit::{CaptureServer, fixtures};
use obs_webhook::{Format, Method, Shape, Signing, WebhookConfig};

use crate::server::{self, SECRET};

/// What a batch becomes, request by request.
async fn requests(batch: &Batch, change: impl FnOnce(WebhookConfig) -> WebhookConfig) -> String {
    let server = CaptureServer::start().await;
    let receipt = server::exporter(change(server::config(&server))).export(batch).await.unwrap();
    let refused: Vec<_> = receipt
        .rejected
        .iter()
        .map(|rejection| format!("{}: {}", rejection.kind, rejection.reason))
        .collect();
    format!("delivered {}, refused {refused:#?}\n\n{}", receipt.delivered, server.redacted_snapshot())
}

macro_rules! snapshots {
    ($($name:ident: $batch:expr, $change:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            insta::assert_snapshot!(requests(&$batch, $change).await);
        })*
    };
}

snapshots! {
    ordinary_traces: fixtures::batch(Signal::Traces), |config| config;
    ordinary_metrics: fixtures::batch(Signal::Metrics), |config| config;
    ordinary_logs: fixtures::batch(Signal::Logs), |config| config;
    ordinary_scores: fixtures::batch(Signal::Scores), |config| config;
    ordinary_feedback: fixtures::batch(Signal::Feedback), |config| config;
    nasty_traces: fixtures::nasty(Signal::Traces), |config| config;
    nasty_metrics: fixtures::nasty(Signal::Metrics), |config| config;
    nasty_logs: fixtures::nasty(Signal::Logs), |config| config;
    nasty_scores: fixtures::nasty(Signal::Scores), |config| config;
    nasty_feedback: fixtures::nasty(Signal::Feedback), |config| config;
    the_trace_s_spans: fixtures::trace_batches().swap_remove(0), |config| config;
    the_trace_s_logs: fixtures::trace_batches().swap_remove(1), |config| config;
    the_trace_s_scores: fixtures::trace_batches().swap_remove(2), |config| config;
    the_trace_s_feedback: fixtures::trace_batches().swap_remove(3), |config| config;
    one_record_a_request: server::many(2), |config| config.with_shape(Shape::Record).with_method(Method::Put);
    lines: server::many(2), |config| config.with_format(Format::Ndjson).with_method(Method::Patch);
    an_array_in_a_form: server::many(2), |config| {
        config.with_format(Format::Form).with_shape(Shape::Array).with_form_field("data")
            .with_form_value("channel", "#runs & more")
    };
    signed_as_standard_webhooks: server::many(2), |config| {
        config.with_signing(Signing::standard(SECRET)).with_idempotency_header("Idempotency-Key")
    };
    signed_with_a_timestamp: server::many(2), |config| config.with_signing(Signing::new(SECRET));
    signed_as_github_does: server::many(2), |config| config.with_signing(Signing::github(SECRET));
}

#[tokio::test]
async fn a_check() {
    let server = CaptureServer::start().await;
    server::exporter(server::config(&server)).check().await;
    insta::assert_snapshot!(server.redacted_snapshot());
}
