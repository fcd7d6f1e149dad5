//! Scores and feedback.

mod instance;

use std::sync::Arc;

use obs_core::{
    Attributes, Feedback, Range, Resource, Score, ScoreValue, Scorer, Signal, Span, Str, Target, Timestamp,
    TraceContext, Value,
};
use obs_pipeline::Intake;
use uuid::Uuid;

use crate::instance::Instance;
use crate::reading::{Judgement, Reading};
use crate::{entity, ids};

/// Where a judgement goes when it is made.
#[derive(Debug)]
pub(crate) enum Sink {
    Intake(Intake),
    /// It waits there until its trace is known.
    Reading(Arc<Reading>),
}

impl Sink {
    pub(crate) fn take(&self, judgement: Judgement) {
        match self {
            Self::Intake(intake) => judgement.record(intake),
            Self::Reading(reading) => reading.take(judgement),
        }
    }
}

macro_rules! builder {
    ($(#[$doc:meta])* $name:ident, $record:ident, $signal:ident, $what:ident) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $name(Option<Box<(Sink, $record)>>);

        impl $name {
            pub(crate) fn new(
                intake: &Intake,
                target: Target,
                $what: impl Into<Str>,
                value: impl Into<ScoreValue>,
                under: &Span,
            ) -> Self {
                if !intake.wants().contains(Signal::$signal) {
                    return Self(None);
                }
                // A judgement of a run is one of the agent or workflow that ran.
                Self::within(intake, target, $what, value, &entity::below(under), &under.resource)
            }

            pub(crate) fn within(
                intake: &Intake,
                target: Target,
                $what: impl Into<Str>,
                value: impl Into<ScoreValue>,
                context: &Arc<TraceContext>,
                resource: &Arc<Resource>,
            ) -> Self {
                if !intake.wants().contains(Signal::$signal) {
                    return Self(None);
                }
                let time = intake.clock().now();
                let mut record = $record::new(ids::record_id(time), time, target, $what, value);
                record.context = Arc::clone(context);
                record.resource = Arc::clone(resource);
                record.experiment_id.clone_from(&context.experiment_id);
                Self(Some(Box::new((Sink::Intake(intake.clone()), record))))
            }

            /// One that takes another way than straight into the intake.
            pub(crate) fn by_way_of(
                sink: impl FnOnce() -> Sink,
                instance: &Instance,
                target: Target,
                $what: Str,
                value: ScoreValue,
            ) -> Self {
                let (context, resource) = (instance.trace_context(), instance.resource());
                let mut builder = Self::within(instance.intake(), target, $what, value, context, resource);
                if let Some(open) = &mut builder.0 {
                    open.0 = sink();
                }
                builder
            }

            fn change(&mut self, change: impl FnOnce(&mut $record)) -> &mut Self {
                if let Some(open) = &mut self.0 {
                    change(&mut open.1);
                }
                self
            }

            /// An id of one's own, so that the same judgement made twice is one.
            pub fn id(&mut self, id: Uuid) -> &mut Self {
                self.change(|record| record.id = id)
            }

            /// When the judgement was made, where that was not now.
            pub fn time(&mut self, time: Timestamp) -> &mut Self {
                self.change(|record| record.time = time)
            }

            /// What a number can range over, both ends included; words and booleans have no range.
            pub fn range(&mut self, min: f64, max: f64) -> &mut Self {
                self.change(|record| {
                    if let ScoreValue::Numeric { range, .. } = &mut record.value {
                        *range = Some(Range { min, max });
                    }
                })
            }

            /// Says why, in words.
            pub fn comment(&mut self, comment: impl Into<Str>) -> &mut Self {
                self.change(|record| record.comment = Some(comment.into()))
            }

            /// Says where it comes from.
            pub fn source(&mut self, source: impl Into<Str>) -> &mut Self {
                self.change(|record| record.source = Some(source.into()))
            }

            /// The experiment it belongs to, where it is not the trace's.
            pub fn experiment(&mut self, id: impl Into<Str>) -> &mut Self {
                self.change(|record| record.experiment_id = Some(id.into()))
            }

            /// Adds anything else.
            pub fn with(&mut self, key: impl Into<Str>, value: impl Into<Value>) -> &mut Self {
                self.change(|record| record.metadata.insert(key, value))
            }

            /// Adds all of these.
            pub fn metadata(&mut self, metadata: Attributes) -> &mut Self {
                self.change(|record| {
                    for (key, value) in metadata {
                        record.metadata.insert(key, value);
                    }
                })
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                if let Some(open) = self.0.take() {
                    let (sink, record) = *open;
                    sink.take(Judgement::$record(record));
                }
            }
        }
    };
}

builder! {
    /// A score under way; it is recorded when it is dropped.
    ScoreBuilder, Score, Scores, name
}

builder! {
    /// Feedback under way; it is recorded when it is dropped.
    FeedbackBuilder, Feedback, Feedback, kind
}

impl ScoreBuilder {
    /// What judged: a name, and a version if it has one.
    pub fn scorer(&mut self, name: impl Into<Str>, version: Option<Str>) -> &mut Self {
        self.change(|score| score.scorer = Some(Scorer { id: None, name: Some(name.into()), version }))
    }
}

impl FeedbackBuilder {
    /// Who gave it.
    pub fn user(&mut self, id: impl Into<Str>) -> &mut Self {
        self.change(|feedback| feedback.user_id = Some(id.into()))
    }
}
