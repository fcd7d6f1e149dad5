//! No name stands twice in an object, whatever the application calls its own fields.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use obs_core::{Attributes, Batch, Feedback, Log, Records, Score, Signal, SpanRecord, TraceContext, Value};
use obs_mastra::{MastraConfig, MastraExporter};
use obs_testkit::fixtures;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Reads JSON, and fails where an object has a name twice; collects the names of the objects called `metadata`.
struct Strict<'a> {
    inside: bool,
    names: &'a mut BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! anything {
    ($($visit:ident: $type:ty),*) => {
        $(fn $visit<E: Error>(self, _: $type) -> Result<(), E> {
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    anything!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Strict { inside: false, names: self.names })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if self.inside {
                self.names.insert(name.clone());
            }
            map.next_value_seed(Strict { inside: name == "metadata", names: self.names })?;
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format!("{name} stands twice")));
            }
        }
        Ok(())
    }
}

/// The names in the metadata of what a batch becomes; no object in it has a name twice.
fn names(batch: &Batch) -> BTreeSet<String> {
    let exporter = MastraExporter::new(MastraConfig::new("token-1")).unwrap();
    let mut names = BTreeSet::new();
    for body in exporter.encode(batch) {
        let mut reader = serde_json::Deserializer::from_slice(&body);
        Strict { inside: false, names: &mut names }.deserialize(&mut reader).unwrap();
    }
    names
}

/// A batch whose records have fields of these names, in themselves and in their context.
fn named(signal: Signal, taken: &BTreeSet<String>) -> Batch {
    let own: Attributes = taken.iter().map(|name| (name.clone(), Value::from(1))).collect();
    let context = Arc::new(TraceContext { metadata: own.clone(), ..(*fixtures::context()).clone() });
    match fixtures::batch(signal) {
        Batch::Traces(records) => Batch::Traces(changed(&records, |record: &mut SpanRecord| {
            let span = match record {
                SpanRecord::Started(span) | SpanRecord::Ended(span) => span,
            };
            (span.attributes, span.context) = (own.clone(), Arc::clone(&context));
        })),
        Batch::Logs(records) => Batch::Logs(changed(&records, |log: &mut Log| {
            (log.attributes, log.context) = (own.clone(), Arc::clone(&context));
        })),
        Batch::Metrics(records) => Batch::Metrics(changed(&records, |metric: &mut obs_core::Metric| {
            metric.context = Arc::clone(&context);
        })),
        Batch::Scores(records) => Batch::Scores(changed(&records, |score: &mut Score| {
            (score.metadata, score.context) = (own.clone(), Arc::clone(&context));
        })),
        Batch::Feedback(records) => Batch::Feedback(changed(&records, |feedback: &mut Feedback| {
            (feedback.metadata, feedback.context) = (own.clone(), Arc::clone(&context));
        })),
    }
}

fn changed<T: Clone>(records: &Records<T>, mut change: impl FnMut(&mut T)) -> Records<T> {
    let each = |record: &T| {
        let mut record = record.clone();
        change(&mut record);
        record
    };
    records.iter().map(each).collect()
}

#[test]
fn fields_named_like_ours_stand_beside_them_and_none_twice() {
    for signal in Signal::ALL {
        let taken = names(&fixtures::batch(signal));
        assert!(taken.len() > 5, "{taken:?}");
        let told = names(&named(signal, &taken));
        assert!(told.contains("traceMetadata"), "{signal}: {told:?}");
        assert_eq!(told.contains("attributes"), signal != Signal::Metrics, "{signal}");
    }
}

#[test]
fn a_parameter_that_is_told_under_two_names_stands_there_once() {
    let mut call = obs_core::LlmGeneration::default();
    let other = [("top_k", 1), ("topK", 2), ("maxRetries", 3), ("max_retries", 4), ("seed", 5)];
    call.parameters.other = other.into_iter().collect();
    let mut span = obs_core::Span::new(fixtures::trace_id(1), fixtures::span_id(1), "call", fixtures::at(0));
    span.span_type = obs_core::SpanType::LlmGeneration(call);
    let batch = Batch::Traces(vec![SpanRecord::Ended(span)].into());
    names(&batch);
    let exporter = MastraExporter::new(MastraConfig::new("token-1")).unwrap();
    let body: serde_json::Value = serde_json::from_slice(&exporter.encode(&batch)[0]).unwrap();
    let told = &body["spans"][0]["attributes"]["parameters"];
    assert_eq!(*told, serde_json::json!({"topK": 1, "maxRetries": 3, "seed": 5}));
}
