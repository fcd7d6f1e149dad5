//! Judgements as fields of rows: numbers that are no scores, and what is said of an experiment as a whole.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::kept::Number;
use super::{At, Judgement, Own, Verdict};
use crate::BraintrustExporter;
use crate::ids::{Id, Place};
use crate::pack::{Packer, Post, Room, Route, push};
use crate::wire::{Named, Parents, Row, SpanAttributes, Time};

/// The metadata of a row that a judgement writes to.
#[derive(Serialize)]
pub(super) struct Raw<'a, M: Serialize> {
    /// Numbers that are no scores, by the names of what they measure.
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub(super) raw_scores: Named<'a, Number>,
    #[serde(skip_serializing_if = "ById::is_empty")]
    pub(super) judgements: ById<M>,
}

/// What is known of each of several judgements, by its id.
pub(crate) struct ById<M>(pub(super) Vec<(Uuid, M)>);

impl<M> ById<M> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<M: Serialize> Serialize for ById<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (id, metadata) in &self.0 {
            map.serialize_entry(id, metadata)?;
        }
        map.end()
    }
}

/// The fields of a row that say numbers as they are, with the row's ids, since this may be the first that is heard of it.
pub(super) fn raw_row<M: Serialize>(at: At, metadata: Raw<'_, M>) -> Row<'_, Raw<'_, M>> {
    let (id, root) = (Id::Span(at.span), Id::Trace(at.trace));
    Row {
        id,
        span_id: id,
        root_span_id: root,
        span_parents: at.is_root.then_some(Parents(None)),
        input: None,
        output: None,
        error: None,
        metadata,
        metrics: None,
        span_attributes: None,
        tags: Vec::new(),
        created: None,
        context: None,
        _is_merge: true,
    }
}

/// An experiment as a whole has no row, so that the judgement is one, and then has feedback.
pub(super) fn on_experiment<T: Judgement>(
    packer: &mut Packer,
    exporter: &BraintrustExporter,
    at: usize,
    judged: &T,
    experiment: Uuid,
) {
    let id = Id::Own(judged.id());
    let says_something = judged.item(exporter, id).says_something();
    let own = |judged: &T, out: &mut Vec<u8>| push(out, &own_row(exporter, judged, !says_something));
    let item = |judged: &T, out: &mut Vec<u8>| push(out, &judged.item(exporter, id));
    let place = Place::Experiment(experiment);
    if matches!(judged.verdict(), Verdict::Raw(_)) {
        packer.degrade(at, &judged.score_name(exporter));
    }
    if says_something {
        let writes: [(Route, Write<'_, T>); 2] = [(Route::Insert, &own), (Route::Feedback, &item)];
        alone(packer, exporter.room(), (at, &[]), judged, place, writes);
    } else {
        packer.add((place, Route::Insert, id), at, &[], judged, own);
    }
}

pub(super) type Write<'a, T> = &'a dyn Fn(&T, &mut Vec<u8>) -> Result<(), String>;

/// What takes two posts: feedback is the second, since a comment that is sent again is a second comment.
pub(super) fn alone<T: obs_core::VisitText + Clone>(
    packer: &mut Packer,
    room: Room,
    (first, others): (usize, &[usize]),
    judged: &T,
    place: Place,
    writes: [(Route, Write<'_, T>); 2],
) {
    let mut posts = Vec::with_capacity(writes.len());
    for (route, write) in writes {
        match room.row(first, judged, write) {
            Ok(row) => posts.push(Post::of(place, route, &row)),
            Err(refused) => return packer.refuse_all(refused, others),
        }
    }
    packer.add_alone([&[first], others].concat(), posts);
}

/// The row that stands for a judgement; with all that is known of it where no feedback says that.
fn own_row<'a, T: Judgement>(
    exporter: &'a BraintrustExporter,
    judged: &'a T,
    whole: bool,
) -> impl Serialize + use<'a, T> {
    let Own { kind, purpose, time } = judged.own_row();
    let name = judged.score_name(exporter);
    let id = Id::Own(judged.id());
    let raw_scores = match judged.verdict() {
        Verdict::Raw(value) => Named::one(name.clone(), Number(value)),
        Verdict::Score(_) | Verdict::Words(_) => Named::default(),
    };
    let judgements =
        ById(whole.then(|| (judged.id(), judged.item(exporter, id).metadata)).into_iter().collect());
    Row {
        id,
        span_id: id,
        root_span_id: id,
        span_parents: Some(Parents(None)),
        input: None,
        output: None,
        error: None,
        metadata: Raw { raw_scores, judgements },
        metrics: Some(crate::numbers::at(time)),
        span_attributes: Some(SpanAttributes { name: Some(name), kind, purpose, log_level: None }),
        tags: Vec::new(),
        created: Some(Time(time)),
        context: None,
        _is_merge: true,
    }
}
