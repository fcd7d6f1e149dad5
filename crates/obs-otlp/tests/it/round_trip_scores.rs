//! Scores and feedback that go out come back as they were, ids and all.
//!
//! [`Judged`] says what does not.

use std::sync::Arc;

use obs_core::{
    Attributes, Feedback, Record, Score, ScoreValue, Scorer, Str, Target, Timestamp, TraceContext, Value,
};
use obs_otlp::encode::{Encoding, LogRequests, evaluation};
use obs_otlp::ingest::{self, Kind};
use obs_testkit::{arbitrary, fixtures};
use proptest::prelude::*;
use uuid::Uuid;

use crate::request::{attributes, read};
use crate::round_trip::{context, resource, some};

fn body(encoding: Encoding, record: &Record) -> Vec<u8> {
    let mut requests = LogRequests::new(encoding, 1, 0);
    match record {
        Record::Score(score) => evaluation::push_score(&mut requests, 0, score),
        Record::Feedback(feedback) => evaluation::push_feedback(&mut requests, 0, feedback),
        other => panic!("{other:?}"),
    }
    requests.finish().remove(0).body
}

fn back(encoding: Encoding, record: &Record) -> Record {
    let body = body(encoding, record);
    let ingested = match encoding {
        Encoding::Protobuf => ingest::protobuf(Kind::Logs, &body).unwrap(),
        Encoding::Json => ingest::json(std::str::from_utf8(&body).unwrap()).unwrap(),
    };
    assert_eq!(ingested.refused, []);
    <[Record; 1]>::try_from(ingested.records).unwrap().into_iter().next().unwrap()
}

/// The canonical JSON, in which numbers that are none are equal to themselves.
fn canonical(record: &Record) -> String {
    let mut line = Vec::new();
    record.write_line(&mut line).unwrap();
    String::from_utf8(line).unwrap()
}

/// What scores and feedback share, as it can be told: to OTLP an empty text is none, and an event without a name is no evaluation.
struct Judged<'a> {
    name: &'a mut Str,
    optional: [&'a mut Option<Str>; 3],
    target: &'a Target,
    context: &'a mut Arc<TraceContext>,
}

impl Judged<'_> {
    fn expressible(self) {
        if self.name.is_empty() {
            *self.name = "unnamed".into();
        }
        self.optional.into_iter().for_each(some);
        let mut context = context((**self.context).clone());
        // What is said of a session is found where its other records are.
        if let Target::Session { session_id } = self.target
            && context.session_id.is_none()
        {
            context.session_id = Some(session_id.clone()).filter(|session_id| !session_id.is_empty());
        }
        *self.context = Arc::new(context);
    }
}

fn expressible_score(mut score: Score) -> Score {
    if let Some(Scorer { id, name, version }) = &mut score.scorer {
        [id, name, version].into_iter().for_each(some);
    }
    score.scorer.take_if(|scorer| *scorer == Scorer::default());
    score.resource = Arc::new(resource((*score.resource).clone()));
    let optional = [&mut score.comment, &mut score.source, &mut score.experiment_id];
    Judged { name: &mut score.name, optional, target: &score.target, context: &mut score.context }
        .expressible();
    score
}

fn expressible_feedback(mut feedback: Feedback) -> Feedback {
    some(&mut feedback.user_id);
    feedback.resource = Arc::new(resource((*feedback.resource).clone()));
    let optional = [&mut feedback.comment, &mut feedback.source, &mut feedback.experiment_id];
    let (name, context) = (&mut feedback.kind, &mut feedback.context);
    Judged { name, optional, target: &feedback.target, context }.expressible();
    feedback
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn law_5_every_score_comes_back_with_its_id(score in arbitrary::score()) {
        let score = Record::Score(expressible_score(score));
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            prop_assert_eq!(canonical(&back(encoding, &score)), canonical(&score), "{:?}", encoding);
        }
    }

    #[test]
    fn law_5_every_feedback_comes_back_with_its_id(feedback in arbitrary::feedback()) {
        let feedback = Record::Feedback(expressible_feedback(feedback));
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            prop_assert_eq!(canonical(&back(encoding, &feedback)), canonical(&feedback), "{:?}", encoding);
        }
    }
}

fn score(target: Target, value: ScoreValue) -> Score {
    Score::new(Uuid::from_u128(7), Timestamp::from_nanos(5), target, "relevance", value)
}

fn json(record: &Record) -> serde_json::Value {
    let body: serde_json::Value = serde_json::from_slice(&body(Encoding::Json, record)).unwrap();
    body["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0].clone()
}

#[test]
fn a_judgement_stands_under_what_was_judged() {
    let (trace_id, span_id, root) = (fixtures::trace_id(1), fixtures::span_id(2), fixtures::span_id(1));
    let session = Target::Session { session_id: "s".into() };
    let run = Target::ExperimentRun { run_id: "r".into() };
    for (target, trace, span) in [
        (Target::Span { trace_id, span_id, root_span_id: Some(root) }, Some(trace_id), Some(span_id)),
        (Target::Trace { trace_id, root_span_id: Some(root) }, Some(trace_id), Some(root)),
        (Target::Trace { trace_id, root_span_id: None }, Some(trace_id), None),
        (session, None, None),
        (run, None, None),
    ] {
        let record = json(&Record::Score(score(target.clone(), ScoreValue::numeric(0.5))));
        assert_eq!(record["eventName"], "gen_ai.evaluation.result");
        let text = |name: &str| record.get(name).map(|id| id.as_str().unwrap().to_owned());
        assert_eq!(text("traceId"), trace.map(|id| id.to_string()), "{target:?}");
        assert_eq!(text("spanId"), span.map(|id| id.to_string()), "{target:?}");
    }
}

#[test]
fn a_value_is_a_number_a_word_or_both() {
    let target = Target::Session { session_id: "s".into() };
    let told = |value: ScoreValue| {
        let record = json(&Record::Score(score(target.clone(), value)));
        let pairs = record["attributes"].as_array().unwrap();
        let of = |key: &str| pairs.iter().find(|pair| pair["key"] == key).map(|pair| pair["value"].clone());
        (of("gen_ai.evaluation.score.value"), of("gen_ai.evaluation.score.label"))
    };
    let number = |number: f64| Some(serde_json::json!({ "doubleValue": number }));
    let word = |word: &str| Some(serde_json::json!({ "stringValue": word }));
    assert_eq!(told(ScoreValue::ratio(0.5)), (number(0.5), None));
    assert_eq!(told(ScoreValue::Boolean(true)), (number(1.0), word("true")));
    assert_eq!(told(ScoreValue::Boolean(false)), (number(0.0), word("false")));
    assert_eq!(told(ScoreValue::category("good")), (None, word("good")));
    assert_eq!(told(ScoreValue::text("well done")), (None, word("well done")));
}

/// Keys that readers take for something else, and one that belongs to the event.
#[test]
fn metadata_keeps_its_keys_whatever_they_are() {
    let target = Target::Session { session_id: "s".into() };
    let mut score = score(target, ScoreValue::numeric(0.5));
    score.context = Arc::new(TraceContext { session_id: Some("s".into()), ..TraceContext::default() });
    let keys = [
        "gen_ai.response.id",
        "user.id",
        "metadata",
        "mastra.metadata.x",
        "event.name",
        "gen_ai.evaluation.name",
        "gen_ai.evaluation.explanation",
        "log.record.uid",
        "obs.evaluation.kind",
        "obs.evaluation.metadata.x",
        "obs.log.data",
        "gen_ai.evaluation.score.label",
    ];
    score.metadata = keys.into_iter().map(|key| (key, Value::from("kept"))).collect::<Attributes>();
    let score = Record::Score(score);
    assert_eq!(back(Encoding::Protobuf, &score), score);
    let record = json(&score);
    let told: Vec<&str> =
        record["attributes"].as_array().unwrap().iter().map(|pair| pair["key"].as_str().unwrap()).collect();
    assert!(told.contains(&"gen_ai.response.id"), "what OpenTelemetry has a name for keeps it: {told:?}");
    assert!(told.contains(&"obs.evaluation.metadata.user.id"), "{told:?}");
}

#[test]
fn what_says_something_else_under_a_name_of_ours_is_kept() {
    let pairs = attributes(&[
        ("gen_ai.evaluation.name", serde_json::json!("relevance")),
        ("gen_ai.evaluation.score.value", serde_json::json!(0.5)),
        ("log.record.uid", serde_json::json!("01J0000000")),
        ("obs.evaluation.kind", serde_json::json!("guess")),
        ("obs.evaluation.value_type", serde_json::json!(7)),
        ("session.id", serde_json::json!("s")),
    ]);
    let record = serde_json::json!({"timeUnixNano": "5", "eventName": "gen_ai.evaluation.result", "attributes": pairs});
    let ingested = read(&serde_json::json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}));
    let [Record::Score(score)] = ingested.records.as_slice() else { panic!("{ingested:?}") };
    let metadata = serde_json::to_string(&score.metadata).unwrap();
    let expected =
        r#"{"log.record.uid":"01J0000000","obs.evaluation.kind":"guess","obs.evaluation.value_type":7}"#;
    assert_eq!(metadata, expected);
}
