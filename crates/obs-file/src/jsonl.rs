//! JSON Lines: the canonical JSON of obs, or what a serializer of the user's own makes of a record.

use obs_core::{Batch, Refused, Signal, write_json};

use crate::Serializer;
use crate::format::{Rows, Whole};
use crate::serializer::for_each;

/// Lines of JSON.
#[derive(Debug)]
pub(crate) struct Jsonl {
    pub(crate) serializer: Option<Serializer>,
}

impl Rows for Jsonl {
    fn header(&self, _: Signal) -> Vec<u8> {
        Vec::new()
    }

    fn encode(&self, batch: &Batch, out: &mut Vec<u8>, refused: &mut Vec<Refused>) {
        let Some(serializer) = &self.serializer else {
            batch.write_lines(out, |at, cause| {
                refused.push(Refused::encode(at, format!("the record has no JSON form: {cause}")));
            });
            return;
        };
        for_each(batch, |at, record| {
            let written = serializer
                .call(record)
                .and_then(|value| write_json(out, &value).map_err(|cause| cause.to_string().into()));
            match written {
                Ok(()) => out.push(b'\n'),
                Err(cause) => {
                    refused.push(Refused::encode(at, format!("the serializer has no line for it: {cause}")));
                }
            }
        });
    }

    fn whole(&self, written: &[u8]) -> Whole {
        let bytes = written.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        Whole { rows: written[..bytes].split_inclusive(|byte| *byte == b'\n').count(), bytes }
    }
}

/// Whether this is the front of a file of ours: a line of a record, or of a dead letter.
///
/// With a serializer a line is any JSON, of which the first character must do.
pub(crate) fn is_ours(front: &[u8], serializer: Option<&Serializer>) -> bool {
    match serializer {
        None => front.starts_with(b"{\"v\":"),
        Some(_) => front.first().is_some_and(|first| b"{[\"-0123456789tfn".contains(first)),
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{Level, Log, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::RecordRef;

    fn logs(messages: &[&'static str]) -> Batch {
        let log = |message: &&'static str| Log::new(Timestamp::from_nanos(1), Level::Info, *message);
        Batch::Logs(messages.iter().map(log).collect())
    }

    fn encoded(rows: &Jsonl, batch: &Batch) -> (String, Vec<Refused>) {
        let (mut out, mut refused) = (Vec::new(), Vec::new());
        rows.encode(batch, &mut out, &mut refused);
        (String::from_utf8(out).unwrap(), refused)
    }

    #[test]
    fn a_record_that_the_serializer_has_no_line_for_is_refused_and_the_others_stand() {
        let serializer = Serializer::new(|record| match record {
            RecordRef::Log(log) if log.message.as_str() == "no" => Err("not this one"),
            RecordRef::Log(log) if log.message.as_str() == "oh" => panic!("as some do"),
            RecordRef::Log(log) => Ok(json!({ "says": log.message.as_str() })),
            _ => Err("no log"),
        });
        let rows = Jsonl { serializer: Some(serializer) };
        let (text, refused) = encoded(&rows, &logs(&["a\nb", "no", "oh", "c"]));
        assert_eq!(text, "{\"says\":\"a\\nb\"}\n{\"says\":\"c\"}\n");
        let said: Vec<_> = refused.iter().map(|refused| (refused.at, &*refused.reason)).collect();
        assert_eq!(
            said,
            [
                (1, "the serializer has no line for it: not this one"),
                (2, "the serializer has no line for it: the serializer panicked")
            ]
        );
    }

    #[test]
    fn whole_lines_are_those_with_a_newline() {
        let rows = Jsonl { serializer: None };
        let (text, refused) = encoded(&rows, &logs(&["one", "two"]));
        assert!(refused.is_empty() && is_ours(text.as_bytes(), None));
        let first = text.find('\n').unwrap() + 1;
        for (cut, expected) in [
            (0, (0, 0)),
            (first - 1, (0, 0)),
            (first, (1, first)),
            (text.len() - 1, (1, first)),
            (text.len(), (2, text.len())),
        ] {
            let Whole { rows, bytes } = rows.whole(&text.as_bytes()[..cut]);
            assert_eq!((rows, bytes), expected, "{cut}");
        }
    }
}
