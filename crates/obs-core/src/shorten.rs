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
    let lengths = Lengths::of(&mut copy, false);
    let longest = lengths.all.iter().copied().max()?;
    (longest > 2 * LEAST).then(|| {
        // Of several that are equally long the first is the one.
        let place = lengths.all.iter().position(|length| *length == longest);
        copy.visit_text(&mut Cut { to: kept.max(LEAST), only: place, seen: 0, shared: false });
        copy
    })
}

/// Encodes a record into at most `max` bytes, with its longest texts cut and marked as far as it takes.
///
/// The record's own texts are cut first, then those of its context and its resource, in a copy.
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
    let mut shared = false;
    while bytes.len() > max {
        let mut copy = short.as_ref().unwrap_or(record).clone();
        let lengths = Lengths::of(&mut copy, shared);
        let Some(to) = lengths.cut_by(bytes.len() - max) else {
            if !shared {
                shared = true;
                continue;
            }
            let reason = format!("{} bytes, where {max} are the most, and no long text to cut", bytes.len());
            return Err(Refused { at, kind: ErrorKind::TooLarge, status: None, reason: reason.into() });
        };
        copy.visit_text(&mut Cut { to, only: None, seen: 0, shared });
        bytes = encode(&copy).map_err(|cause| Refused::encode(at, cause))?;
        short = Some(copy);
    }
    Ok(bytes)
}

/// The bytes of every text, in the order of visiting.
#[derive(Debug, Default)]
struct Lengths {
    all: Vec<usize>,
    shared: bool,
}

impl Lengths {
    fn of<T: VisitText>(record: &mut T, shared: bool) -> Self {
        let mut lengths = Self { all: Vec::new(), shared };
        record.visit_text(&mut lengths);
        lengths
    }

    /// To how many bytes all longer texts have to be cut so that the record loses so many; `None` if none is worth cutting.
    ///
    /// All at once, because every look at what is left encodes the whole record.
    fn cut_by(&self, surplus: usize) -> Option<usize> {
        let mut long: Vec<usize> =
            self.all.iter().copied().filter(|length| *length > LEAST + MARGIN).collect();
        long.sort_unstable_by(|a, b| b.cmp(a));
        let longest = *long.first()?;
        let mut level = longest;
        for nth in 0..long.len() {
            // The first `nth + 1` texts at the length of the next one, or as short as may be.
            let cut = nth + 1;
            let floor = long.get(cut).copied().unwrap_or(LEAST);
            let sum: usize = long[..cut].iter().sum();
            let wanted = sum.saturating_sub(surplus + cut * MARGIN) / cut;
            level = wanted.max(LEAST);
            if wanted >= floor {
                break;
            }
        }
        Some(level.min(longest - MARGIN).max(LEAST))
    }
}

/// Cuts texts, and says so in them.
#[derive(Debug)]
struct Cut {
    /// How many bytes stay of a longer one.
    to: usize,
    /// The place of the only one to cut, if not all are.
    only: Option<usize>,
    seen: usize,
    shared: bool,
}

impl Cut {
    /// The text that stands in place of this one, if it is one to cut.
    fn see(&mut self, text: &str) -> Option<Str> {
        let place = self.seen;
        self.seen += 1;
        // A text that is hardly longer than what is kept of it with the mark would not get shorter.
        let long = text.len() > self.to + MARGIN / 2 && text.len() > LEAST + MARGIN;
        (long && self.only.is_none_or(|only| only == place)).then(|| {
            let start = &text[..text.floor_char_boundary(self.to)];
            Str::from(format!("{start}{MARK}{} bytes were too large]", original_len(text)))
        })
    }
}

/// How long a text was before it was first cut.
fn original_len(text: &str) -> usize {
    let told = text.rsplit_once(MARK).and_then(|(_, told)| told.strip_suffix(" bytes were too large]"));
    told.and_then(|bytes| bytes.parse().ok()).unwrap_or(text.len())
}

macro_rules! visitor {
    ($visitor:ident, |$this:ident, $seen:ident| $see:expr) => {
        impl TextVisitor for $visitor {
            fn text(&mut self, _: &str, text: &mut Str) {
                let ($this, $seen) = (self, &**text);
                if let Some(short) = $see {
                    *text = short;
                }
            }

            fn payload(&mut self, _: &str, payload: &mut Payload) {
                let ($this, $seen) = (self, payload.as_str());
                if let Some(short) = $see {
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

            fn context(&mut self, context: &mut Arc<TraceContext>) {
                if self.shared {
                    Arc::make_mut(context).visit_text(self);
                }
            }

            fn resource(&mut self, resource: &mut Arc<Resource>) {
                if self.shared {
                    Arc::make_mut(resource).visit_text(self);
                }
            }
        }
    };
}

visitor!(Lengths, |lengths, text| {
    lengths.all.push(text.len());
    None::<Str>
});
visitor!(Cut, |cut, text| cut.see(text));

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
    fn many_texts_are_cut_in_a_few_rounds_and_what_is_shared_at_last() {
        let mut record = log("m", "");
        for nth in 0..500 {
            record.attributes.push(format!("text {nth}"), "n".repeat(10_000));
        }
        let mut rounds = 0;
        let bytes = encode_within(0, &record, 1_500_000, |log| {
            rounds += 1;
            encode(log)
        });
        assert!(bytes.unwrap().len() > 1_000_000 && rounds <= 3, "{rounds} rounds");
        let mut record = log("m", "");
        record.context =
            Arc::new(TraceContext { user_id: Some("u".repeat(9_000).into()), ..TraceContext::default() });
        let bytes = encode_within(0, &record, 5_000, encode).unwrap();
        assert!(bytes.len() <= 5_000 && bytes.len() > 4_000, "{}", bytes.len());
        assert_eq!(record.context.user_id.as_ref().map(|id| id.len()), Some(9_000), "the shared one stays");
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
