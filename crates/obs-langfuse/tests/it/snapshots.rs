//! Every request of the whole fixture set, as text.

use std::fmt::Write as _;

use obs_core::{Batch, Signal, SpanId};
use obs_langfuse::{Ingestion, LangfuseConfig, LogsWithoutTrace};
use obs_testkit::{Captured, conformance, fixtures};
use serde_json::Value;

use crate::support::{Bench, TRACES, decoded};

/// A request with spans as text: a line for each field and attribute.
fn readable(request: &Captured) -> Option<String> {
    (request.path == TRACES).then(|| {
        let mut out = String::new();
        for seen in decoded(&request.body) {
            let parent = <[u8; 8]>::try_from(&*seen.parent).ok().and_then(SpanId::from_bytes);
            let parent = parent.map(|id| id.to_string()).unwrap_or_default();
            let _ = writeln!(out, "span {} of {} below {parent:?}", seen.span_id, seen.trace_id);
            let _ =
                writeln!(out, "  {:?} from {} to {} status {}", seen.name, seen.start, seen.end, seen.status);
            for (key, value) in &seen.attributes {
                let _ = writeln!(out, "  {key} = {}", cut(value));
            }
            for (key, value) in &seen.resource {
                let _ = writeln!(out, "  (resource) {key} = {}", cut(value));
            }
        }
        out
    })
}

fn cut(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= 400 {
        return text;
    }
    let head = &text[..text.floor_char_boundary(200)];
    format!("{head}[…] {} bytes", text.len())
}

/// The requests of a batch, each record in a request of its own where `apart`, so that all of it can be read.
async fn requests(batch: &Batch, apart: bool, set: impl Fn(LangfuseConfig) -> LangfuseConfig) -> String {
    let bench = Bench::with(|config| {
        set(config.with_score_concurrency(1).with_logs_without_trace(LogsWithoutTrace::OwnTrace))
    })
    .await;
    let batch = conformance::input(batch, &obs_langfuse::DESCRIPTOR);
    let step = if apart { 1 } else { batch.len() };
    for from in (0..batch.len()).step_by(step) {
        bench.export(&batch.slice(from..from + step)).await.unwrap();
    }
    bench.server.redacted_snapshot_with(readable)
}

fn same(config: LangfuseConfig) -> LangfuseConfig {
    config
}

fn legacy(config: LangfuseConfig) -> LangfuseConfig {
    config.with_ingestion(Ingestion::Legacy)
}

#[tokio::test]
async fn spans_one_by_one() {
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Traces), true, same).await);
}

#[tokio::test]
async fn logs_one_by_one() {
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Logs), true, same).await);
}

#[tokio::test]
async fn scores() {
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Scores), false, same).await);
}

#[tokio::test]
async fn feedback() {
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Feedback), false, same).await);
}

#[tokio::test]
async fn scores_as_an_array() {
    let arrays = |config: LangfuseConfig| config.with_score_batch(true);
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Scores), false, arrays).await);
}

#[tokio::test]
async fn whole_batches() {
    let mut all = String::new();
    for signal in [Signal::Traces, Signal::Logs] {
        all += &requests(&fixtures::batch(signal), false, same).await;
        all += "\n\n===\n\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn nasty() {
    let mut all = String::new();
    for signal in Signal::ALL.into_iter().filter(|signal| *signal != Signal::Metrics) {
        all += &requests(&fixtures::nasty(signal), false, same).await;
        all += "\n\n===\n\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn one_agent_run() {
    let mut all = String::new();
    for batch in fixtures::trace_batches() {
        all += &requests(&batch, true, same).await;
        all += "\n\n===\n\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn for_old_servers() {
    let mut all = String::new();
    for batch in fixtures::trace_batches().into_iter().chain([fixtures::batch(Signal::Traces)]) {
        all += &requests(&batch, true, legacy).await;
        all += "\n\n===\n\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn logs_scores_and_feedback_for_old_servers() {
    let mut all = String::new();
    for signal in [Signal::Logs, Signal::Scores, Signal::Feedback] {
        all += &requests(&fixtures::batch(signal), true, legacy).await;
        all += "\n\n===\n\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn nasty_for_old_servers() {
    let mut all = String::new();
    for signal in [Signal::Traces, Signal::Logs, Signal::Scores, Signal::Feedback] {
        all += &requests(&fixtures::nasty(signal), false, legacy).await;
        all += "\n\n===\n\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn the_check() {
    let bench = Bench::start().await;
    obs_core::Exporter::check(&bench.exporter).await;
    insta::assert_snapshot!(bench.server.redacted_snapshot());
}
