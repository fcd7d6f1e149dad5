//! Cutting what is larger than the user's limits, with marks that tell how much is gone.

use std::fmt::Write;

use crate::literal::{Literal, escape, unescape};
use crate::marks::{Marks, Written};
use crate::walk::Malformed;

/// The smallest limit of bytes: marks of what was replaced stay whole below it.
pub(crate) const SMALLEST: usize = 32;

/// Deeper JSON is refused; redaction leaves none, unless its own limit was set so high.
const DEEPEST: usize = 512;

/// The name under which an object says how many members are gone.
pub(crate) const MORE: &str = "…";

/// What may be passed on of one document; each `usize::MAX` where there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) string: usize,
    pub(crate) items: usize,
    pub(crate) keys: usize,
    pub(crate) payload: usize,
}

impl Limits {
    /// The text cut, or `None` if it fits.
    pub(crate) fn text(&self, text: &str, marks: &Written) -> Option<String> {
        cut(text, self.string.min(self.payload), marks)
    }

    /// Valid JSON cut, or `None` if it fits.
    pub(crate) fn json(&self, json: &str, marks: &Marks) -> Result<Option<String>, Malformed> {
        let elements = self.items.min(self.keys);
        let commas = || memchr::memchr_iter(b',', json.as_bytes()).take(elements).count();
        if json.len() <= self.string.min(self.payload) && (elements == usize::MAX || commas() < elements) {
            return Ok(None);
        }
        let mut fit = Fit {
            limits: *self,
            marks: &marks.plain,
            text: json,
            at: 0,
            out: String::with_capacity(json.len().min(self.payload)),
            changed: false,
        };
        fit.blanks();
        fit.value(0)?;
        fit.blanks();
        if fit.at < json.len() {
            return Err(Malformed);
        }
        Ok(fit.changed.then_some(fit.out))
    }
}

/// How many elements of a list of this length are kept, and what is said of the others; `None` if it fits.
pub(crate) fn more(length: usize, most: usize, last: Option<&str>, what: &str) -> Option<(usize, String)> {
    let told = length == most.saturating_add(1) && last.is_some_and(|last| is_more(last, what));
    (length > most && !told).then(|| (most, more_mark(length - most, what)))
}

fn more_mark(count: usize, what: &str) -> String {
    format!("[…{count} more {what}]")
}

fn is_more(text: &str, what: &str) -> bool {
    let count = text
        .strip_prefix("[…")
        .and_then(|text| text.strip_suffix("]")?.strip_suffix(what)?.strip_suffix(" more "));
    count.is_some_and(is_count)
}

fn is_count(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The text up to the limit and a mark, or `None` if it fits or has the mark already. No character is split, nor a mark
/// of what was redacted.
fn cut(text: &str, most: usize, marks: &Written) -> Option<String> {
    if text.len() <= most || marks.is(text) {
        return None;
    }
    let told = text.strip_suffix(" bytes]").and_then(|text| text.rsplit_once("…[truncated "));
    if told.is_some_and(|(kept, count)| kept.len() <= most && is_count(count)) {
        return None;
    }
    let mut end = text.floor_char_boundary(most);
    // Only a mark that begins within its own length before the end can reach over it.
    let near = text.floor_char_boundary(end.saturating_sub(128));
    if let Some(mark) = marks
        .all_in(&text[near..])
        .into_iter()
        .find(|mark| (near + mark.start..near + mark.end).contains(&end))
    {
        end = near + mark.start;
    }
    let mut out = text[..end].to_owned();
    let _ = write!(out, "…[truncated {} bytes]", text.len() - end);
    Some(out)
}

struct Fit<'t> {
    limits: Limits,
    marks: &'t Written,
    text: &'t str,
    at: usize,
    out: String,
    changed: bool,
}

impl Fit<'_> {
    fn value(&mut self, depth: usize) -> Result<(), Malformed> {
        match self.peek()? {
            b'"' => self.string(),
            open @ (b'{' | b'[') if depth < DEEPEST => self.container(open == b'{', depth),
            b'{' | b'[' => Err(Malformed),
            _ => {
                self.scalar();
                Ok(())
            }
        }
    }

    /// A string, also the name of a member.
    fn string(&mut self) -> Result<(), Malformed> {
        let literal = self.literal()?;
        let contents = literal.contents(self.text);
        let most = self.limits.string.min(self.left());
        let whole = if contents.len() <= most {
            None
        } else if literal.escaped {
            cut(&unescape(contents).ok_or(Malformed)?, most, self.marks)
        } else {
            cut(contents, most, self.marks)
        };
        let Some(kept) = whole else {
            self.copy(literal.end);
            return Ok(());
        };
        self.at = literal.end;
        self.changed = true;
        let _ = write!(self.out, "\"{}\"", escape(&kept));
        Ok(())
    }

    fn container(&mut self, object: bool, depth: usize) -> Result<(), Malformed> {
        let (close, most) = if object { (b'}', self.limits.keys) } else { (b']', self.limits.items) };
        self.copy(self.at + 1);
        self.blanks();
        if self.peek()? == close {
            self.copy(self.at + 1);
            return Ok(());
        }
        let mut count = 0;
        let mut separator = self.at;
        loop {
            if (count >= most || self.out.len() >= self.limits.payload) && !self.tells_more(object) {
                return self.leave_out(object, count > 0);
            }
            self.copy_between(separator, self.at);
            if object {
                self.string()?;
                self.blanks();
                self.expect(b':')?;
                self.copy(self.at + 1);
                self.blanks();
            }
            self.value(depth + 1)?;
            self.blanks();
            count += 1;
            match self.peek()? {
                byte if byte == close => {
                    self.copy(self.at + 1);
                    return Ok(());
                }
                b',' => {
                    separator = self.at;
                    self.at += 1 + blank(&self.text[self.at + 1..]);
                }
                _ => return Err(Malformed),
            }
        }
    }

    /// Whether what comes is the mark for elements that are gone already.
    fn tells_more(&self, object: bool) -> bool {
        let rest = &self.text[self.at..];
        let rest = if object {
            rest.strip_prefix("\"…\"").map(|rest| rest.trim_start_matches([':', ' ']))
        } else {
            Some(rest)
        };
        let told = rest.and_then(|rest| rest.strip_prefix('"')).and_then(|rest| rest.split_once('"'));
        told.is_some_and(|(told, _)| is_more(told, if object { "keys" } else { "items" }))
    }

    /// Passes over the other elements of an array or object and closes it.
    fn leave_out(&mut self, object: bool, after: bool) -> Result<(), Malformed> {
        let mut count = 0;
        while !matches!(self.peek()?, b'}' | b']') {
            self.at = end_of_element(self.text, self.at)?;
            count += 1;
            if self.peek()? == b',' {
                self.at += 1 + blank(&self.text[self.at + 1..]);
            }
        }
        self.changed = true;
        if after {
            self.out.push(',');
        }
        let _ = if object {
            write!(self.out, "\"{MORE}\":\"{}\"", more_mark(count, "keys"))
        } else {
            write!(self.out, "\"{}\"", more_mark(count, "items"))
        };
        self.copy(self.at + 1);
        Ok(())
    }

    fn literal(&self) -> Result<Literal, Malformed> {
        self.expect(b'"')?;
        Literal::at(self.text.as_bytes(), self.at).ok_or(Malformed)
    }

    /// A number, `true`, `false` or `null`; a number that is too long becomes a string with a mark.
    fn scalar(&mut self) {
        let rest = &self.text[self.at..];
        let length =
            rest.bytes().take_while(|byte| !byte.is_ascii_whitespace() && !b",]}".contains(byte)).count();
        match cut(&rest[..length], self.limits.string.min(self.left()), self.marks) {
            None => self.copy(self.at + length),
            Some(kept) => {
                self.at += length;
                self.changed = true;
                let _ = write!(self.out, "\"{}\"", escape(&kept));
            }
        }
    }

    /// How long the next string may be.
    fn left(&self) -> usize {
        self.limits.payload.saturating_sub(self.out.len()).max(SMALLEST)
    }

    fn blanks(&mut self) {
        let end = self.at + blank(&self.text[self.at..]);
        self.copy_between(self.at, end);
        self.at = end;
    }

    /// Copies white space, and the comma before it, if there is one; white space for which there is no room goes.
    fn copy_between(&mut self, start: usize, end: usize) {
        let between = &self.text[start..end];
        if between.len() <= self.left() {
            self.out.push_str(between);
            return;
        }
        self.changed = true;
        if between.starts_with(',') {
            self.out.push(',');
        }
    }

    fn copy(&mut self, end: usize) {
        self.out.push_str(&self.text[self.at..end]);
        self.at = end;
    }

    fn expect(&self, byte: u8) -> Result<(), Malformed> {
        if self.peek()? == byte { Ok(()) } else { Err(Malformed) }
    }

    fn peek(&self) -> Result<u8, Malformed> {
        self.text.as_bytes().get(self.at).copied().ok_or(Malformed)
    }
}

fn blank(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_whitespace).count()
}

/// Where the comma or bracket behind an element stands.
fn end_of_element(text: &str, start: usize) -> Result<usize, Malformed> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (start, 0_usize);
    loop {
        match bytes.get(at).ok_or(Malformed)? {
            b'"' => {
                at = Literal::at(bytes, at).ok_or(Malformed)?.end;
                continue;
            }
            b',' | b']' | b'}' if depth == 0 => return Ok(at),
            b'{' | b'[' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}
