//! Every request of the whole fixture set, headers included.

use std::collections::BTreeMap;

use obs_core::{Batch, Exporter, Signal};
use obs_datadog::DatadogConfig;
use obs_testkit::{CaptureServer, conformance, fixtures};

use crate::server::{self, ended, sent};

/// What a batch becomes, request by request.
async fn requests(batch: &Batch, config: impl FnOnce(&CaptureServer) -> DatadogConfig) -> String {
    let server = server::start().await;
    let exporter = server::exporter_of(config(&server));
    let receipt = exporter.export(&conformance::input(batch, exporter.descriptor())).await.unwrap();
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for rejection in &receipt.rejected {
        *refused.entry(format!("{}: {}", rejection.kind, rejection.reason)).or_default() += rejection.count;
    }
    let told = format!("delivered {}, refused {refused:#?}", receipt.delivered);
    format!("{told}\n\n{}", server.redacted_snapshot())
}

fn by_agent(server: &CaptureServer) -> DatadogConfig {
    server::config(server).with_agent_url(server.url())
}

macro_rules! snapshots {
    ($($name:ident: $batch:expr, $config:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            insta::assert_snapshot!(requests(&$batch, $config).await);
        })*
    };
}

snapshots! {
    ordinary_traces: fixtures::batch(Signal::Traces), server::config;
    ordinary_scores: fixtures::batch(Signal::Scores), server::config;
    ordinary_feedback: fixtures::batch(Signal::Feedback), server::config;
    nasty_traces: fixtures::nasty(Signal::Traces), server::config;
    nasty_scores: fixtures::nasty(Signal::Scores), server::config;
    nasty_feedback: fixtures::nasty(Signal::Feedback), server::config;
    the_trace_s_spans: fixtures::trace_batches().swap_remove(0), server::config;
    the_trace_s_spans_by_an_agent: fixtures::trace_batches().swap_remove(0), by_agent;
    the_trace_s_scores: fixtures::trace_batches().swap_remove(2), server::config;
    the_trace_s_scores_by_an_agent: fixtures::trace_batches().swap_remove(2), by_agent;
    the_trace_s_scores_in_an_otlp_mode: fixtures::trace_batches().swap_remove(2), server::otlp_agent;
    the_trace_s_feedback: fixtures::trace_batches().swap_remove(3), server::config;
    the_trace_s_feedback_in_an_otlp_mode: fixtures::trace_batches().swap_remove(3), server::otlp_agent;
}

/// Bodies beyond 4 KiB are shown by a hash above; one span of each type is shown whole.
#[tokio::test]
async fn each_type_of_span() {
    let Batch::Traces(records) = fixtures::batch(Signal::Traces) else { unreachable!() };
    let mut seen = std::collections::BTreeSet::new();
    for record in records.iter().filter_map(|record| record.ended()) {
        let name = record.span_type.name();
        if seen.insert(name) {
            let span = sent(ended([record.clone()])).await.span();
            insta::assert_snapshot!(format!("span_of_{name}"), format!("{span:#}"));
        }
    }
    assert_eq!(seen.len(), 12);
}

#[tokio::test]
async fn a_check() {
    let server = server::start().await;
    server::exporter_of(by_agent(&server)).check().await;
    insta::assert_snapshot!(server.redacted_snapshot());
}
