//! What scores and feedback have in common: both are LangSmith's feedback.

use std::borrow::Cow;

use obs_core::{
    Call, Mapped, Range, Refused, ScoreValue, SpanId, Str, Target, Timestamp, TraceId, write_json,
};
use uuid::Uuid;

use crate::LangsmithExporter;
use crate::config::FeedbackTransport;
use crate::ids::{RunIds, of_trace, padded};
use crate::multipart::feedback_size;
use crate::sending::Request;
use crate::settings::Settings;
use crate::wire::{FeedbackBody, FeedbackCategory, FeedbackConfig, FeedbackSource, Number, SourceMetadata};

/// The longest key, in characters.
const KEY: usize = 180;

/// A feedback as it goes on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) id: Uuid,
    /// Whether it may be a part of a multipart body: the server must be told the root of its trace.
    pub(crate) by_part: bool,
    pub(crate) json: Vec<u8>,
}

/// A score or a person's feedback, as LangSmith sees it.
#[derive(Debug)]
pub(crate) struct Judgement<'a> {
    pub(crate) id: Uuid,
    pub(crate) time: Timestamp,
    pub(crate) target: &'a Target,
    pub(crate) key: Cow<'a, str>,
    pub(crate) value: Given<'a>,
    pub(crate) comment: Option<&'a str>,
    pub(crate) correction: Option<Cow<'a, str>>,
    pub(crate) source_type: &'static str,
    pub(crate) source: SourceMetadata<'a>,
}

/// What was given.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Given<'a> {
    /// A value.
    Value(&'a ScoreValue),
    /// Words that stand elsewhere, as a correction does.
    Elsewhere,
}

/// The run that a judgement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    run_id: Option<Uuid>,
    trace_id: Option<Uuid>,
    session_id: Option<Uuid>,
}

impl Judgement<'_> {
    /// Encodes it; an error says why its target cannot be found, or why it is no JSON.
    pub(crate) fn encode(&self, exporter: &LangsmithExporter, at: usize) -> Result<Judged, Refused> {
        let settings = &exporter.settings;
        let mut place = place(settings.run_ids, self.target, exporter.project_id())
            .map_err(|reason| Refused::unresolvable_target(at, reason))?;
        // The trace's root may be in another process, where it is the top of another tree than this run's.
        if let Target::Span { trace_id, span_id, .. } = self.target {
            place.trace_id = exporter.trees.get((*trace_id, *span_id)).or(place.trace_id);
        }
        if self.key.is_empty() {
            return Err(Refused::encode(at, "it has no name, which is LangSmith's key of it; give one"));
        }
        let key = shortened(&self.key);
        let (score, value) = self.value.number_and_words(settings, &key);
        let body = FeedbackBody {
            id: self.id,
            key: &key,
            run_id: place.run_id,
            trace_id: place.trace_id,
            session_id: place.session_id,
            score,
            value,
            comment: self.comment,
            correction: self.correction.as_deref().map(Cow::from),
            feedback_source: FeedbackSource { r#type: self.source_type, metadata: self.source },
            feedback_config: self.value.config(settings, &key),
            created_at: self.time.rfc3339().micros(),
            extend_trace_retention: settings.extend_trace_retention,
        };
        let mut json = Vec::with_capacity(512);
        write_json(&mut json, &body).map_err(|cause| Refused::encode(at, cause.to_string()))?;
        Ok(Judged { id: self.id, by_part: place.run_id.is_some() && place.trace_id.is_some(), json })
    }
}

/// What LangSmith knows the target as; the top of its tree where it follows from the target alone.
fn place(ids: RunIds, target: &Target, session_id: Option<Uuid>) -> Result<Place, String> {
    let of = |run_id, trace_id| Place { run_id: Some(run_id), trace_id, session_id };
    match (target, ids) {
        (Target::Session { .. }, _) => {
            Err("LangSmith has no feedback on sessions; judge a span or a trace of the session".into())
        }
        (Target::ExperimentRun { run_id }, _) => {
            let session_id = Uuid::parse_str(run_id).map_err(|_| {
                format!("\"{run_id}\" is no id of an experiment of LangSmith's; they are UUIDs")
            })?;
            Ok(Place { run_id: None, trace_id: None, session_id: Some(session_id) })
        }
        (_, RunIds::Uuid7) => {
            Err("with run_ids = \"uuid7\" the id of a run has its start, which a score does not \
                                   know; set run_ids = \"otel_padded\""
                .into())
        }
        (Target::Span { span_id, root_span_id, .. }, RunIds::OtelPadded) => {
            Ok(of(padded(*span_id), root_span_id.filter(|root| root == span_id).map(padded)))
        }
        (Target::Span { trace_id, span_id, root_span_id }, RunIds::TraceRoot) => match root_span_id {
            Some(root) if root == span_id => Ok(of(of_trace(*trace_id), Some(of_trace(*trace_id)))),
            Some(_) => Ok(of(padded(*span_id), None)),
            None => Err(unknown_root(*trace_id, Some(*span_id))),
        },
        (Target::Trace { trace_id, .. }, RunIds::TraceRoot) => {
            Ok(of(of_trace(*trace_id), Some(of_trace(*trace_id))))
        }
        (Target::Trace { trace_id, root_span_id }, RunIds::OtelPadded) => match root_span_id {
            Some(root) => Ok(of(padded(*root), Some(padded(*root)))),
            None => Err(unknown_root(*trace_id, None)),
        },
    }
}

fn unknown_root(trace_id: TraceId, span_id: Option<SpanId>) -> String {
    match span_id {
        Some(span_id) => format!(
            "whether the span {span_id} is the root of the trace {trace_id} is not known, and with run_ids = \
             \"trace_root\" its run's id depends on it; give the root in the target"
        ),
        None => format!(
            "LangSmith keeps feedback with runs, and the root of the trace {trace_id} is not known; give it in the \
             target, or set run_ids = \"trace_root\""
        ),
    }
}

impl<'a> Given<'a> {
    /// The number that is compared and averaged, and the words that are shown.
    fn number_and_words(self, settings: &'a Settings, key: &str) -> (Option<Number>, Option<&'a str>) {
        let Self::Value(value) = self else { return (None, None) };
        match value {
            ScoreValue::Numeric { value, .. } if value.is_finite() => (Some(Number::Value(*value)), None),
            ScoreValue::Numeric { value, .. } => (None, Some(name_of(*value))),
            ScoreValue::Boolean(value) => (Some(Number::Truth(u8::from(*value))), None),
            ScoreValue::Categorical(word) => {
                let number = settings.categories.get(key).and_then(|known| known.get(word.as_str()));
                (number.map(|number| Number::Value(*number)), Some(word))
            }
            ScoreValue::Text(words) => (None, Some(words)),
        }
    }

    /// What the key's values can be, as far as one value and the settings tell.
    fn config(self, settings: &'a Settings, key: &str) -> Option<FeedbackConfig<'a>> {
        let Self::Value(value) = self else { return None };
        let of = |r#type, categories| FeedbackConfig { r#type, min: None, max: None, categories };
        let config = match value {
            ScoreValue::Numeric { range: Some(Range { min, max }), .. } => {
                // One that holds nothing says nothing.
                let finite = |bound: f64| Some(bound).filter(|bound| bound.is_finite() && min < max);
                FeedbackConfig { min: finite(*min), max: finite(*max), ..of("continuous", Vec::new()) }
            }
            ScoreValue::Boolean(_) => of(
                "categorical",
                vec![
                    FeedbackCategory { value: Number::Truth(1), label: "true" },
                    FeedbackCategory { value: Number::Truth(0), label: "false" },
                ],
            ),
            ScoreValue::Categorical(_) => {
                let known = settings.categories.get(key)?.iter();
                let category = |(label, value): (&'a String, &f64)| FeedbackCategory {
                    value: Number::Value(*value),
                    label,
                };
                of("categorical", known.map(category).collect())
            }
            ScoreValue::Text(_) => of("freeform", Vec::new()),
            ScoreValue::Numeric { range: None, .. } => return None,
        };
        settings.feedback_config.then_some(config)
    }
}

/// A number that JSON has no form for, in the words of obs.
fn name_of(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// A key as long as LangSmith takes it, with a mark where it was cut.
fn shortened(key: &str) -> Cow<'_, str> {
    match key.char_indices().nth(KEY) {
        None => key.into(),
        Some(_) => key.chars().take(KEY - 1).chain(['…']).collect(),
    }
}

/// Who judged, in LangSmith's words.
pub(crate) fn source_type(source: Option<&str>, by_model: bool) -> &'static str {
    match source {
        Some("app" | "human") => "app",
        _ if by_model => "model",
        _ => "api",
    }
}

/// The words of a value that has no number.
pub(crate) fn words(value: &ScoreValue) -> Option<&Str> {
    match value {
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => Some(words),
        ScoreValue::Numeric { .. } | ScoreValue::Boolean(_) => None,
    }
}

/// Adds judgements in as few requests as the server takes: parts of multipart bodies, and one request each for those
/// that cannot be parts.
pub(crate) fn gather(
    exporter: &LangsmithExporter,
    judged: impl Iterator<Item = Result<Judged, Refused>>,
) -> Mapped<Request> {
    let (limits, transport) = (exporter.server.limits(), exporter.settings.feedback_transport);
    let multipart = match transport {
        FeedbackTransport::Auto => exporter.server.takes_feedback_parts(),
        FeedbackTransport::Multipart => true,
        FeedbackTransport::Single => false,
    };
    let mut mapped = Mapped::default();
    let (mut parts, mut records, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (at, judged) in judged.enumerate() {
        let judged = match judged {
            Ok(judged) => judged,
            Err(refused) => {
                mapped.refused.push(refused);
                continue;
            }
        };
        if !(multipart && judged.by_part) {
            mapped.calls.push(Call { request: Request::Feedback(judged), records: vec![at] });
            continue;
        }
        let size = feedback_size(judged.json.len());
        if parts.len() >= limits.items || (bytes + size > limits.bytes && !parts.is_empty()) {
            let request = Request::FeedbackParts(std::mem::take(&mut parts));
            mapped.calls.push(Call { request, records: std::mem::take(&mut records) });
            bytes = 0;
        }
        bytes += size;
        parts.push(judged);
        records.push(at);
    }
    if !parts.is_empty() {
        mapped.calls.push(Call { request: Request::FeedbackParts(parts), records });
    }
    mapped
}
