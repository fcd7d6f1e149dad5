//! Chances for random waits.

use std::hash::{BuildHasher, RandomState};

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
    fn chances_are_spread_over_the_unit() {
        let mut jitter = Jitter::new();
        let chances: Vec<_> = (0..1_000).map(|_| jitter.chance()).collect();
        assert!(chances.iter().all(|chance| (0.0..1.0).contains(chance)));
        assert!((0.4..0.6).contains(&(chances.iter().sum::<f64>() / 1_000.0)));
    }
}
