//! Whose a series is, where several of the records' own become the same in Prometheus.
//!
//! Such series are not added up: a view may arrive in several batches, and the sum of those in one batch would fall as
//! soon as another batch has a part of them, which a reader takes for a counter that began anew.
//! So a series is its first source's, in whatever batch the others stand, and those are told what makes them the same.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

use obs_core::{Labels, Metric, Resource, Str};

use crate::labels;
use crate::naming::SeriesKind;
use crate::series::Point;

/// After how many milliseconds without a sample a series is free for another source: Prometheus takes it for ended then.
const ENDED: u64 = 5 * 60 * 1_000;
/// The fewest series that those that ended are looked for among.
const MANY: usize = 1_024;

/// What tells a series from others before Prometheus's names and labels are made of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Source {
    name: Str,
    unit: Option<Str>,
    kind: SeriesKind,
    /// In the order of their names.
    labels: Labels,
    resource: Arc<str>,
}

impl Source {
    /// The source of a metric; `resource` is its resource's [`identity`].
    pub(crate) fn of(metric: &Metric, kind: SeriesKind, resource: &Arc<str>) -> Self {
        let mut labels = metric.labels.clone();
        if !labels.is_sorted() {
            let mut pairs = labels.to_vec();
            pairs.sort();
            labels = pairs.into_iter().collect();
        }
        let (name, unit) = (metric.name.clone(), metric.unit.clone());
        Self { name, unit, kind, labels, resource: Arc::clone(resource) }
    }

    /// Why it does not get the series that is `owner`'s: what differs between them and is gone in Prometheus.
    fn refused(&self, owner: &Self, series: &str) -> String {
        let name = owner.name.as_str();
        let why = if self.name != owner.name {
            format!("the metric {name:?} becomes the same; rename one of them")
        } else if self.unit != owner.unit {
            format!(
                "{name:?} in another unit ({:?}) becomes the same; use one unit, or another name",
                owner.unit.as_deref().unwrap_or_default()
            )
        } else if self.kind != owner.kind {
            format!("{name:?} of another kind becomes the same; rename one of them")
        } else if self.resource != owner.resource {
            "another resource or scope has the same job, instance and scope; set service.instance.id on each resource"
                .to_owned()
        } else {
            "labels of other names become the same; rename them".to_owned()
        };
        format!("the series {series} is another's: {why}")
    }
}

/// A resource and its scope as text, whatever the order of the attributes.
pub(crate) fn identity(resource: &Resource) -> Arc<str> {
    let mut attributes: Vec<_> = resource.attributes.iter().collect();
    attributes.sort_by_key(|(name, _)| *name);
    format!("{attributes:?}{:?}", resource.scope).into()
}

/// The sources of the series that were told of.
#[derive(Default)]
pub(crate) struct Owners {
    /// By the hash of the labels, with a key of its own, so that none can make two of them equal.
    of: HashMap<u64, Owner>,
    hasher: RandomState,
    /// How many there were after those that ended were last forgotten.
    left: usize,
}

/// A source and the time of its latest sample.
struct Owner {
    source: Arc<Source>,
    millis: i64,
}

impl Owners {
    /// Takes all series of a record for its source.
    ///
    /// # Errors
    /// Why it cannot have one of them, and what to do; none is taken then.
    pub(crate) fn claim(&mut self, source: Source, points: &[Point]) -> Result<(), String> {
        let keys: Vec<u64> = points.iter().map(|point| self.key(&point.labels)).collect();
        let mut known = None;
        for (key, point) in keys.iter().zip(points) {
            let Some(owner) = self.of.get(key) else { continue };
            if *owner.source == source {
                known = Some(Arc::clone(&owner.source));
            } else if owner.millis.abs_diff(point.millis) < ENDED {
                return Err(source.refused(&owner.source, labels::series_name(&point.labels)));
            }
        }
        let source = known.unwrap_or_else(|| Arc::new(source));
        for (key, point) in keys.into_iter().zip(points) {
            let owner = self.of.entry(key).or_insert_with(|| Owner::new(&source, point.millis));
            if owner.source == source {
                owner.millis = owner.millis.max(point.millis);
            } else {
                *owner = Owner::new(&source, point.millis);
            }
        }
        Ok(())
    }

    /// Forgets whose the series were that had ended at this time, once there are twice as many as were left before.
    pub(crate) fn forget_before(&mut self, millis: i64) {
        if self.of.len() >= MANY.max(2 * self.left) {
            self.of.retain(|_, owner| owner.millis.abs_diff(millis) < ENDED);
            self.left = self.of.len();
        }
    }

    /// What stands for labels where comparing them would be dear.
    pub(crate) fn key(&self, labels: &labels::Labels) -> u64 {
        self.hasher.hash_one(labels)
    }
}

impl Owner {
    fn new(source: &Arc<Source>, millis: i64) -> Self {
        Self { source: Arc::clone(source), millis }
    }
}

impl fmt::Debug for Owners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owners").field("series", &self.of.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{MetricValue, Timestamp, Value};

    use super::*;
    use crate::series::PointValue;

    fn claim(owners: &mut Owners, nth: i64, millis: i64) -> Result<(), String> {
        let metric = Metric::new(Timestamp::from_nanos(0), "load", MetricValue::Gauge(1.0));
        let labels = vec![("__name__".to_owned(), "load".to_owned()), ("nth".to_owned(), nth.to_string())];
        let point = Point { labels, millis, value: PointValue::Number(1.0), exemplars: Vec::new() };
        owners.claim(Source::of(&metric, SeriesKind::Gauge, &"".into()), &[point])
    }

    #[test]
    fn what_ended_is_forgotten_and_what_goes_on_is_not() {
        let mut owners = Owners::default();
        for nth in 0..100_000 {
            // A series a second, each with one sample, and one that goes on.
            claim(&mut owners, nth, nth * 1_000).unwrap();
            claim(&mut owners, -1, nth * 1_000).unwrap();
            owners.forget_before(nth * 1_000);
            assert!(owners.of.len() <= MANY + 1, "{}", owners.of.len());
        }
        assert!(owners.of.values().any(|owner| owner.millis == 99_999_000));
    }

    #[test]
    fn a_resource_is_the_same_whatever_the_order_of_its_attributes() {
        let of = |pairs: [(&'static str, Value); 2]| {
            identity(&Resource { attributes: pairs.into_iter().collect(), scope: None })
        };
        let (a, b) = (("a", Value::from(1)), ("b", Value::from("1")));
        assert_eq!(of([a.clone(), b.clone()]), of([b.clone(), a.clone()]));
        assert_ne!(of([a, b.clone()]), of([("a", Value::from("1")), b]));
    }
}
