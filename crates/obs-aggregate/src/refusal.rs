//! Why a record is not folded.

use std::fmt;

/// Why a record was not folded; nothing of it was kept, and the caller counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The increment of a counter is negative.
    Negative,
    /// An increment, a change or a sample is not a finite number.
    NotFinite,
    /// A sum or histogram from elsewhere does not say whether it is a delta or cumulative.
    NoTemporality,
    /// The counts of a histogram do not fit its bounds or its total, or its bounds, offsets or scale are none.
    Malformed,
    /// The metric is new, and there are as many as there may be.
    TooManyMetrics,
    /// The series is new, cumulative, and has no place but the overflow, where several cannot be told apart.
    TooManySeries,
}

impl Refusal {
    /// The name in labels and ledgers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::NotFinite => "not_finite",
            Self::NoTemporality => "no_temporality",
            Self::Malformed => "malformed",
            Self::TooManyMetrics => "too_many_metrics",
            Self::TooManySeries => "too_many_series",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Negative => "a counter only grows: record a change that can be negative as an up-down",
            Self::NotFinite => "the number is not finite, and one such number would spoil the whole sum",
            Self::NoTemporality => "an aggregated point must say whether it is a delta or cumulative",
            Self::Malformed => "the histogram's counts do not fit its buckets and total",
            Self::TooManyMetrics => "too many metrics: raise max_metrics, or put what varies into labels",
            Self::TooManySeries => {
                "too many series of this metric: raise max_series, or use fewer label values"
            }
        })
    }
}

impl std::error::Error for Refusal {}
