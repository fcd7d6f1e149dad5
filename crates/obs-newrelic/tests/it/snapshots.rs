//! Every request of the whole fixture set, as text.

use std::fmt::Write as _;

use obs_core::{Batch, Exporter, Signal};
use obs_newrelic::NewRelicConfig;
use obs_testkit::{Captured, fixtures};
use serde_json::Value;

use crate::otlp;
use crate::support::{Bench, events, points};

/// A request as text: a line for each attribute; of OTLP, whose bodies obs-otel's snapshots have, how many records.
fn readable(request: &Captured) -> Option<String> {
    if let Some((signal, count)) = otlp::count(request) {
        return Some(format!("{count} {signal}\n"));
    }
    let mut out = String::new();
    for event in events(request) {
        let _ = writeln!(out, "event");
        for (name, value) in &event {
            let _ = writeln!(out, "  {name} = {}", cut(value));
        }
    }
    for point in points(request) {
        let _ = writeln!(out, "point");
        for (name, value) in point.as_object().unwrap() {
            let _ = writeln!(out, "  {name} = {value}");
        }
    }
    Some(out).filter(|out| !out.is_empty())
}

fn cut(value: &Value) -> String {
    let shown = value.to_string();
    if shown.len() <= 300 {
        return shown;
    }
    format!("{}[…] {} bytes", &shown[..shown.floor_char_boundary(150)], shown.len())
}

async fn requests(bench: &Bench, batch: &Batch) -> String {
    let _ = bench.export(&bench.input(batch)).await;
    let shown = bench.server.redacted_snapshot_with(readable);
    bench.server.take_requests();
    shown
}

#[tokio::test]
async fn otlp() {
    let bench = Bench::alone().await;
    let mut all = String::new();
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        all += &requests(&bench, &fixtures::batch(signal)).await;
        all += "\n===\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn metric_api() {
    let bench = Bench::native().await;
    insta::assert_snapshot!(requests(&bench, &fixtures::batch(Signal::Metrics)).await);
}

/// Every kind of value, and every kind of target.
const PICKED: [usize; 9] = [0, 1, 2, 3, 4, 5, 10, 15, 20];

/// The requests of single records, so that each is shown whole.
async fn one_by_one(batch: &Batch, picked: impl IntoIterator<Item = usize>) -> String {
    let bench = Bench::account().await;
    let mut all = String::new();
    for at in picked {
        all += &requests(&bench, &batch.select(&[at])).await;
        all += "\n===\n";
    }
    all
}

#[tokio::test]
async fn scores() {
    insta::assert_snapshot!(one_by_one(&fixtures::batch(Signal::Scores), PICKED).await);
}

#[tokio::test]
async fn feedback() {
    insta::assert_snapshot!(one_by_one(&fixtures::batch(Signal::Feedback), PICKED).await);
}

#[tokio::test]
async fn events_of_ones_own() {
    let set = |config: NewRelicConfig| {
        config
            .with_event_type("Orders", ["order", "attempt", "host.name"])
            .with_event_type("Steps", ["text", "float", "list"])
            .with_event_type("Load", ["temperature", "latency.explicit", "balance"])
            .with_common_attribute("team", "a")
    };
    let bench = Bench::with(set).await;
    let mut all = String::new();
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        all += &requests(&bench, &fixtures::batch(signal)).await;
        all += "\n===\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn one_agent_run() {
    let bench = Bench::native().await;
    let mut all = String::new();
    for batch in fixtures::trace_batches() {
        all += &requests(&bench, &batch).await;
        all += "\n===\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn nasty() {
    let bench = Bench::native().await;
    let mut all = String::new();
    all += &requests(&bench, &fixtures::nasty(Signal::Metrics)).await;
    for signal in [Signal::Scores, Signal::Feedback] {
        all += "\n===\n";
        let batch = fixtures::nasty(signal);
        all += &one_by_one(&batch, 0..batch.len()).await;
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn the_check() {
    let bench = Bench::native().await;
    bench.exporter.check().await;
    insta::assert_snapshot!(bench.server.redacted_snapshot());
}
