//! What the LLM platforms are to have of records, by rules of their own that no exporter shares.
//!
//! A platform is a file: under which id and with which fields it keeps each record.
//! `live` holds that against what the real service says, `platforms` against what the exporters send.

pub(crate) mod braintrust;
mod item;
pub(crate) mod langfuse;
pub(crate) mod langsmith;

use std::fmt::Debug;

use obs_core::{Feedback, Log, Record, Score, ScoreValue, Signal, Span, SpanType, Status, Target, Timestamp};
use serde_json::Value;

pub(crate) use item::{Item, Kind, MILLIS, close, differences, without_parent};

/// How a platform keeps records.
pub(crate) trait Platform: Debug + Send + Sync {
    /// What its exporter is called.
    fn name(&self) -> &'static str;
    /// A span that ended.
    fn span(&self, span: &Span) -> Item;
    /// A log.
    fn log(&self, log: &Log) -> Kept;
    /// A score or feedback.
    fn judgement(&self, judgement: &Judgement<'_>) -> Kept;
}

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kept {
    /// It is kept so.
    As(Item),
    /// It cannot be placed there, for this reason.
    Unresolvable(&'static str),
    /// The platform does not take the signal.
    Unsupported,
}

/// A score or feedback.
#[derive(Debug, Clone)]
pub(crate) struct Judgement<'a> {
    pub(crate) signal: Signal,
    pub(crate) id: String,
    pub(crate) target: &'a Target,
    /// The score's name or the feedback's kind.
    pub(crate) name: &'a str,
    pub(crate) value: &'a ScoreValue,
    pub(crate) comment: Option<&'a str>,
}

impl<'a> From<&'a Score> for Judgement<'a> {
    fn from(score: &'a Score) -> Self {
        let (target, name, value) = (&score.target, &*score.name, &score.value);
        let (id, comment) = (score.id.to_string(), score.comment.as_deref());
        Self { signal: Signal::Scores, id, target, name, value, comment }
    }
}

impl<'a> From<&'a Feedback> for Judgement<'a> {
    fn from(feedback: &'a Feedback) -> Self {
        let (target, name, value) = (&feedback.target, &*feedback.kind, &feedback.value);
        let (id, comment) = (feedback.id.to_string(), feedback.comment.as_deref());
        Self { signal: Signal::Feedback, id, target, name, value, comment }
    }
}

/// What a platform is to have of records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    pub(crate) items: Vec<Item>,
    /// How many records of each signal the platform takes, by [`Signal::index`].
    pub(crate) taken: [u64; Signal::COUNT],
    /// The signal of each record that the platform cannot place, and why.
    pub(crate) unresolvable: Vec<(Signal, &'static str)>,
}

/// What `platform` is to have of `records`; of items that it keeps under one id, such as two scores of one name on one
/// row, the last.
pub(crate) fn expected(platform: &dyn Platform, records: &[Record]) -> Expected {
    let mut expected = Expected::default();
    for record in records {
        let kept = match record {
            Record::Span(span) => span.ended().map(|span| Kept::As(platform.span(span))),
            Record::Log(log) => Some(platform.log(log)),
            Record::Score(score) => Some(platform.judgement(&score.into())),
            Record::Feedback(feedback) => Some(platform.judgement(&feedback.into())),
            Record::Metric(_) => None,
        };
        match kept {
            Some(Kept::As(item)) => {
                expected.taken[record.signal().index()] += 1;
                if item.kind != Kind::Log {
                    expected.items.retain(|known| (known.kind, &known.id) != (item.kind, &item.id));
                }
                expected.items.push(item);
            }
            Some(Kept::Unresolvable(why)) => expected.unresolvable.push((record.signal(), why)),
            Some(Kept::Unsupported) | None => {}
        }
    }
    expected
}

/// The word that a table has for a span's type.
fn word(types: &[(&str, &'static str)], span_type: &SpanType) -> &'static str {
    let found = types.iter().find(|(name, _)| *name == span_type.name());
    found.map_or(types[types.len() - 1].1, |(_, word)| word)
}

/// What every platform has of a span besides its ids: name, times, user, tokens, cost in US dollars, and whether it failed.
fn of_span(item: Item, span: &Span) -> Item {
    let usage = span.span_type.model().map(|(_, _, usage)| usage);
    let call = span.span_type.as_generation();
    let first_token =
        call.and_then(|call| call.time_to_first_token).map(|after| span.start.saturating_add(after));
    let cost = call.and_then(|call| call.cost.as_ref()).filter(|cost| &*cost.currency == "USD");
    item.with("name", &*span.name)
        .with("start", in_millis(span.start))
        .with("end", span.end.map(in_millis))
        .with("first_token", first_token.map(in_millis))
        .with("user", span.context.user_id.as_deref())
        .with("input_tokens", usage.and_then(|usage| usage.input))
        .with("output_tokens", usage.and_then(|usage| usage.output))
        .with("cost", cost.map(|cost| cost.total))
        .with("failed", span.status == Status::Error)
}

fn in_millis(time: Timestamp) -> f64 {
    time.as_nanos() as f64 / 1e6
}

/// Milliseconds since 1970 of a time in ISO 8601, or null.
fn millis(time: &Value) -> Value {
    let time = time.as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    time.map_or(Value::Null, |time| (time.as_nanosecond() as f64 / 1e6).into())
}

/// A boolean as the number that platforms keep it as.
fn plain(value: &Value) -> Value {
    value.as_bool().map_or_else(|| value.clone(), |yes| Value::from(u8::from(yes)))
}

/// A log by where it stands, what it says and when.
fn of_log(place: &str, message: &str, millis: f64) -> Item {
    Item::new(Kind::Log, format!("{place} {message}")).with(MILLIS, millis)
}

#[cfg(test)]
mod tests;
