//! Every request of the whole fixture set, headers included.

use std::collections::{BTreeMap, BTreeSet};

use obs_core::{Batch, Exporter, Signal};
use obs_testkit::{CaptureServer, fixtures};

use crate::server;

/// What a batch becomes, request by request.
async fn requests(batch: &Batch) -> String {
    let server = CaptureServer::start().await;
    let receipt = server::exporter(&server).export(batch).await.unwrap();
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for rejection in &receipt.rejected {
        *refused.entry(format!("{}: {}", rejection.kind, rejection.reason)).or_default() += 1;
    }
    format!("delivered {}, refused {refused:#?}\n\n{}", receipt.delivered, server.redacted_snapshot())
}

macro_rules! snapshots {
    ($($name:ident: $batch:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            insta::assert_snapshot!(requests(&$batch).await);
        })*
    };
}

snapshots! {
    ordinary_traces: fixtures::batch(Signal::Traces);
    ordinary_logs: fixtures::batch(Signal::Logs);
    ordinary_metrics: fixtures::batch(Signal::Metrics);
    ordinary_scores: fixtures::batch(Signal::Scores);
    ordinary_feedback: fixtures::batch(Signal::Feedback);
    nasty_traces: fixtures::nasty(Signal::Traces);
    nasty_logs: fixtures::nasty(Signal::Logs);
    nasty_metrics: fixtures::nasty(Signal::Metrics);
    nasty_scores: fixtures::nasty(Signal::Scores);
    nasty_feedback: fixtures::nasty(Signal::Feedback);
    the_trace_s_spans: fixtures::trace_batches().swap_remove(0);
    the_trace_s_logs: fixtures::trace_batches().swap_remove(1);
    the_trace_s_scores: fixtures::trace_batches().swap_remove(2);
    the_trace_s_feedback: fixtures::trace_batches().swap_remove(3);
}

/// Bodies beyond 4 KiB are shown by a hash above; one span of each of Mastra's types is shown whole, with its events.
#[tokio::test]
async fn each_type_of_span() {
    let Batch::Traces(records) = fixtures::batch(Signal::Traces) else { unreachable!() };
    let mut seen = BTreeSet::new();
    for span in records.iter().filter_map(|record| record.ended()) {
        let sent = server::sent(server::ended([span.clone()])).await;
        let name = sent.items[0].1["type"].as_str().unwrap().to_owned();
        if seen.insert(name.clone()) {
            let items: Vec<_> = sent.items.iter().map(|(_, item)| format!("{item:#}")).collect();
            insta::assert_snapshot!(format!("span_of_{name}"), items.join("\n"));
        }
    }
    assert!(seen.len() >= 10, "{seen:?}");
}

/// One record of each other signal, whole.
#[tokio::test]
async fn each_other_signal() {
    for signal in [Signal::Logs, Signal::Metrics, Signal::Scores, Signal::Feedback] {
        let batch = fixtures::batch(signal);
        let sent = server::sent(batch.slice(0..1)).await;
        insta::assert_snapshot!(format!("one_of_{signal}"), format!("{:#}", sent.item()));
    }
}

#[tokio::test]
async fn a_check() {
    let server = CaptureServer::start().await;
    server::exporter(&server).check().await;
    insta::assert_snapshot!(server.redacted_snapshot());
}
