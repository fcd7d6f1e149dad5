//! What scores and feedback have in common: both are feedback on a row.

use std::borrow::Cow;

use obs_core::{Mapped, Records, Refused, ScoreValue, SpanId, Str, Target, Timestamp, TraceId, VisitText};
use serde::Serialize;
use uuid::Uuid;

mod joined;
mod kept;
mod rows;

pub(crate) use kept::Kept;

use crate::BraintrustExporter;
use crate::ids::{Id, Place};
use crate::pack::{Packer, Request};
use crate::wire::Item;

/// A score or feedback, as the mapper below needs it.
pub(crate) trait Judgement: VisitText + Clone {
    /// What else of it goes into the metadata.
    type Metadata<'a>: Serialize
    where
        Self: 'a;

    /// Whether several of them may be said in one comment.
    const JOINS_WORDS: bool;

    fn id(&self) -> Uuid;
    /// What was measured.
    fn name(&self) -> &str;
    /// The name of the score.
    fn score_name<'a>(&'a self, exporter: &'a BraintrustExporter) -> Cow<'a, str>;
    fn target(&self) -> &Target;
    /// What its value is in Braintrust.
    fn verdict(&self) -> Verdict<'_>;
    /// The experiment that it names, itself or by its context.
    fn experiment(&self) -> Option<&Str>;
    /// The row that stands for it in an experiment that has no row for it.
    fn own_row(&self) -> Own;
    /// The item of feedback on the row of this id.
    fn item<'a>(&'a self, exporter: &'a BraintrustExporter, id: Id) -> Item<'a, Self::Metadata<'a>>;
}

/// What a number, a word or a truth value is in Braintrust.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict<'a> {
    /// A score from 0 to 1.
    Score(f64),
    /// A number that is none, and is not made one: nobody knows what it means.
    Raw(f64),
    /// Words.
    Words(&'a str),
}

impl<'a> Verdict<'a> {
    /// A number is placed in its range, or taken as it is without one; it is never clamped.
    pub(crate) fn of(value: &'a ScoreValue) -> Self {
        let (raw, placed) = match value {
            ScoreValue::Boolean(value) => return Self::Score(f64::from(u8::from(*value))),
            ScoreValue::Categorical(words) | ScoreValue::Text(words) => return Self::Words(words),
            ScoreValue::Numeric { value, range: None } => (*value, Some(*value)),
            ScoreValue::Numeric { value, range: Some(range) } => (*value, range.normalise(*value)),
        };
        let inside = placed.filter(|value| (0.0..=1.0).contains(value));
        inside.map_or(Self::Raw(raw), Self::Score)
    }
}

/// Where a judgement goes.
enum Found {
    /// To this row.
    Row(Place, At),
    /// To an experiment as a whole.
    Experiment(Uuid),
}

/// The row of a span.
#[derive(Clone, Copy)]
struct At {
    trace: TraceId,
    span: SpanId,
    is_root: bool,
}

/// Maps each to an item of feedback; a number out of range to a field of the row's metadata.
pub(crate) fn map<T: Judgement>(exporter: &BraintrustExporter, records: &Records<T>) -> Mapped<Request> {
    let mut packer = Packer::new(exporter.room());
    let mut groups = joined::Groups::new(exporter);
    for (at, judged) in records.iter().enumerate() {
        match find(judged) {
            Err(refused) => packer.refuse(Refused { at, ..refused }),
            Ok(Found::Row(place, row)) => groups.add(at, judged, place, row),
            Ok(Found::Experiment(id)) => rows::on_experiment(&mut packer, exporter, at, judged, id),
        }
    }
    groups.pack(&mut packer);
    packer.finish()
}

fn find(judged: &impl Judgement) -> Result<Found, Refused> {
    let unresolvable = |why: &str| Err(Refused::unresolvable_target(0, why));
    if judged.name().trim().is_empty() {
        return Err(Refused::encode(0, "it has no name, which Braintrust keys scores by; name it"));
    }
    let place = Place::of(judged.experiment());
    match judged.target() {
        Target::Span { trace_id, span_id, root_span_id } => {
            let is_root = *root_span_id == Some(*span_id);
            Ok(Found::Row(place, At { trace: *trace_id, span: *span_id, is_root }))
        }
        Target::Trace { trace_id, root_span_id: Some(root) } => {
            Ok(Found::Row(place, At { trace: *trace_id, span: *root, is_root: true }))
        }
        Target::Trace { root_span_id: None, .. } => unresolvable(
            "Braintrust keys a trace by its root span, which is not known; give the target its root_span_id",
        ),
        Target::Session { .. } => {
            unresolvable("Braintrust has no sessions; give a span or a trace as the target")
        }
        Target::ExperimentRun { run_id } => match Uuid::parse_str(run_id) {
            Ok(id) => Ok(Found::Experiment(id)),
            Err(_) => unresolvable("Braintrust names experiments by UUIDs, and the run's id is none"),
        },
    }
}

/// What a row of its own is.
pub(crate) struct Own {
    /// Braintrust's type, and its purpose.
    pub(crate) kind: &'static str,
    pub(crate) purpose: Option<&'static str>,
    pub(crate) time: Timestamp,
}

impl<M> Item<'_, M> {
    /// Whether there is anything that Braintrust takes feedback for.
    pub(crate) fn says_something(&self) -> bool {
        !self.scores.is_empty() || self.expected.is_some() || self.comment.is_some() || !self.tags.is_empty()
    }
}

/// What someone said in words: first what the value says, then the comment on it.
pub(crate) fn words(said: Option<String>, comment: Option<&Str>) -> Option<Cow<'_, str>> {
    match (said, comment.filter(|comment| !comment.is_empty())) {
        (Some(said), Some(comment)) => Some(format!("{said}\n{comment}").into()),
        (Some(said), None) => Some(said.into()),
        (None, Some(comment)) => Some(comment.as_str().into()),
        (None, None) => None,
    }
}
