//! The platform's JSON, in the platform's words; no logic.

use obs_core::{Attributes, Labels, Payload, Rfc3339, SpanId, Str, Timestamp, TraceId, Value};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::attributes::Typed;
use crate::correlation::Correlation;
use crate::fields::Fields;
use crate::usage::CostContext;

/// A span of `…/spans/publish`: a span as Mastra exports it, and the names of its storage for some of the same.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SpanBody<'a, M> {
    pub(crate) id: SpanId,
    pub(crate) trace_id: TraceId,
    pub(crate) name: &'a str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entity_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entity_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entity_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<Typed<'a>>,
    pub(crate) metadata: M,
    pub(crate) start_time: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<&'a Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<&'a Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_info: Option<Fault<'a>>,
    pub(crate) is_event: bool,
    pub(crate) is_root_span: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_span_id: Option<SpanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_parent_span_id: Option<SpanId>,
    #[serde(skip_serializing_if = "<[Str]>::is_empty")]
    pub(crate) tags: &'a [Str],
    pub(crate) span_id: SpanId,
    pub(crate) span_type: &'static str,
    pub(crate) started_at: Time,
    pub(crate) ended_at: Option<Time>,
    pub(crate) error: Option<Fault<'a>>,
    pub(crate) created_at: Time,
    /// Always `null`.
    pub(crate) updated_at: (),
}

/// What went wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault<'a> {
    /// All that is known of it.
    Info(&'a obs_core::ErrorInfo),
    /// A span that failed and does not say how.
    Unknown,
}

impl Serialize for Fault<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = Fields::new(serializer.serialize_map(None)?);
        match self {
            Self::Unknown => out.put("message", "it failed, and did not say how")?,
            Self::Info(info) => {
                out.put("message", &info.message)?;
                out.some("id", info.error_id)?;
                out.some("name", info.error_type.as_ref())?;
                out.some("stack", info.stack.as_ref())?;
                out.some("domain", info.domain.as_ref())?;
                out.some("category", info.category.as_ref())?;
                let none = info.code.is_none() && info.sources.is_empty() && info.details.is_empty();
                out.some("details", (!none).then_some(Details(info)))?;
            }
        }
        out.end()
    }
}

/// What Mastra has no field for in an error; what is named like ours stands in an object of its own.
struct Details<'a>(&'a obs_core::ErrorInfo);

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const OURS: [&str; 3] = ["code", "sources", "details"];
        let Self(info) = self;
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.some("code", info.code.as_ref())?;
        out.list("sources", &info.sources)?;
        for (name, value) in info.details.iter().filter(|(name, _)| !OURS.contains(&name.as_str())) {
            out.put(name, value)?;
        }
        let covered: Attributes = info
            .details
            .iter()
            .filter(|(name, _)| OURS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        out.some("details", (!covered.is_empty()).then_some(covered))?;
        out.end()
    }
}

/// A log of `…/logs/publish`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogBody<'a, M> {
    pub(crate) log_id: Uuid,
    pub(crate) timestamp: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<TraceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) span_id: Option<SpanId>,
    pub(crate) level: &'static str,
    pub(crate) message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Data<'a>>,
    pub(crate) correlation_context: Correlation<'a>,
    pub(crate) metadata: M,
}

/// A document as the object that Mastra wants: itself where it is one, else under `value`.
#[derive(Debug)]
pub(crate) enum Data<'a> {
    Object(&'a Payload),
    Value(&'a Payload),
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(payload) => payload.serialize(serializer),
            Self::Value(payload) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("value", payload)?;
                map.end()
            }
        }
    }
}

/// A measurement of `…/metrics/publish`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MetricBody<'a, M> {
    pub(crate) metric_id: Uuid,
    pub(crate) timestamp: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<TraceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) span_id: Option<SpanId>,
    pub(crate) name: &'a str,
    pub(crate) value: f64,
    pub(crate) labels: Unique<'a>,
    pub(crate) correlation_context: Correlation<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost_context: Option<CostContext<'a>>,
    pub(crate) metadata: M,
}

/// Labels without those whose name was there before, which an object cannot hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unique<'a>(pub(crate) &'a Labels);

impl<'a> Unique<'a> {
    /// Those whose name was there before.
    pub(crate) fn rest(self) -> Vec<&'a (Str, Str)> {
        self.0
            .iter()
            .enumerate()
            .filter(|(at, (name, _))| !self.is_first(*at, name))
            .map(|(_, pair)| pair)
            .collect()
    }

    fn is_first(self, at: usize, name: &Str) -> bool {
        self.0[..at].iter().all(|(before, _)| before != name)
    }
}

impl Serialize for Unique<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let labels = self.0.iter().enumerate().filter(|(at, (name, _))| self.is_first(*at, name));
        serializer.collect_map(labels.map(|(_, (name, value))| (name, value)))
    }
}

/// A score of `…/scores/publish`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScoreBody<'a, M> {
    pub(crate) score_id: Uuid,
    pub(crate) timestamp: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<TraceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) span_id: Option<SpanId>,
    pub(crate) scorer_id: &'a str,
    pub(crate) scorer_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scorer_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) score_source: Option<&'a str>,
    pub(crate) score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) experiment_id: Option<&'a str>,
    pub(crate) correlation_context: Correlation<'a>,
    pub(crate) metadata: M,
}

/// Feedback of `…/feedback/publish`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FeedbackBody<'a, M> {
    pub(crate) feedback_id: Uuid,
    pub(crate) timestamp: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<TraceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) span_id: Option<SpanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) feedback_source: Option<&'a str>,
    pub(crate) feedback_type: &'a str,
    /// A number or a text.
    pub(crate) value: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) feedback_user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) experiment_id: Option<&'a str>,
    pub(crate) correlation_context: Correlation<'a>,
    pub(crate) metadata: M,
}

/// A time as JavaScript writes a `Date`: in UTC with three digits of the second, rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut buffer = [0; 30];
        Rfc3339::encode(self.0.rfc3339(), &mut buffer);
        buffer[23] = b'Z';
        serializer.serialize_str(std::str::from_utf8(&buffer[..24]).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use obs_core::ErrorInfo;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_what_a_date_of_javascript_says() {
        for (nanos, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_768_471_200_001_999_999, "2026-01-15T10:00:00.001Z"),
            (u64::MAX, "2554-07-21T23:34:33.709Z"),
        ] {
            assert_eq!(serde_json::to_value(Time(Timestamp::from_nanos(nanos))).unwrap(), json!(text));
        }
    }

    #[test]
    fn an_error_s_details_lose_nothing_to_ours() {
        let info = ErrorInfo {
            code: Some("E7".into()),
            sources: vec!["inner".into()],
            details: [("code", "theirs"), ("hint", "again")].into_iter().collect(),
            ..ErrorInfo::message("out")
        };
        let told = serde_json::to_value(Fault::Info(&info)).unwrap();
        let details =
            json!({"code": "E7", "sources": ["inner"], "hint": "again", "details": {"code": "theirs"}});
        assert_eq!(told, json!({"message": "out", "details": details}));
        let short = serde_json::to_value(Fault::Info(&ErrorInfo::message("out"))).unwrap();
        assert_eq!(short, json!({"message": "out"}));
    }
}
