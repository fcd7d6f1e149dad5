//! Points in time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Nanoseconds since 1970-01-01 UTC, without leap seconds.
///
/// Serialises as that integer.
/// The type reads no clock: whoever makes a record brings the time with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The time this many nanoseconds after the epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whole microseconds since the epoch, rounded down.
    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000
    }

    /// The time since `earlier`, or zero where `earlier` is the later one.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This time and `by`, at most the last representable one (in the year 2554).
    #[must_use]
    pub const fn saturating_add(self, by: Duration) -> Self {
        let nanos = by.as_nanos();
        let nanos = if nanos > u64::MAX as u128 { u64::MAX } else { nanos as u64 };
        Self(self.0.saturating_add(nanos))
    }

    /// This time less `by`, at least the epoch.
    #[must_use]
    pub const fn saturating_sub(self, by: Duration) -> Self {
        let nanos = by.as_nanos();
        let nanos = if nanos > u64::MAX as u128 { u64::MAX } else { nanos as u64 };
        Self(self.0.saturating_sub(nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        let (early, late) = (Timestamp::from_nanos(5), Timestamp::from_nanos(1_500_000_007));
        assert_eq!(late.since(early), Duration::from_nanos(1_500_000_002));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(late.as_millis(), 1_500);
        assert_eq!(late.as_micros(), 1_500_000);
        assert_eq!(early.saturating_sub(Duration::from_secs(1)), Timestamp::default());
        assert_eq!(late.saturating_add(Duration::MAX), Timestamp::from_nanos(u64::MAX));
    }
}
