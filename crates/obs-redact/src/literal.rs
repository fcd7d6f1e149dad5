//! JSON string literals: finding their end, reading and writing their contents.

use std::fmt::Write;

/// The contents of a JSON string literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Literal {
    /// The quote that opens it.
    pub(crate) start: usize,
    /// Past the quote that closes it.
    pub(crate) end: usize,
    pub(crate) escaped: bool,
}

impl Literal {
    /// The literal whose opening quote stands at `start`, or `None` if it does not end.
    pub(crate) fn at(bytes: &[u8], start: usize) -> Option<Self> {
        let mut at = start + 1;
        let mut escaped = false;
        loop {
            let rest = bytes.get(at..)?;
            at += memchr::memchr2(b'"', b'\\', rest)?;
            if bytes[at] == b'"' {
                return Some(Self { start, end: at + 1, escaped });
            }
            escaped = true;
            at += 2;
        }
    }

    /// What stands between the quotes, as written.
    pub(crate) fn contents<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start + 1..self.end - 1).unwrap_or_default()
    }
}

/// The text that escaped contents stand for. A lone surrogate, which no text can hold, becomes U+FFFD.
///
/// `None` if an escape is not JSON's.
pub(crate) fn unescape(contents: &str) -> Option<String> {
    let mut out = String::with_capacity(contents.len());
    let mut rest = contents;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let escape = *rest.as_bytes().get(at + 1)?;
        rest = &rest[at + 1..];
        let plain = match escape {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let (c, after) = unicode(rest)?;
                out.push(c);
                rest = after;
                continue;
            }
            _ => return None,
        };
        out.push(plain);
        rest = &rest[1..];
    }
    out.push_str(rest);
    Some(out)
}

/// The character of `uXXXX` or of a surrogate pair, and what follows.
fn unicode(escape: &str) -> Option<(char, &str)> {
    let unit = |text: &str| {
        let digits = text.get(1..5).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let high = unit(escape)?;
    let after = &escape[5..];
    if !(0xD800..0xDC00).contains(&high) {
        return Some((char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), after));
    }
    let low = after.strip_prefix('\\').filter(|low| low.starts_with('u')).and_then(unit);
    match low {
        Some(low @ 0xDC00..0xE000) => {
            let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            Some((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), &after[6..]))
        }
        _ => Some((char::REPLACEMENT_CHARACTER, after)),
    }
}

/// The contents of a JSON string literal that stands for `text`, without the quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' => drop(write!(out, "\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_literal_ends_at_the_first_quote_that_is_not_escaped() {
        let end = |text: &str| Literal::at(text.as_bytes(), 0).map(|literal| (literal.end, literal.escaped));
        assert_eq!(end(r#""" x"#), Some((2, false)));
        assert_eq!(end(r#""a\"b\\" x"#), Some((8, true)));
        for open in ["\"", r#""a"#, r#""a\"#, r#""a\""#] {
            assert_eq!(end(open), None, "{open}");
        }
    }

    #[test]
    fn escapes_that_are_not_jsons_are_refused_and_lone_surrogates_replaced() {
        assert_eq!(unescape(r"\/\u0041\ud83d\ude00").as_deref(), Some("/A😀"));
        assert_eq!(unescape(r"\ud83d-\ude00\ud83d\u0041").as_deref(), Some("\u{fffd}-\u{fffd}\u{fffd}A"));
        for bad in [r"\x", r"\u12", r"\u12g4", r"\u+123", "\\", r"\uä1"] {
            assert_eq!(unescape(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_escaped_reads_back_here_and_in_serde_json(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert_eq!(unescape(&escaped), Some(text.clone()));
            let read: String = serde_json::from_str(&format!("\"{escaped}\"")).unwrap();
            prop_assert_eq!(&read, &text);
            let theirs = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unescape(&theirs[1..theirs.len() - 1]), Some(text));
        }
    }
}
