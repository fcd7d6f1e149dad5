//! Why a metric has no form in OTLP.

use std::fmt;

/// Why a metric cannot go out: OTLP has no form for it, or readers refuse what would come of it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum InvalidMetric {
    /// It has no name.
    Unnamed,
    /// It is an aggregated sum or histogram of no temporality.
    NoTemporality,
    /// A counter's increment is negative or not finite.
    Increment(f64),
    /// A change or a sample is not finite, so that nothing can be summed with it.
    Measurement(f64),
    /// A histogram has not one count more than bounds.
    Buckets {
        /// How many counts.
        counts: usize,
        /// How many bounds.
        bounds: usize,
    },
    /// A histogram's bounds do not ascend, or one of them is not a finite number.
    Bounds,
    /// A histogram's count is not the sum of its buckets' counts.
    Count {
        /// What it says.
        count: u64,
        /// What the buckets come to.
        buckets: u128,
    },
    /// An exponential histogram takes for zero what is up to a magnitude that is none.
    ZeroThreshold(f64),
    /// An exponential histogram has a bucket whose index has more than 32 bits.
    BucketIndex,
}

impl fmt::Display for InvalidMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed => f.write_str("the metric has no name, which OTLP needs"),
            Self::NoTemporality => f.write_str(
                "the aggregated point says no temporality, which OTLP needs: set it to delta or cumulative",
            ),
            Self::Increment(value) => write!(
                f,
                "a counter was incremented by {value}, which must be finite and not negative: an up-down counter takes what goes down"
            ),
            Self::Measurement(value) => {
                write!(f, "{value} was measured, which is no finite number, so that nothing can be summed with it")
            }
            Self::Buckets { counts, bounds } => {
                write!(f, "the histogram has {counts} counts for {bounds} bounds, it needs one more than bounds")
            }
            Self::Bounds => f.write_str(
                "the histogram's bounds must be finite and ascend; the last bucket needs none, it reaches to infinity",
            ),
            Self::Count { count, buckets } => {
                write!(f, "the histogram says that it has {count} samples, but its buckets have {buckets}")
            }
            Self::ZeroThreshold(value) => write!(
                f,
                "the exponential histogram takes for zero what is up to {value}, which must be finite and not negative"
            ),
            Self::BucketIndex => f.write_str(
                "the exponential histogram has a bucket whose index has more than 32 bits: lower its scale",
            ),
        }
    }
}

impl std::error::Error for InvalidMetric {}
