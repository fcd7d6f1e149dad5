//! The values of options.

use serde::{Deserialize, Deserializer};

/// Who moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Prometheus comes for the page.
    Pull,
    /// The page is pushed to a Pushgateway.
    Push,
}

/// What a push does to what was pushed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PushMethod {
    /// It replaces all of the group.
    #[default]
    Put,
    /// It replaces metrics of the same names, for groups that several programs push to.
    Post,
}

/// What metrics are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricNames {
    /// As Prometheus advises: in base units, which the name ends in, with values and bounds converted, and `_total` behind
    /// counters: `mastra_agent_duration_ms` becomes `mastra_agent_duration_seconds`.
    #[default]
    Idiomatic,
    /// As they were recorded, with values as they are; only what no reader takes is replaced, and counters end in
    /// `_total`, as OpenMetrics demands.
    Recorded,
}

/// What a metric is called, whatever its recorded name; values stay as they are, also where the name tells another unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MetricMapping {
    /// The name; the one that follows from [`MetricNames`] where none is given. A counter gets `_total` behind it.
    pub name: Option<String>,
    /// The type; that of what is recorded where none is given. A number can be a counter, a gauge or untyped; a histogram
    /// is one.
    pub metric_type: Option<MetricType>,
    /// What it measures; the recorded description where none is given.
    pub help: Option<String>,
}

/// The shape in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFields {
    #[serde(default)]
    name: Option<String>,
    #[serde(default, rename = "type")]
    metric_type: Option<MetricType>,
    #[serde(default)]
    help: Option<String>,
}

impl<'de> Deserialize<'de> for MetricMapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = MappingFields::deserialize(deserializer).map_err(obs_core::suggest::error)?;
        Ok(Self { name: read.name, metric_type: read.metric_type, help: read.help })
    }
}

impl MetricMapping {
    /// The metric has this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    /// Sets the type.
    #[must_use]
    pub fn with_type(self, metric_type: MetricType) -> Self {
        Self { metric_type: Some(metric_type), ..self }
    }

    /// Sets what it measures.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricType {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It has buckets.
    Histogram,
    /// Nobody says.
    Untyped,
}

impl MetricType {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Untyped => "metric without a type",
        }
    }
}
