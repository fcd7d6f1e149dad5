//! What scores and feedback have in common.

use obs_core::{ScoreValue, Scorer, SpanId, Target, TraceId};
use serde::{Serialize, Serializer};

use crate::fields::Fields;

/// The trace and the span that are judged.
pub(crate) fn ids(target: &Target) -> (Option<TraceId>, Option<SpanId>) {
    (target.trace_id(), target.span_id())
}

/// Why a number cannot be told.
pub(crate) fn no_number(value: f64) -> String {
    format!("{value} is no number in JSON, and Mastra's averages would not survive a text")
}

/// What Mastra has no field for in a judgement.
#[derive(Debug)]
pub(crate) struct Judged<'a> {
    /// What was measured, where it is no field.
    pub(crate) name: Option<&'a str>,
    pub(crate) scorer: Option<&'a Scorer>,
    pub(crate) value: &'a ScoreValue,
    pub(crate) target: &'a Target,
    /// Where it comes from, where that is no field.
    pub(crate) source: Option<&'a str>,
}

impl Serialize for Judged<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = Fields::new(serializer.serialize_map(None)?);
        out.some("name", self.name)?;
        out.some("scorer", self.scorer)?;
        out.some("source", self.source)?;
        match self.value {
            ScoreValue::Numeric { range, .. } => out.some("range", range.as_ref())?,
            // A number or a text does not tell what it was made of.
            ScoreValue::Boolean(_) | ScoreValue::Categorical(_) => out.put("value", self.value)?,
            ScoreValue::Text(_) => {}
        }
        let is_told = matches!(self.target, Target::Span { .. } | Target::Trace { root_span_id: None, .. });
        out.some("target", (!is_told).then_some(self.target))?;
        out.end()
    }
}
