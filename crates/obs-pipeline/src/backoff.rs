//! The waits between attempts.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Full jitter: the n-th wait is random between nothing and `initial_delay · multiplier^n`, at most `max_delay`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// The bound of the first wait; default 0.5 s.
    pub initial_delay: Duration,
    /// The factor from one bound to the next; default 2.
    pub backoff_multiplier: f64,
    /// The greatest bound; default 30 s.
    pub max_delay: Duration,
}

impl Backoff {
    /// The default, as a constant.
    pub const DEFAULT: Self = Self {
        initial_delay: Duration::from_millis(500),
        backoff_multiplier: 2.0,
        max_delay: Duration::from_secs(30),
    };

    /// The wait after the attempt with this number, the first being 0; `chance` is uniform in `0.0..1.0`.
    pub fn delay(&self, attempt: u32, chance: f64) -> Duration {
        let factor = self.backoff_multiplier.max(1.0).powi(attempt.min(1_000) as i32);
        let bound = (self.initial_delay.as_secs_f64() * factor).min(self.max_delay.as_secs_f64());
        Duration::from_secs_f64(bound * chance.clamp(0.0, 1.0))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Chances for full jitter; that nobody can guess them does not matter.
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new() -> Self {
        Self(RandomState::new().hash_one(0) | 1)
    }

    /// The next chance, uniform in `0.0..1.0`.
    pub(crate) fn chance(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_greatest() {
        let waits: Vec<_> = (0..8).map(|attempt| Backoff::DEFAULT.delay(attempt, 1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(Backoff::DEFAULT.delay(3, 0.0), Duration::ZERO);
        assert_eq!(Backoff::DEFAULT.delay(u32::MAX, 1.0), Duration::from_secs(30));
    }

    #[test]
    fn chances_are_spread_over_the_unit() {
        let mut jitter = Jitter::new();
        let chances: Vec<_> = (0..1_000).map(|_| jitter.chance()).collect();
        assert!(chances.iter().all(|chance| (0.0..1.0).contains(chance)));
        assert!((0.4..0.6).contains(&(chances.iter().sum::<f64>() / 1_000.0)));
    }
}
