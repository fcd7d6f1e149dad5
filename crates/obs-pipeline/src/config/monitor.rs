//! What is measured of a destination, and when somebody is told.

use std::time::Duration;

use obs_core::units::duration;
use serde::Deserialize;

/// What is measured of a destination; everything by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct MonitorConfig {
    /// How long exports take; on by default.
    pub track_export_latency: bool,
    /// How many records and bytes an export has; on by default.
    pub track_export_size: bool,
    /// The share of exports that succeed; on by default.
    pub track_success_rate: bool,
    /// How often which kind of error came; on by default.
    pub track_error_types: bool,
}

impl MonitorConfig {
    /// The default, as a constant.
    pub const DEFAULT: Self = Self {
        track_export_latency: true,
        track_export_size: true,
        track_success_rate: true,
        track_error_types: true,
    };
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

super::hinted!(MonitorConfig);

/// From where on a destination's numbers raise an alert; each alert is raised once until its number is good again.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct AlertThresholds {
    /// The 95th percentile of the time of the last exports; 1 s by default.
    #[serde(with = "duration")]
    pub export_latency_p95: Duration,
    /// The share of the last exports that succeeded, in percent; 95 by default.
    pub success_rate_percent: f64,
    /// The records that wait for the destination; 1000 by default.
    pub queue_depth: usize,
}

impl AlertThresholds {
    /// The default, as a constant.
    pub const DEFAULT: Self =
        Self { export_latency_p95: Duration::from_secs(1), success_rate_percent: 95.0, queue_depth: 1_000 };
}

impl Default for AlertThresholds {
    fn default() -> Self {
        Self::DEFAULT
    }
}

super::hinted!(AlertThresholds);
