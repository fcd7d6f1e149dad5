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
            "log_row_style": "child_span", "score_source": "external", "post_on_start": false, "feedback_prefix": "user_", "timeout": "3s",
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
        for (_, item) in server::fed_back(&self.server) {
            count(&item["metadata"], &mut observed);
        }
        let mut spans: HashMap<String, Rows> = HashMap::new();
        for (_, row) in server::inserted(&self.server) {
            if row["span_attributes"]["type"] == "log" {
                observed.records[Signal::Logs.index()] += 1;
            } else if row["metadata"].get("span_type").is_none() {
                // What took two posts has what is known of it in its feedback, and nothing here: one record.
                count(&row["metadata"], &mut observed);
            } else {
                let rows = spans.entry(row["id"].as_str().unwrap().to_owned()).or_default();
                *(if row["metrics"]["end"].is_null() { &mut rows.started } else { &mut rows.ended }) += 1;
            }
        }
        let given = given();
        let records = |(id, rows): (&String, &Rows)| rows.records(given.get(id).copied().unwrap_or_default());
        observed.records[Signal::Traces.index()] += spans.iter().map(records).sum::<usize>();
        observed
    }

    fn secrets(&self) -> Vec<String> {
        vec![server::KEY.to_owned()]
    }
}

/// Counts the judgements that metadata names by their ids.
fn count(metadata: &Value, observed: &mut Observed) {
    let several = metadata["judgements"].as_object().into_iter().flat_map(|several| several.values());
    for known in several.chain([metadata]) {
        for (id, signal) in [("score_id", Signal::Scores), ("feedback_id", Signal::Feedback)] {
            observed.records[signal.index()] += usize::from(known[id].is_string());
        }
    }
}

/// How many rows, or records of the fixtures, a span has of each stage.
#[derive(Debug, Clone, Copy, Default)]
struct Rows {
    started: usize,
    ended: usize,
}

impl Rows {
    /// For how many records these rows stand: where all starts of the fixture stand in its ends, for them, too.
    fn records(&self, given: Self) -> usize {
        let folded =
            if self.started == 0 && given.ended > 0 { given.started * self.ended / given.ended } else { 0 };
        self.started + self.ended + folded
    }
}

/// How many records of each stage the fixtures have of a span.
fn given() -> HashMap<String, Rows> {
    let mut given: HashMap<String, Rows> = HashMap::new();
    for batch in [fixtures::batch(Signal::Traces), fixtures::nasty(Signal::Traces)] {
        let Batch::Traces(records) = batch else { continue };
        for record in records.iter() {
            let rows = given.entry(record.span().span_id.to_string()).or_default();
            *(if record.ended().is_some() { &mut rows.ended } else { &mut rows.started }) += 1;
        }
    }
    given
}

#[test]
fn a_row_that_is_lost_is_missed() {
    let (one, two) = (Rows { started: 1, ended: 1 }, Rows { started: 0, ended: 2 });
    for (found, given, records) in [
        (Rows { started: 0, ended: 1 }, one, 2),
        (one, one, 2),
        (Rows { started: 1, ended: 0 }, one, 1),
        (two, two, 2),
        (Rows { started: 0, ended: 1 }, two, 1),
    ] {
        assert_eq!(found.records(given), records, "{found:?} of {given:?}");
    }
}

obs_testkit::conformance!(Bench);
