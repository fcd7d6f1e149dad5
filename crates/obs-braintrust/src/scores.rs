//! Scores into feedback on rows.

use std::borrow::Cow;

use obs_core::{Mapped, Records, Score, Scorer, Str, Target};
use serde::Serialize;
use uuid::Uuid;

use crate::BraintrustExporter;
use crate::ids::Id;
use crate::judged::{Judgement, Kept, Own, Verdict, map as map_judged, words};
use crate::metadata::{Loose, Metadata, Shared};
use crate::pack::Request;
use crate::wire::{Item, Named, Time};

/// One item of feedback for a score.
pub(crate) fn map(exporter: &BraintrustExporter, records: &Records<Score>) -> Mapped<Request> {
    map_judged(exporter, records)
}

/// What a score has that Braintrust has no field for; it stands in the row's history.
#[derive(Serialize)]
pub(crate) struct OfScore<'a> {
    score_id: Uuid,
    time: Time,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scorer: Option<&'a Scorer>,
    #[serde(flatten)]
    kept: Kept<'a>,
}

impl Judgement for Score {
    type Metadata<'a> = Metadata<'a, OfScore<'a>>;

    /// A scorer's reasons are told apart by its name.
    const JOINS_WORDS: bool = true;

    fn id(&self) -> Uuid {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn score_name<'a>(&'a self, _: &'a BraintrustExporter) -> Cow<'a, str> {
        self.name.as_str().into()
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn verdict(&self) -> Verdict<'_> {
        Verdict::of(&self.value)
    }

    fn experiment(&self) -> Option<&Str> {
        self.experiment_id.as_ref().or(self.context.experiment_id.as_ref())
    }

    fn own_row(&self) -> Own {
        Own { kind: "score", purpose: Some("scorer"), time: self.time }
    }

    fn item<'a>(&'a self, exporter: &'a BraintrustExporter, id: Id) -> Item<'a, Self::Metadata<'a>> {
        let (score, said) = match self.verdict() {
            Verdict::Score(value) => (Some(value), None),
            Verdict::Raw(_) => (None, None),
            Verdict::Words(words) => (None, Some(format!("{}: {words}", self.name))),
        };
        Item {
            id,
            scores: score.map(|value| Named::one(self.name.as_str().into(), value)).unwrap_or_default(),
            expected: None,
            comment: words(said, self.comment.as_ref()),
            metadata: Metadata {
                own: OfScore {
                    score_id: self.id,
                    time: Time(self.time),
                    name: &self.name,
                    source: self.source.as_deref(),
                    scorer: self.scorer.as_ref(),
                    kept: Kept::of(self.name.as_str().into(), &self.value),
                },
                shared: Shared::of(&self.context, &self.resource).naming(self.experiment_id.as_ref(), None),
                loose: Loose::of(&self.metadata, &self.context),
            },
            source: exporter.score_source().as_str(),
            tags: Vec::new(),
        }
    }
}
