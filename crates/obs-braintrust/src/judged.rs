//! What scores and feedback have in common: both are feedback on a row.

use std::borrow::Cow;

use obs_core::{Mapped, Range, Records, Refused, ScoreValue, SpanId, Str, Target, TraceId, VisitText};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::BraintrustExporter;
use crate::ids::{Id, Place};
use crate::pack::{Packer, Post, Request, Route, push};
use crate::wire::{Item, Named, Parents, Row, SpanAttributes, Time};

/// A score or feedback, as the mapper below needs it.
pub(crate) trait Judgement: VisitText + Clone {
    /// What else of it goes into the metadata.
    type Metadata<'a>: Serialize
    where
        Self: 'a;

    fn id(&self) -> Uuid;
    /// What was measured; the name of the score.
    fn name(&self) -> &str;
    fn target(&self) -> &Target;
    /// What its value is in Braintrust.
    fn verdict(&self) -> Verdict<'_>;
    /// The experiment that it names, itself or by its context.
    fn experiment(&self) -> Option<&Str>;
    /// The row that stands for it in an experiment that has no row for it.
    fn own_row(&self) -> Own<'_>;
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
    for (at, judged) in records.iter().enumerate() {
        match find(judged) {
            Err(refused) => packer.refuse(Refused { at, ..refused }),
            Ok(Found::Row(place, row)) => on_row(&mut packer, exporter, at, judged, place, row),
            Ok(Found::Experiment(id)) => on_experiment(&mut packer, exporter, at, judged, id),
        }
    }
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

/// A score is feedback; a number that is none is merged into the row, and what else is said of it is feedback then.
fn on_row<T: Judgement>(
    packer: &mut Packer,
    exporter: &BraintrustExporter,
    at: usize,
    judged: &T,
    place: Place,
    row: At,
) {
    let id = Id::Span(row.span);
    let item = |judged: &T, out: &mut Vec<u8>| push(out, &judged.item(exporter, id));
    let Verdict::Raw(value) = judged.verdict() else {
        return packer.add((place, Route::Feedback, id), at, &[], judged, item);
    };
    packer.degrade(at, judged.name());
    let raw = |judged: &T, out: &mut Vec<u8>| push(out, &raw_row(judged.name(), value, row));
    if !judged.item(exporter, id).says_something() {
        return packer.add((place, Route::Insert, id), at, &[], judged, raw);
    }
    alone(packer, exporter, at, judged, place, [(Route::Insert, &raw), (Route::Feedback, &item)]);
}

/// An experiment as a whole has no row, so that the judgement is one, and then has feedback.
fn on_experiment<T: Judgement>(
    packer: &mut Packer,
    exporter: &BraintrustExporter,
    at: usize,
    judged: &T,
    experiment: Uuid,
) {
    let id = Id::Own(judged.id());
    let verdict = judged.verdict();
    let own = |judged: &T, out: &mut Vec<u8>| push(out, &own_row(judged, verdict));
    let item = |judged: &T, out: &mut Vec<u8>| push(out, &judged.item(exporter, id));
    let place = Place::Experiment(experiment);
    if matches!(verdict, Verdict::Raw(_)) {
        packer.degrade(at, judged.name());
    }
    if judged.item(exporter, id).says_something() {
        alone(packer, exporter, at, judged, place, [(Route::Insert, &own), (Route::Feedback, &item)]);
    } else {
        packer.add((place, Route::Insert, id), at, &[], judged, own);
    }
}

type Write<'a, T> = &'a dyn Fn(&T, &mut Vec<u8>) -> Result<(), String>;

/// A record that takes two posts: feedback is the second, since a comment that is sent again is a second comment.
fn alone<T: Judgement>(
    packer: &mut Packer,
    exporter: &BraintrustExporter,
    at: usize,
    judged: &T,
    place: Place,
    writes: [(Route, Write<'_, T>); 2],
) {
    let room = exporter.room();
    let mut posts = Vec::with_capacity(writes.len());
    for (route, write) in writes {
        match room.row(at, judged, write) {
            Ok(row) => posts.push(Post::of(place, route, &row)),
            Err(refused) => return packer.refuse(refused),
        }
    }
    packer.add_alone(at, posts);
}

/// The fields of a row that say a number as it is, with the row's ids, since this may be the first that is heard of it.
fn raw_row(name: &str, value: f64, at: At) -> Row<'_, Raw<'_>> {
    let (id, root) = (Id::Span(at.span), Id::Trace(at.trace));
    Row {
        id,
        span_id: id,
        root_span_id: root,
        span_parents: at.is_root.then_some(Parents(None)),
        input: None,
        output: None,
        error: None,
        metadata: Raw { raw_scores: Some(Named(name, Number(value))) },
        metrics: None,
        span_attributes: None,
        tags: Vec::new(),
        created: None,
        context: None,
        _is_merge: true,
    }
}

/// What a row of its own is called.
pub(crate) struct Own<'a> {
    pub(crate) name: &'a str,
    /// Braintrust's type, and its purpose.
    pub(crate) kind: &'static str,
    pub(crate) purpose: Option<&'static str>,
    pub(crate) time: obs_core::Timestamp,
}

fn own_row<T: Judgement>(judged: &T, verdict: Verdict<'_>) -> impl Serialize {
    let Own { name, kind, purpose, time } = judged.own_row();
    let id = Id::Own(judged.id());
    let raw_scores = match verdict {
        Verdict::Raw(value) => Some(Named(name, Number(value))),
        Verdict::Score(_) | Verdict::Words(_) => None,
    };
    Row {
        id,
        span_id: id,
        root_span_id: id,
        span_parents: Some(Parents(None)),
        input: None,
        output: None,
        error: None,
        metadata: Raw { raw_scores },
        metrics: Some(crate::metrics::at(time)),
        span_attributes: Some(SpanAttributes { name: Some(name), kind, purpose, log_level: None }),
        tags: Vec::new(),
        created: Some(Time(time)),
        context: None,
        _is_merge: true,
    }
}

/// Numbers that are no scores, by the names of what they measure.
#[derive(Serialize)]
struct Raw<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_scores: Option<Named<'a, Number>>,
}

/// A number as the canonical JSON has it: the others than the finite ones by their names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        obs_core::Value::F64(self.0).serialize(serializer)
    }
}

/// What is kept of a value in the metadata, where the score does not say it.
#[derive(Serialize)]
pub(crate) struct Kept<'a> {
    /// The number in its own measure, where the score is another number or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_scores: Option<Named<'a, Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
    /// A word that Braintrust has only in a comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

impl<'a> Kept<'a> {
    pub(crate) fn of(name: &'a str, value: &'a ScoreValue) -> Self {
        let (raw, range, word) = match value {
            ScoreValue::Numeric { value, range } => (Some(*value), *range, None),
            ScoreValue::Categorical(word) => (None, None, Some(word.as_str())),
            ScoreValue::Boolean(_) | ScoreValue::Text(_) => (None, None, None),
        };
        let raw = raw.filter(|raw| Verdict::of(value) != Verdict::Score(*raw));
        Self { raw_scores: raw.map(|raw| Named(name, Number(raw))), range, value: word }
    }
}

impl<M> Item<'_, M> {
    /// Whether there is anything that Braintrust takes feedback for.
    fn says_something(&self) -> bool {
        self.scores.is_some() || self.expected.is_some() || self.comment.is_some() || !self.tags.is_empty()
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
