//! Personal data, which is searched for only where the user asks for it.

use std::net::{Ipv4Addr, Ipv6Addr};

use regex::Regex;
use serde::{Deserialize, Serialize};

/// A kind of personal data that can be replaced like a secret. None is by default: each of them is also what applications
/// are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pii {
    /// Addresses of electronic mail.
    Email,
    /// Telephone numbers in international form (E.164): a plus sign and 8 to 15 digits, also in groups.
    Phone,
    /// International bank account numbers whose check digits are right.
    Iban,
    /// Numbers of payment cards: 13 to 19 digits, also in groups, whose first digits are a card network's and whose check
    /// digit (Luhn) is right; also as a number in JSON or an attribute.
    Card,
    /// Social security numbers of the United States, in groups.
    UsSsn,
    /// Addresses of the Internet Protocol, versions 4 and 6, but for the own host's.
    Ip,
}

/// How many bytes of a match are really one.
type Proof = fn(&str) -> Option<usize>;

/// How one kind is found.
#[derive(Debug)]
pub(crate) struct Kind {
    regex: Regex,
    proof: Proof,
    /// Bytes besides letters, digits and `_` that may stand neither before nor behind.
    continues: &'static [u8],
    in_numbers: bool,
}

impl Kind {
    pub(crate) fn new(pii: Pii) -> Result<Self, regex::Error> {
        let (regex, proof, continues): (_, Proof, &'static [u8]) = match pii {
            Pii::Email => (r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)*\.\p{L}{2,}", |text| Some(text.len()), b""),
            Pii::Phone => (r"\+[1-9](?:[ .()-]{0,2}[0-9]){7,14}", phone, b"+"),
            Pii::Iban => (r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}", iban, b""),
            Pii::Card => (r"[2-6](?:[ -]?[0-9]){12,18}", card, b".-"),
            Pii::UsSsn => (r"[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}", us_ssn, b"-."),
            Pii::Ip => {
                (r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f:]{2,39}(?:[0-9]{1,3}\.[0-9.]{5,11})?", ip, b".")
            }
        };
        Ok(Self { regex: Regex::new(regex)?, proof, continues, in_numbers: pii == Pii::Card })
    }

    /// The next one at or after `at`, as a range.
    pub(crate) fn next(&self, text: &str, mut at: usize) -> Option<(usize, usize)> {
        while let Some(found) = self.regex.find_at(text, at) {
            let start = found.start();
            let end = (self.proof)(found.as_str()).map(|length| start + length);
            if let Some(end) = end.filter(|end| self.stands_alone(text.as_bytes(), start, *end)) {
                return Some((start, end));
            }
            at = start + found.as_str().chars().next().map_or(1, char::len_utf8);
        }
        None
    }

    pub(crate) fn is_number(&self, number: &str) -> bool {
        self.in_numbers && self.next(number, 0) == Some((0, number.len()))
    }

    fn stands_alone(&self, bytes: &[u8], start: usize, end: usize) -> bool {
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let before = start.checked_sub(1).map(|at| bytes[at]);
        let joined = |byte: &u8| self.continues.contains(byte);
        // What closes a sentence continues nothing.
        let behind = match bytes.get(end) {
            Some(byte) if joined(byte) => bytes.get(end + 1).is_some_and(word),
            byte => byte.is_some_and(word),
        };
        !before.is_some_and(|byte| word(&byte) || joined(&byte)) && !behind
    }
}

fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> + Clone {
    text.bytes().filter(u8::is_ascii_digit).map(|byte| u32::from(byte - b'0'))
}

fn phone(text: &str) -> Option<usize> {
    (8..=15).contains(&digits(text).count()).then_some(text.len())
}

/// The longest beginning, up to the end of a group, whose remainder by 97 is right.
fn iban(text: &str) -> Option<usize> {
    let ends = text.match_indices(' ').map(|(at, _)| at).chain([text.len()]);
    ends.rev().find(|end| is_iban(&text[..*end]))
}

fn is_iban(text: &str) -> bool {
    let plain: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    if !(15..=34).contains(&plain.len()) {
        return false;
    }
    let rest = plain[4..].iter().chain(&plain[..4]).try_fold(0_u32, |rest, byte| {
        let value = char::from(*byte).to_digit(36)?;
        Some((rest * if value > 9 { 100 } else { 10 } + value) % 97)
    });
    rest == Some(1)
}

fn card(text: &str) -> Option<usize> {
    let first = digits(text).take(4).fold(0, |number, digit| number * 10 + digit);
    let known = matches!(first, 2221..=2720 | 3000..=6999);
    let sum: u32 = digits(text)
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    let plain = digits(text).any(|digit| Some(digit) != digits(text).next());
    (known && plain && sum.is_multiple_of(10)).then_some(text.len())
}

fn us_ssn(text: &str) -> Option<usize> {
    let (area, group, serial) = (text.get(..3)?, text.get(4..6)?, text.get(7..)?);
    let same = text.as_bytes()[3] == text.as_bytes()[6];
    let given = area != "000" && area != "666" && !area.starts_with('9') && group != "00" && serial != "0000";
    (same && given).then_some(text.len())
}

fn ip(text: &str) -> Option<usize> {
    let text = text.strip_suffix(':').filter(|rest| !rest.ends_with(':')).unwrap_or(text);
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return (!address.is_loopback() && !address.is_unspecified()).then_some(text.len());
    }
    // Paths in code, as `a::b`, are addresses by their form.
    let groups = text.split(':').filter(|group| !group.is_empty()).count();
    let address = text.parse::<Ipv6Addr>().ok()?;
    let own = address.is_loopback() || address.is_unspecified();
    (!own && (groups > 2 || text.contains(|c: char| c.is_ascii_digit()) && text.len() > 5))
        .then_some(text.len())
}
