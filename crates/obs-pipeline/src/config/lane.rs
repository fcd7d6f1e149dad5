//! How a destination's lanes work.

use std::time::Duration;

use obs_core::units::{Bytes, duration};
use obs_core::{Error, Limits};
use serde::Deserialize;

use super::{
    AlertThresholds, BreakerConfig, InspectConfig, MetricsConfig, MonitorConfig, RateLimitConfig, RetryConfig,
};

/// How a destination's lanes work; one for all its signals, both the shape in a file and the builder.
///
/// Unknown options are refused with the nearest name.
///
/// ```
/// use obs_pipeline::LaneConfig;
///
/// let built = LaneConfig { batch_size: Some(50), ..LaneConfig::DEFAULT };
/// let read: LaneConfig = serde_json::from_str(r#"{ "batch_size": 50 }"#)?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct LaneConfig {
    /// The most records in a batch. By default, and at most, what the exporter takes.
    pub batch_size: Option<usize>,
    /// How long the oldest record waits before a batch leaves that is not full. By default 1 s, or 200 ms for a
    /// destination that writes to this machine.
    #[serde(with = "duration::option")]
    pub flush_interval: Option<Duration>,
    /// Whether the interval follows the load: it grows while batches leave with less than half of what they may hold, and
    /// shrinks while they leave full. Off by default.
    pub adaptive_flushing: bool,
    /// The least interval of adaptive flushing; 5 s by default.
    #[serde(with = "duration")]
    pub min_flush_interval: Duration,
    /// The greatest interval of adaptive flushing; 300 s by default.
    #[serde(with = "duration")]
    pub max_flush_interval: Duration,
    /// Whether a shutdown delivers what waits; on by default. Off, what no disk holds is dropped and counted.
    pub flush_on_shutdown: bool,
    /// How metric records become series, for a destination that wants such.
    pub metrics: MetricsConfig,
    /// The most records that may wait in memory for the destination, over all signals; a batch takes at most half of
    /// them. None by default: bytes are the limit. A queue on disk has `max_size` instead.
    pub buffer_size: Option<usize>,
    /// The most memory that records may take which wait for the destination, over all signals; shared segments count in
    /// full. 64MiB by default, room for about 30,000 spans with payloads of 2 KiB.
    pub max_memory_usage: Bytes,
    /// What happens to a segment for which there is no room. By default the oldest are dropped for it, since fresh data
    /// says more about what goes on.
    pub overflow: Overflow,
    /// How long a segment waits before the lane where `overflow` is `block`; 5 s by default. Then it is dropped.
    #[serde(with = "duration")]
    pub block_timeout: Duration,
    /// How long a record may wait. By default one hour, and 24 hours in a queue on disk.
    #[serde(with = "duration::option")]
    pub max_age: Option<Duration>,
    /// Whether what waits is kept on disk, where the pipeline has a queue there; on by default.
    pub durable: bool,
    /// The longest that one `export` may take before it is given up as [`obs_core::ErrorKind::Timeout`]. 60 s by default,
    /// longer than any deadline of a single request.
    #[serde(with = "duration")]
    pub export_timeout: Duration,
    /// How often and when a batch is tried again.
    pub retry_config: RetryConfig,
    /// When the destination is left alone.
    pub circuit_breaker: BreakerConfig,
    /// How much the destination is given in a second.
    pub rate_limit: RateLimitConfig,
    /// The most requests that may be spent on splitting one batch. 256 by default, enough to isolate ten poisoned records
    /// among a thousand.
    pub split_budget: usize,
    /// Whether fallbacks take what the destination refuses for its credentials, too. Off by default, since a wrong key is
    /// repaired by people, and the records belong there.
    pub fallback_on_auth: bool,
    /// How often the exporter is asked for its health while nothing is delivered. Off by default, since it costs a
    /// request.
    #[serde(with = "duration::option")]
    pub health_check_interval: Option<Duration>,
    /// From how many failures in a row on the destination is unhealthy; 3 by default. Before that it is degraded.
    pub unhealthy_threshold_failures: u32,
    /// What is measured.
    pub monitor_config: MonitorConfig,
    /// From where on its numbers raise an alert.
    pub alert_thresholds: AlertThresholds,
    /// What is told of every export, for debugging.
    pub inspect: InspectConfig,
}

/// What happens to a segment for which there is no room in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// The oldest segments that are not on their way are dropped for it.
    #[default]
    DropOldest,
    /// It is dropped.
    DropNewest,
    /// It waits before this lane alone, at most for [`LaneConfig::block_timeout`]; then it is dropped.
    ///
    /// What waits counts against the intake's bytes, and takes at most half of them.
    Block,
}

const MILLISECOND: Duration = Duration::from_millis(1);

impl LaneConfig {
    /// The default, as a constant.
    pub const DEFAULT: Self = Self {
        batch_size: None,
        flush_interval: None,
        adaptive_flushing: false,
        min_flush_interval: Duration::from_secs(5),
        max_flush_interval: Duration::from_mins(5),
        flush_on_shutdown: true,
        metrics: MetricsConfig::DEFAULT,
        buffer_size: None,
        max_memory_usage: Bytes::new(64 << 20),
        overflow: Overflow::DropOldest,
        block_timeout: Duration::from_secs(5),
        max_age: None,
        durable: true,
        export_timeout: Duration::from_mins(1),
        retry_config: RetryConfig::DEFAULT,
        circuit_breaker: BreakerConfig::DEFAULT,
        rate_limit: RateLimitConfig::DEFAULT,
        split_budget: 256,
        fallback_on_auth: false,
        health_check_interval: None,
        unhealthy_threshold_failures: 3,
        monitor_config: MonitorConfig::DEFAULT,
        alert_thresholds: AlertThresholds::DEFAULT,
        inspect: InspectConfig::DEFAULT,
    };

    /// How long the oldest record waits, for a destination that is local or not.
    pub(crate) fn flush_interval_for(&self, local: bool) -> Duration {
        let default = if local { Duration::from_millis(200) } else { Duration::from_secs(1) };
        self.flush_interval.unwrap_or(default)
    }

    /// How often series are offered, for a destination that is local or not.
    pub(crate) fn metric_interval_for(&self, local: bool) -> Duration {
        let default = if local { Duration::from_secs(1) } else { Duration::from_secs(10) };
        self.metrics.interval.or(self.flush_interval).unwrap_or(default)
    }

    /// How long a record may wait, on disk or not.
    pub(crate) fn max_age_for(&self, durable: bool) -> Duration {
        self.max_age.unwrap_or(Duration::from_hours(if durable { 24 } else { 1 }))
    }

    /// Refuses what no destination of this name can work with.
    pub(crate) fn check(&self, name: &str) -> Result<(), Error> {
        let rate = |rate: Option<f64>| rate.is_none_or(|rate| rate.is_finite() && rate > 0.0);
        let rules = [
            ("batch_size", self.batch_size != Some(0), "a batch holds at least one record"),
            ("buffer_size", self.buffer_size != Some(0), "at least one record must be able to wait"),
            ("max_memory_usage", self.max_memory_usage.get() >= 4096, "it is at least 4KiB"),
            (
                "max_flush_interval",
                self.max_flush_interval >= self.min_flush_interval,
                "it is no shorter than `min_flush_interval`",
            ),
            ("max_age", self.max_age.is_none_or(|age| !age.is_zero()), "a record needs some time"),
            ("split_budget", self.split_budget > 0, "it takes at least one request"),
            (
                "unhealthy_threshold_failures",
                self.unhealthy_threshold_failures > 0,
                "it takes at least one failure",
            ),
            (
                "circuit_breaker.recovery_timeout",
                self.circuit_breaker.recovery_timeout >= MILLISECOND,
                "it is at least 1ms: what is out must not be asked without end",
            ),
            ("export_timeout", !self.export_timeout.is_zero(), "an export needs some time"),
            (
                "retry_config.backoff_multiplier",
                self.retry_config.backoff_multiplier.is_finite()
                    && self.retry_config.backoff_multiplier >= 1.0,
                "it is a number from 1 on: waits do not shrink",
            ),
            (
                "retry_config.initial_delay",
                self.retry_config.initial_delay >= MILLISECOND,
                "it is at least 1ms: a backend that is out must not be asked without end",
            ),
            (
                "retry_config.max_delay",
                self.retry_config.max_delay >= self.retry_config.initial_delay,
                "it is no shorter than `initial_delay`",
            ),
            (
                "health_check_interval",
                self.health_check_interval.is_none_or(|every| every >= Duration::from_secs(1)),
                "it is at least 1s, since every check costs a request",
            ),
            (
                "circuit_breaker.failure_threshold",
                self.circuit_breaker.failure_threshold > 0,
                "it takes at least one failure",
            ),
            (
                "circuit_breaker.half_open_max_calls",
                self.circuit_breaker.half_open_max_calls > 0,
                "it takes at least one call to find out",
            ),
            (
                "rate_limit.records_per_second",
                rate(self.rate_limit.records_per_second),
                "it is a number above 0; leave it out for no limit",
            ),
            (
                "rate_limit.bytes_per_second",
                self.rate_limit.bytes_per_second.is_none_or(|bytes| bytes.get() > 0),
                "it is above 0; leave it out for no limit",
            ),
            (
                "alert_thresholds.success_rate_percent",
                self.alert_thresholds.success_rate_percent == 0.0
                    || (1.0..=100.0).contains(&self.alert_thresholds.success_rate_percent),
                "it is in percent: 95 and not 0.95",
            ),
        ];
        match rules.into_iter().find(|(_, holds, _)| !holds) {
            None => self.metrics.check(name),
            Some((option, _, rule)) => Err(Error::config(&format!("{name}.{option}"), rule)),
        }
    }

    /// Refuses what cannot change while a destination of this name runs.
    pub(crate) fn check_change(&self, name: &str, before: &Self) -> Result<(), Error> {
        self.check(name)?;
        let fixed = [
            (
                "metrics",
                self.metrics == MetricsConfig { interval: self.metrics.interval, ..before.metrics.clone() },
            ),
            ("durable", self.durable == before.durable),
            ("export_timeout", self.export_timeout == before.export_timeout),
            ("retry_config", self.retry_config == before.retry_config),
            ("circuit_breaker", self.circuit_breaker == before.circuit_breaker),
            ("rate_limit", self.rate_limit == before.rate_limit),
            ("split_budget", self.split_budget == before.split_budget),
            ("fallback_on_auth", self.fallback_on_auth == before.fallback_on_auth),
            ("monitor_config", self.monitor_config == before.monitor_config),
            ("inspect", self.inspect == before.inspect),
        ];
        match fixed.iter().find(|(_, same)| !same) {
            None => Ok(()),
            Some((option, _)) => Err(Error::config(
                &format!("{name}.{option}"),
                "it cannot change while the destination runs; build the pipeline with it",
            )),
        }
    }

    /// How much a batch may hold of a signal whose exporter takes `limits`: at most an eighth of what may wait, so that
    /// batches on their way leave room for others.
    pub(crate) fn limits_within(&self, limits: Limits) -> Limits {
        let buffered = self.buffer_size.map_or(usize::MAX, |most| most.div_ceil(2));
        let items = self.batch_size.unwrap_or(usize::MAX).min(buffered).clamp(1, limits.items.max(1));
        let bytes = limits.bytes.min((self.max_memory_usage.get() / 8) as usize).max(1);
        Limits { items, bytes }
    }
}

impl Default for LaneConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

super::hinted!(
    LaneConfig,
    "metric_interval" => "`interval` in `metrics`",
    "drop_oldest_on_overflow" => "`overflow`: \"drop_oldest\" for true, \"drop_newest\" for false",
    "compress_buffer" => "`compress_buffer` in the options of the queue on disk",
    "compression_threshold" => "`compression_threshold` in the options of the queue on disk"
);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<LaneConfig, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn the_options_of_a_file_are_those_of_the_struct() {
        let json = r#"{
            "flush_interval": "30s", "buffer_size": 1000, "max_memory_usage": "50MB", "overflow": "block",
            "retry_config": { "max_retries": 3, "initial_delay": "1s", "max_delay": "1m" },
            "circuit_breaker": { "failure_threshold": 2 },
            "alert_thresholds": { "queue_depth": 5 }
        }"#;
        let config = read(json).unwrap();
        assert_eq!(config.flush_interval, Some(Duration::from_secs(30)));
        assert_eq!((config.buffer_size, config.max_memory_usage), (Some(1_000), Bytes::new(50_000_000)));
        assert_eq!((config.overflow, config.retry_config.max_retries), (Overflow::Block, Some(3)));
        assert_eq!(config.retry_config.max_delay, Duration::from_mins(1));
        assert_eq!(config.circuit_breaker.half_open_max_calls, 3);
        assert_eq!(read("{}"), Ok(LaneConfig::DEFAULT));
    }

    #[test]
    fn series_are_offered_by_their_own_interval_then_the_lanes_then_by_where_they_go() {
        let second = Duration::from_secs;
        let own = |interval| MetricsConfig { interval: Some(interval), ..MetricsConfig::DEFAULT };
        let lane = LaneConfig { flush_interval: Some(second(3)), ..LaneConfig::DEFAULT };
        for (config, remote, local) in [
            (LaneConfig::DEFAULT, 10, 1),
            (lane.clone(), 3, 3),
            (LaneConfig { metrics: own(second(60)), ..lane }, 60, 60),
        ] {
            assert_eq!(config.metric_interval_for(false), second(remote));
            assert_eq!(config.metric_interval_for(true), second(local));
        }
    }

    #[test]
    fn what_cannot_work_is_refused_by_its_place() {
        let refused = |change: fn(&mut LaneConfig)| {
            let mut config = LaneConfig::DEFAULT;
            change(&mut config);
            config.check("here").unwrap_err().to_string()
        };
        assert!(LaneConfig::DEFAULT.check("here").is_ok());
        assert!(refused(|config| config.batch_size = Some(0)).starts_with("here.batch_size: "));
        let rate = refused(|config| config.rate_limit.records_per_second = Some(f64::NAN));
        assert!(
            rate.starts_with("here.rate_limit.records_per_second: ") && rate.contains("leave it out"),
            "{rate}"
        );
        let bounds = refused(|config| config.max_flush_interval = Duration::ZERO);
        assert!(bounds.contains("`min_flush_interval`"), "{bounds}");
    }

    #[test]
    fn old_spellings_are_refused_with_the_new_one() {
        for (json, parts) in [
            (
                r#"{"flush_interval_seconds": 30}"#,
                ["flush_interval_seconds", "did you mean `flush_interval`"],
            ),
            (r#"{"max_memory_usage_mb": 50}"#, ["max_memory_usage_mb", "did you mean `max_memory_usage`"]),
            (
                r#"{"retry_config": {"max_delay_seconds": 60}}"#,
                ["max_delay_seconds", "did you mean `max_delay`"],
            ),
            (
                r#"{"circuit_breaker": {"recovery_timeout_seconds": 60}}"#,
                ["recovery_timeout_seconds", "did you mean `recovery_timeout`"],
            ),
            (
                r#"{"alert_thresholds": {"export_latency_p95_ms": 1000}}"#,
                ["export_latency_p95_ms", "did you mean `export_latency_p95`"],
            ),
            (r#"{"metric_interval": "10s"}"#, ["`metric_interval`", "`interval` in `metrics`"]),
            (r#"{"flush_interval": 30}"#, ["integer `30`", "unit"]),
            (
                r#"{"drop_oldest_on_overflow": true}"#,
                ["`drop_oldest_on_overflow`", "`overflow`: \"drop_oldest\""],
            ),
            (r#"{"retry_config": {"max_backoff_seconds": 60}}"#, ["`max_backoff_seconds`", "`max_delay`"]),
        ] {
            let error = read(json).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{json}: {error}");
        }
    }
}
