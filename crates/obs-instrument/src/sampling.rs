//! Which traces are recorded.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use obs_core::TraceId;

/// Which traces are recorded; decided at the root, and every span, log and exemplar below follows.
///
/// A parent in another process decides for its children here.
#[derive(Clone, Default)]
pub enum Sampling {
    /// All of them.
    #[default]
    Always,
    /// None of them.
    Never,
    /// A share of them, by their id, so that every service decides alike.
    Ratio(Ratio),
    /// What the function says; it runs on the application's thread, and a panic of it counts as no.
    Custom(Arc<dyn Fn(&SamplingInput<'_>) -> bool + Send + Sync>),
}

/// What a custom sampler knows.
#[derive(Debug, Clone, Copy)]
pub struct SamplingInput<'a> {
    /// The id of the new trace.
    pub trace_id: TraceId,
    /// The name of its root span.
    pub name: &'a str,
    /// The name of its root's type, as [`obs_core::SpanType::name`] has it.
    pub span_type: &'static str,
}

impl Sampling {
    /// A share of the traces.
    ///
    /// # Errors
    /// If the share is not between 0 and 1.
    pub fn ratio(share: f64) -> Result<Self, RatioError> {
        Ratio::new(share).map(Self::Ratio)
    }

    /// A sampler of one's own.
    pub fn custom(sample: impl Fn(&SamplingInput<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self::Custom(Arc::new(sample))
    }

    /// Whether no trace is taken, whatever its id.
    #[inline]
    pub(crate) fn is_never(&self) -> bool {
        matches!(self, Self::Never)
    }

    #[inline]
    pub(crate) fn sample(&self, trace_id: TraceId, name: &str, span_type: &'static str) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Ratio(ratio) => ratio.takes(trace_id),
            Self::Custom(sample) => {
                let input = SamplingInput { trace_id, name, span_type };
                catch_unwind(AssertUnwindSafe(|| sample(&input))).unwrap_or(false)
            }
        }
    }
}

impl fmt::Debug for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("Always"),
            Self::Never => f.write_str("Never"),
            Self::Ratio(ratio) => write!(f, "{ratio:?}"),
            Self::Custom(_) => f.write_str("Custom"),
        }
    }
}

/// A share of all traces, as OpenTelemetry's consistent probability has it.
///
/// The last 56 bits of the trace id are its randomness; a trace is taken where they reach the rejection threshold.
/// So two services that are given the same id decide alike, and a smaller share takes a subset of a larger one's.
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

    /// Whether a trace is in the share.
    #[inline]
    pub fn takes(self, trace_id: TraceId) -> bool {
        (trace_id.get() as u64 & (RANDOMNESS - 1)) >= self.threshold
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
        }
    }

    #[test]
    fn the_share_is_kept_and_nonsense_refused() {
        let tenth = Ratio::new(0.1).unwrap();
        let taken = (0..100_000).filter(|_| tenth.takes(crate::ids::root().0)).count();
        assert!((9_000..11_000).contains(&taken), "{taken}");
        assert!(Ratio::new(f64::NAN).is_err());
        assert!(Sampling::ratio(1.1).unwrap_err().to_string().contains("between 0 and 1"));
    }
}
