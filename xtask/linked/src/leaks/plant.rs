//! Planting secrets in every string of a record.

use std::sync::Arc;

use obs_core::{
    Labels, Payload, Record, Resource, Signal, SpanId, Str, TextVisitor, TraceContext, TraceId, Value,
    VisitText,
};
use obs_testkit::fixtures;
use uuid::Uuid;

/// Puts secrets into every string it is shown, another one and in another form each time.
#[derive(Debug)]
pub(super) struct Plant {
    secrets: Vec<String>,
    next: usize,
}

impl Plant {
    pub(super) fn new(secrets: Vec<String>) -> Self {
        Self { secrets, next: 0 }
    }

    pub(super) fn planted(&self) -> usize {
        self.next
    }

    /// The ordinary records of every signal, planted and with ids that no other round has.
    pub(super) fn round(&mut self, round: u64) -> Vec<Record> {
        let mut records = Vec::new();
        for signal in Signal::ALL {
            for (at, mut record) in fixtures::batch(signal).to_records().into_iter().enumerate() {
                record.visit_text(self);
                renumber(&mut record, round * 1_000 + at as u64 + 1);
                records.push(record);
            }
        }
        records
    }

    fn secret(&mut self) -> &str {
        let at = self.next % self.secrets.len();
        self.next += 1;
        &self.secrets[at]
    }

    /// The text with a secret in it.
    fn text_of(&mut self, text: &str) -> String {
        let form = self.next / self.secrets.len() + self.next;
        let secret = self.secret();
        match form % 5 {
            0 => secret.to_owned(),
            1 => format!("{text} {secret}"),
            2 => format!("{text}\n{secret}\n{text}"),
            3 => serde_json::json!({ "note": secret, "n": 1.5 }).to_string(),
            _ => format!("({secret})"),
        }
    }

    /// A document with a secret in it, also in JSON inside of a string.
    fn document(&mut self) -> Payload {
        let form = self.next / self.secrets.len() + self.next;
        let secret = self.secret();
        let json = serde_json::json!({ "role": "user", "content": [{ "text": secret }] });
        match form % 4 {
            0 => Payload::from(secret),
            1 => Payload::from(json.to_string()),
            2 => Payload::from(serde_json::json!([{ "arguments": json.to_string() }]).to_string()),
            _ => Payload::text(format!("the tool said {secret}")),
        }
    }
}

/// The record under ids of its own, so that no destination takes it for another's update.
fn renumber(record: &mut Record, number: u64) {
    match record {
        Record::Span(record) => {
            let span = record.span_mut();
            if let (Some(trace), Some(id)) = (TraceId::new(u128::from(number)), SpanId::new(number)) {
                (span.trace_id, span.span_id) = (trace, id);
            }
        }
        Record::Score(score) => score.id = Uuid::from_u128(u128::from(number)),
        Record::Feedback(feedback) => feedback.id = Uuid::from_u128(u128::from(number)),
        Record::Metric(_) | Record::Log(_) => {}
    }
}

impl TextVisitor for Plant {
    fn text(&mut self, _: &str, text: &mut Str) {
        *text = self.text_of(text).into();
    }

    fn payload(&mut self, _: &str, payload: &mut Payload) {
        *payload = self.document();
    }

    fn attribute(&mut self, key: &mut Str, value: &mut Value) {
        match self.next % 4 {
            0 => {
                *key = self.text_of(key).into();
            }
            1 => *value = Value::Str(self.text_of("").into()),
            2 => {
                let inside = [("a", Value::Str(self.text_of("").into()))].into_iter().collect();
                *value = Value::List(vec![Value::Map(inside), std::mem::replace(value, Value::Null)]);
            }
            _ => {
                // What counts by its name alone.
                *key = "dbPassword".into();
                *value = Value::Str(super::secrets::NEEDLES[0].into());
                self.next += 1;
            }
        }
    }

    fn labels(&mut self, labels: &mut Labels) {
        *labels = labels.iter().map(|(key, value)| (self.text_of(key), self.text_of(value))).collect();
    }

    fn context(&mut self, context: &mut Arc<TraceContext>) {
        Arc::make_mut(context).visit_text(self);
    }

    fn resource(&mut self, resource: &mut Arc<Resource>) {
        Arc::make_mut(resource).visit_text(self);
    }
}
