//! Replacing byte ranges of a text.

use std::cmp::Reverse;

use crate::marks::Marks;

/// What stands in place of a removed range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The mark for what was removed.
    Token,
    /// The same in quotes, each with so many backslashes before it.
    Quoted { quote: char, slashes: usize },
    /// Other text.
    Text(String),
}

/// One range of a text and its replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) fill: Fill,
}

impl Edit {
    pub(crate) fn token(start: usize, end: usize) -> Self {
        Self { start, end, fill: Fill::Token }
    }

    pub(crate) fn quoted(start: usize, end: usize, quote: char, slashes: usize) -> Self {
        Self { start, end, fill: Fill::Quoted { quote, slashes } }
    }
}

/// The text with all edits made; edits that overlap become one, filled as the one that starts first; of two that start
/// together as the longer; of two with the same range as the one found later, which knows more of what is around.
///
/// What stands inside of a mark that is there already, in JSON or in other text, is left. `None` if a range does not fit the text, which only a mistake in a scanner can cause; the caller fails closed.
pub(crate) fn apply(text: &str, mut edits: Vec<Edit>, marks: &Marks, json: bool) -> Option<String> {
    let known = marks.written(json).all_in(text);
    edits.retain(|edit| {
        let before = known.partition_point(|mark| mark.end < edit.end);
        !known.get(before).is_some_and(|mark| mark.start <= edit.start && edit.end <= mark.end)
    });
    edits.sort_by_key(|edit| (edit.start, Reverse(edit.end)));
    edits.dedup_by(|later, earlier| {
        let overlaps = later.start < earlier.end;
        if overlaps {
            if (later.start, later.end) == (earlier.start, earlier.end) {
                std::mem::swap(&mut earlier.fill, &mut later.fill);
            }
            earlier.end = earlier.end.max(later.end);
        }
        overlaps
    });
    let mut out = String::with_capacity(text.len() + edits.len() * 24);
    let mut kept = 0;
    for edit in &edits {
        out.push_str(text.get(kept..edit.start)?);
        let secret = text.get(edit.start..edit.end)?;
        match &edit.fill {
            Fill::Token => marks.write(&mut out, secret, json),
            Fill::Quoted { quote, slashes } => {
                let slashes = "\\".repeat(*slashes);
                out.push_str(&slashes);
                out.push(*quote);
                marks.write(&mut out, secret, json);
                out.push_str(&slashes);
                out.push(*quote);
            }
            Fill::Text(fill) => out.push_str(fill),
        }
        kept = edit.end;
    }
    out.push_str(text.get(kept..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::Style;

    fn apply(text: &str, edits: Vec<Edit>, token: &str) -> Option<String> {
        super::apply(text, edits, &Marks::new(token, Style::Full, None).unwrap(), false)
    }

    #[test]
    fn what_stands_inside_of_a_mark_stays() {
        let edits = vec![Edit::token(2, 4), Edit::token(2, 9)];
        assert_eq!(apply("a <_1> b<>", edits, "<>").as_deref(), Some("a <>>"), "unless more is replaced");
        assert_eq!(apply("a <_1> b<>", vec![Edit::token(3, 5)], "<>").as_deref(), Some("a <_1> b<>"));
    }

    #[test]
    fn overlapping_edits_become_one_and_the_rest_of_the_text_stays() {
        let edits = vec![Edit::token(6, 9), Edit::quoted(2, 4, '"', 1), Edit::token(8, 10)];
        assert_eq!(apply("0123456789ab", edits, "#").as_deref(), Some("01\\\"#\\\"45#ab"));
    }

    #[test]
    fn of_two_edits_that_start_together_the_longer_fills() {
        let edits = vec![Edit::token(1, 2), Edit::quoted(1, 3, '\'', 0)];
        assert_eq!(apply("abcd", edits, "#").as_deref(), Some("a'#'d"));
    }

    #[test]
    fn of_two_edits_of_the_same_range_the_later_fills() {
        let inner = Edit { start: 1, end: 3, fill: Fill::Text("inner".into()) };
        assert_eq!(apply("abcd", vec![inner, Edit::token(1, 3)], "#").as_deref(), Some("a#d"));
    }

    #[test]
    fn a_range_that_does_not_fit_is_refused() {
        assert_eq!(apply("ab", vec![Edit::token(1, 3)], "#"), None);
        assert_eq!(apply("ä", vec![Edit::token(0, 1)], "#"), None, "inside of a character");
    }
}
