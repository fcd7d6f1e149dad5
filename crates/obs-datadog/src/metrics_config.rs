//! What a user says of metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use obs_core::Error;
use obs_core::units::duration;
use serde::{Deserialize, Deserializer};

use crate::naming;

/// What goes for all metrics.
///
/// ```
/// use obs_datadog::{Histograms, MetricsConfig};
///
/// let built = MetricsConfig::default().with_namespace("acme").with_histograms(Histograms::Aggregates);
/// let read: MetricsConfig = serde_json::from_str(r#"{"namespace": "acme", "histograms": "aggregates"}"#)?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MetricsConfig {
    /// What stands before every name, with a dot between; nothing by default. The names of `custom_metrics` stand as they
    /// are.
    pub namespace: Option<String>,
    /// Tags of every metric, each `key:value`.
    pub tags: Vec<String>,
    /// What histograms become; `distribution` by default, because Datadog can then make percentiles over all hosts.
    pub histograms: Histograms,
    /// Whether every metric is tagged with `process_id`; on by default, because two processes of one host that report the
    /// same series overwrite each other's points. Off where a host has one process: each process is a series of its own,
    /// and without an id in the resource each restart is one more, which Datadog counts and bills as such.
    pub process_id: bool,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self { namespace: None, tags: Vec::new(), histograms: Histograms::Distribution, process_id: true }
    }
}

/// What histograms become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Histograms {
    /// Points of a distribution: as many values as there were samples, each within its bucket.
    #[default]
    Distribution,
    /// Five series: `.count` and `.sum` as counts, `.min`, `.max` and `.avg` as gauges.
    Aggregates,
}

/// A type of Datadog's metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricType {
    /// What came within an interval.
    Count,
    /// What came a second, on average over an interval.
    Rate,
    /// A level.
    Gauge,
    /// Values that percentiles are made of.
    Distribution,
}

impl MetricType {
    /// The name in configurations.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Rate => "rate",
            Self::Gauge => "gauge",
            Self::Distribution => "distribution",
        }
    }
}

/// A metric under a name of the user's own.
///
/// ```
/// use obs_datadog::{CustomMetric, MetricType};
///
/// let read: CustomMetric = serde_json::from_str(
///     r#"{"metric_name": "acme.overhead", "metric_type": "gauge", "source_field": "overhead_percent"}"#,
/// )?;
/// assert_eq!(read, CustomMetric::new("acme.overhead", MetricType::Gauge, "overhead_percent"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
#[non_exhaustive]
pub struct CustomMetric {
    /// The name in Datadog, which `namespace` is not added to.
    pub metric_name: String,
    /// The type in Datadog: a counter can be a `count` or a `rate`, a gauge a `gauge` or, with `interval`, a `rate`, a
    /// histogram a `distribution`.
    pub metric_type: MetricType,
    /// The name of the metric that it is made of, as it is recorded; it is not sent under that name then.
    pub source_field: String,
    /// How long a gauge's value per second stands for; only for the `rate` of a gauge, since a counter's points have their
    /// own interval.
    #[serde(default, with = "duration::option")]
    pub interval: Option<Duration>,
}

impl MetricsConfig {
    /// Sets what stands before every name.
    #[must_use]
    pub fn with_namespace(self, namespace: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.into()), ..self }
    }

    /// Sets the tags of every metric.
    #[must_use]
    pub fn with_tags<T: Into<String>>(self, tags: impl IntoIterator<Item = T>) -> Self {
        Self { tags: tags.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets what histograms become.
    #[must_use]
    pub fn with_histograms(self, histograms: Histograms) -> Self {
        Self { histograms, ..self }
    }

    /// Sets whether every metric is tagged with `process_id`.
    #[must_use]
    pub fn with_process_id(self, process_id: bool) -> Self {
        Self { process_id, ..self }
    }
}

impl CustomMetric {
    /// A metric of this name and type, made of that recorded one.
    pub fn new(
        metric_name: impl Into<String>,
        metric_type: MetricType,
        source_field: impl Into<String>,
    ) -> Self {
        let (metric_name, source_field) = (metric_name.into(), source_field.into());
        Self { metric_name, metric_type, source_field, interval: None }
    }

    /// Sets how long a gauge's value per second stands for.
    #[must_use]
    pub fn with_interval(self, interval: Duration) -> Self {
        Self { interval: Some(interval), ..self }
    }

    /// What it can be made of, as it is recorded.
    const fn sources(&self) -> &'static [&'static str] {
        match (self.metric_type, self.interval) {
            (MetricType::Rate, Some(_)) => &["counter", "gauge"],
            (MetricType::Count | MetricType::Rate, _) => &["counter"],
            (MetricType::Gauge, _) => &["gauge"],
            (MetricType::Distribution, _) => &["histogram"],
        }
    }

    /// What is wrong with it by itself.
    fn fault(&self) -> Option<(&'static str, String)> {
        if naming::metric(&self.metric_name).as_deref() != Some(&*self.metric_name) {
            let rule = "up to 200 ASCII letters, digits, underscores and dots, beginning with a letter";
            return Some((
                "metric_name",
                format!("\"{}\" is no name of Datadog's; {rule}", self.metric_name),
            ));
        }
        if self.source_field.is_empty() {
            return Some((
                "source_field",
                "empty; name the metric that it is made of, as it is recorded".into(),
            ));
        }
        let interval = self.interval?;
        if self.metric_type != MetricType::Rate {
            let word = self.metric_type.word();
            return Some(("interval", format!("a {word} has none; leave it out, or make the metric a rate")));
        }
        let whole = interval.subsec_nanos() == 0 && !interval.is_zero();
        (!whole).then(|| ("interval", "it is whole seconds, 1s at least".into()))
    }
}

/// Refuses what no metric can be made of.
pub(crate) fn validate(config: &MetricsConfig, custom: &BTreeMap<String, CustomMetric>) -> Result<(), Error> {
    if let Some(namespace) = &config.namespace
        && naming::metric(namespace).as_deref() != Some(&**namespace)
    {
        let rule = "it is ASCII letters, digits, underscores and dots, beginning with a letter";
        return Err(Error::config("metrics_config.namespace", format!("\"{namespace}\": {rule}")));
    }
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    let mut sources: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, metric) in custom {
        let place = |field: &str| format!("custom_metrics.{key}.{field}");
        if let Some((field, message)) = metric.fault() {
            return Err(Error::config(&place(field), message));
        }
        if let Some(other) = known.insert(&metric.metric_name, key) {
            let message = format!("{other} has the same; give each a name of its own");
            return Err(Error::config(&place("metric_name"), message));
        }
        let left = sources.entry(&metric.source_field).or_insert_with(|| metric.sources().to_vec());
        left.retain(|source| metric.sources().contains(source));
        if left.is_empty() {
            let (word, source) = (metric.metric_type.word(), &metric.source_field);
            let message = format!(
                "a {word} of \"{source}\", of which another makes what no {word} is made of; make both of one kind"
            );
            return Err(Error::config(&place("metric_type"), message));
        }
    }
    Ok(())
}

impl<'de> Deserialize<'de> for MetricsConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(obs_core::suggest::error)
    }
}

impl<'de> Deserialize<'de> for CustomMetric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(obs_core::suggest::error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(metric: CustomMetric) -> String {
        let custom = BTreeMap::from([("mine".to_owned(), metric)]);
        validate(&MetricsConfig::default(), &custom).unwrap_err().message().to_owned()
    }

    #[test]
    fn what_no_metric_can_be_made_of_is_refused_by_its_place() {
        let gauge = |name: &str, of: &str| CustomMetric::new(name, MetricType::Gauge, of);
        for (metric, place) in [
            (gauge("a b", "x"), "custom_metrics.mine.metric_name: \"a b\" is no name"),
            (gauge("", "x"), "custom_metrics.mine.metric_name: \"\" is no name"),
            (gauge("a", ""), "custom_metrics.mine.source_field: empty"),
            (
                gauge("a", "x").with_interval(Duration::from_secs(10)),
                "custom_metrics.mine.interval: a gauge has none",
            ),
            (
                CustomMetric::new("a", MetricType::Rate, "x").with_interval(Duration::from_millis(1_500)),
                "custom_metrics.mine.interval: it is whole seconds",
            ),
        ] {
            let said = refused(metric);
            assert!(said.starts_with(place), "{said}");
        }
        let twice =
            BTreeMap::from([("one".to_owned(), gauge("a", "x")), ("two".to_owned(), gauge("a", "y"))]);
        let said = validate(&MetricsConfig::default(), &twice).unwrap_err().message().to_owned();
        assert!(said.starts_with("custom_metrics.two.metric_name: one has the same"), "{said}");
        let of_one =
            |metric| BTreeMap::from([("one".to_owned(), gauge("a", "x")), ("two".to_owned(), metric)]);
        let count = of_one(CustomMetric::new("b", MetricType::Count, "x"));
        let said = validate(&MetricsConfig::default(), &count).unwrap_err().message().to_owned();
        assert!(said.starts_with("custom_metrics.two.metric_type: a count of \"x\""), "{said}");
        let rate = CustomMetric::new("b", MetricType::Rate, "x").with_interval(Duration::from_secs(10));
        assert!(validate(&MetricsConfig::default(), &of_one(rate)).is_ok(), "a gauge can be both");
        let space = MetricsConfig::default().with_namespace("1st");
        let said = validate(&space, &BTreeMap::new()).unwrap_err().message().to_owned();
        assert!(said.starts_with("metrics_config.namespace: "), "{said}");
    }

    #[test]
    fn the_options_of_the_seed_are_read() {
        let config: MetricsConfig = serde_json::from_str(
            r#"{"namespace": "foundation.profiling", "tags": ["environment:production", "team:platform"]}"#,
        )
        .unwrap();
        assert_eq!((config.namespace.as_deref(), config.tags.len()), (Some("foundation.profiling"), 2));
        let rate: CustomMetric = serde_json::from_str(
            r#"{"metric_name": "foundation.log.processing_rate", "metric_type": "rate", "source_field": "messages_per_second"}"#,
        )
        .unwrap();
        assert_eq!(rate.metric_type, MetricType::Rate);
        let typo = serde_json::from_str::<CustomMetric>(r#"{"metric_nam": "a"}"#).unwrap_err().to_string();
        assert!(typo.contains("did you mean `metric_name`?"), "{typo}");
    }
}
