//! How much a destination is given in a second.

use obs_core::units::Bytes;
use serde::Deserialize;

/// How much a destination is given in a second; a second's worth may leave at once.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct RateLimitConfig {
    /// The most records a second; none by default.
    pub records_per_second: Option<f64>,
    /// The most bytes a second, as [`obs_core::ByteSize`] estimates them; none by default.
    pub bytes_per_second: Option<Bytes>,
}

impl RateLimitConfig {
    /// The default, as a constant: no limit.
    pub const DEFAULT: Self = Self { records_per_second: None, bytes_per_second: None };
}

super::hinted!(RateLimitConfig);
