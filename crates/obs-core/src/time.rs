//! Points in time.

use std::fmt::{self, Display};
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

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

    /// The time in UTC as RFC 3339 has it, with nine digits of the second: `2026-11-21T09:58:33.120000000Z`.
    pub fn rfc3339(self) -> Rfc3339 {
        Rfc3339 { time: self, digits: 9 }
    }
}

/// A time in UTC as RFC 3339 has it; prints and serialises as that text.
///
/// ```
/// use obs_core::Timestamp;
///
/// let time = Timestamp::from_nanos(1_768_471_200_001_234_567);
/// assert_eq!(time.rfc3339().to_string(), "2026-01-15T10:00:00.001234567Z");
/// assert_eq!(serde_json::to_string(&time.rfc3339().micros())?, "\"2026-01-15T10:00:00.001234Z\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rfc3339 {
    time: Timestamp,
    /// How many digits of the second's fraction.
    digits: usize,
}

impl Rfc3339 {
    /// The same with six digits of the second, rounded down: what many backends keep.
    #[must_use]
    pub fn micros(self) -> Self {
        Self { digits: 6, ..self }
    }

    /// Writes the text into a buffer, without allocation.
    pub fn encode(self, buffer: &mut [u8; 30]) -> &str {
        let (seconds, nanos) = (self.time.0 / 1_000_000_000, self.time.0 % 1_000_000_000);
        let (year, month, day) = date(seconds / 86_400);
        *buffer = *b"0000-00-00T00:00:00.000000000Z";
        // Years have four digits: timestamps end in 2554.
        let numbers = [(0, 4, year), (5, 2, month), (8, 2, day)];
        let of_day = [(11, 2, seconds / 3_600 % 24), (14, 2, seconds / 60 % 60), (17, 2, seconds % 60)];
        for (at, width, mut number) in numbers.into_iter().chain(of_day).chain([(20, 9, nanos)]) {
            for digit in buffer[at..at + width].iter_mut().rev() {
                *digit += (number % 10) as u8;
                number /= 10;
            }
        }
        let end = 20 + self.digits;
        buffer[end] = b'Z';
        std::str::from_utf8(&buffer[..=end]).unwrap_or_default()
    }
}

impl Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.encode(&mut [0; 30]))
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.encode(&mut [0; 30]))
    }
}

/// The date of a day since the epoch.
///
/// Years are counted from March, so that a leap day is the last of its year, and in eras of 400, which all have as many days.
const fn date(day: u64) -> (u64, u64, u64) {
    const ERA: u64 = 146_097;
    // The first of March of the year 0 is so many days before the epoch.
    let day = day + 719_468;
    let (era, day) = (day / ERA, day % ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (after, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (era * 400 + year + after, month, day)
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

    #[test]
    fn a_time_prints_as_its_date() {
        for (nanos, printed) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_399_999_999_999, "2000-02-28T23:59:59.999999999Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
            (951_868_800_000_000_000, "2000-03-01T00:00:00.000000000Z"),
            (1_735_689_599_000_000_001, "2024-12-31T23:59:59.000000001Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
            (u64::MAX, "2554-07-21T23:34:33.709551615Z"),
        ] {
            assert_eq!(Timestamp::from_nanos(nanos).rfc3339().to_string(), printed);
        }
    }
}
