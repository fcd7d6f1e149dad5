//! One line of output: styled parts, neutralised text, a bound on the width.

use unicode_width::UnicodeWidthChar;

/// How a part looks; without colours nothing of it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Dim,
    Bad,
    Warn,
    Good,
    Agent,
    Flow,
    Model,
    Tool,
    Knowledge,
}

impl Style {
    /// The parameters of the escape sequence: the 16 colours, so that the terminal's own theme decides.
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::Bad => Some("31"),
            Self::Good | Self::Knowledge => Some("32"),
            Self::Warn | Self::Tool => Some("33"),
            Self::Flow => Some("34"),
            Self::Agent => Some("35"),
            Self::Model => Some("36"),
        }
    }
}

/// A line that takes no more than its width.
#[derive(Debug)]
pub(crate) struct Line {
    width: usize,
    used: usize,
    parts: Vec<(Style, String)>,
}

impl Line {
    /// An empty line of at most `width` columns.
    pub(crate) fn new(width: usize) -> Self {
        Self { width, used: 0, parts: Vec::new() }
    }

    /// How many columns are left.
    pub(crate) fn left(&self) -> usize {
        self.width.saturating_sub(self.used)
    }

    /// Two spaces between parts.
    pub(crate) fn gap(&mut self) -> &mut Self {
        self.own(Style::Plain, "  ")
    }

    /// Appends text of the application's: neutralised, on one line.
    pub(crate) fn text(&mut self, style: Style, text: &str) -> &mut Self {
        self.bounded(style, text, usize::MAX)
    }

    /// [`Line::text`] of at most `columns` columns.
    pub(crate) fn bounded(&mut self, style: Style, text: &str, columns: usize) -> &mut Self {
        let mut out = String::new();
        let most = columns.min(self.left().saturating_add(1));
        let used = write_visible(text, most, columns <= self.left(), &mut out);
        self.push(style, out, used)
    }

    /// Appends text of our own, spaces and guides included.
    pub(crate) fn own(&mut self, style: Style, text: &str) -> &mut Self {
        let used = columns(text);
        self.push(style, text.to_owned(), used)
    }

    fn push(&mut self, style: Style, text: String, used: usize) -> &mut Self {
        self.used = self.used.saturating_add(used);
        match self.parts.last_mut() {
            Some((last, known)) if *last == style => known.push_str(&text),
            _ => self.parts.push((style, text)),
        }
        self
    }

    /// Appends the line and a newline; what does not fit gives way to an ellipsis.
    pub(crate) fn write(&self, color: bool, out: &mut String) {
        let cut = if self.used > self.width { self.width.saturating_sub(1) } else { usize::MAX };
        let mut used = 0;
        for (style, text) in &self.parts {
            let code = style.code().filter(|_| color && !text.is_empty());
            if let Some(code) = code {
                out.extend(["\x1b[", code, "m"]);
            }
            for c in text.chars() {
                used += width_of(c);
                if used > cut {
                    break;
                }
                out.push(c);
            }
            if code.is_some() {
                out.push_str("\x1b[0m");
            }
            if used > cut {
                out.push('…');
                break;
            }
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}

fn width_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

fn columns(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// Whether a character does something to a terminal or to the order of reading, instead of showing something.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Appends text so that it can do nothing: runs of white space become one space, other controls visible escapes.
///
/// It stops after `most` columns, or with an ellipsis within them if one is asked for, and returns the columns used.
pub(crate) fn write_visible(text: &str, most: usize, ellipsis: bool, out: &mut String) -> usize {
    let (mut used, mut space) = (0, false);
    let (start, mut last) = (out.len(), out.len());
    for c in text.trim().chars() {
        if c.is_whitespace() {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) {
            out.push(' ');
            used += 1;
        }
        if is_unsafe(c) {
            out.extend(c.escape_default());
            used += c.escape_default().count();
        } else {
            out.push(c);
            used += width_of(c);
        }
        if used > most {
            if ellipsis {
                out.truncate(last);
                out.extend((most > 0).then_some('…'));
                return columns(&out[start..]);
            }
            return used;
        }
        if used < most {
            last = out.len();
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn visible(text: &str) -> String {
        let mut out = String::new();
        write_visible(text, usize::MAX, false, &mut out);
        out
    }

    fn line(width: usize, color: bool, parts: &[(Style, &str)]) -> String {
        let mut line = Line::new(width);
        for (style, text) in parts {
            line.text(*style, text);
        }
        let mut out = String::new();
        line.write(color, &mut out);
        out
    }

    #[test]
    fn what_acts_on_a_terminal_becomes_visible() {
        for (text, shown) in [
            ("\x1b[2J\x1b]0;title\x07", r"\u{1b}[2J\u{1b}]0;title\u{7}"),
            ("a\r\n\tb  c\u{a0}d", "a b c d"),
            ("nul\0", r"nul\u{0}"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("abc\u{202e}fed", r"abc\u{202e}fed"),
            ("emoji 🎉 漢字", "emoji 🎉 漢字"),
            ("", ""),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn a_line_is_cut_in_columns_not_in_characters() {
        assert_eq!(line(6, false, &[(Style::Plain, "漢字漢字")]), "漢字…\n");
        assert_eq!(line(8, false, &[(Style::Plain, "漢字漢字")]), "漢字漢字\n");
        assert_eq!(
            line(4, true, &[(Style::Bold, "ab"), (Style::Bad, "cdef")]),
            "\x1b[1mab\x1b[0m\x1b[31mc\x1b[0m…\n"
        );
        assert_eq!(line(usize::MAX, false, &[(Style::Bold, "ab"), (Style::Bad, "cdef")]), "abcdef\n");
    }

    #[test]
    fn a_bounded_part_ends_in_an_ellipsis_and_leaves_room_for_others() {
        let mut line = Line::new(40);
        line.bounded(Style::Plain, "a very long name", 6).own(Style::Plain, " end");
        let mut out = String::new();
        line.write(false, &mut out);
        assert_eq!(out, "a ver… end\n");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked_or_has_a_control(text in any::<String>(), more in any::<String>(), width in 1usize..40, bound in 0usize..50) {
            let mut line = Line::new(width);
            line.bounded(Style::Plain, &text, bound).text(Style::Plain, &more);
            let mut out = String::new();
            line.write(false, &mut out);
            let body = out.strip_suffix('\n').unwrap();
            prop_assert!(columns(body) <= width, "{body:?} is wider than {width}");
            prop_assert!(!body.chars().any(is_unsafe));
        }
    }
}
