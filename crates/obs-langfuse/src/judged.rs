//! What scores and feedback share: to Langfuse both are scores.

use std::borrow::Cow;

use obs_core::{
    Call, ErrorKind, Mapped, Records, Refused, Resource, ScoreValue, Str, Target, Timestamp, TraceContext,
    VisitText, encode_within, write_json,
};
use uuid::Uuid;

use crate::metadata::{Item, Metadata};
use crate::text;
use crate::wire::{Place, Request, ScoreBody, TargetBody, ValueBody};
use crate::{Ingestion, LangfuseConfig, LangfuseExporter, ingestion, trace};

/// The most scores of an array.
pub(crate) const ITEMS: usize = 100;

/// The most bytes of a request; the server's own limit is a little higher.
pub(crate) const BYTES: usize = 1_000_000;

/// The most of a free text, in UTF-16 units.
const LONGEST_TEXT: usize = 500;

/// What a score is made of.
pub(crate) struct Judged<'a> {
    pub(crate) id: Uuid,
    pub(crate) time: Timestamp,
    pub(crate) target: &'a Target,
    pub(crate) name: Cow<'a, str>,
    pub(crate) value: &'a ScoreValue,
    pub(crate) comment: Option<&'a Str>,
    /// Whether it says what the output should have been.
    pub(crate) is_correction: bool,
    pub(crate) context: &'a TraceContext,
    pub(crate) resource: &'a Resource,
    pub(crate) metadata: Metadata<'a>,
}

/// A record that is a score to Langfuse.
pub(crate) trait Judgement: VisitText + Clone {
    /// What it is made of.
    fn judged<'a>(&'a self, config: &LangfuseConfig) -> Judged<'a>;
}

/// Requests of judgements: one for each, or arrays.
///
/// An array of one goes as a single score, so that halving ends at a form that every server takes.
pub(crate) fn map<T: Judgement>(exporter: &LangfuseExporter, records: &Records<T>) -> Mapped<Request> {
    let config = exporter.config();
    if is_legacy(config) {
        return ingestion::judgements(config, records);
    }
    let items = if config.score_batch { ITEMS } else { 1 };
    let mut mapped = Mapped::default();
    let mut array = Array::default();
    for (at, record) in records.iter().enumerate() {
        match encoded(config, at, record, BYTES) {
            Ok(json) => {
                if array.records.len() == items || !array.has_room(json.len()) {
                    mapped.calls.extend(std::mem::take(&mut array).end());
                }
                array.push(at, &json);
            }
            Err(cause) => mapped.refused.push(cause),
        }
    }
    mapped.calls.extend(array.end());
    mapped
}

/// The body of one score, within so many bytes.
pub(crate) fn encoded<T: Judgement>(
    config: &LangfuseConfig,
    at: usize,
    record: &T,
    max: usize,
) -> Result<Vec<u8>, Refused> {
    fault(config, &record.judged(config))
        .map_or(Ok(()), |(kind, reason)| Err(Refused { at, kind, status: None, reason: reason.into() }))?;
    encode_within(at, record, max, |record| json(config, record.judged(config)))
}

/// Why Langfuse would refuse it, if it would.
fn fault(config: &LangfuseConfig, judged: &Judged<'_>) -> Option<(ErrorKind, &'static str)> {
    let no_target = match judged.target {
        Target::Session { session_id } => session_id.is_empty(),
        Target::ExperimentRun { run_id } => run_id.is_empty(),
        Target::Span { .. } | Target::Trace { .. } => false,
    };
    if no_target {
        return Some((
            ErrorKind::UnresolvableTarget,
            "the session or experiment run that is meant has no id",
        ));
    }
    if judged.name.is_empty() {
        return Some((ErrorKind::Encode, "it has no name, and Langfuse wants one"));
    }
    match judged.value {
        ScoreValue::Numeric { value, .. } if !value.is_finite() => {
            Some((ErrorKind::Encode, "its value is not finite, and Langfuse takes only numbers that are"))
        }
        ScoreValue::Text(text) if text.is_empty() && !is_legacy(config) && !corrects(config, judged) => {
            Some((ErrorKind::Encode, "its text is empty, and Langfuse wants at least one character"))
        }
        _ => None,
    }
}

fn is_legacy(config: &LangfuseConfig) -> bool {
    config.ingestion == Ingestion::Legacy
}

/// Whether it is a correction to Langfuse, which has them of observations and traces, in words; old servers have none.
fn corrects(config: &LangfuseConfig, judged: &Judged<'_>) -> bool {
    judged.is_correction
        && !is_legacy(config)
        && matches!(judged.target, Target::Span { .. } | Target::Trace { .. })
        && matches!(judged.value, ScoreValue::Categorical(_) | ScoreValue::Text(_))
}

fn json(config: &LangfuseConfig, judged: Judged<'_>) -> Result<Vec<u8>, String> {
    let is_correction = corrects(config, &judged);
    let environment = trace::environment(config, judged.context, judged.resource);
    let Judged { id, time, target, name, value, comment, mut metadata, .. } = judged;
    let mut comment = comment.map(Str::as_str);
    let value_body = value_of(config, value, is_correction);
    if let (ValueBody::Text(Cow::Owned(_)), ScoreValue::Categorical(whole) | ScoreValue::Text(whole)) =
        (&value_body, value)
    {
        match comment {
            None => comment = Some(whole),
            Some(_) => metadata.put("value", Item::Text(whole)),
        }
    }
    if let ScoreValue::Numeric { range: Some(range), .. } = value {
        metadata.put("range", Item::Range(*range));
    }
    let body = ScoreBody {
        id,
        target: target_of(target),
        // The server calls corrections so whatever they are called here.
        name: if is_correction { "output".into() } else { name },
        value: value_body,
        comment,
        metadata: metadata.observation(),
        environment: environment.as_deref(),
        timestamp: text::time(time),
    };
    let mut out = Vec::with_capacity(512);
    write_json(&mut out, &body).map_err(|cause| cause.to_string())?;
    Ok(out)
}

fn target_of(target: &Target) -> TargetBody<'_> {
    match target {
        Target::Span { trace_id, span_id, .. } => {
            TargetBody::Observation { trace_id: *trace_id, observation_id: *span_id }
        }
        Target::Trace { trace_id, .. } => TargetBody::Trace { trace_id: *trace_id },
        // Cut as the trace's is, so that both are the same session.
        Target::Session { session_id } => TargetBody::Session { session_id: text::name(session_id) },
        Target::ExperimentRun { run_id } => TargetBody::DatasetRun { dataset_run_id: run_id },
    }
}

/// The value by its type; of words that are too many, what fits, which is an owned text then.
///
/// Old servers know numbers, truth values and categories alone, so that all words are a category there, of any length.
fn value_of<'a>(config: &LangfuseConfig, value: &'a ScoreValue, is_correction: bool) -> ValueBody<'a> {
    match value {
        ScoreValue::Categorical(words) | ScoreValue::Text(words) if is_legacy(config) => {
            ValueBody::Categorical(words)
        }
        ScoreValue::Categorical(words) | ScoreValue::Text(words) if is_correction => {
            ValueBody::Correction(words)
        }
        ScoreValue::Numeric { value, .. } => ValueBody::Numeric(*value),
        ScoreValue::Boolean(value) => ValueBody::Boolean((*value).into()),
        ScoreValue::Text(words) => ValueBody::Text(text::cut(words, LONGEST_TEXT)),
        ScoreValue::Categorical(word) => match text::cut(word, LONGEST_TEXT) {
            Cow::Borrowed(word) => ValueBody::Categorical(word),
            cut @ Cow::Owned(_) => ValueBody::Text(cut),
        },
    }
}

/// Scores that go in one request.
#[derive(Default)]
struct Array {
    body: Vec<u8>,
    records: Vec<usize>,
}

impl Array {
    fn has_room(&self, bytes: usize) -> bool {
        // Beside the scores there are two brackets and a comma.
        self.records.is_empty() || self.body.len() + bytes + 3 <= BYTES
    }

    fn push(&mut self, at: usize, json: &[u8]) {
        self.body.push(if self.records.is_empty() { b'[' } else { b',' });
        self.body.extend_from_slice(json);
        self.records.push(at);
    }

    fn end(mut self) -> Option<Call<Request>> {
        match self.records.len() {
            0 => return None,
            1 => drop(self.body.remove(0)),
            _ => self.body.push(b']'),
        }
        let Self { body, records } = self;
        let request = Request { place: Place::Scores, body, len: records.len(), events: Vec::new() };
        Some(Call { request, records })
    }
}
