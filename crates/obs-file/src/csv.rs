//! CSV: rows as RFC 4180 has them, with nothing in them that a spreadsheet takes for a formula.
//!
//! Text is always in quotes and an empty cell never is, so that empty text and no text differ.

use std::fmt::Display;
use std::io::{self, Write as _};

use obs_core::{Batch, Records, Refused, Signal};

use crate::format::{Rows, Whole};
use crate::table::{Cell, Tabular, columns};

/// Rows of CSV.
#[derive(Debug)]
pub(crate) struct Csv;

impl Rows for Csv {
    /// The names of the columns.
    fn header(&self, signal: Signal) -> Vec<u8> {
        let names: Vec<&str> = columns(signal).iter().map(|column| column.name).collect();
        let mut line = names.join(",").into_bytes();
        line.extend_from_slice(NEWLINE);
        line
    }

    fn encode(&self, batch: &Batch, out: &mut Vec<u8>, refused: &mut Vec<Refused>) {
        match batch {
            Batch::Traces(records) => rows(records, out, refused),
            Batch::Metrics(records) => rows(records, out, refused),
            Batch::Logs(records) => rows(records, out, refused),
            Batch::Scores(records) => rows(records, out, refused),
            Batch::Feedback(records) => rows(records, out, refused),
        }
    }

    /// By the columns up to `rest`, which every version has; others come behind.
    fn begins(&self, front: &[u8], signal: Signal) -> bool {
        let names: Vec<&str> = columns(signal).iter().map(|column| column.name).collect();
        let known = names.iter().position(|name| *name == "rest").map_or(names.len(), |rest| rest + 1);
        let behind = front.strip_prefix(names[..known].join(",").as_bytes());
        behind.is_some_and(|behind| behind.starts_with(NEWLINE) || behind.starts_with(b","))
    }

    fn whole(&self, written: &[u8]) -> Whole {
        let mut scan = Scan::default();
        scan.feed(written);
        Whole { rows: scan.rows, bytes: usize::try_from(scan.whole).unwrap_or(usize::MAX).min(written.len()) }
    }
}

/// Finds the ends of rows, however the bytes come.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    at: u64,
    /// How many rows are whole, and where the last of them ends.
    rows: usize,
    pub(crate) whole: u64,
    /// Whether a quote stands where none of ours ever does: something was changed after it was written.
    pub(crate) damaged: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    CellBegins,
    Bare,
    Quoted,
    /// Behind a quote in a quoted cell: its end, or the first of two.
    Quote,
}

impl Scan {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.at += 1;
            self.state = match (self.state, byte) {
                (State::Quoted, b'"') => State::Quote,
                (State::Quoted, _) | (State::Quote | State::CellBegins, b'"') => State::Quoted,
                (_, b',') => State::CellBegins,
                (_, b'\n') => {
                    self.rows += 1;
                    self.whole = self.at;
                    State::CellBegins
                }
                (State::Quote, b'\r') => State::Bare,
                (State::Bare, b'"') | (State::Quote, _) => {
                    self.damaged = true;
                    State::Bare
                }
                _ => State::Bare,
            };
        }
    }
}

const NEWLINE: &[u8] = b"\r\n";

fn rows<T: Tabular>(records: &Records<T>, out: &mut Vec<u8>, refused: &mut Vec<Refused>) {
    let mut cells = Vec::new();
    for (at, record) in records.iter().enumerate() {
        match record.row(&mut cells) {
            Ok(()) => push_row(out, &cells),
            Err(cause) => refused.push(Refused::encode(at, cause.to_string())),
        }
    }
}

fn push_row(out: &mut Vec<u8>, cells: &[Cell<'_>]) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_cell(out, cell);
    }
    out.extend_from_slice(NEWLINE);
}

fn push_cell(out: &mut Vec<u8>, cell: &Cell<'_>) {
    match cell {
        Cell::Empty => {}
        Cell::Text(text) => push_text(out, text),
        Cell::Integer(value) => print(out, value),
        Cell::Float(value) => push_float(out, *value),
        Cell::Boolean(value) => print(out, value),
        Cell::Time(time) => print(out, time.rfc3339().micros()),
    }
}

fn print(out: &mut Vec<u8>, value: impl Display) {
    // Memory takes whatever is written to it.
    let _: io::Result<()> = write!(out, "{value}");
}

/// As our JSON writes them, which common readers of CSV take for numbers, too.
fn push_float(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"Infinity" } else { b"-Infinity" });
    } else {
        print(out, serde_json::Number::from_f64(value).map_or_else(String::new, |number| number.to_string()));
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if is_marked(text) {
        out.push(b'\'');
    }
    for (at, piece) in text.split('"').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(piece.as_bytes());
    }
    out.push(b'"');
}

/// Whether text gets an apostrophe before it: where a spreadsheet might take it for a formula, and where it begins with an
/// apostrophe itself, so that a reader who takes one apostrophe off each text that begins with one has what was written.
fn is_marked(text: &str) -> bool {
    let blank =
        |c: &char| c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}');
    let mut rest = text.chars().skip_while(blank);
    text.starts_with('\'')
        || text.starts_with(char::is_control)
        || rest.next().is_some_and(|first| matches!(first, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        push_text(&mut out, text);
        let quoted = String::from_utf8(out).unwrap();
        quoted[1..quoted.len() - 1].replace("\"\"", "\"")
    }

    proptest! {
        #[test]
        fn no_text_is_a_formula_and_one_apostrophe_less_is_the_text(
            text in "['=+@\\-\\t\\r\\n \\x00\u{feff}＝]{0,3}\\PC{0,8}",
        ) {
            let cell = written(&text);
            prop_assert_eq!(cell.strip_prefix('\'').unwrap_or(&cell), text.as_str());
            let seen = cell.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
            prop_assert!(!seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{cell:?}");
            prop_assert!(!cell.starts_with(['\t', '\r', '\n', '\0']), "{cell:?}");
        }
    }

    #[test]
    fn only_what_may_be_a_formula_is_marked() {
        for (text, cell) in [
            ("", ""),
            ("plain", "plain"),
            ("a=b", "a=b"),
            ("{\"a\":-1}", "{\"a\":-1}"),
            ("=1+1", "'=1+1"),
            ("-5", "'-5"),
            ("+49 30", "'+49 30"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("\nx", "'\nx"),
            ("\0x", "'\0x"),
            (" =1", "' =1"),
            (" x", " x"),
            ("\u{feff}=1", "'\u{feff}=1"),
            ("＝1", "'＝1"),
            ("'quoted'", "''quoted'"),
        ] {
            assert_eq!(written(text), cell);
        }
    }

    #[test]
    fn whole_rows_end_where_no_quote_is_open() {
        let whole = |written: &str| Csv.whole(written.as_bytes());
        assert_eq!(whole("1,\"a\"\"\r\nb\"\r\n2,\"tor\r\n"), Whole { rows: 1, bytes: 12 });
        assert_eq!(whole("1,\"tor"), Whole::default());
        assert_eq!(whole("1\r\n2\r\n"), Whole { rows: 2, bytes: 6 });
        assert_eq!(whole("1\r"), Whole::default());
    }

    #[test]
    fn cells_are_what_their_type_says() {
        let cells = [
            Cell::Empty,
            Cell::Text("".into()),
            Cell::Text("a \"b\",\r\nc".into()),
            Cell::Integer(-5),
            Cell::Float(-0.5),
            Cell::Float(f64::NEG_INFINITY),
            Cell::Float(1e300),
            Cell::Boolean(true),
            Cell::Time(obs_core::Timestamp::from_nanos(1_999)),
        ];
        let mut out = Vec::new();
        push_row(&mut out, &cells);
        let row = String::from_utf8(out).unwrap();
        assert_eq!(
            row,
            ",\"\",\"a \"\"b\"\",\r\nc\",-5,-0.5,-Infinity,1e+300,true,1970-01-01T00:00:00.000001Z\r\n"
        );
    }
}
