//! Planting secrets in every string of a record.

use std::sync::Arc;

use obs_core::{
    Labels, Payload, Record, Resource, Signal, SpanId, Str, TextVisitor, TraceContext, TraceId, Value,
    VisitText,
};
use obs_testkit::fixtures;
use uuid::Uuid;

/// Puts secrets into every string it is shown, another one and in another form each time.
///
/// In as many rounds as there are secrets every string has each of them once.
#[derive(Debug)]
pub(super) struct Plant {
    secrets: Vec<String>,
    round: usize,
    /// Which string of the round is next.
    at: usize,
    planted: usize,
}

impl Plant {
    pub(super) fn new(secrets: Vec<String>) -> Self {
        Self { secrets, round: 0, at: 0, planted: 0 }
    }

    pub(super) fn planted(&self) -> usize {
        self.planted
    }

    /// The ordinary records of every signal, planted and with ids that no other round has.
    pub(super) fn round(&mut self, round: u64) -> Vec<Record> {
        let mut records = Vec::new();
        (self.round, self.at) = (round as usize, 0);
        for signal in Signal::ALL {
            for (at, mut record) in fixtures::batch(signal).to_records().into_iter().enumerate() {
                record.visit_text(self);
                renumber(&mut record, round * 1_000 + at as u64 + 1);
                records.push(record);
            }
        }
        records
    }

    /// The secret for the string at hand, and in which of so many forms it is planted there.
    fn secret(&mut self, forms: usize) -> (&str, usize) {
        let at = (self.at + self.round) % self.secrets.len();
        let form = (self.at / 3 + self.round + self.round / self.secrets.len()) % forms;
        self.at += 1;
        self.planted += 1;
        (&self.secrets[at], form)
    }

    /// The text with a secret in it.
    fn text_of(&mut self, text: &str) -> String {
        let (secret, form) = self.secret(5);
        match form {
            0 => secret.to_owned(),
            1 => format!("{text} {secret}"),
            2 => format!("{text}\n{secret}\n{text}"),
            3 => serde_json::json!({ "note": secret, "n": 1.5 }).to_string(),
            _ => format!("({secret})"),
        }
    }

    /// A document with a secret in it, also in JSON inside of a string.
    fn document(&mut self) -> Payload {
        let (secret, form) = self.secret(4);
        let json = serde_json::json!({ "role": "user", "content": [{ "text": secret }] });
        match form {
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
        match (self.at + self.round / 2) % 4 {
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
                self.secret(1);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn in_as_many_rounds_as_there_are_secrets_every_string_has_each_of_them() {
        let secrets: Vec<String> = (0..7).map(|at| format!("<{at}>")).collect();
        let mut plant = Plant::new(secrets.clone());
        let rounds: Vec<Vec<Record>> = (0..7).map(|round| plant.round(round)).collect();
        let texts = |records: &[Record]| {
            records
                .iter()
                .map(|record| match record {
                    Record::Span(record) => record.span().name.to_string(),
                    Record::Metric(metric) => metric.name.to_string(),
                    Record::Log(log) => log.message.to_string(),
                    Record::Score(score) => score.name.to_string(),
                    Record::Feedback(feedback) => feedback.kind.to_string(),
                })
                .collect::<Vec<_>>()
        };
        let rounds: Vec<Vec<String>> = rounds.iter().map(|records| texts(records)).collect();
        for at in 0..rounds[0].len() {
            let had: BTreeSet<&String> = rounds
                .iter()
                .flat_map(|texts| secrets.iter().filter(|secret| texts[at].contains(*secret)))
                .collect();
            assert_eq!(had.len(), secrets.len(), "string {at} had {had:?}");
        }
    }
}
