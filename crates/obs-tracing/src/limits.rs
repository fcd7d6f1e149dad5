//! How much a span may hold.

use std::fmt::{self, Write};

use obs_core::Str;

/// What stands at the end of a text that was cut.
pub(crate) const MARK: &str = "… [cut by obs]";

/// How much of a `tracing` span or event is kept.
///
/// What is cut ends in a mark, and what is left out is counted in the attributes that [`obs_instrument::left_out`]
/// names.
/// The numbers are those of [`obs_instrument::SpanLimits`], which hold for these spans, too: the smaller one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of one text; 1 MiB, since prompts are long.
    pub text_bytes: usize,
    /// The most bytes of the texts of one span together; 4 MiB. Texts of less than 4 KiB are not counted.
    pub span_bytes: usize,
    /// The most attributes of a span or a log; 256.
    pub attributes: usize,
    /// The most events of a span; 1,024.
    pub events: usize,
    /// The most links of a span; 128.
    pub links: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text_bytes: 1 << 20, span_bytes: 4 << 20, attributes: 256, events: 1_024, links: 128 }
    }
}

/// Texts below this are small: their number is bounded, and so are they.
const SMALL: usize = 4 << 10;

/// What the large texts of a span hold; a field that is told anew gives its room back first.
#[derive(Debug, Default)]
pub(crate) struct Budget(Vec<(usize, usize)>);

impl Budget {
    /// Makes room for the text of a field, which is cut if there is not enough.
    pub(crate) fn admit(&mut self, field: usize, text: Str, limit: usize) -> Str {
        if text.len() < SMALL && self.0.is_empty() {
            return text;
        }
        self.0.retain(|(known, _)| *known != field);
        if text.len() < SMALL {
            return text;
        }
        let used: usize = self.0.iter().map(|(_, bytes)| bytes).sum();
        let text = cut(text, limit.saturating_sub(used).max(SMALL));
        self.0.push((field, text.len()));
        text
    }
}

/// The text, at most this long, its mark included where there is room for it.
pub(crate) fn cut(text: Str, limit: usize) -> Str {
    if text.len() <= limit { text } else { marked(&text, limit).into() }
}

/// A copy of the text, at most this long.
pub(crate) fn copied(text: &str, limit: usize) -> Str {
    if text.len() <= limit { Str::copied(text) } else { marked(text, limit).into() }
}

fn marked(text: &str, limit: usize) -> String {
    let end = text.floor_char_boundary(limit.saturating_sub(MARK.len()));
    format!("{}{MARK}", &text[..end])
}

/// A text that is written until it is too long; then the writer is told to stop.
#[derive(Debug)]
pub(crate) struct Bounded<'a> {
    pub(crate) text: &'a mut String,
    pub(crate) limit: usize,
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        // A character too many says that something was cut.
        let room = (self.limit + 4).saturating_sub(self.text.len());
        self.text.push_str(&part[..part.floor_char_boundary(room)]);
        if self.text.len() > self.limit { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_says_so_and_is_no_longer_than_allowed() {
        assert_eq!(copied("short", 5), "short");
        let cut = copied(&"ä".repeat(100), 41);
        assert!(cut.len() <= 41 && cut.ends_with(MARK), "{cut}");
    }

    #[test]
    fn a_field_told_anew_gives_its_room_back() {
        let mut budget = Budget::default();
        let large = Str::from("x".repeat(10_000));
        for _ in 0..10 {
            assert_eq!(budget.admit(0, large.clone(), 12_000).len(), 10_000);
        }
        assert_eq!(
            budget.admit(1, large.clone(), 12_000).len(),
            SMALL,
            "the rest, but never less than is small"
        );
        assert_eq!(budget.admit(2, "small".into(), 12_000), "small");
        budget.admit(0, "small".into(), 12_000);
        assert_eq!(budget.admit(3, large, 20_000).len(), 10_000);
    }

    #[test]
    fn writing_ends_early() {
        struct Endless(std::cell::Cell<usize>);
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    self.0.set(self.0.get() + 1);
                    f.write_str("0123456789")?;
                }
            }
        }
        let (endless, mut text) = (Endless(std::cell::Cell::new(0)), String::new());
        assert!(write!(Bounded { text: &mut text, limit: 95 }, "{endless:?}").is_err());
        assert_eq!((endless.0.get(), text.len()), (10, 99));
    }
}
