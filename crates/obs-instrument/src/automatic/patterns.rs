//! Values of labels that are another one almost every time.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;

/// Something inside of a label's value that makes almost every value another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ValuePattern {
    /// A UUID of any version: 8-4-4-4-12 hexadecimal digits.
    Uuid,
    /// A ULID: 26 characters of Crockford's base 32, the first of them at most 7.
    Ulid,
    /// Thirty-two hexadecimal digits or more: ids of traces, hashes.
    Hex,
    /// An e-mail address.
    Email,
    /// Ten decimal digits or more: ids of accounts, times, numbers of telephones. Dates in names of models are shorter.
    Digits,
}

impl ValuePattern {
    /// What stands in place of it.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Uuid => "[uuid]",
            Self::Ulid => "[ulid]",
            Self::Hex => "[hex]",
            Self::Email => "[email]",
            Self::Digits => "[digits]",
        }
    }

    /// Whether a word of letters and digits is one.
    fn is_word(self, word: &[u8]) -> bool {
        match self {
            Self::Ulid => {
                let crockford = |byte: &u8| byte.is_ascii_alphanumeric() && !b"ILOUilou".contains(byte);
                word.len() == 26 && matches!(word[0], b'0'..=b'7') && word.iter().all(crockford)
            }
            Self::Hex => word.len() >= 32 && word.iter().all(u8::is_ascii_hexdigit),
            Self::Digits => word.len() >= 10 && word.iter().all(u8::is_ascii_digit),
            Self::Uuid | Self::Email => false,
        }
    }
}

/// The value with a mark in place of each thing that the patterns find.
pub(crate) fn masked<'a>(value: &'a str, patterns: &[ValuePattern]) -> Cow<'a, str> {
    let (mut out, mut done, mut at) = (String::new(), 0, 0);
    while let Some((found, pattern)) = next(value, at, patterns) {
        out.push_str(&value[done..found.start]);
        out.push_str(pattern.mark());
        (done, at) = (found.end, found.end);
    }
    if done == 0 {
        return Cow::Borrowed(value);
    }
    out.push_str(&value[done..]);
    Cow::Owned(out)
}

/// The first thing at or behind `from`: words begin and end where letters and digits do.
fn next(value: &str, from: usize, patterns: &[ValuePattern]) -> Option<(Range<usize>, ValuePattern)> {
    let bytes = value.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        let Some(skipped) = bytes[at..].iter().position(u8::is_ascii_alphanumeric) else { break };
        let start = at + skipped;
        let word = bytes[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if patterns.contains(&ValuePattern::Email)
            && let Some(end) = email(bytes, start)
        {
            return Some((start..end, ValuePattern::Email));
        }
        if patterns.contains(&ValuePattern::Uuid) && is_uuid(&bytes[start..]) {
            return Some((start..start + UUID, ValuePattern::Uuid));
        }
        let end = start + word;
        if let Some(pattern) = patterns.iter().find(|pattern| pattern.is_word(&bytes[start..end])) {
            return Some((start..end, *pattern));
        }
        at = end;
    }
    None
}

const UUID: usize = 36;

fn is_uuid(bytes: &[u8]) -> bool {
    let Some((id, rest)) = bytes.split_at_checked(UUID) else { return false };
    let fits = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    id.iter().enumerate().all(fits) && !rest.first().is_some_and(u8::is_ascii_alphanumeric)
}

/// Where an address that begins at `start` ends: a local part, `@`, and a domain with a dot and two letters at its end.
fn email(bytes: &[u8], start: usize) -> Option<usize> {
    let is_local = |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte);
    let local = bytes[start..].iter().take_while(|byte| is_local(byte)).count();
    let domain = start + local + 1;
    if bytes.get(domain - 1) != Some(&b'@') {
        return None;
    }
    let is_domain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    let long = bytes[domain..].iter().take_while(|byte| is_domain(byte)).count();
    let end = domain + long
        - bytes[domain..domain + long].iter().rev().take_while(|byte| b".-".contains(byte)).count();
    let dot = bytes[domain..end].iter().rposition(|byte| *byte == b'.')?;
    let top = &bytes[domain + dot + 1..end];
    (dot > 0 && top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic)).then_some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ValuePattern::{Digits, Email, Hex, Ulid, Uuid};
    use super::*;

    const ALL: [ValuePattern; 5] = [Uuid, Ulid, Hex, Email, Digits];

    #[test]
    fn what_varies_is_marked_and_what_is_a_name_is_not() {
        for (value, expected) in [
            ("550e8400-e29b-41d4-a716-446655440000", "[uuid]"),
            ("order-550E8400-E29B-41D4-A716-446655440000!", "order-[uuid]!"),
            ("550e8400-e29b-41d4-a716-4466554400001", "550e8400-e29b-41d4-a716-[digits]"),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "[ulid]"),
            ("run/01arz3ndektsv4rrffq69g5fav/2", "run/[ulid]/2"),
            ("81ARZ3NDEKTSV4RRFFQ69G5FAV", "81ARZ3NDEKTSV4RRFFQ69G5FAV"),
            ("4bf92f3577b34da6a3ce929d0e0e4736", "[hex]"),
            ("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "sha256:[hex]"),
            ("ann.lee+x@mail.example.org", "[email]"),
            ("to ann@example.com, bo@example.com.", "to [email], [email]."),
            ("ann@localhost", "ann@localhost"),
            ("a@b", "a@b"),
            ("@example.com", "@example.com"),
            ("call 0049301234567", "call [digits]"),
            ("claude-sonnet-4-20250514", "claude-sonnet-4-20250514"),
            ("gpt-4o-mini-2024-07-18", "gpt-4o-mini-2024-07-18"),
            ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
            ("straße ß@ü", "straße ß@ü"),
            ("", ""),
        ] {
            assert_eq!(masked(value, &ALL), expected, "{value}");
        }
        assert_eq!(masked("ann@example.com", &[Uuid]), "ann@example.com");
        assert_eq!(masked("call 0049301234567", &[Uuid, Hex]), "call 0049301234567");
    }

    proptest! {
        #[test]
        fn any_text_is_masked_once_and_for_all(value in "\\PC{0,60}|[0-9a-fA-F@.\\- ]{0,80}") {
            let once = masked(&value, &ALL).into_owned();
            prop_assert_eq!(masked(&once, &ALL), once.as_str());
        }

        #[test]
        fn every_id_is_found_wherever_it_stands(
            id in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-7][0-9A-HJKMNP-TV-Z]{25}|[0-9a-f]{32}",
            before in "([a-z]{1,8}[/: _=])?", after in "([/: _=][a-z]{1,8})?",
        ) {
            let value = format!("{before}{id}{after}");
            let masked = masked(&value, &ALL);
            prop_assert!(!masked.contains(&id) && masked.contains('['), "{}", masked);
        }
    }
}
