//! How often and when a batch is tried again.

use std::time::Duration;

use obs_core::units::duration;
use serde::Deserialize;

/// How often and when a batch is tried again, before its destination is held.
///
/// The n-th wait is random between nothing and `initial_delay · backoff_multiplier^n`, at most `max_delay`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct RetryConfig {
    /// The bound of the first wait; 0.5 s by default.
    #[serde(with = "duration")]
    pub initial_delay: Duration,
    /// The factor from one bound to the next; 2 by default.
    pub backoff_multiplier: f64,
    /// The greatest bound; 30 s by default.
    #[serde(with = "duration")]
    pub max_delay: Duration,
    /// The time that a series of attempts may take; 60 s by default. Afterwards the destination is held, and the records
    /// wait in the queue.
    #[serde(with = "duration")]
    pub max_elapsed: Duration,
    /// The most attempts after the first one. None by default, since a number is spent within seconds of an outage.
    pub max_retries: Option<u32>,
    /// Whether waits are random; on by default, so that many clients do not come back at once. Off, each wait is its bound.
    pub jitter: bool,
}

impl RetryConfig {
    /// The default, as a constant.
    pub const DEFAULT: Self = Self {
        initial_delay: Duration::from_millis(500),
        backoff_multiplier: 2.0,
        max_delay: Duration::from_secs(30),
        max_elapsed: Duration::from_mins(1),
        max_retries: None,
        jitter: true,
    };

    /// The wait after the attempt with this number, the first being 0; `chance` is uniform in `0.0..1.0`.
    pub fn delay(&self, attempt: u32, chance: f64) -> Duration {
        let factor = self.backoff_multiplier.max(1.0).powi(attempt.min(1_000) as i32);
        let bound = (self.initial_delay.as_secs_f64() * factor).min(self.max_delay.as_secs_f64());
        let chance = if self.jitter { chance.clamp(0.0, 1.0) } else { 1.0 };
        Duration::from_secs_f64(bound * chance)
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

super::hinted!(
    RetryConfig,
    "max_backoff_seconds" => "`max_delay`",
    "backoff_strategy" => "`backoff_multiplier` and `jitter`",
    "retry_on_status_codes" => "the statuses in the options of the exporter"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_greatest() {
        let waits: Vec<_> =
            (0..8).map(|attempt| RetryConfig::DEFAULT.delay(attempt, 1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(RetryConfig::DEFAULT.delay(3, 0.0), Duration::ZERO);
        assert_eq!(RetryConfig::DEFAULT.delay(u32::MAX, 1.0), Duration::from_secs(30));
        let plain = RetryConfig { jitter: false, ..RetryConfig::DEFAULT };
        assert_eq!(plain.delay(1, 0.0), Duration::from_secs(1));
    }
}
