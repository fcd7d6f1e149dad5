//! A share of traces, by their id.

use std::fmt;

use crate::TraceId;

/// A share of all traces, as OpenTelemetry's consistent probability has it.
///
/// The last 56 bits of the trace id are its randomness, unless `rv` in `tracestate` says another; a trace is taken where
/// the randomness reaches the rejection threshold.
/// So two services that are given the same id decide alike, and a smaller share takes a subset of a larger one's.
/// Where only an id is at hand, as of a log or a score that goes to a destination, the id decides.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    threshold: u64,
}

/// Why a share is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioError(f64);

impl fmt::Display for RatioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a sampling ratio is between 0 and 1, not {}: 0.1 records a tenth of the traces", self.0)
    }
}

impl std::error::Error for RatioError {}

const RANDOMNESS: u64 = 1 << 56;

impl Ratio {
    /// A share between 0 (none) and 1 (all).
    ///
    /// # Errors
    /// If it is not.
    pub fn new(share: f64) -> Result<Self, RatioError> {
        if !(0.0..=1.0).contains(&share) {
            return Err(RatioError(share));
        }
        Ok(Self { threshold: ((1.0 - share) * RANDOMNESS as f64).round() as u64 })
    }

    /// The share whose rejection threshold is this, of 56 bits: 0 takes all, and 2^56 or more takes none.
    #[must_use]
    #[inline]
    pub const fn from_threshold(threshold: u64) -> Self {
        Self { threshold: if threshold > RANDOMNESS { RANDOMNESS } else { threshold } }
    }

    /// The rejection threshold, `th` in OpenTelemetry's `tracestate`: 0 to 2^56.
    #[inline]
    pub const fn threshold(self) -> u64 {
        self.threshold
    }

    /// Whether a trace is in the share, by its id.
    #[inline]
    pub fn takes(self, trace_id: TraceId) -> bool {
        self.takes_randomness(Self::randomness_of(trace_id))
    }

    /// Whether a trace of this randomness, of 56 bits, is in the share.
    #[inline]
    pub const fn takes_randomness(self, randomness: u64) -> bool {
        (randomness & (RANDOMNESS - 1)) >= self.threshold
    }

    /// The randomness of a trace by its id: its last 56 bits.
    #[inline]
    pub const fn randomness_of(trace_id: TraceId) -> u64 {
        trace_id.get() as u64 & (RANDOMNESS - 1)
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ratio({})", 1.0 - self.threshold as f64 / RANDOMNESS as f64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_smaller_share_is_a_subset_of_a_larger(id in 1u128.., a in 0.0f64..=1.0, b in 0.0f64..=1.0) {
            let id = TraceId::new(id).unwrap();
            let (small, large) = (Ratio::new(a.min(b)).unwrap(), Ratio::new(a.max(b)).unwrap());
            prop_assert!(!small.takes(id) || large.takes(id));
            prop_assert!(Ratio::new(1.0).unwrap().takes(id));
            prop_assert!(!Ratio::new(0.0).unwrap().takes(id));
            prop_assert_eq!(Ratio::from_threshold(small.threshold()), small);
            prop_assert!(!Ratio::from_threshold(u64::MAX).takes(id));
            prop_assert_eq!(large.takes_randomness(Ratio::randomness_of(id)), large.takes(id));
        }
    }

    #[test]
    fn the_share_is_kept_and_nonsense_refused() {
        let tenth = Ratio::new(0.1).unwrap();
        let spread = |at: u64| TraceId::new(u128::from(at.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let taken = (1..=100_000).filter_map(spread).filter(|id| tenth.takes(*id)).count();
        assert!((9_000..11_000).contains(&taken), "{taken}");
        assert!(Ratio::new(f64::NAN).is_err());
    }
}
