//! Histograms as they are shown: under explicit bounds, with the exemplars of each bucket.

use std::collections::BTreeMap;
use std::sync::Arc;

use obs_aggregate::{Refusal, histogram};
use obs_core::{Exemplar, ExpHistogram, Histogram};

use crate::exponential::{self, ascending};
use crate::point::Sampled;
use crate::units::Scale;

/// Buckets with explicit upper bounds, one more count than bounds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Buckets {
    pub(crate) bounds: Arc<[f64]>,
    pub(crate) counts: Vec<u64>,
    pub(crate) sum: f64,
    /// By the place of their bucket, one each.
    exemplars: BTreeMap<usize, Sampled>,
}

impl Buckets {
    pub(crate) fn new(
        bounds: Arc<[f64]>,
        counts: Vec<u64>,
        sum: f64,
        exemplars: impl IntoIterator<Item = Sampled>,
    ) -> Self {
        let mut buckets = Self { bounds, counts, sum, exemplars: BTreeMap::new() };
        for exemplar in exemplars {
            buckets.keep(exemplar);
        }
        buckets
    }

    /// An exponential histogram under explicit bounds.
    pub(crate) fn of(histogram: &ExpHistogram) -> Self {
        let (bounds, counts) = exponential::explicit(histogram);
        let sampled = histogram.exemplars.iter().filter_map(|Exemplar { span, value, time }| {
            let value = value.filter(|value| value.is_finite())?;
            Some(Sampled { value, time: time.unwrap_or_default(), span: *span })
        });
        Self::new(bounds, counts, histogram.sum, sampled)
    }

    /// The same in another unit.
    pub(crate) fn scaled(&self, scale: Scale) -> Self {
        let uppers = self.bounds.iter().map(|bound| scale.apply(*bound)).chain([f64::INFINITY]);
        let (bounds, counts) = ascending(uppers.zip(self.counts.iter().copied()));
        let exemplars = self.exemplars.values().map(|exemplar| exemplar.scaled(scale));
        Self::new(bounds, counts, scale.apply(self.sum), exemplars)
    }

    /// How many values there are.
    fn total(&self) -> u64 {
        self.counts.iter().fold(0, |total, count| total.saturating_add(*count))
    }

    /// Keeps an exemplar, the latest of its bucket.
    fn keep(&mut self, exemplar: Sampled) {
        let at = histogram::bucket(&self.bounds, exemplar.value);
        if self.exemplars.get(&at).is_none_or(|known| known.time <= exemplar.time) {
            self.exemplars.insert(at, exemplar);
        }
    }

    /// The exemplar of a bucket.
    pub(crate) fn exemplar(&self, at: usize) -> Option<&Sampled> {
        self.exemplars.get(&at)
    }

    /// The exemplars of all buckets that have one.
    pub(crate) fn into_exemplars(self) -> impl Iterator<Item = Sampled> {
        self.exemplars.into_values()
    }

    /// Whether the sum can only grow, as far as the buckets tell.
    pub(crate) fn sum_is_counter(&self) -> bool {
        self.sum >= 0.0 && self.bounds.first().is_none_or(|first| *first >= 0.0)
    }

    /// Adds another histogram; of different bounds those stay that both have, and one without values has no say in it.
    ///
    /// # Errors
    /// Their sum cannot be shown; then nothing changes.
    pub(crate) fn add(&mut self, other: &Self) -> Result<(), Refusal> {
        if self.bounds != other.bounds && other.total() == 0 {
            return Ok(());
        }
        if self.bounds != other.bounds && self.total() == 0 {
            self.clone_from(other);
            return Ok(());
        }
        let mut all = self.bare();
        histogram::merge(&mut all, &other.bare())?;
        let known = std::mem::take(&mut self.exemplars).into_values();
        let exemplars = known.chain(other.exemplars.values().cloned());
        *self = Self::new(all.bounds, all.counts, all.sum, exemplars);
        Ok(())
    }

    /// The histogram without its exemplars.
    fn bare(&self) -> Histogram {
        Histogram {
            count: self.total(),
            sum: self.sum,
            bounds: Arc::clone(&self.bounds),
            counts: self.counts.clone(),
            ..Histogram::default()
        }
    }
}
