//! Scores and feedback.

use std::borrow::Cow;

use obs_core::{Feedback, Score, ScoreValue, Str, Target};

use super::rest::{self, Rest};
use super::{Column, Tabular, json, nanos, printed, some, text};

impl Tabular for Score {
    const TABLE: &'static [&'static [Column<Self>]] = &[
        SCORE,
        Column::<Self>::JUDGED,
        SCORER,
        &[Column::<Self>::USER],
        Column::<Self>::METADATA,
        Column::<Self>::CONTEXT,
        &[Column::json("rest", rest::DOC, |score| {
            let context = &score.context;
            Rest::default()
                .time(score.time)
                .session(context.session_id.as_ref(), session(score))
                .experiment(context.experiment_id.as_ref(), score.experiment_id.as_ref())
                .cell()
        })],
    ];
}

impl Tabular for Feedback {
    const TABLE: &'static [&'static [Column<Self>]] = &[
        FEEDBACK,
        Column::<Self>::JUDGED,
        GIVER,
        Column::<Self>::METADATA,
        Column::<Self>::CONTEXT,
        &[Column::json("rest", rest::DOC, |feedback| {
            let context = &feedback.context;
            Rest::default()
                .time(feedback.time)
                .session(context.session_id.as_ref(), session(feedback))
                .user(context.user_id.as_ref(), feedback.user_id.as_ref())
                .experiment(context.experiment_id.as_ref(), feedback.experiment_id.as_ref())
                .cell()
        })],
    ];
}

const SCORE: &[Column<Score>] = &[
    Column::text("id", "Made by the client: a retry has the same.", |score| printed(Some(score.id))),
    Column::time("time", "When the judgement was made.", |score| Some(score.time)),
    Column::integer("time_ns", "The same in nanoseconds since 1970.", |score| Some(nanos(score.time))),
    Column::text("name", "What was measured.", |score| text(&score.name)),
];

const SCORER: &[Column<Score>] = &[
    Column::text("scorer", "What judged: its name, else its id.", |score| {
        some(score.scorer.as_ref().and_then(|scorer| scorer.name.as_ref().or(scorer.id.as_ref())))
    }),
    Column::text("scorer_id", "The stable id of what judged.", |score| {
        some(score.scorer.as_ref().and_then(|scorer| scorer.id.as_ref()))
    }),
    Column::text("scorer_version", "The version of what judged.", |score| {
        some(score.scorer.as_ref().and_then(|scorer| scorer.version.as_ref()))
    }),
];

const FEEDBACK: &[Column<Feedback>] = &[
    Column::text("id", "Made by the client: a retry has the same.", |feedback| printed(Some(feedback.id))),
    Column::time("time", "When it was given.", |feedback| Some(feedback.time)),
    Column::integer("time_ns", "The same in nanoseconds since 1970.", |feedback| Some(nanos(feedback.time))),
    Column::text("kind", "What kind it is: `thumbs`, `rating`, `comment`.", |feedback| text(&feedback.kind)),
];

const GIVER: &[Column<Feedback>] =
    &[Column::text("user_id", "Who gave it.", |feedback| some(feedback.user_id.as_ref()))];

/// What scores and feedback have in common.
pub(crate) trait Judgement {
    /// What it is about, its value, its words, where it is from, its experiment and the session of its context.
    fn parts(&self) -> Parts<'_>;
}

/// See [`Judgement::parts`].
pub(crate) struct Parts<'a> {
    target: &'a Target,
    value: &'a ScoreValue,
    comment: Option<&'a Str>,
    source: Option<&'a Str>,
    experiment_id: Option<&'a Str>,
    context_session: Option<&'a Str>,
    metadata: &'a obs_core::Attributes,
}

macro_rules! judgements {
    ($($record:ty),*) => {
        $(impl Judgement for $record {
            fn parts(&self) -> Parts<'_> {
                Parts {
                    target: &self.target,
                    value: &self.value,
                    comment: self.comment.as_ref(),
                    source: self.source.as_ref(),
                    experiment_id: self.experiment_id.as_ref(),
                    context_session: self.context.session_id.as_ref(),
                    metadata: &self.metadata,
                }
            }
        })*
    };
}

judgements!(Score, Feedback);

impl<T: Judgement + 'static> Column<T> {
    const JUDGED: &'static [Self] = &[
        Self::text("value_type", "`numeric`, `boolean`, `categorical` or `text`.", |at| {
            Some(value_type(at.parts().value).into())
        }),
        Self::float("value", "The number; a boolean as 0 or 1.", |at| at.parts().value.as_f64()),
        Self::text("label", "The words; a boolean as `true` or `false`.", |at| label(at.parts().value)),
        Self::float("value_min", "The least that the number can be, if known.", |at| {
            range(at.parts().value).map(|range| range.min)
        }),
        Self::float("value_max", "The greatest that the number can be, if known.", |at| {
            range(at.parts().value).map(|range| range.max)
        }),
        Self::text("comment", "Why, or anything else, in words.", |at| some(at.parts().comment)),
        Self::text("source", "Where it comes from.", |at| some(at.parts().source)),
        Self::text("target", "What it is about: `span`, `trace`, `session` or `experiment_run`.", |at| {
            Some(target(at.parts().target).into())
        }),
        Self::text("trace_id", "The trace it is about.", |at| printed(at.parts().target.trace_id())),
        Self::text("span_id", "The span it is about.", |at| printed(at.parts().target.span_id())),
        Self::text("root_span_id", "The root of the trace it is about, if known.", |at| {
            printed(at.parts().target.root_span_id())
        }),
        Self::text("session_id", "The session it is about, else the context's.", |at| some(session(at))),
        Self::text("run_id", "The run of an experiment it is about.", |at| match at.parts().target {
            Target::ExperimentRun { run_id } => text(run_id),
            _ => None,
        }),
        Self::text("experiment_id", "The experiment it belongs to.", |at| some(at.parts().experiment_id)),
    ];

    const METADATA: &'static [Self] = &[Self::json("metadata", "Anything else.", |at| {
        let metadata = at.parts().metadata;
        if metadata.is_empty() { Ok(None) } else { json(metadata) }
    })];
}

fn session<T: Judgement>(judgement: &T) -> Option<&Str> {
    let Parts { target, context_session, .. } = judgement.parts();
    match target {
        Target::Session { session_id } => Some(session_id),
        _ => context_session,
    }
}

fn target(target: &Target) -> &'static str {
    match target {
        Target::Span { .. } => "span",
        Target::Trace { .. } => "trace",
        Target::Session { .. } => "session",
        Target::ExperimentRun { .. } => "experiment_run",
    }
}

fn value_type(value: &ScoreValue) -> &'static str {
    match value {
        ScoreValue::Numeric { .. } => "numeric",
        ScoreValue::Boolean(_) => "boolean",
        ScoreValue::Categorical(_) => "categorical",
        ScoreValue::Text(_) => "text",
    }
}

fn label(value: &ScoreValue) -> Option<Cow<'_, str>> {
    match value {
        ScoreValue::Numeric { .. } => None,
        ScoreValue::Boolean(value) => Some(if *value { "true" } else { "false" }.into()),
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => text(words),
    }
}

fn range(value: &ScoreValue) -> Option<obs_core::Range> {
    match value {
        ScoreValue::Numeric { range, .. } => *range,
        _ => None,
    }
}
