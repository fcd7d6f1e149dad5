//! Every request of the whole fixture set, as text.

use std::fmt::Write as _;

use obs_core::{Batch, Exporter, Signal};
use obs_grafana::{GrafanaConfig, Histograms, LokiLine};
use obs_testkit::{Captured, fixtures};

use crate::prom;
use crate::support::{Bench, WRITE, streams};

/// A request as text: a line for each sample, and for Loki one for each entry and each pair beside it.
fn readable(request: &Captured) -> Option<String> {
    if request.path == WRITE {
        let written = prom::decoded(&request.body);
        written.assert_valid();
        return Some(written.text());
    }
    let mut out = String::new();
    for stream in streams(request) {
        let _ = writeln!(out, "stream {:?}", stream.stream);
        for entry in &stream.values {
            let _ = writeln!(out, "  {} {}", entry.0, cut(&entry.1));
            for (name, value) in &entry.2 {
                let _ = writeln!(out, "    {name} = {}", cut(value));
            }
        }
    }
    Some(out).filter(|out| !out.is_empty())
}

fn cut(text: &str) -> String {
    let shown = format!("{text:?}");
    if shown.len() <= 200 {
        return shown;
    }
    format!("{}[…] {} bytes", &shown[..shown.floor_char_boundary(100)], text.len())
}

async fn requests(batch: &Batch, set: impl FnOnce(GrafanaConfig) -> GrafanaConfig) -> String {
    let bench = Bench::direct_with(set).await;
    bench.export(&bench.input(batch)).await.unwrap();
    bench.server.redacted_snapshot_with(readable)
}

fn same(config: GrafanaConfig) -> GrafanaConfig {
    config
}

#[tokio::test]
async fn metrics() {
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Metrics), same).await);
}

#[tokio::test]
async fn native_histograms() {
    let native = |config: GrafanaConfig| config.with_histograms(Histograms::Exponential);
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Metrics), native).await);
}

#[tokio::test]
async fn logs() {
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Logs), same).await);
}

#[tokio::test]
async fn logs_as_json_lines_with_labels_of_ones_own() {
    let set = |config: GrafanaConfig| {
        config.with_loki_line(LokiLine::Json).with_loki_labels(["host.name", "absent"])
    };
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Logs), set).await);
}

#[tokio::test]
async fn scores() {
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Scores).slice(0..5), same).await);
}

#[tokio::test]
async fn feedback() {
    insta::assert_snapshot!(requests(&fixtures::batch(Signal::Feedback).slice(10..14), same).await);
}

#[tokio::test]
async fn one_agent_run() {
    let mut all = String::new();
    for batch in fixtures::trace_batches().into_iter().filter(|batch| batch.signal() != Signal::Traces) {
        all += &requests(&batch, same).await;
        all += "\n\n===\n\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn nasty() {
    let mut all = String::new();
    for signal in [Signal::Metrics, Signal::Logs, Signal::Scores, Signal::Feedback] {
        all += &requests(&fixtures::nasty(signal), |config| config.with_histograms(Histograms::Exponential))
            .await;
        all += "\n\n===\n\n";
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn the_check_with_a_tenant() {
    let bench = Bench::direct_with(|config| config.with_tenant("team-a")).await;
    bench.exporter.check().await;
    insta::assert_snapshot!(bench.server.redacted_snapshot_with(readable));
}
