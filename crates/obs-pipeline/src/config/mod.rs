//! What a user sets for delivery: data that a file can hold.

mod breaker;
mod inspect;
mod lane;
mod metrics;
mod monitor;
mod multi;
mod rate_limit;
mod retry;

pub use breaker::BreakerConfig;
pub use inspect::InspectConfig;
pub use lane::{LaneConfig, Overflow};
pub use metrics::MetricsConfig;
pub use monitor::{AlertThresholds, MonitorConfig};
pub use multi::{FailurePolicy, MultiConfig, Strategy};
pub use rate_limit::RateLimitConfig;
pub use retry::RetryConfig;

/// Reads a config struct whose derive is for `remote = "Self"`, and names the option for one that was renamed, or the
/// nearest for an unknown one.
macro_rules! hinted {
    ($config:ty $(, $old:literal => $now:literal)*) => {
        impl<'de> serde::Deserialize<'de> for $config {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer).map_err(|error| obs_core::suggest::error_renamed(error, &[$(($old, $now)),*]))
            }
        }
    };
}

use hinted;
