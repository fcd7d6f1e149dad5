//! The extent of a value behind a sensitive name.

use super::judge::{self, Form, Strength};
use super::{Name, Quote, Separator};
use crate::edit::Edit;
use crate::marks::Written;
use crate::names::is_one_of;
use crate::rules::names::{IGNORED_IN_TEXT, WEAK_IN_TEXT};

/// Schemes whose parameters fill the line.
const PARAMETER_SCHEMES: &[&str] = &["digest", "hmac", "aws4hmacsha256"];

/// How many bytes of a bare value are read to judge it; random text shows itself in far fewer.
const JUDGED: usize = 256;

/// The edit for the value behind the name, if there is one that counts as a secret and is not a mark already.
pub(super) fn find(text: &str, name: Name<'_>, separator: Separator, marks: &Written) -> Option<Edit> {
    let bytes = text.as_bytes();
    let blanks = bytes[separator.end..].iter().take(8).take_while(|b| matches!(b, b' ' | b'\t')).count();
    let start = separator.end + blanks;
    let form = Form::of(text, &name, separator, blanks == 0);
    if marks.at(text.get(start..)?).is_some() {
        return None;
    }
    if let Some(quote) = Quote::at(bytes, start) {
        return quoted(text, &name, start + quote.slashes + 1, quote, marks);
    }
    match (name.quote, *bytes.get(start)?) {
        (Some(quote), b'{' | b'[') => container(bytes, start, quote),
        (Some(quote), _) => {
            let counts = judge::member_is_secret(judged(text, start, ends_word));
            let end = || end_of(bytes, start, ends_word);
            counts.then(|| Edit::quoted(start, end(), char::from(quote.mark), quote.slashes))
        }
        (None, _) => match declared(text, separator, start) {
            Some(value) => {
                let quote = Quote::at(bytes, value)?;
                quoted(text, &name, value + quote.slashes + 1, quote, marks)
            }
            None => header(text, &name, separator, start).or_else(|| bare(text, &name, form, start)),
        },
    }
}

fn strength(name: &Name<'_>) -> Strength {
    if name.quote.is_some() {
        Strength::Certain
    } else if is_one_of(name.text, IGNORED_IN_TEXT) {
        Strength::None
    } else if is_one_of(name.text, &["key"]) {
        Strength::Faint
    } else if is_one_of(name.text, WEAK_IN_TEXT) {
        Strength::Weak
    } else {
        Strength::Strong
    }
}

/// A value in quotes; one whose quote never closes reaches to the end of the text, behind a bare name of the line.
fn quoted(text: &str, name: &Name<'_>, open: usize, quote: Quote, marks: &Written) -> Option<Edit> {
    let bytes = text.as_bytes();
    let close = quote.close(bytes, open).unwrap_or_else(|| match name.quote {
        Some(_) => bytes.len(),
        None => line_end(bytes, open),
    });
    let value = text.get(open..close)?;
    let counts = !marks.is(value) && judge::quoted_is_secret(strength(name), name.text, value);
    counts.then(|| Edit::token(open, close))
}

/// An array or object behind a name in quotes goes whole; one that never closes, to the end of the text.
fn container(bytes: &[u8], start: usize, quote: Quote) -> Option<Edit> {
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let slashes = bytes[..at].iter().rev().take_while(|b| **b == b'\\').count();
                at = Quote { mark: b'"', slashes }
                    .close(bytes, at + 1)
                    .map_or(bytes.len(), |close| close + slashes);
            }
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    let end = at.min(bytes.len());
    let empty = matches!(&bytes[start..end], b"{}" | b"[]");
    (!empty).then(|| Edit::quoted(start, end, char::from(quote.mark), quote.slashes))
}

/// The value of a header `Authorization` or `Cookie`, which consists of several words.
fn header(text: &str, name: &Name<'_>, separator: Separator, start: usize) -> Option<Edit> {
    let bytes = text.as_bytes();
    let word = judged(text, start, ends_header_word);
    if name.ends_with("authorization") {
        let gap = bytes[start + word.len()..].iter().take(8).take_while(|b| **b == b' ').count();
        let credential = start + word.len() + gap;
        if gap > 0 && is_one_of(word, PARAMETER_SCHEMES) {
            return Some(Edit::token(credential, end_of(bytes, credential, ends_header)));
        }
        if gap > 0 && is_one_of(word, judge::SCHEMES) {
            let counts = judge::credential_is_secret(judged(text, credential, ends_header_word));
            return counts.then(|| Edit::token(credential, end_of(bytes, credential, ends_header_word)));
        }
    }
    let is_cookie = (name.ends_with("cookie") || name.ends_with("cookies")) && !separator.equals;
    (is_cookie && word.contains('=')).then(|| Edit::token(start, end_of(bytes, start, ends_header)))
}

/// Where the value of `name: Type = value` begins: what follows the colon is then no secret.
fn declared(text: &str, separator: Separator, start: usize) -> Option<usize> {
    let rest = text.get(start..).filter(|_| !separator.equals)?;
    let rest = rest.strip_prefix('&').unwrap_or(rest);
    let rest = rest.strip_prefix("'static ").unwrap_or(rest);
    let part = |b: u8| b.is_ascii_alphanumeric() || b"_<>[]:.?|".contains(&b);
    let length = rest.bytes().take(64).take_while(|b| part(*b)).count();
    let value = rest.get(length..)?.strip_prefix(" = ")?;
    (length > 0).then(|| text.len() - value.len())
}

fn bare(text: &str, name: &Name<'_>, form: Form, start: usize) -> Option<Edit> {
    let bytes = text.as_bytes();
    let ends = if form == Form::Variable { ends_variable } else { ends_word };
    let value = judged(text, start, ends);
    let next = bytes.get(start + value.len()).copied();
    let counts = judge::bare_is_secret(strength(name), form, name, value, next);
    counts.then(|| Edit::token(start, end_of(bytes, start, ends)))
}

/// The beginning of a bare value, enough of it to judge it; reading on to the end of each value that does not count would
/// take quadratic time over text like `password:password:password:`.
fn judged(text: &str, start: usize, ends: fn(u8) -> bool) -> &str {
    let enough = text.floor_char_boundary(start.saturating_add(JUDGED));
    let end = end_of(&text.as_bytes()[..enough], start, ends);
    text.get(start..end).unwrap_or_default()
}

fn end_of(bytes: &[u8], start: usize, ends: fn(u8) -> bool) -> usize {
    bytes[start..].iter().position(|b| ends(*b)).map_or(bytes.len(), |length| start + length)
}

fn ends_variable(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'\\')
}

fn ends_word(byte: u8) -> bool {
    let brackets = matches!(byte, b'<' | b'>' | b'(' | b')' | b'{' | b'}' | b'[' | b']');
    ends_variable(byte) || brackets || matches!(byte, b',' | b';' | b'&' | b'|')
}

fn ends_header_word(byte: u8) -> bool {
    ends_variable(byte) || matches!(byte, b',' | b'[')
}

fn ends_header(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'\\')
}

fn line_end(bytes: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length)
}

impl Quote {
    /// The quotation mark that stands at `start`, after its backslashes.
    fn at(bytes: &[u8], start: usize) -> Option<Self> {
        let slashes = bytes[start..].iter().take_while(|b| **b == b'\\').count();
        let mark = *bytes.get(start + slashes)?;
        matches!(mark, b'"' | b'\'' | b'`').then_some(Self { mark, slashes })
    }

    /// Where the closing counterpart begins: the next mark with as many backslashes, or fewer, since a mark with fewer
    /// closes the text around.
    fn close(self, bytes: &[u8], open: usize) -> Option<usize> {
        let mut from = open;
        loop {
            let mark = from + memchr::memchr(self.mark, bytes.get(from..)?)?;
            let slashes = bytes[open..mark].iter().rev().take_while(|b| **b == b'\\').count();
            // Pairs of backslashes before the mark's own stand for backslashes of the value.
            if slashes <= self.slashes || (self.slashes == 0 && slashes % 2 == 0) {
                return Some(mark - slashes.min(self.slashes));
            }
            from = mark + 1;
        }
    }
}
