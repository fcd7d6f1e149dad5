//! Feedback of people into feedback on rows.

use std::borrow::Cow;

use obs_core::{Attributes, Feedback, Mapped, Records, ScoreValue, Str, Target, Value};
use serde::Serialize;
use uuid::Uuid;

use crate::BraintrustExporter;
use crate::ids::Id;
use crate::judged::{Judgement, Kept, Own, Verdict, map as map_judged, words};
use crate::metadata::{Loose, Metadata, Shared};
use crate::pack::Request;
use crate::wire::{Document, Item, Named, Time};

/// One item of feedback for each.
pub(crate) fn map(exporter: &BraintrustExporter, records: &Records<Feedback>) -> Mapped<Request> {
    map_judged(exporter, records)
}

/// What a feedback has that Braintrust has no field for; it stands in the row's history.
#[derive(Serialize)]
pub(crate) struct OfFeedback<'a> {
    feedback_id: Uuid,
    time: Time,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(flatten)]
    kept: Kept<'a>,
}

/// Words that mean yes and no, in lower case and without what separates them.
const UP: [&str; 6] = ["thumbsup", "up", "like", "liked", "positive", "👍"];
const DOWN: [&str; 6] = ["thumbsdown", "down", "dislike", "disliked", "negative", "👎"];

/// What words say as a score, if they are a thumb.
fn thumb(words: &str) -> Option<f64> {
    let plain: String =
        words.trim().to_lowercase().chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect();
    if UP.contains(&plain.as_str()) {
        Some(1.0)
    } else if DOWN.contains(&plain.as_str()) {
        Some(0.0)
    } else {
        None
    }
}

/// What Braintrust takes: a score under the feedback's kind, what the answer should have been, or words.
#[derive(Default)]
struct Given<'a> {
    score: Option<f64>,
    expected: Option<Document<'a>>,
    said: Option<String>,
}

fn is_correction(feedback: &Feedback) -> bool {
    feedback.kind == "correction"
}

fn given(feedback: &Feedback) -> Given<'_> {
    if is_correction(feedback) {
        let expected = match &feedback.value {
            ScoreValue::Boolean(value) => Value::Bool(*value),
            ScoreValue::Numeric { value, .. } => Value::F64(*value),
            ScoreValue::Categorical(words) | ScoreValue::Text(words) => Value::Str(words.clone()),
        };
        return Given { expected: Some(Document::Value(expected)), ..Given::default() };
    }
    match Verdict::of(&feedback.value) {
        Verdict::Score(value) => Given { score: Some(value), ..Given::default() },
        Verdict::Raw(_) => Given::default(),
        Verdict::Words(words) if feedback.kind == "comment" => {
            Given { said: Some(words.to_owned()), ..Given::default() }
        }
        Verdict::Words(words) => match thumb(words) {
            Some(value) => Given { score: Some(value), ..Given::default() },
            None => Given { said: Some(format!("{}: {words}", feedback.kind)), ..Given::default() },
        },
    }
}

/// The tags that its metadata names, if they are a list of texts.
fn tags(metadata: &Attributes) -> Vec<&str> {
    let Some(Value::List(tags)) = metadata.get("tags") else { return Vec::new() };
    let texts: Option<Vec<&str>> = tags.iter().map(Value::as_str).collect();
    let mut unique = Vec::new();
    for tag in texts.unwrap_or_default() {
        if !unique.contains(&tag) {
            unique.push(tag);
        }
    }
    unique
}

impl Judgement for Feedback {
    type Metadata<'a> = Metadata<'a, OfFeedback<'a>>;

    /// Each is another person's word.
    const JOINS_WORDS: bool = false;

    fn id(&self) -> Uuid {
        self.id
    }

    fn name(&self) -> &str {
        &self.kind
    }

    fn score_name<'a>(&'a self, exporter: &'a BraintrustExporter) -> Cow<'a, str> {
        match exporter.feedback_prefix() {
            "" => self.kind.as_str().into(),
            prefix => format!("{prefix}{}", self.kind).into(),
        }
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn verdict(&self) -> Verdict<'_> {
        match Verdict::of(&self.value) {
            // What the answer should have been can be any number.
            Verdict::Raw(_) if is_correction(self) => Verdict::Words(""),
            verdict => verdict,
        }
    }

    fn experiment(&self) -> Option<&Str> {
        self.experiment_id.as_ref().or(self.context.experiment_id.as_ref())
    }

    fn own_row(&self) -> Own {
        Own { kind: "review", purpose: None, time: self.time }
    }

    fn item<'a>(&'a self, exporter: &'a BraintrustExporter, id: Id) -> Item<'a, Self::Metadata<'a>> {
        let Given { score, expected, said } = given(self);
        Item {
            id,
            scores: score.map(|value| Named::one(self.score_name(exporter), value)).unwrap_or_default(),
            expected,
            comment: words(said, self.comment.as_ref()),
            metadata: Metadata {
                own: OfFeedback {
                    feedback_id: self.id,
                    time: Time(self.time),
                    kind: &self.kind,
                    source: self.source.as_deref(),
                    kept: Kept::of(self.score_name(exporter), &self.value),
                },
                shared: Shared::of(&self.context, &self.resource)
                    .naming(self.experiment_id.as_ref(), self.user_id.as_ref()),
                loose: Loose::of(&self.metadata, &self.context),
            },
            source: match self.source.as_deref() {
                Some("app") => "app",
                Some("api") => "api",
                _ => "external",
            },
            tags: tags(&self.metadata),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbs_are_read_as_people_write_them() {
        for up in ["thumbs_up", "Thumbs Up", "thumbs-up", "up", "like", "POSITIVE", " 👍 "] {
            assert_eq!(thumb(up), Some(1.0), "{up}");
        }
        for down in ["thumbs_down", "down", "dislike", "Negative", "👎"] {
            assert_eq!(thumb(down), Some(0.0), "{down}");
        }
        for other in ["", "good", "ups", "upset", "not like this"] {
            assert_eq!(thumb(other), None, "{other}");
        }
    }
}
