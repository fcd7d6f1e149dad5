//! The contract, as the testkit has it, for both modes.
//!
//! A series shows its last value, whatever number of records made it, so each record is given a label of its own here, and
//! what is counted are the labels that stand on the page.

mod pull {
    use super::*;
    obs_testkit::conformance!(Pull);
}

mod push {
    use super::*;
    obs_testkit::conformance!(Push);
}

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, Exporter, Health, Receipt, Rejection, Resource, Signal, Str, Value,
};
use obs_http::{Auth, HttpConfig};
use obs_prometheus::{DESCRIPTOR, PrometheusConfig, PrometheusExporter};
use obs_testkit::CaptureServer;
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use serde_json::json;

use crate::checker;

const NTH: &str = "nth";

/// An exporter that marks each record, so that it is a series of its own.
#[derive(Debug)]
struct Marking {
    inner: PrometheusExporter,
    next: AtomicUsize,
}

impl Marking {
    fn new(config: PrometheusConfig, setup: Setup) -> Arc<Self> {
        let all = setup == Setup::Everything;
        let config = config.with_resource_labels([NTH]).with_scores(all).with_feedback(all);
        Arc::new(Self { inner: PrometheusExporter::new(config).unwrap(), next: AtomicUsize::new(0) })
    }

    fn mark(&self, batch: &Batch) -> Batch {
        let mark = |resource: &Arc<Resource>| {
            let mut marked = (**resource).clone();
            marked.attributes.push(NTH, format!("n{}", self.next.fetch_add(1, Ordering::Relaxed)));
            Arc::new(marked)
        };
        changed(batch, mark)
    }
}

/// The batch with other resources.
fn changed(batch: &Batch, change: impl Fn(&Arc<Resource>) -> Arc<Resource>) -> Batch {
    macro_rules! each {
        ($records:expr) => {
            $records
                .iter()
                .map(|record| {
                    let mut record = record.clone();
                    record.resource = change(&record.resource);
                    record
                })
                .collect()
        };
    }
    match batch {
        Batch::Metrics(records) => Batch::Metrics(each!(records)),
        Batch::Scores(records) => Batch::Scores(each!(records)),
        Batch::Feedback(records) => Batch::Feedback(each!(records)),
        Batch::Traces(_) | Batch::Logs(_) => batch.clone(),
    }
}

fn unmarked(batch: &Batch) -> Batch {
    changed(batch, |resource| {
        let mut plain = (**resource).clone();
        plain.attributes.remove(NTH);
        Arc::new(plain)
    })
}

fn unmark(receipt: Receipt) -> Receipt {
    let rejected = receipt
        .rejected
        .into_iter()
        .map(|rejection| Rejection { records: rejection.records.as_ref().map(unmarked), ..rejection });
    Receipt { rejected: rejected.collect(), ..receipt }
}

#[async_trait]
impl Exporter for Marking {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        match self.inner.export(&self.mark(batch)).await {
            Ok(receipt) => Ok(unmark(receipt)),
            Err(error) => {
                let (settled, error) = error.take_settled();
                let left = unmarked(error.undelivered());
                Err(error.with_undelivered(left).with_settled(unmark(settled)))
            }
        }
    }

    async fn check(&self) -> Health {
        self.inner.check().await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.inner.flush().await
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.inner.shutdown().await
    }
}

/// What stands on a page: marks by the signal of their family.
fn marks(text: &str) -> [usize; Signal::COUNT] {
    let mut marks: [BTreeSet<Str>; Signal::COUNT] = std::array::from_fn(|_| BTreeSet::new());
    for (name, family) in checker::read(text, false).unwrap() {
        let signal = match name.as_str() {
            "target_info" => continue,
            "obs_score" => Signal::Scores,
            "obs_feedback_total" => Signal::Feedback,
            _ => Signal::Metrics,
        };
        let found = family.samples.iter().filter_map(|sample| sample.labels.get(NTH));
        marks[signal.index()].extend(found.map(Str::from));
    }
    marks.map(|marks| marks.len())
}

/// An exporter to scrape.
struct Pull {
    exporter: Arc<Marking>,
}

#[async_trait]
impl Harness for Pull {
    fn descriptor() -> Descriptor {
        DESCRIPTOR
    }

    fn config() -> Option<ConfigCheck> {
        Some(ConfigCheck::of::<PrometheusConfig>(json!({
            "mode": "pull", "metrics_port": 9464, "metric_names": "recorded", "additional_labels": {"a": "b"},
        })))
    }

    async fn start(setup: Setup) -> Self {
        Self { exporter: Marking::new(PrometheusConfig::pull(), setup) }
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.exporter.clone()
    }

    async fn observe(&self) -> Observed {
        let text = self.exporter.inner.render("").body;
        let records = marks(&text);
        Observed { records, writes: records.iter().sum(), bytes: text.into_bytes() }
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An exporter that pushes.
struct Push {
    exporter: Arc<Marking>,
    server: CaptureServer,
}

const PASSWORD: &str = "sesame-open-sesame";

#[async_trait]
impl Harness for Push {
    fn descriptor() -> Descriptor {
        DESCRIPTOR
    }

    fn config() -> Option<ConfigCheck> {
        Some(ConfigCheck::of::<PrometheusConfig>(json!({
            "pushgateway_url": "http://127.0.0.1:9091", "job_name": "shop", "instance_label": "i", "method": "post",
        })))
    }

    async fn start(setup: Setup) -> Self {
        let server = CaptureServer::start().await;
        let http = HttpConfig::default().with_auth(Auth::basic("aladdin-user", PASSWORD));
        let config = PrometheusConfig::push(server.url(), "shop").with_http(http);
        Self { exporter: Marking::new(config, setup), server }
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.exporter.clone()
    }

    async fn observe(&self) -> Observed {
        let mut observed = Observed::default();
        for request in self.server.requests().iter().filter(|request| request.method == "PUT") {
            observed.writes += 1;
            observed.bytes.extend_from_slice(&request.body);
            // Each push replaces what was there.
            observed.records = marks(std::str::from_utf8(&request.body).unwrap());
        }
        observed
    }

    fn secrets(&self) -> Vec<String> {
        vec!["aladdin-user".to_owned(), PASSWORD.to_owned()]
    }
}

#[test]
fn a_mark_is_taken_back() {
    let batch = obs_testkit::fixtures::batch(Signal::Metrics);
    let marking = Marking::new(PrometheusConfig::pull(), Setup::Defaults);
    let marked = marking.mark(&batch);
    let Batch::Metrics(metrics) = &marked else { panic!() };
    assert!(metrics.iter().all(|metric| matches!(metric.resource.attributes.get(NTH), Some(Value::Str(_)))));
    assert_eq!(unmarked(&marked), batch);
}
