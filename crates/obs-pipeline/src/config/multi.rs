//! How several exporters share one lane.

use std::time::Duration;

use obs_core::units::duration;
use serde::Deserialize;

/// In which order the exporters are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// All at once, as far as [`MultiConfig::max_concurrent_exports`] allows.
    #[default]
    Parallel,
    /// One after the other.
    Sequential,
}

/// What the failure of one exporter means for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailurePolicy {
    /// Nothing: the others go on.
    #[default]
    Continue,
    /// Those that were not called yet are not called.
    Stop,
}

/// How several exporters share one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct MultiConfig {
    /// Whether they are called at once or in turn; at once by default.
    pub strategy: Strategy,
    /// What the failure of one means for the others; nothing by default.
    pub failure_policy: FailurePolicy,
    /// How many exporters must take a record for it to count as delivered; 1 by default.
    pub min_success_count: usize,
    /// How many calls may be under way at once; 3 by default.
    pub max_concurrent_exports: usize,
    /// How long one exporter may take; 30 s by default.
    #[serde(with = "duration")]
    pub export_timeout: Duration,
}

impl MultiConfig {
    /// The default, as a constant.
    pub const DEFAULT: Self = Self {
        strategy: Strategy::Parallel,
        failure_policy: FailurePolicy::Continue,
        min_success_count: 1,
        max_concurrent_exports: 3,
        export_timeout: Duration::from_secs(30),
    };
}

impl Default for MultiConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

super::hinted!(MultiConfig, "failover" => "the exporters behind the first one as its fallbacks");
