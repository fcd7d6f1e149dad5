//! Metrics into series.

use std::fmt::Write as _;
use std::sync::Arc;

use obs_core::{Mapped, Metric, Records, Refused, Resource};

use crate::PrometheusExporter;
use crate::point::Point;
use crate::table::{Change, SourceKey};

/// One call for the whole batch.
pub(crate) fn map(exporter: &PrometheusExporter, records: &Records<Metric>) -> Mapped<Vec<Change>> {
    let mut changes = Changes::default();
    for (at, metric) in records.iter().enumerate() {
        changes.add(exporter, at, metric);
    }
    changes.end()
}

/// The changes that the records of a batch make.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    changes: Vec<Change>,
    records: Vec<usize>,
    refused: Vec<Refused>,
    /// The resource of the last record and its text, since most records share one.
    last: Option<(Arc<Resource>, Arc<str>)>,
}

impl Changes {
    /// Adds the record at this place as the metric that it is shown as.
    pub(crate) fn add(&mut self, exporter: &PrometheusExporter, at: usize, metric: &Metric) {
        match Point::of(metric, || exporter.bounds(metric)) {
            Ok(point) => {
                let resource = self.resource(&metric.resource);
                self.records.push(at);
                self.changes.push(Change {
                    key: SourceKey::of(metric, &resource),
                    point,
                    labels: metric.labels.clone(),
                    description: metric.description.clone(),
                    resource: Arc::clone(&metric.resource),
                });
            }
            Err(refusal) => self.refuse(at, refusal.to_string()),
        }
    }

    /// Refuses the record at this place.
    pub(crate) fn refuse(&mut self, at: usize, reason: impl Into<Box<str>>) {
        self.refused.push(Refused::encode(at, reason));
    }

    pub(crate) fn end(self) -> Mapped<Vec<Change>> {
        let Self { changes, records, refused, .. } = self;
        let mut mapped = Mapped { calls: Vec::new(), refused };
        if !records.is_empty() {
            mapped.calls.push(obs_core::Call { request: changes, records });
        }
        mapped
    }

    fn resource(&mut self, resource: &Arc<Resource>) -> Arc<str> {
        match &self.last {
            Some((last, text)) if Arc::ptr_eq(last, resource) => Arc::clone(text),
            _ => {
                let text: Arc<str> = text(resource).into();
                self.last = Some((Arc::clone(resource), Arc::clone(&text)));
                text
            }
        }
    }
}

/// The resource by value, whatever the order of its attributes; as Rust writes it, which tells each value from all others.
fn text(resource: &Resource) -> String {
    let mut pairs: Vec<_> = resource.attributes.iter().collect();
    pairs.sort_by_key(|(key, _)| *key);
    let mut text = String::new();
    for (key, value) in pairs {
        let _ = writeln!(text, "{key:?}:{value:?}");
    }
    let _ = write!(text, "{:?}", resource.scope);
    text
}
