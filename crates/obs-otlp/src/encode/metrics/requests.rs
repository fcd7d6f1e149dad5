//! Requests of metrics.

use std::sync::Arc;

use obs_core::{Attributes, Metric, Resource};

use super::InvalidMetric;
use super::group::Metrics;
use super::point::{self, Kind, Point};
use crate::encode::group::{Form, Group};
use crate::encode::requests::Chunk;
use crate::encode::{Encoding, Fields};
use crate::levels::METRICS;

/// How many points memory is taken for at once, whatever is said to come.
const MOST_EXPECTED: usize = 4_096;

/// Builds export requests of metrics: grouped by resource and scope, then by metric, cut by points and by bytes.
///
/// Points of the same name, unit, description, kind and temporality are one metric.
/// Bytes are those of the whole body, before compression.
/// A point that alone has more than the most bytes still gets a request, of its own.
///
/// OTLP is made for aggregated points, and knows no measurements.
/// A gauge is a point as it is.
/// An increment, a change or a sample that nothing aggregated goes out as a delta of its own that begins and ends at its time: a sum of one increment, a histogram of one sample without buckets.
/// That is correct, but large, and two at the same nanosecond on one series are one too many for most backends: between an application and a backend stands an aggregation.
///
/// What OTLP has no place for stays behind: a metric's cost and its trace's context.
#[derive(Debug)]
pub struct MetricRequests {
    form: Form,
    max_items: usize,
    max_bytes: usize,
    groups: Vec<Metrics>,
    records: Vec<usize>,
    /// The bytes of all groups, finished.
    bytes: usize,
    done: Vec<Chunk>,
    scratch: Vec<u8>,
}

impl MetricRequests {
    /// Requests of at most so many points and so many bytes each; at least one point.
    pub fn new(encoding: Encoding, max_items: usize, max_bytes: usize) -> Self {
        Self {
            form: Form::new(encoding, &METRICS),
            max_items: max_items.max(1),
            max_bytes,
            groups: Vec::new(),
            records: Vec::new(),
            bytes: 0,
            done: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Says how many points will come, so that memory for them is taken at once; nothing depends on it.
    #[must_use]
    pub fn expecting(mut self, points: usize) -> Self {
        self.records.reserve_exact(points.min(self.max_items).min(MOST_EXPECTED));
        self
    }

    /// Lets `put` put the attributes of resources and scopes, for a backend that does not read all that OTLP has; as they are by default.
    #[must_use]
    pub fn with_shared_attributes(mut self, put: fn(&Attributes, &mut Fields<'_>)) -> Self {
        self.form.put = put;
        self
    }

    /// Adds a metric, which is the record at this position of its batch.
    ///
    /// # Errors
    /// The metric cannot go out, and was not added.
    pub fn push(&mut self, at: usize, metric: &Metric) -> Result<(), InvalidMetric> {
        self.push_under(at, &metric.resource, metric)
    }

    /// [`Self::push`] under another resource than the metric's own, such as one that was completed.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_under(
        &mut self,
        at: usize,
        resource: &Arc<Resource>,
        metric: &Metric,
    ) -> Result<(), InvalidMetric> {
        let (kind, point) = point::of(metric)?;
        if self.records.len() == self.max_items {
            self.cut();
        }
        let bytes = self.add(resource, metric, kind, &point);
        if !self.records.is_empty() && bytes + self.form.envelope() > self.max_bytes {
            self.take_back(resource);
            self.cut();
            self.bytes = self.add(resource, metric, kind, &point);
        } else {
            self.bytes = bytes;
        }
        self.records.push(at);
        Ok(())
    }

    /// The requests, in the order of the points.
    pub fn finish(mut self) -> Vec<Chunk> {
        self.cut();
        self.done
    }

    /// Writes a point; gives the bytes that all groups have then.
    fn add(&mut self, resource: &Arc<Resource>, metric: &Metric, kind: Kind, point: &Point<'_>) -> usize {
        let nth = self.group(resource);
        let metrics = &mut self.groups[nth];
        let before = metrics.bytes();
        metrics.add(self.form.encoding, &mut self.scratch, metric, kind, point);
        self.bytes - before + metrics.bytes()
    }

    /// Takes the last point back, for which there is no room.
    #[cold]
    fn take_back(&mut self, resource: &Arc<Resource>) {
        let nth = self.group(resource);
        self.groups[nth].take_back();
    }

    /// The group of a resource: mostly that of the point before.
    fn group(&mut self, resource: &Arc<Resource>) -> usize {
        let same = |metrics: &Metrics| Arc::ptr_eq(metrics.resource(), resource);
        let equal = |metrics: &Metrics| *metrics.resource() == *resource;
        let found = self.groups.iter().rposition(same).or_else(|| self.groups.iter().position(equal));
        found.unwrap_or_else(|| {
            let group = Group::new(self.form, resource, &mut self.scratch, self.groups.is_empty());
            self.groups.push(Metrics::new(group));
            self.groups.len() - 1
        })
    }

    /// Ends the request.
    fn cut(&mut self) {
        if self.records.is_empty() {
            self.groups.clear();
            return;
        }
        let bytes = self.bytes + self.form.envelope();
        let encoding = self.form.encoding;
        let groups = std::mem::take(&mut self.groups).into_iter().map(|metrics| metrics.finish(encoding));
        let body = self.form.body(groups, bytes);
        self.bytes = 0;
        self.done.push(Chunk { body, records: std::mem::take(&mut self.records) });
    }
}
