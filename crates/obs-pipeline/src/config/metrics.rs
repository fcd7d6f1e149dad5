//! How metric records become series.

use std::collections::BTreeMap;
use std::time::Duration;

use obs_aggregate::AggregateConfig;
use obs_core::units::duration;
use obs_core::{Error, HistogramForm, Temporality, Timestamp};
use serde::Deserialize;

/// How the records of a destination that wants series become such; others get their records as they are.
///
/// ```
/// use obs_pipeline::LaneConfig;
///
/// let config: LaneConfig = serde_json::from_str(
///     r#"{ "metrics": { "interval": "15s", "bounds": { "queue.wait": [0.1, 1, 10] }, "exponential": ["step.duration"] } }"#,
/// )?;
/// assert_eq!(config.metrics.bounds["queue.wait"], [0.1, 1.0, 10.0]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// How often series with new records are offered. By default `flush_interval` where that is set, else 10 s, or 1 s for
    /// a destination that writes to this machine: points at nearly equal times tell nothing more, and backends count them.
    #[serde(with = "duration::option")]
    pub interval: Option<Duration>,
    /// How long after the last delivery cumulative series are offered again though they have no new record, so that they do
    /// not go stale; 60 s by default, since backends take series for gone after five minutes, and never more often than
    /// `interval`. `null` switches it off. It is not for destinations that take deltas, nor for those that write to this
    /// machine.
    #[serde(with = "duration::option")]
    pub heartbeat: Option<Duration>,
    /// The most series of one metric, the one for the overflow included; 2,000 by default, as OpenTelemetry has it.
    pub max_series: usize,
    /// The most metrics, counted by resource, name, kind and unit; 1,000 by default, so that memory stays bounded.
    pub max_metrics: usize,
    /// Upper bounds of histogram buckets by the metric's name, inclusive and ascending; none by default. Others have
    /// OpenTelemetry's for their name or unit.
    pub bounds: BTreeMap<String, Vec<f64>>,
    /// The names of metrics whose samples become exponential histograms; none by default. Those of others become what the
    /// exporter asks for.
    pub exponential: Vec<String>,
    /// Bounds that the pipeline advises, by the metric's name; they hold where nothing else speaks of the metric.
    #[serde(skip)]
    pub advised: BTreeMap<String, Vec<f64>>,
}

impl MetricsConfig {
    /// The default, as a constant.
    pub const DEFAULT: Self = Self {
        interval: None,
        heartbeat: Some(Duration::from_mins(1)),
        max_series: 2_000,
        max_metrics: 1_000,
        bounds: BTreeMap::new(),
        exponential: Vec::new(),
        advised: BTreeMap::new(),
    };

    /// What the aggregator of a lane is told.
    ///
    /// # Errors
    /// Bounds that do not ascend, or a metric with both bounds and an exponential histogram.
    pub(crate) fn aggregate(
        &self,
        temporality: Temporality,
        form: HistogramForm,
        start: Timestamp,
    ) -> Result<AggregateConfig, Error> {
        let mut config = AggregateConfig::new(temporality, start)
            .with_max_series(self.max_series)
            .with_max_metrics(self.max_metrics)
            .with_histogram_form(form);
        for (metric, bounds) in &self.bounds {
            config = config.with_bounds(metric, bounds.clone())?;
        }
        for metric in &self.exponential {
            config = config.with_exponential(metric)?;
        }
        for (metric, bounds) in &self.advised {
            config = config.with_advised_bounds(metric, bounds.clone())?;
        }
        Ok(config)
    }

    /// Refuses what no destination of this name can work with.
    pub(crate) fn check(&self, name: &str) -> Result<(), Error> {
        let rules = [
            (
                "interval",
                self.interval.is_none_or(|every| every >= Duration::from_millis(1)),
                "it is at least 1ms",
            ),
            (
                "heartbeat",
                self.heartbeat.is_none_or(|every| every >= Duration::from_secs(1)),
                "it is at least 1s; null switches it off",
            ),
            ("max_series", self.max_series > 0, "there is at least the series of the overflow"),
            ("max_metrics", self.max_metrics > 0, "at least one metric must have a place"),
        ];
        if let Some((option, _, rule)) = rules.into_iter().find(|(_, holds, _)| !holds) {
            return Err(Error::config(&format!("{name}.metrics.{option}"), rule));
        }
        match self.aggregate(Temporality::Delta, HistogramForm::Explicit, Timestamp::default()) {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::config(&format!("{name}.metrics"), error.message())),
        }
    }
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

super::hinted!(
    MetricsConfig,
    "boundaries" => "`bounds`",
    "export_interval" => "`interval`",
    "export_interval_millis" => "`interval`, such as \"60s\""
);

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut MetricsConfig)) -> String {
        let mut config = MetricsConfig::DEFAULT;
        change(&mut config);
        config.check("here").unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_aggregated_is_refused_by_its_place() {
        assert!(MetricsConfig::DEFAULT.check("here").is_ok());
        assert!(
            refused(|config| config.interval = Some(Duration::ZERO)).starts_with("here.metrics.interval: ")
        );
        let often = refused(|config| config.heartbeat = Some(Duration::ZERO));
        assert!(often.starts_with("here.metrics.heartbeat: "), "{often}");
        assert!(refused(|config| config.max_series = 0).starts_with("here.metrics.max_series: "));
        assert!(refused(|config| config.max_metrics = 0).starts_with("here.metrics.max_metrics: "));
        let bounds = refused(|config| _ = config.bounds.insert("wait".into(), vec![2.0, 1.0]));
        assert!(bounds.starts_with("here.metrics: bounds: the bounds of wait must be"), "{bounds}");
        let both = refused(|config| {
            config.bounds.insert("wait".into(), vec![1.0]);
            config.exponential.push("wait".into());
        });
        assert!(both.starts_with("here.metrics: exponential: wait has both"), "{both}");
    }

    #[test]
    fn the_defaults_are_those_of_the_aggregator() {
        let start = Timestamp::from_nanos(7);
        let config =
            MetricsConfig::DEFAULT.aggregate(Temporality::Cumulative, HistogramForm::Explicit, start);
        assert_eq!(config.ok(), Some(AggregateConfig::new(Temporality::Cumulative, start)));
    }
}
