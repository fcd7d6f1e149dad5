//! Every score and feedback decoded by other code than the exporter's, and held against its record by one table.

use std::collections::HashMap;

use jiff::Timestamp as Instant;
use obs_core::{
    Attributes, Batch, Feedback, Resource, Score, ScoreValue, Scorer, Signal, Str, Target, Timestamp,
    TraceContext,
};
use obs_testkit::fixtures;
use serde::Serialize;
use serde_json::{Value, json};

use super::bench;

/// A score or feedback, as this table reads it.
struct Told<'a> {
    id: String,
    time: Timestamp,
    target: &'a Target,
    key: &'a Str,
    value: &'a ScoreValue,
    comment: Option<&'a Str>,
    source: Option<&'a Str>,
    scorer: Option<&'a Scorer>,
    user_id: Option<&'a Str>,
    experiment_id: Option<&'a Str>,
    metadata: &'a Attributes,
    context: &'a TraceContext,
    resource: &'a Resource,
}

impl<'a> Told<'a> {
    fn score(of: &'a Score) -> Self {
        Self {
            id: of.id.to_string(),
            time: of.time,
            target: &of.target,
            key: &of.name,
            value: &of.value,
            comment: of.comment.as_ref(),
            source: of.source.as_ref(),
            scorer: of.scorer.as_ref(),
            user_id: None,
            experiment_id: of.experiment_id.as_ref(),
            metadata: &of.metadata,
            context: &of.context,
            resource: &of.resource,
        }
    }

    fn feedback(of: &'a Feedback) -> Self {
        Self {
            id: of.id.to_string(),
            time: of.time,
            target: &of.target,
            key: &of.kind,
            value: &of.value,
            comment: of.comment.as_ref(),
            source: of.source.as_ref(),
            scorer: None,
            user_id: of.user_id.as_ref(),
            experiment_id: of.experiment_id.as_ref(),
            metadata: &of.metadata,
            context: &of.context,
            resource: &of.resource,
        }
    }

    fn is_correction(&self) -> bool {
        self.key == "correction"
    }

    fn words(&self) -> Option<&str> {
        match self.value {
            ScoreValue::Categorical(words) | ScoreValue::Text(words) => Some(words),
            _ => None,
        }
    }
}

fn of(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn own(own: Option<&Str>, of_trace: Option<&Str>) -> Value {
    of(&own.or(of_trace))
}

/// One field: what it is, where it is on the wire, and how it is read off the record; null is absent.
type Row = (&'static str, &'static str, fn(&Told<'_>) -> Value);

const TABLE: &[Row] = &[
    ("id", "/id", |t| json!(t.id)),
    ("time", "/created_at", |t| json!(t.time.as_nanos() / 1_000)),
    ("run", "/run_id", |t| {
        let span = match t.target {
            Target::Span { span_id, .. } => Some(*span_id),
            Target::Trace { root_span_id, .. } => *root_span_id,
            _ => None,
        };
        span.map_or(Value::Null, |span| {
            let hex = span.to_string();
            json!(format!("00000000-0000-0000-{}-{}", &hex[..4], &hex[4..]))
        })
    }),
    ("score", "/score", |t| match t.value {
        _ if t.is_correction() => Value::Null,
        ScoreValue::Numeric { value, .. } if value.is_finite() => json!(value),
        ScoreValue::Boolean(value) => json!(u8::from(*value)),
        _ => Value::Null,
    }),
    ("value", "/value", |t| match t.value {
        _ if t.is_correction() => Value::Null,
        ScoreValue::Numeric { value, .. } if value.is_nan() => json!("NaN"),
        ScoreValue::Numeric { value, .. } if value.is_infinite() => {
            json!(if *value > 0.0 { "Infinity" } else { "-Infinity" })
        }
        _ => of(&t.words()),
    }),
    ("correction", "/correction", |t| match t.value {
        _ if !t.is_correction() => Value::Null,
        ScoreValue::Numeric { value, .. } => json!(format!("{value}")),
        ScoreValue::Boolean(value) => json!(if *value { "true" } else { "false" }),
        _ => of(&t.words()),
    }),
    ("comment", "/comment", |t| of(&t.comment.map(Str::as_str).or(t.words().filter(|_| t.key == "comment")))),
    ("source", "/feedback_source/metadata/source", |t| of(&t.source)),
    ("scorer", "/feedback_source/metadata/scorer_id", |t| of(&t.scorer.and_then(|s| s.id.as_ref()))),
    ("scorer's name", "/feedback_source/metadata/scorer_name", |t| {
        of(&t.scorer.and_then(|s| s.name.as_ref()))
    }),
    ("scorer's version", "/feedback_source/metadata/scorer_version", |t| {
        of(&t.scorer.and_then(|s| s.version.as_ref()))
    }),
    ("user", "/feedback_source/metadata/user_id", |t| own(t.user_id, t.context.user_id.as_ref())),
    ("experiment", "/feedback_source/metadata/experiment_id", |t| {
        own(t.experiment_id, t.context.experiment_id.as_ref())
    }),
    ("session", "/feedback_source/metadata/session_id", |t| of(&t.context.session_id)),
    ("environment", "/feedback_source/metadata/environment", |t| of(&t.context.environment)),
    ("release", "/feedback_source/metadata/revision_id", |t| of(&t.context.release)),
    ("tags", "/feedback_source/metadata/tags", |t| {
        if t.context.tags.is_empty() { Value::Null } else { json!(t.context.tags) }
    }),
    ("trace metadata", "/feedback_source/metadata/tier", |t| of(&t.context.metadata.get("tier"))),
    ("resource", "/feedback_source/metadata/resource", |t| {
        Some(&t.resource.attributes).filter(|a| !a.is_empty()).map_or(Value::Null, |a| json!(a))
    }),
];

fn at(json: &Value, place: &str) -> Value {
    match json.pointer(place) {
        Some(Value::String(text)) if place == "/created_at" => {
            json!(text.parse::<Instant>().unwrap().as_microsecond())
        }
        found => found.cloned().unwrap_or_default(),
    }
}

fn batches() -> Vec<Batch> {
    let judged = [Signal::Scores, Signal::Feedback];
    let ours = judged.into_iter().flat_map(|signal| [fixtures::batch(signal), fixtures::nasty(signal)]);
    ours.chain(fixtures::trace_batches().into_iter().filter(|batch| judged.contains(&batch.signal())))
        .collect()
}

#[tokio::test]
async fn every_field_of_scores_and_feedback_is_where_the_table_says() {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut compared = 0;
    for batch in batches() {
        let server = bench::server().await;
        // Sessions have no feedback here.
        drop(obs_core::Exporter::export(&bench::exporter(&server), &batch).await);
        let sent: HashMap<String, Value> = bench::sent(&server.requests())
            .into_iter()
            .map(|sent| (sent.json["id"].as_str().unwrap().to_owned(), sent.json))
            .collect();
        let told: Vec<Told<'_>> = match &batch {
            Batch::Scores(scores) => scores.iter().map(Told::score).collect(),
            Batch::Feedback(feedback) => feedback.iter().map(Told::feedback).collect(),
            _ => panic!("only what judges"),
        };
        for told in told {
            let Some(json) = sent.get(&told.id) else { continue };
            compared += 1;
            for (what, place, read) in TABLE {
                let wanted = read(&told);
                *seen.entry(what).or_default() += usize::from(!wanted.is_null());
                assert_eq!(at(json, place), wanted, "{what} of {:.40}", told.key);
            }
            for (name, value) in told.metadata.iter() {
                let source = &json["feedback_source"]["metadata"];
                let found = source.get(name.as_str()).unwrap_or(&Value::Null);
                assert!(
                    found == &json!(value) || source["metadata"][name.as_str()] == json!(value),
                    "{name}"
                );
            }
        }
    }
    let unseen: Vec<_> = TABLE.iter().filter(|(what, ..)| seen.get(what).is_none_or(|n| *n == 0)).collect();
    let unseen: Vec<_> = unseen.iter().map(|(what, ..)| what).collect();
    assert!(unseen.is_empty() && compared > 20, "{compared}: no fixture has {unseen:?}");
}
