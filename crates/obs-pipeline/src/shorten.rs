//! Makes a record smaller that no backend takes as it is.

use std::sync::Arc;

use obs_core::{Batch, Labels, Payload, Record, Resource, Str, TextVisitor, TraceContext, Value, VisitText};

/// How many bytes of the longest text stay.
const KEPT: usize = 1_024;

/// A copy of a lone record whose longest text is cut, and says so; `None` if there is nothing worth cutting.
///
/// A document that was JSON becomes plain text, since half of it is no JSON.
pub(crate) fn shortened(lone: &Batch) -> Option<Batch> {
    let mut record = lone.to_records().pop()?;
    let mut longest = Longest::default();
    visit(&mut record, &mut longest);
    let (at, bytes) = (longest.at, longest.bytes);
    if bytes <= 2 * KEPT {
        return None;
    }
    visit(&mut record, &mut Longest { cut: Some(at), ..Longest::default() });
    Batch::group([record]).pop()
}

fn visit(record: &mut Record, visitor: &mut Longest) {
    match record {
        Record::Span(record) => record.visit_text(visitor),
        Record::Metric(record) => record.visit_text(visitor),
        Record::Log(record) => record.visit_text(visitor),
        Record::Score(record) => record.visit_text(visitor),
        Record::Feedback(record) => record.visit_text(visitor),
    }
}

/// Finds the longest text by its place in the order of visiting, and cuts the one at a place.
#[derive(Debug, Default)]
struct Longest {
    seen: usize,
    at: usize,
    bytes: usize,
    cut: Option<usize>,
}

impl Longest {
    /// The text that stands in place of this one, if it is the one to cut.
    fn see(&mut self, text: &str) -> Option<Str> {
        let place = self.seen;
        self.seen += 1;
        if text.len() > self.bytes {
            (self.at, self.bytes) = (place, text.len());
        }
        (self.cut == Some(place)).then(|| {
            let kept = &text[..text.floor_char_boundary(KEPT)];
            Str::from(format!("{kept}… [truncated by obs: {} bytes were too large]", text.len()))
        })
    }
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
        if let Value::Str(text) = value {
            self.text("", text);
        }
    }

    fn labels(&mut self, _: &mut Labels) {}

    fn context(&mut self, _: &mut Arc<TraceContext>) {}

    fn resource(&mut self, _: &mut Arc<Resource>) {}
}

#[cfg(test)]
mod tests {
    use obs_core::{Form, Level, Log, Timestamp};

    use super::*;

    fn log(message: &str, data: &str) -> Batch {
        let mut log = Log::new(Timestamp::default(), Level::Info, Str::copied(message));
        log.data = Some(Payload::from(data));
        Batch::Logs(vec![log].into())
    }

    #[test]
    fn the_longest_text_is_cut_and_says_so() {
        let data = format!("[\"{}\"]", "ä".repeat(5_000));
        let short = shortened(&log("kept as it is", &data)).and_then(|batch| batch.to_records().pop());
        let Some(Record::Log(short)) = short else { panic!("not a log: {short:?}") };
        assert_eq!(short.message, "kept as it is");
        let data = short.data.unwrap();
        assert!(data.as_str().ends_with("… [truncated by obs: 10004 bytes were too large]"), "{data:?}");
        assert!(data.as_str().len() < KEPT + 60 && data.form() == Form::Text);
    }

    #[test]
    fn a_record_without_long_text_is_left_alone() {
        assert_eq!(shortened(&log("short", "short, too")), None);
        assert_eq!(shortened(&Batch::empty(obs_core::Signal::Logs)), None);
    }
}
