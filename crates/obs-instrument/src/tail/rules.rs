//! What makes a trace worth keeping.

use std::time::Duration;

use obs_core::{Error, Feedback, Score, ScoreValue, Span, SpanRecord, Status, Str, suggest};
use serde::{Deserialize, Deserializer};

use super::TailSampling;

/// Keeps traces with a score beyond a limit; feedback counts by its kind, so that a rule named `rating` sees ratings.
///
/// A boolean is 0 or 1; words are beyond no limit.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct ScoreRule {
    /// The name of the score, or the kind of the feedback.
    pub name: Str,
    /// The trace is kept if the value is less.
    pub below: Option<f64>,
    /// The trace is kept if the value is more.
    pub above: Option<f64>,
}

impl<'de> Deserialize<'de> for ScoreRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(suggest::error)
    }
}

impl ScoreRule {
    pub(super) fn check(&self) -> Result<(), Error> {
        let limits = [self.below, self.above];
        let advice = if self.name.is_empty() {
            "a rule needs the `name` of a score".to_owned()
        } else if limits == [None, None] {
            format!("the rule on `{}` needs a limit: `below` or `above`", self.name)
        } else if limits.into_iter().flatten().any(f64::is_nan) {
            format!("the limit of the rule on `{}` is no number", self.name)
        } else {
            return Ok(());
        };
        Err(Error::config("tail_sampling.scores", advice))
    }

    fn holds(&self, name: &str, value: &ScoreValue) -> bool {
        let beyond = |value: f64| {
            self.below.is_some_and(|limit| value < limit) || self.above.is_some_and(|limit| value > limit)
        };
        self.name == *name && value.as_f64().is_some_and(beyond)
    }
}

/// What is known of a trace so far.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// A rule holds: whatever comes, the trace is kept.
    pub(super) worth_keeping: bool,
    /// A root of it has ended: one without a parent, or one whose parent is in another process.
    pub(super) root_ended: bool,
}

impl Facts {
    pub(super) fn span(&mut self, rules: &TailSampling, record: &SpanRecord) {
        let Some(span) = record.ended() else { return };
        let took = span.duration().unwrap_or_default();
        let over = |limit: Option<Duration>| limit.is_some_and(|limit| took > limit);
        let is_root = span.is_root() || span.remote_parent;
        self.root_ended |= is_root;
        self.worth_keeping |= rules.errors && failed(span)
            || is_root && over(rules.slow)
            || span.span_type.model().is_some() && over(rules.slow_model_call);
    }

    pub(super) fn score(&mut self, rules: &TailSampling, score: &Score) {
        self.worth_keeping |= rules.scores.iter().any(|rule| rule.holds(&score.name, &score.value));
    }

    pub(super) fn feedback(&mut self, rules: &TailSampling, feedback: &Feedback) {
        self.worth_keeping |= rules.thumbs_down && is_thumbs_down(feedback)
            || rules.scores.iter().any(|rule| rule.holds(&feedback.kind, &feedback.value));
    }
}

fn failed(span: &Span) -> bool {
    span.status == Status::Error || span.error.is_some()
}

/// How thumbs that point down are written.
const DOWN: [&str; 6] = ["thumbs_down", "down", "dislike", "disliked", "negative", "👎"];

/// Thumbs that point down: `false`, a number that is not positive, or a word for it; of any kind where the word says it.
fn is_thumbs_down(feedback: &Feedback) -> bool {
    let is_down = |word: &str| DOWN.iter().any(|down| word.trim().eq_ignore_ascii_case(down));
    match &feedback.value {
        ScoreValue::Boolean(up) => feedback.kind.contains("thumb") && !up || is_down(&feedback.kind) && *up,
        ScoreValue::Numeric { value, .. } => feedback.kind.contains("thumb") && *value <= 0.0,
        ScoreValue::Categorical(word) => is_down(word),
        ScoreValue::Text(word) => feedback.kind.contains("thumb") && is_down(word),
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{Target, Timestamp};

    use super::*;

    #[test]
    fn thumbs_down_are_told_from_other_feedback() {
        let feedback = |kind: &'static str, value: ScoreValue| {
            let target = Target::Session { session_id: "s".into() };
            Feedback::new(uuid::Uuid::from_u128(1), Timestamp::default(), target, kind, value)
        };
        for (kind, value, down) in [
            ("thumbs", false.into(), true),
            ("thumbs", true.into(), false),
            ("thumbs", (-1).into(), true),
            ("thumbs", 1.into(), false),
            ("thumbs_down", true.into(), true),
            ("thumbs", ScoreValue::category("Down"), true),
            ("reaction", ScoreValue::category("👎"), true),
            ("rating", 0.into(), false),
            ("helpful", false.into(), false),
            ("comment", ScoreValue::text("down"), false),
        ] {
            let told = is_thumbs_down(&feedback(kind, value.clone()));
            assert_eq!(told, down, "{kind} {value:?}");
        }
    }

    #[test]
    fn a_rule_holds_beyond_its_limit_and_not_at_it() {
        let rule = |below, above| ScoreRule { name: "good".into(), below, above };
        for (rule, value, holds) in [
            (rule(Some(0.5), None), ScoreValue::from(0.4), true),
            (rule(Some(0.5), None), ScoreValue::from(0.5), false),
            (rule(None, Some(0.5)), ScoreValue::from(0.6), true),
            (rule(None, Some(0.5)), ScoreValue::from(0.5), false),
            (rule(Some(1.0), None), ScoreValue::from(false), true),
            (rule(Some(1.0), Some(0.0)), ScoreValue::text("bad"), false),
            (rule(Some(1.0), None), ScoreValue::from(f64::NAN), false),
        ] {
            assert_eq!(rule.holds("good", &value), holds, "{rule:?} {value:?}");
            assert!(!rule.holds("other", &value));
        }
    }
}
