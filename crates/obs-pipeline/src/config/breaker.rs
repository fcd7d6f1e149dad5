//! When a destination is left alone.

use std::time::Duration;

use obs_core::units::duration;
use serde::Deserialize;

/// When a destination that fails is left alone, and when it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// Trips after so many failures in a row; 5 by default.
    pub failure_threshold: u32,
    /// How long it stays open; 60 s by default.
    #[serde(with = "duration")]
    pub recovery_timeout: Duration,
    /// How many calls must pass while it is half open before it closes; 3 by default. One failure opens it again.
    pub half_open_max_calls: u32,
}

impl BreakerConfig {
    /// The default, as a constant.
    pub const DEFAULT: Self =
        Self { failure_threshold: 5, recovery_timeout: Duration::from_mins(1), half_open_max_calls: 3 };
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

super::hinted!(BreakerConfig);
