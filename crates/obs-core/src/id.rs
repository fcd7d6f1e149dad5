//! Trace and span ids, in the sizes and spelling of W3C Trace Context.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseIdError {
    expected: usize,
    cause: &'static str,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an id of {} hex digits: {}", self.expected, self.cause)
    }
}

impl std::error::Error for ParseIdError {}

/// The hex digits of four bytes, all at once: a digit to a byte of the word, then from numbers to letters.
fn hex(bytes: &[u8]) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let word = (word << 16 | word) & 0x0000_ffff_0000_ffff;
    let word = (word << 8 | word) & 0x00ff_00ff_00ff_00ff;
    let word = (word << 4 | word) & 0x0f0f_0f0f_0f0f_0f0f;
    // Adding 6 carries into bit 4 from ten on.
    let letters = (word + EACH * 6) >> 4 & EACH;
    (word + EACH * u64::from(b'0') + letters * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

fn parse_hex(text: &str, digits: usize) -> Result<u128, ParseIdError> {
    let fail = |cause| ParseIdError { expected: digits, cause };
    if text.len() != digits {
        return Err(fail("the length differs"));
    }
    let mut value = 0u128;
    for byte in text.bytes() {
        let nibble = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return Err(fail("a character is no hex digit")),
        };
        value = value << 4 | u128::from(nibble);
    }
    if value == 0 { Err(fail("an id is never zero")) } else { Ok(value) }
}

macro_rules! id {
    ($(#[$attribute:meta])* $name:ident, $inner:ty, $int:ty, $bytes:literal, $digits:literal, $what:literal) => {
        #[doc = concat!("The id of ", $what, ": ", stringify!($bytes), " bytes, never zero.")]
        ///
        #[doc = concat!("Prints and serialises as ", stringify!($digits), " lower-case hex digits; parsing also takes upper case.")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $(#[$attribute])*
        pub struct $name($inner);

        impl $name {
            /// The id with this number, or `None` for zero.
            pub const fn new(value: $int) -> Option<Self> {
                match <$inner>::new(value) {
                    Some(inner) => Some(Self(inner)),
                    None => None,
                }
            }

            /// The id with these big-endian bytes, or `None` if all are zero.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> {
                Self::new(<$int>::from_be_bytes(bytes))
            }

            /// The id as a number.
            pub const fn get(self) -> $int {
                self.0.get()
            }

            /// The big-endian bytes, as the wire has them.
            pub const fn to_bytes(self) -> [u8; $bytes] {
                self.0.get().to_be_bytes()
            }

            /// The lower-case hex digits, without allocation.
            #[inline]
            pub fn to_hex(self) -> [u8; $digits] {
                let mut out = [0; $digits];
                for (digits, half) in out.chunks_exact_mut(8).zip(self.to_bytes().chunks_exact(4)) {
                    digits.copy_from_slice(&hex(half));
                }
                out
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{:0", $digits, "x}"), self.get())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let value = parse_hex(text, $digits)?;
                Self::new(value as $int)
                    .ok_or(ParseIdError { expected: $digits, cause: "an id is never zero" })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                // Hex digits are ASCII, so this never fails; it spares the machinery of formatting.
                match std::str::from_utf8(&self.to_hex()) {
                    Ok(hex) => serializer.serialize_str(hex),
                    Err(_) => serializer.collect_str(self),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Hex;
                impl Visitor<'_> for Hex {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("an id of ", $digits, " hex digits"))
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Hex)
            }
        }
    };
}

id!(
    // Aligned to 16 bytes, it would make spans so, and the tag of `Option<SpanRecord>` 16 bytes wide: written in two
    // halves and read as one, which stalls the processor at every access to a span under way.
    #[repr(Rust, packed(8))]
    TraceId,
    NonZeroU128,
    u128,
    16,
    32,
    "a trace"
);
id!(SpanId, NonZeroU64, u64, 8, 16, "a span");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_round_trip(trace in 1u128.., span in 1u64..) {
            let (trace, span) = (TraceId::new(trace).unwrap(), SpanId::new(span).unwrap());
            prop_assert_eq!(trace.to_string().parse::<TraceId>().unwrap(), trace);
            prop_assert_eq!(trace.to_string().into_bytes(), trace.to_hex());
            prop_assert_eq!(TraceId::from_bytes(trace.to_bytes()), Some(trace));
            prop_assert_eq!(span.to_string().into_bytes(), span.to_hex());
            prop_assert_eq!(span.to_string().to_uppercase().parse::<SpanId>().unwrap(), span);
            let json = serde_json::to_string(&(trace, span)).unwrap();
            prop_assert_eq!(serde_json::from_str::<(TraceId, SpanId)>(&json).unwrap(), (trace, span));
        }
    }

    #[test]
    fn an_optional_id_takes_no_more_room_and_none_is_aligned_to_more_than_a_word() {
        assert_eq!((size_of::<Option<TraceId>>(), align_of::<TraceId>()), (16, 8));
        assert_eq!((size_of::<Option<SpanId>>(), align_of::<SpanId>()), (8, 8));
        assert_eq!(align_of::<crate::Span>(), 8);
    }

    #[test]
    fn what_is_no_id_is_refused_with_the_cause() {
        for (text, cause) in [
            ("", "length"),
            ("00f067aa0ba902b", "length"),
            ("00f067aa0ba902bg", "hex digit"),
            ("0000000000000000", "zero"),
        ] {
            assert!(text.parse::<SpanId>().unwrap_err().to_string().contains(cause), "{text}");
        }
        assert_eq!(SpanId::new(0), None);
        assert!(serde_json::from_str::<TraceId>("7").is_err());
    }
}
