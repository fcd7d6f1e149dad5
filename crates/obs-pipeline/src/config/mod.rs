//! What a user sets for delivery: data that a file can hold.

mod breaker;
mod inspect;
mod lane;
mod monitor;
mod multi;
mod rate_limit;
mod retry;

pub use breaker::BreakerConfig;
pub use inspect::InspectConfig;
pub use lane::{LaneConfig, Overflow};
pub use monitor::{AlertThresholds, MonitorConfig};
pub use multi::{FailurePolicy, MultiConfig, Strategy};
pub use rate_limit::RateLimitConfig;
pub use retry::RetryConfig;

/// Reads a config struct whose derive is for `remote = "Self"`, and names the nearest option for an unknown one.
macro_rules! hinted {
    ($config:ty) => {
        impl<'de> serde::Deserialize<'de> for $config {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer).map_err(obs_core::suggest::error)
            }
        }
    };
}

use hinted;
