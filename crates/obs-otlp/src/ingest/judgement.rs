//! What our own writer says of a judgement, for which OpenTelemetry has no names.

use obs_core::{Attributes, Log, Range, ScoreValue, Scorer, SpanId, SpanRef, Str, Target, Value};
use uuid::Uuid;

use crate::encode::evaluation as own;

/// What is said in attributes of ours.
#[derive(Debug, Default)]
pub(super) struct Own {
    pub(super) id: Option<Uuid>,
    pub(super) is_feedback: bool,
    pub(super) value_type: Option<Str>,
    pub(super) range: Option<Range>,
    pub(super) source: Option<Str>,
    pub(super) scorer: Scorer,
    pub(super) user_id: Option<Str>,
    pub(super) experiment_id: Option<Str>,
    target: Option<Str>,
    root: Option<SpanId>,
    session_id: Option<Str>,
    run_id: Option<Str>,
}

impl Own {
    /// Takes what is said out of an event's attributes; what says something else stays.
    pub(super) fn take(attributes: &mut Attributes) -> Self {
        let range = match (attributes.get(own::RANGE_MIN), attributes.get(own::RANGE_MAX)) {
            (Some(Value::F64(min)), Some(Value::F64(max))) => Some(Range { min: *min, max: *max }),
            _ => None,
        };
        if range.is_some() {
            attributes.remove(own::RANGE_MIN);
            attributes.remove(own::RANGE_MAX);
        }
        let mut text = |key: &str| match attributes.get(key) {
            Some(Value::Str(_)) => match attributes.remove(key) {
                Some(Value::Str(text)) => Some(text),
                _ => None,
            },
            _ => None,
        };
        let (source, user_id, experiment_id) =
            (text(own::SOURCE), text(own::USER_ID), text(own::EXPERIMENT_ID));
        let scorer = Scorer {
            id: text(own::SCORER_ID),
            name: text(own::SCORER_NAME),
            version: text(own::SCORER_VERSION),
        };
        let (session_id, run_id) = (text(own::TARGET_SESSION), text(own::TARGET_RUN));
        let mut known = Known(attributes);
        Self {
            id: known.parsed(own::ID),
            root: known.parsed(own::ROOT),
            is_feedback: known.word(own::KIND, &[own::FEEDBACK]).is_some(),
            value_type: known.word(own::VALUE_TYPE, &[own::BOOLEAN, own::CATEGORICAL, own::TEXT]),
            target: known.word(own::TARGET, &[own::TRACE, own::SESSION, own::EXPERIMENT_RUN]),
            range,
            source,
            scorer,
            user_id,
            experiment_id,
            session_id,
            run_id,
        }
    }

    /// What a log judges; where it does not say so, what it stands under, else its session.
    pub(super) fn target(&self, log: &Log) -> Option<Target> {
        let session = || self.session_id.clone().or_else(|| log.context.session_id.clone());
        Some(match (self.target.as_deref(), log.span) {
            (Some(own::EXPERIMENT_RUN), _) => Target::ExperimentRun { run_id: self.run_id.clone()? },
            (Some(own::SESSION), _) | (_, None) => Target::Session { session_id: session()? },
            (Some(own::TRACE), Some(SpanRef { trace_id, span_id })) => {
                Target::Trace { trace_id, root_span_id: span_id }
            }
            (_, Some(SpanRef { trace_id, span_id: Some(span_id) })) => {
                Target::Span { trace_id, span_id, root_span_id: self.root }
            }
            (_, Some(SpanRef { trace_id, span_id: None })) => {
                Target::Trace { trace_id, root_span_id: self.root }
            }
        })
    }

    /// The value, if it is said to be no number.
    pub(super) fn value(&self, number: Option<f64>, label: Option<&Str>) -> Option<ScoreValue> {
        match (self.value_type.as_deref()?, label) {
            (own::BOOLEAN, _) if number == Some(1.0) => Some(ScoreValue::Boolean(true)),
            (own::BOOLEAN, _) if number == Some(0.0) => Some(ScoreValue::Boolean(false)),
            (own::CATEGORICAL, Some(label)) => Some(ScoreValue::Categorical(label.clone())),
            (own::TEXT, Some(label)) => Some(ScoreValue::Text(label.clone())),
            _ => None,
        }
    }
}

/// Attributes of which those are taken that hold what they should.
struct Known<'a>(&'a mut Attributes);

impl Known<'_> {
    fn parsed<T: std::str::FromStr>(&mut self, key: &str) -> Option<T> {
        let parsed = self.0.get(key)?.as_str()?.parse().ok()?;
        self.0.remove(key);
        Some(parsed)
    }

    fn word(&mut self, key: &str, words: &[&str]) -> Option<Str> {
        let word = self.0.get(key)?.as_str().filter(|word| words.contains(word)).map(Str::copied)?;
        self.0.remove(key);
        Some(word)
    }
}
