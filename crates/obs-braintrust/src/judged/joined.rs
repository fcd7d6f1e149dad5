//! Judgements of one row, sent as one: no request may have a row twice, and a hundred scores of a root are no hundred
//! requests.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use obs_core::{SpanId, TextVisitor, TraceId, VisitText};
use serde::Serialize;

use super::kept::Number;
use super::rows::{ById, Raw, Write, alone, raw_row};
use super::{At, Judgement, Verdict};
use crate::BraintrustExporter;
use crate::ids::{Id, Place};
use crate::pack::{Packer, Route, push};
use crate::wire::{Item, Named};

/// By which posts a judgement reaches its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    /// A score or words.
    Feedback,
    /// A number that is no score, and nothing else.
    Insert,
    /// A number that is no score, and words.
    Both,
}

type Key = (Place, TraceId, SpanId, Way);

/// Judgements that go as one.
struct Group<'a, T: Clone> {
    way: Way,
    place: Place,
    row: At,
    /// Positions, ascending.
    records: Vec<usize>,
    judged: Joined<'a, T>,
    /// What tells whether one more may join.
    names: HashSet<Cow<'a, str>>,
    source: &'static str,
    bytes: usize,
}

/// The judgements themselves, which are copied only where texts are cut.
#[derive(Clone)]
struct Joined<'a, T: Clone>(Vec<Cow<'a, T>>);

impl<T: VisitText + Clone> VisitText for Joined<'_, T> {
    fn visit_text(&mut self, visitor: &mut dyn TextVisitor) {
        self.0.iter_mut().for_each(|judged| judged.to_mut().visit_text(visitor));
    }
}

/// All groups, in the order of their first judgements.
pub(super) struct Groups<'a, T: Clone> {
    exporter: &'a BraintrustExporter,
    all: Vec<Group<'a, T>>,
    /// The last group of a row, if another judgement may join it.
    open: HashMap<Key, usize>,
}

impl<'a, T: Judgement> Groups<'a, T> {
    pub(super) fn new(exporter: &'a BraintrustExporter) -> Self {
        Self { exporter, all: Vec::new(), open: HashMap::new() }
    }

    /// Adds a judgement to the last group of its row where it may join that: what has its name, other tags, or an
    /// expectation is said later, and so is what makes the whole larger than a request of several rows.
    pub(super) fn add(&mut self, at: usize, judged: &'a T, place: Place, row: At) {
        let item = judged.item(self.exporter, Id::Span(row.span));
        let way = match judged.verdict() {
            Verdict::Raw(_) if item.says_something() => Way::Both,
            Verdict::Raw(_) => Way::Insert,
            Verdict::Score(_) | Verdict::Words(_) => Way::Feedback,
        };
        let joins =
            item.expected.is_none() && item.tags.is_empty() && (item.comment.is_none() || T::JOINS_WORDS);
        let (name, source) = (judged.score_name(self.exporter), item.source);
        let key = (place, row.trace, row.span, way);
        if let Some(group) = self.open.get(&key).map(|nth| &mut self.all[*nth]).filter(|_| joins) {
            if group.bytes == 0 {
                group.bytes = size(self.exporter, row.span, &*group.judged.0[0]);
            }
            let bytes = group.bytes + size(self.exporter, row.span, judged);
            if group.source == source
                && bytes <= self.exporter.room().usual
                && group.names.insert(name.clone())
            {
                group.bytes = bytes;
                group.row.is_root |= row.is_root;
                group.records.push(at);
                group.judged.0.push(Cow::Borrowed(judged));
                return;
            }
        }
        let nth = self.all.len();
        if joins {
            self.open.insert(key, nth);
        } else {
            self.open.remove(&key);
        }
        let judged = Joined(vec![Cow::Borrowed(judged)]);
        let names = HashSet::from([name]);
        self.all.push(Group { way, place, row, records: vec![at], judged, names, source, bytes: 0 });
    }

    /// Packs each group.
    pub(super) fn pack(self, packer: &mut Packer) {
        let exporter = self.exporter;
        for Group { way, place, row, records, judged, .. } in self.all {
            if way != Way::Feedback {
                for (at, judged) in records.iter().zip(&judged.0) {
                    packer.degrade(*at, &judged.score_name(exporter));
                }
            }
            let id = Id::Span(row.span);
            let (first, others) = (records[0], &records[1..]);
            let item = |judged: &Joined<'_, T>, out: &mut Vec<u8>| fed_back(exporter, judged, id, out);
            let raw = |judged: &Joined<'_, T>, out: &mut Vec<u8>| {
                push(out, &raw_row(row, numbers(exporter, judged, id, way)))
            };
            match way {
                Way::Feedback => packer.add((place, Route::Feedback, id), first, others, &judged, item),
                Way::Insert => packer.add((place, Route::Insert, id), first, others, &judged, raw),
                Way::Both => {
                    let writes: [(Route, Write<'_, _>); 2] =
                        [(Route::Insert, &raw), (Route::Feedback, &item)];
                    alone(packer, exporter.room(), (first, others), &judged, place, writes);
                }
            }
        }
    }
}

/// How many bytes a judgement takes, with room for what stands around it where several go as one.
fn size<T: Judgement>(exporter: &BraintrustExporter, span: SpanId, judged: &T) -> usize {
    let mut bytes = Vec::new();
    let written = push(&mut bytes, &judged.item(exporter, Id::Span(span)));
    // What cannot be written is refused alone.
    written.map_or(usize::MAX / 4, |()| bytes.len() + 2 * judged.name().len() + 64)
}

/// The numbers of some judgements; with all that is known of them where no feedback says that.
fn numbers<'a, T: Judgement>(
    exporter: &'a BraintrustExporter,
    joined: &'a Joined<'_, T>,
    id: Id,
    way: Way,
) -> Raw<'a, T::Metadata<'a>> {
    let (mut raw_scores, mut judgements) = (Named::default(), ById(Vec::new()));
    for judged in &joined.0 {
        if let Verdict::Raw(value) = judged.verdict() {
            raw_scores.push(judged.score_name(exporter), Number(value));
        }
        if way == Way::Insert {
            judgements.0.push((judged.id(), judged.item(exporter, id).metadata));
        }
    }
    Raw { raw_scores, judgements }
}

/// What several judgements say of themselves.
#[derive(Serialize)]
struct Judgements<M: Serialize> {
    judgements: ById<M>,
}

/// Writes the item of one judgement as it is; of several, with their scores by name, what they say one below the other,
/// and the metadata of each by its id.
fn fed_back<T: Judgement>(
    exporter: &BraintrustExporter,
    joined: &Joined<'_, T>,
    id: Id,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    if let [judged] = &joined.0[..] {
        return push(out, &judged.item(exporter, id));
    }
    let (mut scores, mut said, mut all) = (Named::default(), String::new(), Vec::new());
    let mut source = "";
    for judged in &joined.0 {
        let item = judged.item(exporter, id);
        if let Some(comment) = item.comment {
            let named = matches!(judged.verdict(), Verdict::Words(_));
            let name = if named { Cow::Borrowed("") } else { judged.score_name(exporter) + ": " };
            said.push_str(if said.is_empty() { "" } else { "\n" });
            said.push_str(&name);
            said.push_str(&comment);
        }
        scores.append(item.scores);
        all.push((judged.id(), item.metadata));
        source = item.source;
    }
    let comment = (!said.is_empty()).then_some(Cow::Owned(said));
    let metadata = Judgements { judgements: ById(all) };
    push(out, &Item { id, scores, expected: None, comment, metadata, source, tags: Vec::new() })
}
