//! Times in the two forms that LangSmith reads, both in microseconds.

use std::fmt::{self, Write};
use std::str;

use obs_core::Timestamp;
use serde::{Serialize, Serializer};

/// A time as JSON has it: `2026-11-21T09:58:33.120000Z`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Iso(pub(crate) Timestamp);

impl Serialize for Iso {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Digits::of(self.0);
        // Of the nine digits of the second six stay.
        text.bytes.copy_within(29..30, 26);
        serializer.serialize_str(text.first(27))
    }
}

/// How long the stamp of one level of a dotted order is.
pub(crate) const STAMP: usize = 22;

/// Appends a time as a level of a dotted order begins: `20261121T095833120000Z`.
pub(crate) fn push_stamp(out: &mut String, time: Timestamp) {
    let text = Digits::of(time);
    let text = text.first(26);
    out.extend(text.split(['-', ':', '.']));
    out.push('Z');
}

/// A time as RFC 3339 with nine digits of the second, without allocation: years have four digits until 2554, where
/// timestamps end.
struct Digits {
    bytes: [u8; 30],
    len: usize,
}

impl Digits {
    fn of(time: Timestamp) -> Self {
        let mut digits = Self { bytes: [0; 30], len: 0 };
        // It fits; what did not would be cut.
        let _ = write!(digits, "{}", time.rfc3339());
        digits
    }

    fn first(&self, len: usize) -> &str {
        str::from_utf8(&self.bytes[..len]).unwrap_or_default()
    }
}

impl Write for Digits {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_have_microseconds_rounded_down() {
        for (nanos, iso, stamp) in [
            (0, "1970-01-01T00:00:00.000000Z", "19700101T000000000000Z"),
            (1_763_700_000_000_000_999, "2025-11-21T04:40:00.000000Z", "20251121T044000000000Z"),
            (1_763_700_000_123_456_789, "2025-11-21T04:40:00.123456Z", "20251121T044000123456Z"),
            (u64::MAX, "2554-07-21T23:34:33.709551Z", "25540721T233433709551Z"),
        ] {
            let time = Timestamp::from_nanos(nanos);
            assert_eq!(serde_json::to_value(Iso(time)).unwrap(), iso);
            let mut out = String::new();
            push_stamp(&mut out, time);
            assert_eq!((out.as_str(), out.len()), (stamp, STAMP));
        }
    }
}
