//! A member that names its sibling `value`, as in a list of headers or of attributes.

use super::{LONGEST_NAME, Name, Quote, Separator};

/// How much white space between two members is passed over.
const BLANKS: usize = 256;

/// A label and the member `value` right behind it.
pub(super) struct Label<'t> {
    /// What the label says that the value is.
    pub(super) says: &'t str,
    pub(super) value: Name<'t>,
    pub(super) separator: Separator,
}

impl<'t> Label<'t> {
    /// The label whose name and separator these are, if a member `value` follows.
    pub(super) fn at(text: &'t str, name: Name<'t>, separator: Separator) -> Option<Self> {
        let bytes = text.as_bytes();
        let quote = name.quote?;
        let open = quote.opens(bytes, past_blanks(bytes, separator.end))?;
        let near = bytes.len().min(open.saturating_add(LONGEST_NAME));
        let close = quote.close(&bytes[..near], open)?;
        let comma = past_blanks(bytes, close + quote.slashes + 1);
        if bytes.get(comma) != Some(&b',') {
            return None;
        }
        let start = quote.opens(bytes, past_blanks(bytes, comma + 1))?;
        let end = start + text.get(start..)?.starts_with("value").then_some("value".len())?;
        let colon = past_blanks(bytes, quote.opens(bytes, end)?);
        if bytes.get(colon) != Some(&b':') {
            return None;
        }
        let value = Name { text: text.get(start..end)?, start, quote: Some(quote) };
        Some(Self { says: text.get(open..close)?, value, separator: Separator::at(bytes, colon)? })
    }
}

impl Quote {
    /// Past this quotation mark, if it stands at `at`.
    fn opens(self, bytes: &[u8], at: usize) -> Option<usize> {
        let stands = bytes.get(at..).is_some() && Self::at(bytes, at) == Some(self);
        stands.then_some(at + self.slashes + 1)
    }
}

/// White space, also as it is written in a JSON string.
fn past_blanks(bytes: &[u8], start: usize) -> usize {
    let end = bytes.len().min(start.saturating_add(BLANKS));
    let mut at = start;
    while at < end {
        let slashes = bytes[at..end].iter().take_while(|b| **b == b'\\').count();
        match bytes.get(at + slashes) {
            Some(b' ' | b'\t' | b'\n' | b'\r') if slashes == 0 => at += 1,
            Some(b'n' | b'r' | b't') if slashes > 0 => at += slashes + 1,
            _ => break,
        }
    }
    at
}
