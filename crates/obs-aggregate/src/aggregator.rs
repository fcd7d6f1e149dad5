//! The aggregator: folds records, shows views, commits them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{Metric, Resource, Temporality, Timestamp};

use crate::bounds::Shapes;
use crate::identity::{Kind, MetricKey, ResourceKey};
use crate::stream::{Interval, Stream};
use crate::{AggregateConfig, Refusal};

/// Folds metric records into series for one reader.
///
/// It is pure: no clock, no I/O, no thread.
#[derive(Debug)]
pub struct Aggregator {
    temporality: Temporality,
    max_series: usize,
    max_metrics: usize,
    shapes: Shapes,
    streams: HashMap<MetricKey, Stream>,
    /// The resource of the last record, since most records share one.
    last_resource: Option<(Arc<Resource>, ResourceKey)>,
    /// Records folded and not yet settled by a commit.
    pending: usize,
    /// The end of the last committed view.
    committed_end: Timestamp,
    /// The end of the last view.
    viewed_end: Timestamp,
    last_view: ViewId,
    open: Option<Open>,
}

/// The view that can be committed.
#[derive(Debug, Clone, Copy)]
struct Open {
    id: ViewId,
    end: Timestamp,
    records: usize,
}

/// The finest time of those who read views.
const MILLISECOND: Duration = Duration::from_millis(1);

/// Names a view, so that it can be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ViewId(u64);

/// The series as they stand, for one delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// What to hand to [`Aggregator::commit`] once the view is delivered.
    pub id: ViewId,
    /// One record a series, by resource, name, unit, kind and labels.
    pub metrics: Vec<Metric>,
    /// How many folded records a commit of this view settles.
    pub records: usize,
    /// How many of those each of `metrics` has, in their order; none where a cumulative reader is shown a level again.
    pub shares: Vec<usize>,
}

impl Aggregator {
    /// An aggregator without series.
    pub fn new(config: AggregateConfig) -> Self {
        let AggregateConfig {
            temporality,
            start,
            max_series,
            max_metrics,
            histogram_form,
            bounds,
            exponential,
            advised,
        } = config;
        Self {
            temporality,
            max_series: max_series.max(1),
            max_metrics: max_metrics.max(1),
            shapes: Shapes::new(histogram_form, bounds, exponential, advised),
            streams: HashMap::new(),
            last_resource: None,
            pending: 0,
            committed_end: start,
            viewed_end: start,
            last_view: ViewId(0),
            open: None,
        }
    }

    /// Folds one record into its series.
    ///
    /// # Errors
    /// What cannot be folded is refused, and nothing of it is kept; the caller counts it.
    pub fn fold(&mut self, metric: &Metric) -> Result<(), Refusal> {
        let kind = Kind::of(&metric.value, || self.shapes.form(&metric.name));
        let key = MetricKey::of(metric, kind, self.resource_key(&metric.resource));
        let known = self.streams.len();
        match self.streams.entry(key) {
            Entry::Occupied(stream) => {
                stream.into_mut().fold(metric, self.viewed_end, self.max_series)?;
            }
            Entry::Vacant(_) if known >= self.max_metrics => return Err(Refusal::TooManyMetrics),
            Entry::Vacant(place) => {
                let shape = self.shapes.of(&metric.name, metric.unit.as_deref());
                let mut stream = Stream::new(&metric.resource, shape);
                stream.fold(metric, self.viewed_end, self.max_series)?;
                place.insert(stream);
            }
        }
        self.pending += 1;
        Ok(())
    }

    fn resource_key(&mut self, resource: &Arc<Resource>) -> ResourceKey {
        match &self.last_resource {
            Some((last, key)) if Arc::ptr_eq(last, resource) => key.clone(),
            _ => {
                let key = ResourceKey::of(resource);
                self.last_resource = Some((Arc::clone(resource), key.clone()));
                key
            }
        }
    }

    /// The series as they stand at `now`.
    ///
    /// Where records were folded since a commit, it ends a millisecond after the view before at least, whatever the clock
    /// does, since backends refuse two points of one time; else a clock that went back counts as one that stands.
    /// It shows all that no commit has settled, so it takes the place of every view before it.
    /// A cumulative reader is shown every series, a delta reader those with records since the last commit.
    pub fn view(&mut self, now: Timestamp) -> View {
        let end = self.end(now);
        let interval = Interval { start: self.committed_end, end, temporality: self.temporality };
        let mut streams: Vec<_> = self.streams.iter_mut().collect();
        streams.sort_by(|a, b| a.0.cmp(b.0));
        let mut points = Vec::new();
        for (key, stream) in streams {
            stream.view(key, interval, &mut points);
        }
        let (metrics, shares): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        debug_assert_eq!(shares.iter().sum::<usize>(), self.pending, "every record is in a point");
        self.viewed_end = end;
        self.last_view = ViewId(self.last_view.0 + 1);
        let open = Open { id: self.last_view, end, records: self.pending };
        self.open = Some(open);
        View { id: open.id, metrics, records: open.records, shares }
    }

    /// When a view at `now` ends.
    fn end(&self, now: Timestamp) -> Timestamp {
        let is_first = self.last_view == ViewId::default();
        if now > self.viewed_end || self.pending == 0 || is_first {
            return now.max(self.viewed_end);
        }
        self.viewed_end.saturating_add(MILLISECOND)
    }

    /// Settles the records of a delivered view, and says how many they were.
    ///
    /// It is zero, and nothing changes, for a view that is committed already or that a later one has replaced.
    pub fn commit(&mut self, view: ViewId) -> usize {
        let Some(open) = self.open.take_if(|open| open.id == view) else { return 0 };
        for (key, stream) in &mut self.streams {
            stream.commit(key.kind, self.temporality, open.end);
        }
        self.streams.retain(|_, stream| !stream.is_empty());
        self.pending -= open.records;
        self.committed_end = open.end;
        open.records
    }

    /// How many folded records no commit has settled.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// How many series there are.
    pub fn series(&self) -> usize {
        self.streams.values().map(Stream::len).sum()
    }
}
