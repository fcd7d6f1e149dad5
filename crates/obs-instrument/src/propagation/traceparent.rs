//! W3C `traceparent`: which span is the parent, and whether it is recorded.

use std::str;

use obs_core::{SpanId, TraceId};

use crate::visible::SAMPLED;

/// The flags that version 00 knows: sampled, and that the trace's id is random.
pub(crate) const KNOWN: u8 = SAMPLED | RANDOM;
/// The flag of a trace whose id ends in 56 random bits, as those of obs do.
pub(crate) const RANDOM: u8 = 1 << 1;
/// What version 00 is long; later versions may be longer.
const LENGTH: usize = 55;

/// A parent as it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceParent {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) flags: u8,
}

impl TraceParent {
    /// Reads a header; a version to come is read as far as 00 goes, as the standard wants it.
    ///
    /// # Errors
    /// What is wrong, for a line that says so.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let bytes = text.trim_matches([' ', '\t']).as_bytes();
        let Some((head, rest)) = bytes.split_at_checked(LENGTH) else {
            return Err("it is shorter than 55 characters");
        };
        if [2, 35, 52].iter().any(|&at| head.get(at) != Some(&b'-')) {
            return Err("its four parts are not where they should be");
        }
        let version = byte(head, 0)?;
        match (version, rest.first()) {
            (0xff, _) => return Err("there is no version ff"),
            (0, Some(_)) => return Err("version 00 is not longer than 55 characters"),
            (_, None | Some(b'-')) => {}
            (_, Some(_)) => return Err("what follows the flags is not set off by a dash"),
        }
        Ok(Self {
            trace_id: id(head, 3, 35).and_then(TraceId::new).ok_or("the trace's id is none")?,
            span_id: id(head, 36, 52)
                .and_then(|id| SpanId::new(id as u64))
                .ok_or("the parent's id is none")?,
            flags: byte(head, 53)? & KNOWN,
        })
    }
}

/// As the header has it, in version 00.
impl std::fmt::Display for TraceParent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags & KNOWN)
    }
}

/// Lower-case hex digits as a number; capitals are against the standard.
fn id(bytes: &[u8], from: usize, to: usize) -> Option<u128> {
    let digits = bytes.get(from..to)?;
    let lower = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    digits
        .iter()
        .all(lower)
        .then(|| str::from_utf8(digits).ok())?
        .and_then(|digits| u128::from_str_radix(digits, 16).ok())
}

fn byte(bytes: &[u8], at: usize) -> Result<u8, &'static str> {
    id(bytes, at, at + 2).map(|byte| byte as u8).ok_or("it has other characters than lower-case hex digits")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_standard_s_example_is_read_and_written() {
        let parent = TraceParent::parse(GOOD).unwrap();
        assert_eq!((parent.span_id.get(), parent.flags), (0x00f0_67aa_0ba9_02b7, 1));
        assert_eq!(parent.to_string(), GOOD);
        assert_eq!(TraceParent::parse(&format!(" {GOOD}\t")), Ok(parent));
    }

    #[test]
    fn versions_to_come_are_read_as_far_as_ours_goes() {
        for text in [
            GOOD.replacen("00", "cc", 1),
            format!("{}-what-the-future-will-be", GOOD.replacen("00", "01", 1)),
        ] {
            assert_eq!(TraceParent::parse(&text), TraceParent::parse(GOOD), "{text}");
        }
        assert_eq!(
            TraceParent::parse(&GOOD.replace("-01", "-ff")).unwrap().flags,
            3,
            "unknown flags are not passed on"
        );
    }

    #[test]
    fn what_is_against_the_standard_is_refused() {
        let bad = [
            String::new(),
            GOOD.replacen("00", "ff", 1),
            GOOD.to_uppercase(),
            format!("{GOOD}-more"),
            format!("{},{GOOD}", GOOD.replacen("00", "01", 1)),
            format!("{GOOD},{GOOD}"),
            GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            GOOD.replace('-', "_"),
            GOOD.replace("-01", "-1"),
            GOOD.replace("-01", "-0x"),
            GOOD.replace("00-4", "0-04"),
            GOOD.replace("4bf9", "+bf9"),
            GOOD.replacen("4b", "é", 1),
        ];
        for text in bad {
            assert!(TraceParent::parse(&text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(trace in 1u128.., span in 1u64.., flags in 0u8..4) {
            let parent = TraceParent { trace_id: TraceId::new(trace).unwrap(), span_id: SpanId::new(span).unwrap(), flags };
            prop_assert_eq!(TraceParent::parse(&parent.to_string()), Ok(parent));
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC*", bytes in prop::collection::vec(any::<u8>(), 50..60)) {
            let _ = TraceParent::parse(&text);
            let _ = TraceParent::parse(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn one_wrong_character_is_noticed_or_changes_the_ids(at in 0usize..55, with in "[ -~]") {
            let text = format!("{}{with}{}", &GOOD[..at], &GOOD[at + 1..]);
            if let Ok(parent) = TraceParent::parse(&text) {
                let rest = &parent.to_string()[2..];
                let flags_alike = at >= 53 || rest == &text[2..];
                prop_assert!(flags_alike, "{text} was read as {parent}");
            }
        }
    }
}
