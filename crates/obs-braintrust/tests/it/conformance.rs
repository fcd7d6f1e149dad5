//! The laws of an exporter.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use obs_braintrust::{BraintrustConfig, BraintrustExporter, DESCRIPTOR};
use obs_core::{Batch, Descriptor, Exporter, Signal};
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use obs_testkit::{CaptureServer, fixtures};
use serde_json::{Value, json};

use crate::server;

struct Bench {
    server: CaptureServer,
    exporter: Arc<BraintrustExporter>,
}

#[async_trait]
impl Harness for Bench {
    fn descriptor() -> Descriptor {
        DESCRIPTOR
    }

    fn config() -> Option<ConfigCheck> {
        Some(ConfigCheck::of::<BraintrustConfig>(json!({
            "api_key": server::KEY, "project": "support", "region": "eu", "org_name": "Acme",
            "log_row_style": "child_span", "score_source": "external", "send_started": false, "timeout": "3s",
        })))
    }

    async fn start(_: Setup) -> Self {
        let server = server::start().await;
        let exporter = Arc::new(server::exporter(&server));
        Self { server, exporter }
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.exporter.clone()
    }

    async fn observe(&self) -> Observed {
        let mut observed = Observed::default();
        for request in self.server.requests() {
            observed.writes +=
                usize::from(request.path.ends_with("/insert") || request.path.ends_with("/feedback"));
            observed.bytes.extend(request.body);
        }
        let mut spans: HashMap<String, usize> = HashMap::new();
        // What took two posts has its number in a row and its words in feedback: one record.
        let mut numbers: HashMap<String, usize> = HashMap::new();
        for (_, item) in server::fed_back(&self.server) {
            let is_score = item["metadata"].get("score_id").is_some();
            let signal = if is_score { Signal::Scores } else { Signal::Feedback };
            observed.records[signal.index()] += 1;
            if item.get("scores").is_none() {
                *numbers.entry(number(&item)).or_default() += 1;
            }
        }
        for (_, row) in server::inserted(&self.server) {
            match signal(&row) {
                Signal::Traces => *spans.entry(text(&row["id"])).or_default() += 1,
                Signal::Scores | Signal::Feedback if take(&mut numbers, &number(&row)) => {}
                signal => observed.records[signal.index()] += 1,
            }
        }
        let twice = several();
        // Of a span whose records stand in one row, that row is all of them.
        let records = |(id, rows): (&String, &usize)| (*rows).max(twice.get(id).copied().unwrap_or(1));
        observed.records[Signal::Traces.index()] += spans.iter().map(records).sum::<usize>();
        observed
    }

    fn secrets(&self) -> Vec<String> {
        vec![server::KEY.to_owned()]
    }
}

/// What a row or an item says of numbers that are no scores, and of which row.
fn number(judged: &Value) -> String {
    format!("{} {}", judged["id"], judged["metadata"]["raw_scores"])
}

fn take(numbers: &mut HashMap<String, usize>, number: &str) -> bool {
    numbers.get_mut(number).is_some_and(|left| {
        let found = *left > 0;
        *left = left.saturating_sub(1);
        found
    })
}

/// Which signal a row is of.
fn signal(row: &Value) -> Signal {
    if row["span_attributes"]["type"] == "log" {
        return Signal::Logs;
    }
    match row["metadata"].get("raw_scores").and_then(Value::as_object) {
        // The fixtures judge with scores and with feedback; their targets' names tell which.
        Some(named) if row.get("span_attributes").is_none() => judged(named),
        _ => Signal::Traces,
    }
}

/// Whether a number is of the scores of the fixtures or of their feedback.
fn judged(named: &serde_json::Map<String, Value>) -> Signal {
    let kinds = ["thumbs", "rating", "comment", "correction"];
    if named.keys().any(|name| kinds.contains(&name.as_str())) { Signal::Feedback } else { Signal::Scores }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// How many records the fixtures have of a span, where it is more than one.
fn several() -> HashMap<String, usize> {
    let mut count: HashMap<String, usize> = HashMap::new();
    for batch in [fixtures::batch(Signal::Traces), fixtures::nasty(Signal::Traces)] {
        let Batch::Traces(records) = batch else { continue };
        for record in records.iter() {
            *count.entry(record.span().span_id.to_string()).or_default() += 1;
        }
    }
    count.retain(|_, count| *count > 1);
    count
}

obs_testkit::conformance!(Bench);
