//! Every request of the whole fixture set, headers included.

use obs_core::{Batch, Exporter, Signal};
use obs_testkit::{CaptureServer, fixtures};

use crate::server;

/// What a batch becomes, request by request.
async fn requests(batch: &Batch) -> String {
    let server = server::start().await;
    let exporter = server::exporter(&server);
    let receipt = exporter.export(batch).await.unwrap();
    let refused: Vec<_> = receipt
        .rejected
        .iter()
        .map(|rejection| format!("{}: {}", rejection.kind, rejection.reason))
        .collect();
    let told = format!("delivered {}, refused {:#?}", receipt.delivered, counted(refused));
    format!("{told}\n\n{}", shown(&server))
}

/// How often each stands there.
fn counted(texts: Vec<String>) -> std::collections::BTreeMap<String, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    counts
}

fn shown(server: &CaptureServer) -> String {
    server.redacted_snapshot()
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
    ordinary_scores: fixtures::batch(Signal::Scores);
    ordinary_feedback: fixtures::batch(Signal::Feedback);
    nasty_traces: fixtures::nasty(Signal::Traces);
    nasty_logs: fixtures::nasty(Signal::Logs);
    nasty_scores: fixtures::nasty(Signal::Scores);
    nasty_feedback: fixtures::nasty(Signal::Feedback);
    the_trace_s_spans: fixtures::trace_batches().swap_remove(0);
    the_trace_s_logs: fixtures::trace_batches().swap_remove(1);
    the_trace_s_scores: fixtures::trace_batches().swap_remove(2);
    the_trace_s_feedback: fixtures::trace_batches().swap_remove(3);
}

/// Bodies beyond 4 KiB are shown by a hash above; one row of each type of span is shown whole.
#[tokio::test]
async fn each_type_of_span_as_a_row() {
    let Batch::Traces(records) = fixtures::batch(Signal::Traces) else { unreachable!() };
    let mut seen = std::collections::BTreeSet::new();
    for record in records.iter() {
        let name = record.span().span_type.name();
        if seen.insert(name) {
            let sent = server::sent(Batch::Traces(vec![record.clone()].into())).await;
            insta::assert_snapshot!(format!("row_of_{name}"), format!("{:#}", sent.row()));
        }
    }
}

#[tokio::test]
async fn a_check() {
    let server = server::start().await;
    server::exporter(&server).check().await;
    insta::assert_snapshot!(shown(&server));
}
