//! Durations and sizes as people write them: `30d`, `500MB`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A unit's name and how many of the smallest one it is.
type Unit = (&'static str, u64);

/// In milliseconds, the longest first.
const DURATIONS: &[Unit] = &[
    ("w", 7 * 24 * 60 * 60 * 1000),
    ("d", 24 * 60 * 60 * 1000),
    ("h", 60 * 60 * 1000),
    ("m", 60 * 1000),
    ("s", 1000),
    ("ms", 1),
];

/// In bytes, the largest first.
const SIZES: &[Unit] = &[
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// A whole number and a unit, as so many of the smallest unit.
fn parse(text: &str, units: &[Unit], example: &str) -> Result<u64, String> {
    let refuse =
        |cause: &str| format!("\"{text}\" {cause}; write a whole number and a unit, such as \"{example}\"");
    let trimmed = text.trim();
    let digits = trimmed.len() - trimmed.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = trimmed.split_at(digits);
    if number.is_empty() {
        return Err(refuse("does not begin with a whole number"));
    }
    let unit = unit.trim_start();
    let Some((_, scale)) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) else {
        let known: Vec<_> = units.iter().map(|(name, _)| *name).collect();
        return Err(refuse(&format!("is not one whole number with one of the units {}", known.join(", "))));
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*scale))
        .ok_or_else(|| refuse("is too large"))
}

/// The number in the largest unit that divides it.
fn print(value: u64, units: &[Unit]) -> String {
    let exact = units.iter().find(|(_, scale)| value >= *scale && value.is_multiple_of(*scale));
    let (name, scale) = exact.or(units.last()).copied().unwrap_or(("", 1));
    format!("{}{name}", value / scale)
}

/// A number of bytes; in a file a text such as `"500MB"` or `"2GiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(u64);

impl Bytes {
    /// This many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// How many bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for Bytes {
    fn from(bytes: u64) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&print(self.0, SIZES))
    }
}

impl FromStr for Bytes {
    type Err = String;

    /// Reads a whole number with one of `B`, `KB`, `MB`, `GB`, `TB`, or of `KiB` to `TiB`, in any case.
    fn from_str(text: &str) -> Result<Self, String> {
        parse(text, SIZES, "500MB").map(Self)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text { example: "500MB" })?.parse().map_err(de::Error::custom)
    }
}

/// Takes a text, and says of a bare number that its unit is missing.
struct Text {
    example: &'static str,
}

impl de::Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text of a number and a unit, such as \"{}\"", self.example)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

/// A duration as a text with its unit, for serde's `with`; an optional one with [`mod@duration::option`].
///
/// ```
/// use std::time::Duration;
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     #[serde(with = "obs_core::units::duration")]
///     flush_interval: Duration,
///     #[serde(default, with = "obs_core::units::duration::option")]
///     max_age: Option<Duration>,
/// }
///
/// let config: Config = serde_json::from_str(r#"{ "flush_interval": "30s" }"#)?;
/// assert_eq!((config.flush_interval, config.max_age), (Duration::from_secs(30), None));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub mod duration {
    use super::{DURATIONS, Deserialize, Deserializer, Duration, Serializer, Text, de, parse, print};

    /// As a text in the largest unit that divides it; what is below a millisecond is cut off.
    pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
        serializer.serialize_str(&print(millis, DURATIONS))
    }

    /// Reads a whole number with one of `ms`, `s`, `m`, `h`, `d`, `w`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = deserializer.deserialize_any(Text { example: "30s" })?;
        let millis = parse(&text, DURATIONS, "30s").map_err(de::Error::custom)?;
        Ok(Duration::from_millis(millis))
    }

    /// An optional duration as a text with its unit.
    pub mod option {
        use super::{Deserialize, Deserializer, Duration, Serializer};

        /// As [`super::serialize`], and nothing as `null`.
        #[expect(clippy::ref_option, reason = "the signature serde's `with` asks for")]
        pub fn serialize<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, serializer),
                None => serializer.serialize_none(),
            }
        }

        /// As [`super::deserialize`], and `null` as nothing.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
            #[derive(Deserialize)]
            struct Written(#[serde(with = "super")] Duration);

            Ok(Option::<Written>::deserialize(deserializer)?.map(|Written(value)| value))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_read_in_any_case_and_with_a_space() {
        for (text, bytes) in
            [("500MB", 500_000_000), ("2 gib", 2 << 30), ("0B", 0), ("1tb", 1_000_000_000_000)]
        {
            assert_eq!(text.parse::<Bytes>(), Ok(Bytes(bytes)), "{text}");
        }
        assert_eq!(parse("30d", DURATIONS, ""), Ok(30 * 86_400_000));
        assert_eq!(parse("250ms", DURATIONS, ""), Ok(250));
    }

    #[test]
    fn what_is_no_size_is_refused_with_the_cause_and_an_example() {
        for (text, cause) in [
            ("500", "units"),
            ("MB", "whole number"),
            ("1.5GB", "units"),
            ("99999999TB", "too large"),
            ("", "whole number"),
        ] {
            let error = text.parse::<Bytes>().unwrap_err();
            assert!(error.contains(cause) && error.contains("500MB"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn printed_sizes_and_durations_read_back(value in any::<u64>()) {
            prop_assert_eq!(Bytes(value).to_string().parse::<Bytes>(), Ok(Bytes(value)));
            prop_assert_eq!(parse(&print(value, DURATIONS), DURATIONS, ""), Ok(value));
        }
    }
}
