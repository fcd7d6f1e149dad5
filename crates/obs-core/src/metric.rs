//! Metric records: measurements, and series made of them.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::json::{float, floats, optional_float};
use crate::{Cost, Resource, SpanRef, Str, Timestamp, TraceContext};

/// A measurement, or an aggregated point of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// When it was made; the end of the interval of an aggregated point.
    pub time: Timestamp,
    /// The start of the interval of an aggregated point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// The metric's name.
    pub name: Str,
    /// The unit, in UCUM as OpenTelemetry has it: `s`, `By`, `{token}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Str>,
    /// What it measures, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Str>,
    /// What the series is of.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Whether an aggregated point counts from its start or from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporality: Option<Temporality>,
    /// The value.
    pub value: MetricValue,
    /// The span it was measured under, and what it measured; an aggregated histogram has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exemplar: Option<Exemplar>,
    /// The cost that a token count stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Box<Cost>>,
    /// What is known of the trace.
    #[serde(default)]
    pub context: Arc<TraceContext>,
    /// What produced it.
    #[serde(default)]
    pub resource: Arc<Resource>,
}

impl Metric {
    /// A measurement with everything optional left out.
    pub fn new(time: Timestamp, name: impl Into<Str>, value: MetricValue) -> Self {
        Self::new_in(time, name, value, TraceContext::none(), Resource::none())
    }

    /// [`Metric::new`] with what it shares with others, so that nothing is allocated.
    pub fn new_in(
        time: Timestamp,
        name: impl Into<Str>,
        value: MetricValue,
        context: Arc<TraceContext>,
        resource: Arc<Resource>,
    ) -> Self {
        Self {
            time,
            start: None,
            name: name.into(),
            unit: None,
            description: None,
            labels: Labels::default(),
            temporality: None,
            value,
            exemplar: None,
            cost: None,
            context,
            resource,
        }
    }
}

/// What a metric record holds.
///
/// The first four are measurements; the others are points that something aggregated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricValue {
    /// An increment of a counter: finite and not negative.
    Add(#[serde(with = "float")] f64),
    /// A change of an up-down counter.
    UpDown(#[serde(with = "float")] f64),
    /// The value that a gauge has now.
    Gauge(#[serde(with = "float")] f64),
    /// A sample of a distribution.
    Sample(#[serde(with = "float")] f64),
    /// An aggregated sum.
    Sum {
        /// The sum.
        #[serde(with = "float")]
        value: f64,
        /// Whether it only grows.
        monotonic: bool,
    },
    /// A histogram with explicit bounds.
    Histogram(Box<Histogram>),
    /// A base-2 exponential histogram.
    ExpHistogram(Box<ExpHistogram>),
}

/// A histogram with explicit bounds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Histogram {
    /// How many samples.
    pub count: u64,
    /// Their sum.
    #[serde(with = "float")]
    pub sum: f64,
    /// The least, if known.
    #[serde(default, with = "optional_float", skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest, if known.
    #[serde(default, with = "optional_float", skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Upper bounds, inclusive and ascending; the last bucket has none.
    #[serde(with = "floats")]
    pub bounds: Arc<[f64]>,
    /// Samples in each bucket, one more than bounds.
    pub counts: Vec<u64>,
    /// Samples that stand for their buckets, with the spans they were measured under; at most one a bucket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exemplars: Vec<Exemplar>,
}

/// A base-2 exponential histogram, as OTLP has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ExpHistogram {
    /// How many samples.
    pub count: u64,
    /// Their sum.
    #[serde(with = "float")]
    pub sum: f64,
    /// The least, if known.
    #[serde(default, with = "optional_float", skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest, if known.
    #[serde(default, with = "optional_float", skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The base is `2^(2^-scale)`.
    pub scale: i32,
    /// Samples taken as zero.
    pub zero_count: u64,
    /// What is taken as zero: up to this magnitude.
    #[serde(default, with = "float")]
    pub zero_threshold: f64,
    /// Buckets of positive samples.
    #[serde(default)]
    pub positive: ExpBuckets,
    /// Buckets of negative samples, by magnitude.
    #[serde(default)]
    pub negative: ExpBuckets,
    /// Samples with the spans they were measured under; a few of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exemplars: Vec<Exemplar>,
}

/// Consecutive buckets of an exponential histogram.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExpBuckets {
    /// The index of the first bucket.
    pub offset: i32,
    /// Samples in each, from there.
    pub counts: Vec<u64>,
}

/// Whether points of a series stand alone or accumulate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Temporality {
    /// Since the point before.
    Delta,
    /// Since the series began.
    Cumulative,
}

/// A measurement that stands for a point, and the span it was made under.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exemplar {
    /// The span.
    pub span: SpanRef,
    /// What was measured; absent where the record's own value is meant.
    #[serde(default, with = "optional_float", skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// When; absent where the record's own time is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
}

/// The labels of a metric: shared, in the order given; an object in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Labels(Arc<[(Str, Str)]>);

impl Labels {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a label.
    pub fn get(&self, key: &str) -> Option<&Str> {
        self.0.iter().find(|(known, _)| known.as_str() == key).map(|(_, value)| value)
    }

    /// Whether both are the very same shared list.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Labels {
    type Target = [(Str, Str)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K: Into<Str>, V: Into<Str>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(labels: I) -> Self {
        Self(labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl From<()> for Labels {
    /// No labels.
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl<K: Into<Str>, V: Into<Str>, const N: usize> From<[(K, V); N]> for Labels {
    fn from(labels: [(K, V); N]) -> Self {
        labels.into_iter().collect()
    }
}

impl Serialize for Labels {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> serde::de::Visitor<'de> for Pairs {
            type Value = Labels;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of labels")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut labels = Vec::new();
                while let Some(pair) = map.next_entry::<Str, Str>()? {
                    labels.push(pair);
                }
                Ok(Labels(labels.into()))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
