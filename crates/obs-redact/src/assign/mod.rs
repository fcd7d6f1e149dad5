//! Finds secrets in running text by the name before them: `password=…`, `"api_key": "…"`, `Authorization: Bearer …`.
//!
//! Text is not JSON, so a name alone proves less here. A name in quotes counts as it does in JSON; a bare one needs a
//! value that could be a secret, because prose and code say `token: String` and `password=password` all the time.

mod judge;
mod label;
mod value;

use self::label::Label;
use crate::edit::Edit;
use crate::marks::Written;
use crate::names::{Names, is_one_of};
use crate::rules::names::LABELS;

/// Longer runs are no names.
const LONGEST_NAME: usize = 96;

/// A quotation mark and how many backslashes stand before it in text that is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Quote {
    mark: u8,
    slashes: usize,
}

/// The name before a separator.
#[derive(Debug, Clone, Copy)]
struct Name<'t> {
    text: &'t str,
    start: usize,
    quote: Option<Quote>,
}

/// The sign between a name and a value.
#[derive(Debug, Clone, Copy)]
struct Separator {
    end: usize,
    /// `=` rather than `:`.
    equals: bool,
}

/// What names say, and the marks that are left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'r> {
    pub(crate) names: &'r Names,
    /// Names in quotes of what is not passed on.
    pub(crate) omitted: Option<&'r Names>,
    pub(crate) marks: &'r Written,
}

/// Adds an edit for everything that follows a name which says that it goes. What is a mark already is left.
pub(crate) fn scan(rules: Rules<'_>, text: &str, edits: &mut Vec<Edit>) {
    let mut done = 0;
    for at in memchr::memchr2_iter(b'=', b':', text.as_bytes()) {
        if at < done {
            continue;
        }
        let Some(name) = Name::before(text, at) else { continue };
        if let Some(edit) = rules.behind(text, name, at) {
            done = edit.end;
            edits.push(edit);
        }
    }
}

impl Rules<'_> {
    /// The edit for what stands behind a name, or for the `value` beside the name that it labels.
    fn behind(&self, text: &str, name: Name<'_>, at: usize) -> Option<Edit> {
        let bytes = text.as_bytes();
        if name.quote.is_some() {
            let excludes = |name| self.omitted.is_some_and(|omitted| omitted.is_sensitive(name));
            if excludes(name.text) {
                return value::omitted(text, name, Separator::at(bytes, at)?);
            }
            let labels = (3..=6).contains(&name.text.len()) && is_one_of(name.text, LABELS);
            if labels && let Some(label) = Label::at(text, name, Separator::at(bytes, at)?) {
                let Label { says, value, separator } = label;
                if excludes(says) {
                    return value::omitted(text, value, separator);
                }
                let secret = self.names.is_sensitive(says);
                return if secret { value::find(text, value, separator, self.marks) } else { None };
            }
        }
        if !self.names.is_sensitive(name.text) {
            return None;
        }
        value::find(text, name, Separator::at(bytes, at)?, self.marks)
    }
}

impl Separator {
    /// `=`, `:`, `:=` and `=>`, but no comparison, no path and no compound assignment.
    fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let after = bytes.get(at + 1);
        if bytes[at] == b':' {
            let lone = before != Some(b':') && after != Some(&b':');
            return lone.then(|| Self { end: at + 1 + usize::from(after == Some(&b'=')), equals: false });
        }
        let lone =
            before.is_none_or(|b| !b"=!<>:+-*/%&|^~".contains(&b)) && !matches!(after, Some(b'=' | b'~'));
        lone.then(|| Self { end: at + 1 + usize::from(after == Some(&b'>')), equals: true })
    }
}

impl<'t> Name<'t> {
    fn before(text: &'t str, separator: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut end = separator;
        while end > 0 && separator - end < 4 && matches!(bytes[end - 1], b' ' | b'\t') {
            end -= 1;
        }
        // `config["password"] = …`
        if end > 0 && bytes[end - 1] == b']' {
            end -= 1;
        }
        match *bytes.get(end.checked_sub(1)?)? {
            mark @ (b'"' | b'\'' | b'`') => Self::quoted(text, end - 1, mark),
            _ => Self::bare(text, end),
        }
    }

    /// The name whose closing quotation mark stands at `close`.
    fn quoted(text: &'t str, close: usize, mark: u8) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut end = close;
        while end > 0 && bytes[end - 1] == b'\\' {
            end -= 1;
        }
        let floor = end.saturating_sub(LONGEST_NAME);
        let length = bytes[floor..end].iter().rev().position(|b| *b == mark || matches!(b, b'\n' | b'\\'))?;
        let start = end - length;
        let quote = Quote { mark, slashes: close - end };
        Some(Self { text: text.get(start..end)?, start, quote: Some(quote) })
    }

    fn bare(text: &'t str, end: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        let floor = end.saturating_sub(LONGEST_NAME);
        let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.') || !b.is_ascii();
        let length = bytes[floor..end].iter().rev().take_while(|b| part(b)).count();
        let start = (end - length..end).find(|start| text.is_char_boundary(*start))?;
        Some(Self { text: text.get(start..end)?, start, quote: None })
    }

    fn ends_with(&self, ending: &str) -> bool {
        let tail = self.text.len().checked_sub(ending.len());
        tail.and_then(|tail| self.text.get(tail..)).is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
    }

    /// As shells and `.env` files spell variables.
    fn is_variable(&self) -> bool {
        self.text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    }
}
