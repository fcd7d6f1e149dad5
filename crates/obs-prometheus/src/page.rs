//! What a page shows: families of samples, none of them twice.

use std::collections::{BTreeMap, BTreeSet};

use obs_aggregate::Refusal;
use obs_core::Timestamp;

use crate::buckets::Buckets;
use crate::labels::LabelSet;
use crate::names::Name;
use crate::point::{Sampled, Value};
use crate::table::Table;

/// All that there is to show, by the families' names.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) families: Vec<Family>,
    /// What is not on it: of series that are shown as one, those whose sum with the others is none.
    pub(crate) left_out: Vec<String>,
}

/// The samples of one metric.
#[derive(Debug)]
pub(crate) struct Family {
    /// Without the suffix that its samples have.
    pub(crate) name: Name,
    pub(crate) ty: Type,
    pub(crate) help: String,
    /// The unit that the name ends in.
    pub(crate) unit: Option<String>,
    /// By their labels, each set of them once.
    pub(crate) samples: Vec<(LabelSet, Shown)>,
}

/// What a series shows.
#[derive(Debug, Clone)]
pub(crate) enum Shown {
    Number { value: f64, exemplar: Option<Sampled> },
    Histogram(Buckets),
}

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Counter,
    Gauge,
    Histogram,
    /// Nobody says.
    Untyped,
    /// What is told in labels.
    Info,
}

impl Type {
    /// The word of the format.
    pub(crate) fn word(self, open_metrics: bool) -> &'static str {
        match (self, open_metrics) {
            (Self::Counter, _) => "counter",
            (Self::Gauge, _) | (Self::Info, false) => "gauge",
            (Self::Histogram, _) => "histogram",
            (Self::Untyped, false) => "untyped",
            (Self::Untyped, true) => "unknown",
            (Self::Info, true) => "info",
        }
    }

    /// What stands behind the family's name in that of a sample; a histogram's samples have their own.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Counter => "_total",
            Self::Info => "_info",
            Self::Gauge | Self::Histogram | Self::Untyped => "",
        }
    }

    /// All names that a family of this type takes: its own, and those of its samples.
    pub(crate) fn names(self, base: &str) -> Vec<String> {
        let suffixes: &[&str] = match self {
            Self::Counter => &["", "_total", "_created"],
            Self::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
            Self::Info => &["", "_info"],
            Self::Gauge | Self::Untyped => &[""],
        };
        suffixes.iter().map(|suffix| format!("{base}{suffix}")).collect()
    }
}

impl Page {
    /// The page of a table; series whose names and labels are the same, as those of two scopes, are shown as one.
    pub(crate) fn of(table: &Table, target_info: bool) -> Self {
        let mut samples: BTreeMap<&str, BTreeMap<&LabelSet, Joined>> = BTreeMap::new();
        let mut left_out = Vec::new();
        // In the order of their keys, so that what is joined is joined the same way at every scrape.
        for series in table.series.values() {
            let of_family = samples.entry(&series.family).or_default();
            let value = series.value.scaled(series.scale);
            match of_family.get_mut(&*series.labels) {
                Some(joined) => {
                    let added = joined.add(value, series.gauge, series.time);
                    left_out.extend(added.err().map(|why| format!("a series of {}: {why}", series.family)));
                }
                None => drop(of_family.insert(&series.labels, Joined { value, time: series.time })),
            }
        }
        let shown = samples.into_iter().filter_map(|(name, samples)| {
            let family = table.families.get(name)?;
            Some(Family {
                name: family.name.clone(),
                ty: family.ty,
                help: family.help.clone(),
                unit: family.unit.clone(),
                samples: samples
                    .into_iter()
                    .map(|(labels, joined)| (labels.clone(), joined.value.into()))
                    .collect(),
            })
        });
        let mut families: Vec<Family> = shown.collect();
        let targets: BTreeSet<&LabelSet> = table.targets.values().flatten().collect();
        if target_info && !targets.is_empty() {
            families.push(target(targets));
            families.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Self { families, left_out }
    }
}

/// Series under the same name and labels.
struct Joined {
    value: Value,
    time: Timestamp,
}

impl Joined {
    /// Sums and histograms add up; of gauges the latest stands.
    fn add(&mut self, value: Value, gauge: bool, time: Timestamp) -> Result<(), Refusal> {
        match gauge {
            false => return self.value.add(&value),
            true if time >= self.time => *self = Self { value, time },
            true => {}
        }
        Ok(())
    }
}

impl From<Value> for Shown {
    fn from(value: Value) -> Self {
        match value {
            Value::Number { value, exemplar } => Self::Number { value, exemplar },
            Value::Histogram(buckets) => Self::Histogram(buckets),
            Value::Exponential(histogram) => Self::Histogram(Buckets::of(&histogram)),
        }
    }
}

/// The family that tells of the resources.
fn target(targets: BTreeSet<&LabelSet>) -> Family {
    let one = Shown::Number { value: 1.0, exemplar: None };
    Family {
        name: Name::new("target".to_owned()),
        ty: Type::Info,
        help: "What produces these metrics.".to_owned(),
        unit: None,
        samples: targets.into_iter().map(|labels| (labels.clone(), one.clone())).collect(),
    }
}
