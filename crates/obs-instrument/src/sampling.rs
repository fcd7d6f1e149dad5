//! Which traces are recorded.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use obs_core::{Ratio, RatioError, TraceId};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_is_none_is_refused() {
        assert!(Sampling::ratio(1.1).unwrap_err().to_string().contains("between 0 and 1"));
    }
}
