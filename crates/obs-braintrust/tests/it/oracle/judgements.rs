//! Scores and feedback, wherever they stand.

use std::collections::BTreeSet;

use obs_core::{
    Attributes, Batch, ErrorKind, Feedback, Score, ScoreValue, Signal, Str, Target, TraceContext,
    Value as Attribute,
};
use obs_testkit::fixtures;
use serde_json::{Value, json};

use super::{hold_attributes, or_null};
use crate::server::{Sent, lenient, sent};

/// What a score and a feedback have in common, as the record has it.
struct Judged {
    id: String,
    row: String,
    name: Str,
    value: ScoreValue,
    comment: Option<Str>,
    /// What else is known of it: where in its metadata, and what.
    known: Vec<(&'static str, Value)>,
    tags: Vec<Value>,
    metadata: Attributes,
    is_correction: bool,
}

/// The row that is judged: a span's, a root's, or in an experiment the judgement's own.
fn row(target: &Target, id: &str) -> String {
    match target {
        Target::Span { span_id, .. } => span_id.to_string(),
        Target::Trace { root_span_id, .. } => root_span_id.map(|root| root.to_string()).unwrap_or_default(),
        Target::Session { .. } | Target::ExperimentRun { .. } => id.to_owned(),
    }
}

fn shared(context: &TraceContext) -> Vec<(&'static str, Value)> {
    vec![
        ("session_id", or_null(context.session_id.clone())),
        ("environment", or_null(context.environment.clone())),
        ("release", or_null(context.release.clone())),
        ("trace_name", or_null(context.name.clone())),
    ]
}

impl Judged {
    fn score(score: &Score) -> Self {
        let id = score.id.to_string();
        let experiment = score.experiment_id.clone().or(score.context.experiment_id.clone());
        let mut known = shared(&score.context);
        known.extend([
            ("score_id", json!(id)),
            ("name", json!(score.name)),
            ("time", json!(score.time.rfc3339().to_string())),
            ("source", or_null(score.source.clone())),
            ("scorer", or_null(score.scorer.clone())),
            ("user_id", or_null(score.context.user_id.clone())),
            ("experiment_id", or_null(experiment)),
        ]);
        Self {
            row: row(&score.target, &id),
            id,
            name: score.name.clone(),
            value: score.value.clone(),
            comment: score.comment.clone(),
            known,
            tags: Vec::new(),
            metadata: score.metadata.clone(),
            is_correction: false,
        }
    }

    fn feedback(given: &Feedback) -> Self {
        let id = given.id.to_string();
        let mut known = shared(&given.context);
        known.extend([
            ("feedback_id", json!(id)),
            ("kind", json!(given.kind)),
            ("time", json!(given.time.rfc3339().to_string())),
            ("source", or_null(given.source.clone())),
            ("user_id", or_null(given.user_id.clone().or(given.context.user_id.clone()))),
        ]);
        let tags = match given.metadata.get("tags") {
            Some(Attribute::List(tags)) if tags.iter().all(|tag| tag.as_str().is_some()) => json!(tags),
            _ => json!([]),
        };
        Self {
            row: row(&given.target, &id),
            id,
            name: given.kind.clone(),
            value: given.value.clone(),
            comment: given.comment.clone(),
            known,
            tags: tags.as_array().unwrap().clone(),
            metadata: given.metadata.clone(),
            is_correction: given.kind == "correction",
        }
    }

    /// What is known of it by its id, beside the item or the row that has it.
    fn find<'a>(&self, sent: &'a Sent) -> (&'a Value, &'a Value) {
        let own = |holder: &&'a Value| {
            let metadata = &holder["metadata"];
            let flat = ["score_id", "feedback_id"].iter().any(|name| metadata[*name] == json!(self.id));
            if flat { Some(metadata) } else { metadata["judgements"].get(&self.id) }
        };
        let all = sent.items.iter().chain(&sent.rows);
        let found: Vec<_> = all.filter_map(|holder| Some((holder, own(&holder)?))).collect();
        assert_eq!(found.len(), 1, "{} stands in {} places", self.id, found.len());
        found[0]
    }

    fn hold(&self, sent: &Sent) {
        let (holder, known) = self.find(sent);
        assert_eq!(holder["id"], json!(self.row), "{} is on another row", self.id);
        for (name, wanted) in &self.known {
            let wanted = lenient(&wanted.to_string());
            assert_eq!(known[*name], wanted, "{name} of {}: {known:.1000}", self.id);
        }
        hold_attributes(&self.metadata, "attributes", &json!({"metadata": self.untagged(known)}));
        let told = holder["comment"].as_str().unwrap_or_default();
        for comment in self.comment.iter().filter(|comment| !comment.is_empty()) {
            assert!(told.contains(comment.as_str()), "{comment} is lost: {told}");
        }
        for tag in &self.tags {
            assert!(holder["tags"].as_array().unwrap().contains(tag), "{tag} is lost");
        }
        self.hold_value(holder, known, &sent.rows);
    }

    /// What is known, with the tags that stand in a field of the row among it.
    fn untagged(&self, known: &Value) -> Value {
        let mut known = known.clone();
        if !self.tags.is_empty() {
            known["tags"] = json!(self.tags);
        }
        known
    }

    fn hold_value(&self, holder: &Value, known: &Value, rows: &[Value]) {
        let name = self.name.as_str();
        let (score, expected) = (&holder["scores"][name], &holder["expected"]);
        match &self.value {
            ScoreValue::Boolean(yes) if self.is_correction => assert_eq!(expected, &json!(yes)),
            ScoreValue::Boolean(yes) => assert_eq!(score, &json!(f64::from(u8::from(*yes)))),
            ScoreValue::Numeric { value, .. } if self.is_correction => {
                assert_eq!(expected, &json!(Attribute::F64(*value)));
            }
            ScoreValue::Numeric { value, range } => {
                let number = lenient(&json!(Attribute::F64(*value)).to_string());
                let Some(placed) = score.as_f64() else {
                    let on_row = |row: &Value| {
                        row["id"] == json!(self.row) && row["metadata"]["raw_scores"][name] == number
                    };
                    let (low, high) = range.map_or((0.0, 1.0), |range| (range.min, range.max));
                    assert!(!(low < high && (low..=high).contains(value)), "{name}: {value} has its place");
                    assert!(rows.iter().any(on_row), "{name}: {value} is lost");
                    return;
                };
                // From its place back to the number: what was made of it says what it was.
                let (low, high) = range.map_or((0.0, 1.0), |range| (range.min, range.max));
                let back = low + placed * (high - low);
                assert!((0.0..=1.0).contains(&placed) && (back - value).abs() <= (high - low) * 1e-12);
                assert!(
                    *score == number || known["raw_scores"][name] == number,
                    "{name}: of {value} only its place {placed} is kept"
                );
            }
            ScoreValue::Categorical(words) | ScoreValue::Text(words) => {
                let told = holder["comment"].as_str().unwrap_or_default();
                let said = told.contains(words.as_str()) || (self.is_correction && *expected == json!(words));
                assert!(said, "{words} is lost: {holder:.500}");
            }
        }
    }
}

fn judged(batch: &Batch) -> Vec<Judged> {
    match batch {
        Batch::Scores(scores) => scores.iter().map(Judged::score).collect(),
        Batch::Feedback(all) => all.iter().map(Judged::feedback).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn every_judgement_leaves_all_that_it_says_on_its_row() {
    let mut held = 0;
    for batch in fixtures::all().into_iter().chain(fixtures::trace_batches()) {
        if !matches!(batch.signal(), Signal::Scores | Signal::Feedback) {
            continue;
        }
        let sent = sent(batch.clone()).await;
        let rejected = sent.receipt.rejected.iter();
        assert!(rejected.clone().all(|rejection| {
            matches!(rejection.kind, ErrorKind::UnresolvableTarget | ErrorKind::Encode)
        }));
        let refused: BTreeSet<String> = rejected
            .filter_map(|rejection| rejection.records.as_ref())
            .flat_map(judged)
            .map(|one| one.id)
            .collect();
        for one in judged(&batch).iter().filter(|one| !refused.contains(&one.id)) {
            one.hold(&sent);
            held += 1;
        }
        for item in &sent.items {
            assert!(["api", "app", "external"].contains(&item["source"].as_str().unwrap()));
        }
    }
    assert!(held > 20, "{held} judgements");
}
