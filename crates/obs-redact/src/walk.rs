//! Walks JSON text and records which ranges to replace; what it does not replace stays as it was written.

use std::ops::Range;

use crate::edit::Edit;
use crate::edit::Fill;
use crate::engine::{Engine, OMITTED};
use crate::literal::{Literal, escape, unescape};
use crate::names::is_one_of;
use crate::rules::names::LABELS;

/// The text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// What replaces JSON whose redaction failed.
pub(crate) const JSON_MARKER: &str = r#"{"error":"redaction_failed"}"#;

/// The edits for one JSON value, or with `lines` for several with white space between them, as in JSON Lines.
///
/// `nesting` says in how many JSON strings the text stands, `possible` whether it can hold a secret by value.
pub(crate) fn walk(
    engine: &Engine,
    text: &str,
    nesting: usize,
    possible: bool,
    lines: bool,
) -> Result<Vec<Edit>, Malformed> {
    let possible = possible && engine.values.possible_in(text);
    let bytes = text.as_bytes();
    let mut walk = Walk {
        engine,
        text,
        bytes,
        at: 0,
        nesting,
        possible,
        edits: Vec::new(),
        frames: Vec::new(),
        clean: [("", Member::Plain); SLOTS],
    };
    walk.blanks();
    loop {
        walk.document()?;
        walk.blanks();
        if walk.at == bytes.len() {
            return Ok(walk.edits);
        }
        if !lines {
            return Err(Malformed);
        }
    }
}

struct Walk<'e, 't> {
    engine: &'e Engine,
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    nesting: usize,
    /// Whether secrets by value can be in the text at all.
    possible: bool,
    edits: Vec<Edit>,
    frames: Vec<Frame>,
    /// Names that came before and hold no secret, since the elements of a list have the same ones.
    clean: [(&'t str, Member); SLOTS],
}

/// How many names of a text are remembered.
const SLOTS: usize = 16;

/// Where a name is remembered.
fn slot(name: &str) -> usize {
    let ends = name.as_bytes().first().zip(name.as_bytes().last());
    let (first, last) = ends.map_or((0, 0), |(first, last)| (usize::from(*first), usize::from(*last)));
    (name.len() * 5 + first + last * 3) % SLOTS
}

/// An array or object that is open.
#[derive(Debug, Default)]
struct Frame {
    object: bool,
    member: Member,
    /// Where the current element began.
    start: usize,
    /// What a label member says that the member `value` is: a secret, not passed on, or neither.
    says: Member,
    /// The member `value`.
    value: Option<Range<usize>>,
    /// The member `key`, a secret of its own unless it turns out to be the label of a `value`.
    key: Option<Edit>,
}

/// What the name of an object's member says.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Member {
    #[default]
    Plain,
    Sensitive,
    /// Not passed on.
    Omitted,
    /// Names its sibling `value`; `Key` is sensitive unless there is one.
    Label,
    Key,
    Value,
}

impl Walk<'_, '_> {
    /// One value with all that stands in it.
    fn document(&mut self) -> Result<(), Malformed> {
        let depth = self.frames.len();
        self.element()?;
        while self.frames.len() > depth {
            self.blanks();
            let byte = self.peek()?;
            let Some(frame) = self.frames.last() else { return Err(Malformed) };
            let object = frame.object;
            match byte {
                b',' => {
                    self.at += 1;
                    self.blanks();
                    self.next_element(object)?;
                }
                b'}' if object => self.close(),
                b']' if !object => self.close(),
                _ => return Err(Malformed),
            }
        }
        Ok(())
    }

    fn next_element(&mut self, object: bool) -> Result<(), Malformed> {
        if object {
            self.name()?;
        }
        self.element()
    }

    /// A member's name, its colon and the white space around it.
    fn name(&mut self) -> Result<(), Malformed> {
        if self.peek()? != b'"' {
            return Err(Malformed);
        }
        let literal = Literal::at(self.bytes, self.at).ok_or(Malformed)?;
        self.at = literal.end;
        let contents = literal.contents(self.text);
        let slot = slot(contents);
        let member = match self.clean[slot] {
            (name, member) if name == contents => member,
            _ => self.new_name(literal, slot)?,
        };
        self.blanks();
        if self.peek()? != b':' {
            return Err(Malformed);
        }
        self.at += 1;
        self.blanks();
        if let Some(frame) = self.frames.last_mut() {
            frame.member = member;
        }
        Ok(())
    }

    /// What a name says that does not stand in its slot, and whatever secrets it holds itself.
    fn new_name(&mut self, literal: Literal, slot: usize) -> Result<Member, Malformed> {
        let contents = literal.contents(self.text);
        if literal.escaped {
            let member = self.member(&unescape(contents).ok_or(Malformed)?);
            self.string(literal)?;
            return Ok(member);
        }
        let member = self.member(contents);
        let edits = self.edits.len();
        if matches!(member, Member::Plain | Member::Sensitive | Member::Omitted) {
            self.string(literal)?;
        }
        if self.edits.len() == edits {
            self.clean[slot] = (contents, member);
        }
        Ok(member)
    }

    fn member(&self, name: &str) -> Member {
        // The lengths of the labels and of `value`; most names are refused by it.
        let labels = (3..=6).contains(&name.len());
        if self.engine.excludes(name) {
            return Member::Omitted;
        }
        if self.engine.names.is_sensitive(name) {
            if labels && is_one_of(name, &["key"]) { Member::Key } else { Member::Sensitive }
        } else if labels && name == "value" {
            Member::Value
        } else if labels && is_one_of(name, LABELS) {
            Member::Label
        } else {
            Member::Plain
        }
    }

    /// The value at hand; of an array or object only the beginning.
    fn element(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        let member = self.frames.last_mut().map_or(Member::Plain, |frame| {
            frame.start = start;
            if frame.object { frame.member } else { Member::Plain }
        });
        match self.peek()? {
            _ if member == Member::Omitted => self.omit()?,
            b'"' => {
                let literal = Literal::at(self.bytes, start).ok_or(Malformed)?;
                self.at = literal.end;
                self.text_member(member, literal)?;
            }
            b'{' | b'[' if member == Member::Sensitive || self.frames.len() >= self.engine.max_depth => {
                self.skip()?;
                self.replace_container(member, start);
            }
            open @ (b'{' | b'[') => return self.open(open == b'{'),
            _ => {
                self.literal()?;
                let number = matches!(self.bytes[start], b'0'..=b'9' | b'-');
                let counts = matches!(member, Member::Sensitive | Member::Key)
                    || (self.possible && self.engine.values.is_personal(&self.text[start..self.at]));
                if number && counts {
                    self.edits.push(Edit::quoted(start, self.at, '"', 0));
                }
            }
        }
        self.finished();
        Ok(())
    }

    /// Passes over a value that is not passed on.
    fn omit(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        match self.peek()? {
            b'"' => self.at = Literal::at(self.bytes, start).ok_or(Malformed)?.end,
            b'{' | b'[' => self.skip()?,
            _ => self.literal()?,
        }
        self.omit_value(start..self.at);
        Ok(())
    }

    fn omit_value(&mut self, value: Range<usize>) {
        let mark = format!("\"{OMITTED}\"");
        let Range { start, end } = value;
        let value = &self.text[start..end];
        if value != "null" && value != mark {
            self.edits.push(Edit { start, end, fill: Fill::Text(mark) });
        }
    }

    fn text_member(&mut self, member: Member, literal: Literal) -> Result<(), Malformed> {
        let contents = literal.contents(self.text);
        let secret = Edit::quoted(literal.start, literal.end, '"', 0);
        let redacted = || contents.is_empty() || self.engine.marks.json.is(contents);
        match member {
            Member::Sensitive if redacted() => return Ok(()),
            Member::Sensitive => {
                self.edits.push(secret);
                return Ok(());
            }
            Member::Label | Member::Key => {
                let (excluded, secret_name) =
                    (self.engine.excludes(contents), self.engine.names.is_sensitive(contents));
                let redacted = redacted();
                if let Some(frame) = self.frames.last_mut() {
                    frame.says = match frame.says {
                        Member::Omitted => Member::Omitted,
                        _ if excluded => Member::Omitted,
                        _ if secret_name => Member::Sensitive,
                        said => said,
                    };
                    if member == Member::Key && !redacted {
                        frame.key = Some(secret);
                    }
                }
            }
            Member::Plain | Member::Value | Member::Omitted => {}
        }
        self.string(literal)
    }

    /// An array or object that was skipped goes whole: as a secret, or because it stands too deep to be searched.
    fn replace_container(&mut self, member: Member, start: usize) {
        let inside = &self.text[start + 1..self.at - 1];
        if inside.bytes().all(|b| b.is_ascii_whitespace()) {
            return;
        }
        self.edits.push(if member == Member::Sensitive {
            Edit::quoted(start, self.at, '"', 0)
        } else if &self.text[start..self.at] == JSON_MARKER {
            return;
        } else {
            Edit { start, end: self.at, fill: Fill::Text(JSON_MARKER.into()) }
        });
    }

    fn open(&mut self, object: bool) -> Result<(), Malformed> {
        self.at += 1;
        self.frames.push(Frame { object, ..Frame::default() });
        self.blanks();
        let end = if object { b'}' } else { b']' };
        if self.peek()? == end {
            self.close();
            return Ok(());
        }
        self.next_element(object)
    }

    /// The end of an array or object; only now is it known whether its `key` labels a `value`.
    fn close(&mut self) {
        self.at += 1;
        if let Some(frame) = self.frames.pop() {
            match (frame.value, frame.key, frame.says) {
                (Some(value), _, Member::Sensitive) => self.replace_value(value),
                (Some(value), _, Member::Omitted) => self.omit_value(value),
                (None, Some(key), _) => self.edits.push(key),
                _ => {}
            }
        }
        self.finished();
    }

    fn replace_value(&mut self, value: Range<usize>) {
        let contents = self.text.get(value.start + 1..value.end - 1);
        let token = contents.is_some_and(|contents| self.engine.marks.json.is(contents));
        let nothing = matches!(&self.text[value.clone()], "null" | "true" | "false" | "\"\"" | "{}" | "[]");
        if !token && !nothing {
            self.edits.push(Edit::quoted(value.start, value.end, '"', 0));
        }
    }

    /// Notes the extent of a member `value`.
    fn finished(&mut self) {
        if let Some(frame) = self.frames.last_mut()
            && frame.object
            && frame.member == Member::Value
        {
            frame.value = Some(frame.start..self.at);
        }
    }

    /// Searches one string, as text and as JSON of its own.
    fn string(&mut self, literal: Literal) -> Result<(), Malformed> {
        let contents = literal.contents(self.text);
        if !literal.escaped {
            // Without a quotation mark inside there is no name in it, so JSON in it holds no more than text does.
            let first = self.edits.len();
            self.engine.scan(contents, &self.engine.marks.json, self.possible, &mut self.edits);
            if self.edits.len() == first {
                return Ok(());
            }
            for edit in &mut self.edits[first..] {
                edit.start += literal.start + 1;
                edit.end += literal.start + 1;
            }
            return Ok(());
        }
        let plain = unescape(contents).ok_or(Malformed)?;
        // Escapes of letters and slashes can hide what the search of the whole text looked for.
        let possible = self.possible || contents.contains("\\u") || contents.contains("\\/");
        if let Some(redacted) = self.engine.text(&plain, self.nesting + 1, possible) {
            let fill = Fill::Text(format!("\"{}\"", escape(&redacted)));
            self.edits.push(Edit { start: literal.start, end: literal.end, fill });
        }
        Ok(())
    }

    /// Passes over an array or object without looking at more than its brackets and strings.
    fn skip(&mut self) -> Result<(), Malformed> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at = Literal::at(self.bytes, self.at).ok_or(Malformed)?.end;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    fn literal(&mut self) -> Result<(), Malformed> {
        let rest = &self.bytes[self.at..];
        let length =
            rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')).count();
        let word = &rest[..length];
        let known = matches!(word, b"true" | b"false" | b"null");
        if !known && !matches!(word, [b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..]) {
            return Err(Malformed);
        }
        self.at += length;
        Ok(())
    }

    fn blanks(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Result<u8, Malformed> {
        self.bytes.get(self.at).copied().ok_or(Malformed)
    }
}
