//! What stands in place of secrets: writing it and knowing it again.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::literal::{escape, unescape};
use crate::style::{HashKey, Style};

/// Shorter secrets are not shown in part: six characters would be too much of them.
const SHORTEST_SHOWN: usize = 16;

/// How many hexadecimal digits of a hash are shown.
const HASH_DIGITS: usize = 16;

/// How many secrets each of the two generations of numbers holds.
const GENERATION: usize = 32_768;

/// The token as it is written in one kind of text, and its parts around what a style adds.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) token: String,
    head: String,
    tail: String,
}

impl Written {
    fn new(token: &str, write: impl Fn(&str) -> String) -> Self {
        let last =
            token.chars().next_back().filter(|last| !last.is_alphanumeric() && token.chars().count() > 1);
        let (head, tail) = token.split_at(token.len() - last.map_or(0, char::len_utf8));
        Self { token: write(token), head: write(head), tail: write(tail) }
    }

    /// No mark at all.
    pub(crate) fn none() -> Self {
        Self::new("\0\0", str::to_owned)
    }

    /// Whether the token ends in a sign that also ends what a style adds; without one, a secret behind the token's
    /// characters could pass for a part of a mark.
    pub(crate) fn closes(&self) -> bool {
        !self.tail.is_empty()
    }

    /// The length of the mark, of any style, that the text starts with.
    pub(crate) fn at(&self, text: &str) -> Option<usize> {
        self.longer_at(text).or_else(|| text.starts_with(&self.token).then_some(self.token.len()))
    }

    /// The same for the styles that say more than the token.
    fn longer_at(&self, text: &str) -> Option<usize> {
        if !self.closes() {
            return None;
        }
        let rest = text.strip_prefix(&self.head)?.strip_prefix('_')?;
        let digits = rest.bytes().take(20).take_while(u8::is_ascii_digit).count();
        let hash = rest.bytes().take(HASH_DIGITS).take_while(u8::is_ascii_hexdigit).count();
        let said =
            [shown_length(rest), (hash == HASH_DIGITS).then_some(hash), (digits > 0).then_some(digits)];
        let ends = |said: &usize| rest[*said..].starts_with(&self.tail);
        let said = said.into_iter().flatten().filter(ends).max()?;
        Some(self.head.len() + 1 + said + self.tail.len())
    }

    /// Whether the text is a mark and no more.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.at(text) == Some(text.len())
    }

    /// Where marks stand in the text.
    pub(crate) fn all_in(&self, text: &str) -> Vec<Range<usize>> {
        let mut marks: Vec<Range<usize>> = Vec::new();
        for start in memchr::memmem::find_iter(text.as_bytes(), &self.head) {
            if marks.last().is_some_and(|last| start < last.end) {
                continue;
            }
            if let Some(length) = text.get(start..).and_then(|rest| self.at(rest)) {
                marks.push(start..start + length);
            }
        }
        marks
    }
}

/// The length of `abc…xyz`, if the text starts with such.
fn shown_length(text: &str) -> Option<usize> {
    let rest = text.get(3..)?.strip_prefix('…')?;
    let shown = text.bytes().take(3).chain(rest.bytes().take(3));
    (rest.len() >= 3 && shown.into_iter().all(is_showable)).then_some(6 + '…'.len_utf8())
}

fn is_showable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// The marks of one configuration.
#[derive(Debug)]
pub(crate) struct Marks {
    pub(crate) plain: Written,
    /// As they stand between the quotes of a JSON string.
    pub(crate) json: Written,
    maker: Maker,
}

enum Maker {
    Full,
    Partial,
    Indexed(Mutex<Numbers>),
    KeyedHash(Hmac<Sha256>),
}

impl fmt::Debug for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "Full",
            Self::Partial => "Partial",
            Self::Indexed(_) => "Indexed",
            Self::KeyedHash(_) => "KeyedHash",
        })
    }
}

impl Marks {
    /// `None` if the style needs a key and there is none that is long enough.
    pub(crate) fn new(token: &str, style: Style, key: Option<&HashKey>) -> Option<Self> {
        let maker = match style {
            Style::Full => Maker::Full,
            Style::Partial => Maker::Partial,
            Style::Indexed => Maker::Indexed(Mutex::default()),
            Style::KeyedHash => {
                let key = key.filter(|key| key.bytes().len() >= HashKey::SHORTEST)?;
                Maker::KeyedHash(Hmac::new_from_slice(key.bytes()).ok()?)
            }
        };
        Some(Self { plain: Written::new(token, str::to_owned), json: Written::new(token, escape), maker })
    }

    pub(crate) fn written(&self, json: bool) -> &Written {
        if json { &self.json } else { &self.plain }
    }

    /// Writes the mark for the secret, which is given as it stands in the text.
    pub(crate) fn write(&self, out: &mut String, secret: &str, json: bool) {
        let written = self.written(json);
        if matches!(self.maker, Maker::Full) {
            out.push_str(&written.token);
            return;
        }
        let quoted = secret.strip_prefix('"').and_then(|secret| secret.strip_suffix('"'));
        let secret = quoted.unwrap_or(secret);
        let plain = (json && secret.contains('\\')).then(|| unescape(secret)).flatten();
        let start = out.len();
        out.push_str(&written.head);
        out.push('_');
        if self.say(out, plain.as_deref().unwrap_or(secret)) {
            out.push_str(&written.tail);
        } else {
            out.truncate(start);
            out.push_str(&written.token);
        }
    }

    /// Writes what the style tells of a secret; false if that is nothing.
    fn say(&self, out: &mut String, secret: &str) -> bool {
        match &self.maker {
            Maker::Full => false,
            Maker::Partial => {
                let (Some(first), Some(last)) =
                    (secret.get(..3), secret.len().checked_sub(3).and_then(|at| secret.get(at..)))
                else {
                    return false;
                };
                if secret.chars().count() < SHORTEST_SHOWN
                    || !first.bytes().chain(last.bytes()).all(is_showable)
                {
                    return false;
                }
                let _ = write!(out, "{first}…{last}");
                true
            }
            Maker::Indexed(numbers) => {
                let number = numbers.lock().unwrap_or_else(PoisonError::into_inner).of(secret);
                let _ = write!(out, "{number}");
                true
            }
            Maker::KeyedHash(mac) => {
                let mac = mac.clone().chain_update(secret.as_bytes()).finalize().into_bytes();
                for byte in mac.iter().take(HASH_DIGITS / 2) {
                    let _ = write!(out, "{byte:02x}");
                }
                true
            }
        }
    }
}

/// Which secret has which number; of the secrets only hashes are kept.
#[derive(Default)]
struct Numbers {
    hasher: RandomState,
    young: HashMap<u64, u64>,
    old: HashMap<u64, u64>,
    last: u64,
}

impl Numbers {
    fn of(&mut self, secret: &str) -> u64 {
        let hash = self.hasher.hash_one(secret);
        if let Some(number) = self.young.get(&hash) {
            return *number;
        }
        let number = self.old.get(&hash).copied().unwrap_or_else(|| {
            self.last += 1;
            self.last
        });
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_all_styles_are_known_again_and_what_only_begins_like_one_is_not() {
        for token in ["[REDACTED]", "<\"gone\">"] {
            let marks = Marks::new(token, Style::Full, None).unwrap();
            let (Written { head, tail, .. }, json) = (&marks.plain, &marks.json);
            for said in ["", "_1", "_12345678901234567890", "_0123456789abcdef", "_sk-…x7Q", "_123…456"] {
                let mark = format!("{head}{said}{tail}");
                assert_eq!(marks.plain.at(&format!("{mark} and more")), Some(mark.len()), "{mark}");
                assert!(marks.plain.is(&mark) && json.is(&escape(&mark)), "{mark}");
                let found = marks.plain.all_in(&format!("é{mark}x"));
                assert_eq!(found.first(), Some(&(2..2 + mark.len())), "{mark}");
            }
        }
        for token in ["XXX", "*", "…"] {
            let marks = Marks::new(token, Style::Full, None).unwrap();
            assert!(marks.plain.is(token) && !marks.plain.is(&format!("{token}_1")), "{token}");
            assert_eq!(marks.plain.all_in(&format!("é{token}_1")).first(), Some(&(2..2 + token.len())));
        }
        let marks = Marks::new("[REDACTED]", Style::Full, None).unwrap();
        for other in
            ["[REDACTED", "[REDACTED_]", "[REDACTED_a]", "[REDACTED_1x]", "[REDACTED_a b…cde]", "REDACTED"]
        {
            assert_eq!(marks.plain.at(other), None, "{other}");
        }
    }

    #[test]
    fn numbers_are_bounded_and_never_used_twice() {
        let mut numbers = Numbers::default();
        let first = numbers.of("often");
        for at in 0..3 * GENERATION {
            numbers.of(&at.to_string());
            assert!(numbers.young.len() + numbers.old.len() <= 2 * GENERATION);
            if at % 1_000 == 0 {
                assert_eq!(numbers.of("often"), first, "what is used stays");
            }
        }
        assert!(numbers.of("0") > 3 * GENERATION as u64, "what was forgotten gets a new one");
    }
}
