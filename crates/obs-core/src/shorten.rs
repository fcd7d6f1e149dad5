//! Makes a record smaller that no backend takes as it is.

use std::sync::Arc;

use crate::{
    ErrorKind, Labels, Payload, Refused, Resource, Str, TextVisitor, TraceContext, Value, VisitText,
};

/// The least of a text that is kept, so that its beginning can still be read.
const LEAST: usize = 1_024;

/// Room for the mark and for what quoting adds to it.
const MARGIN: usize = 256;

/// What stands at the end of a text that was cut, before the bytes that it had.
const MARK: &str = "… [truncated by obs: ";

/// A copy whose longest text is cut to `kept` bytes (at least 1 KiB) and says so; `None` if there is none worth cutting.
///
/// A document that was JSON becomes plain text, since half of it is no JSON.
/// What records share, the context and the resource, is left as it is.
pub fn shortened<T: VisitText + Clone>(record: &T, kept: usize) -> Option<T> {
    let mut copy = record.clone();
    let longest = Longest::of(&mut copy);
    cut(copy, &longest, kept.max(LEAST))
}

/// Encodes a record into at most `max` bytes, with its longest texts cut and marked as far as it takes.
///
/// # Errors
/// What `encode` says as [`ErrorKind::Encode`], and [`ErrorKind::TooLarge`] where no text is left that is worth cutting;
/// both with `at`, the record's position.
pub fn encode_within<T: VisitText + Clone>(
    at: usize,
    record: &T,
    max: usize,
    mut encode: impl FnMut(&T) -> Result<Vec<u8>, String>,
) -> Result<Vec<u8>, Refused> {
    let mut bytes = encode(record).map_err(|cause| Refused::encode(at, cause))?;
    let mut short: Option<T> = None;
    while bytes.len() > max {
        let mut copy = short.as_ref().unwrap_or(record).clone();
        let longest = Longest::of(&mut copy);
        let surplus = bytes.len() - max + MARGIN;
        let kept = longest.bytes.saturating_sub(surplus).max(LEAST);
        let Some(next) = cut(copy, &longest, kept) else {
            let reason = format!("{} bytes, where {max} are the most, and no long text to cut", bytes.len());
            return Err(Refused { at, kind: ErrorKind::TooLarge, status: None, reason: reason.into() });
        };
        bytes = encode(&next).map_err(|cause| Refused::encode(at, cause))?;
        short = Some(next);
    }
    Ok(bytes)
}

fn cut<T: VisitText>(mut record: T, longest: &Longest, kept: usize) -> Option<T> {
    // A text that is hardly longer than what is kept of it with the mark would not get shorter.
    if longest.bytes < kept + MARGIN || longest.bytes <= 2 * LEAST {
        return None;
    }
    record.visit_text(&mut Longest { cut: Some((longest.at, kept)), ..Longest::default() });
    Some(record)
}

/// Finds the longest text by its place in the order of visiting, and cuts the one at a place.
#[derive(Debug, Default)]
struct Longest {
    seen: usize,
    at: usize,
    bytes: usize,
    /// The place of the text to cut, and how much of it stays.
    cut: Option<(usize, usize)>,
}

impl Longest {
    fn of<T: VisitText>(record: &mut T) -> Self {
        let mut longest = Self::default();
        record.visit_text(&mut longest);
        longest
    }

    /// The text that stands in place of this one, if it is the one to cut.
    fn see(&mut self, text: &str) -> Option<Str> {
        let place = self.seen;
        self.seen += 1;
        if text.len() > self.bytes {
            (self.at, self.bytes) = (place, text.len());
        }
        let (_, kept) = self.cut.filter(|(at, _)| *at == place)?;
        let start = &text[..text.floor_char_boundary(kept)];
        Some(Str::from(format!("{start}{MARK}{} bytes were too large]", original_len(text))))
    }
}

/// How long a text was before it was first cut.
fn original_len(text: &str) -> usize {
    let told = text.rsplit_once(MARK).and_then(|(_, told)| told.strip_suffix(" bytes were too large]"));
    told.and_then(|bytes| bytes.parse().ok()).unwrap_or(text.len())
}

impl TextVisitor for Longest {
    fn text(&mut self, _: &str, text: &mut Str) {
        if let Some(short) = self.see(text) {
            *text = short;
        }
    }

    fn payload(&mut self, _: &str, payload: &mut Payload) {
        if let Some(short) = self.see(payload.as_str()) {
            *payload = Payload::text(short);
        }
    }

    fn attribute(&mut self, _: &mut Str, value: &mut Value) {
        match value {
            Value::Str(text) => self.text("", text),
            Value::List(values) => {
                for value in values {
                    self.attribute(&mut Str::default(), value);
                }
            }
            Value::Map(values) => values.visit_text(self),
            Value::Null | Value::Bool(_) | Value::I64(_) | Value::F64(_) => {}
        }
    }

    fn labels(&mut self, _: &mut Labels) {}

    fn context(&mut self, _: &mut Arc<TraceContext>) {}

    fn resource(&mut self, _: &mut Arc<Resource>) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Form, Level, Log, Timestamp};

    fn log(message: &str, data: &str) -> Log {
        let mut log = Log::new(Timestamp::default(), Level::Info, Str::copied(message));
        log.data = Some(Payload::from(data));
        log
    }

    fn encode(log: &Log) -> Result<Vec<u8>, String> {
        serde_json::to_vec(log).map_err(|error| error.to_string())
    }

    #[test]
    fn the_longest_text_is_cut_and_says_so() {
        let data = format!("[\"{}\"]", "ä".repeat(5_000));
        let short = shortened(&log("kept as it is", &data), LEAST).unwrap();
        assert_eq!(short.message, "kept as it is");
        let data = short.data.unwrap();
        assert!(data.as_str().ends_with("… [truncated by obs: 10004 bytes were too large]"), "{data:?}");
        assert!(data.as_str().len() < LEAST + 60 && data.form() == Form::Text);
    }

    #[test]
    fn a_record_without_long_text_is_left_alone() {
        assert_eq!(shortened(&log("short", "short, too"), LEAST), None);
    }

    #[test]
    fn what_is_encoded_fits_and_keeps_as_much_as_it_can() {
        let data = format!("[{}1]", "\"quoted\\\\\",".repeat(2_000));
        let mut record = log(&"m".repeat(9_000), &data);
        record.attributes.push("nested", Value::List(vec![Value::from("n".repeat(9_000))]));
        for max in [40_000, 30_000, 12_000, 6_000] {
            let bytes = encode_within(0, &record, max, encode).unwrap();
            assert!(bytes.len() <= max, "{} > {max}", bytes.len());
            let whole = encode(&record).unwrap().len() <= max;
            assert_eq!(String::from_utf8(bytes.clone()).unwrap().contains("truncated by obs"), !whole);
            assert!(whole || bytes.len() > max / 3, "{} of {max}", bytes.len());
        }
    }

    #[test]
    fn a_text_that_is_cut_twice_names_the_bytes_it_had_at_first() {
        let once = shortened(&log(&"m".repeat(9_000), ""), 5_000).unwrap();
        let twice = shortened(&once, 2_000).unwrap();
        assert!(twice.message.ends_with("m… [truncated by obs: 9000 bytes were too large]"), "{twice:?}");
        assert_eq!(twice.message.matches("truncated").count(), 1);
    }

    #[test]
    fn what_cannot_be_cut_is_refused_with_the_figures() {
        let refused = encode_within(7, &log("short", ""), 10, encode).unwrap_err();
        assert_eq!((refused.at, refused.kind), (7, ErrorKind::TooLarge));
        assert!(refused.reason.contains("10 are the most"), "{}", refused.reason);
    }
}
