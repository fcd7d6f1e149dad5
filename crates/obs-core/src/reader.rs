//! Reading traces back.

use std::collections::HashSet;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Cost, Error, Feedback, Log, Score, Span, SpanId, Status, Str, Timestamp, TraceId, Usage};

/// Where traces can be read back from.
#[async_trait]
pub trait TraceReader: Debug + Send + Sync + 'static {
    /// Everything known of a trace, or `None` if nothing is.
    async fn trace(&self, id: TraceId) -> Result<Option<Trace>, Error>;

    /// Summaries of the traces that the query asks for, the latest first.
    async fn traces(&self, query: &TraceQuery) -> Result<Vec<TraceSummary>, Error>;
}

/// Which traces are wanted; all conditions must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TraceQuery {
    /// The most to return; zero means 100.
    pub limit: usize,
    /// Only traces that began at this time or later.
    pub since: Option<Timestamp>,
    /// Only traces that began before this time.
    pub until: Option<Timestamp>,
    /// Only traces whose name, inputs, outputs or errors hold this text, in any case.
    pub text: Option<String>,
    /// Only traces that ended like this.
    pub status: Option<Status>,
    /// Only traces that used this model.
    pub model: Option<String>,
    /// Only traces of this session.
    pub session_id: Option<String>,
    /// Only traces that took at least this long.
    pub min_duration: Option<Duration>,
}

/// What is known of one trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Its id.
    pub trace_id: TraceId,
    /// Its spans, by start time.
    pub spans: Vec<Span>,
    /// Logs made under it.
    pub logs: Vec<Log>,
    /// Scores of it or its spans.
    pub scores: Vec<Score>,
    /// Feedback on it or its spans.
    pub feedback: Vec<Feedback>,
}

/// One trace in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceSummary {
    /// Its id.
    pub trace_id: TraceId,
    /// Its name: the context's, else the root's.
    pub name: Str,
    /// When its first span began.
    pub start: Timestamp,
    /// When its last span ended.
    pub end: Timestamp,
    /// Whether its root failed, or any span of a trace without one.
    pub status: Status,
    /// How many spans.
    pub spans: u64,
    /// How many of them failed.
    pub errors: u64,
    /// The models used, each once, by name.
    pub models: Vec<Str>,
    /// Tokens of all model calls, each counted once.
    pub usage: Usage,
    /// What they cost, a sum for each currency; empty where nothing is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cost: Vec<Cost>,
    /// The service that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Str>,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Str>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Str>,
}

impl TraceSummary {
    /// From the first start to the last end.
    pub fn duration(&self) -> Duration {
        self.end.since(self.start)
    }
}

impl Trace {
    /// A trace of which nothing is known yet.
    pub fn new(trace_id: TraceId) -> Self {
        Self { trace_id, spans: vec![], logs: vec![], scores: vec![], feedback: vec![] }
    }

    /// The root: the first span without a parent, else the first whose parent is not known.
    pub fn root(&self) -> Option<&Span> {
        let known: HashSet<SpanId> = self.spans.iter().map(|span| span.span_id).collect();
        let orphan = |span: &&Span| span.parent_span_id.is_none_or(|parent| !known.contains(&parent));
        self.spans.iter().find(|span| span.is_root()).or_else(|| self.spans.iter().find(orphan))
    }

    /// The trace in a list; `None` without spans.
    pub fn summary(&self) -> Option<TraceSummary> {
        let first = self.root().or_else(|| self.spans.first())?;
        let failed = |span: &&Span| span.status == Status::Error;
        let mut models: Vec<Str> =
            self.spans.iter().filter_map(|s| s.span_type.model()?.0.cloned()).collect();
        models.sort();
        models.dedup();
        let context = &first.context;
        let errors = self.spans.iter().filter(failed).count() as u64;
        let status = if first.is_root() || errors == 0 { first.status } else { Status::Error };
        Some(TraceSummary {
            trace_id: self.trace_id,
            name: context.name.clone().unwrap_or_else(|| first.name.clone()),
            start: self.spans.iter().map(|span| span.start).min()?,
            end: self.spans.iter().map(|span| span.end.unwrap_or(span.start)).max()?,
            status,
            spans: self.spans.len() as u64,
            errors,
            models,
            usage: self.usage(),
            cost: self.cost(),
            service: first.resource.service_name().map(Str::copied),
            session_id: context.session_id.clone(),
            user_id: context.user_id.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: u64, parent: Option<u64>) -> Span {
        let mut span =
            Span::new(TraceId::new(1).unwrap(), SpanId::new(id).unwrap(), "s", Timestamp::from_nanos(id));
        span.parent_span_id = parent.and_then(SpanId::new);
        span
    }

    #[test]
    fn a_trace_without_its_root_is_summed_up_by_its_first_orphan() {
        let mut trace = Trace::new(TraceId::new(1).unwrap());
        assert_eq!(trace.summary(), None);
        let mut orphan = span(2, Some(99));
        orphan.status = Status::Unset;
        let mut child = span(3, Some(2));
        child.status = Status::Error;
        trace.spans = vec![orphan, child];
        let summary = trace.summary().unwrap();
        assert_eq!((summary.status, summary.errors, summary.spans), (Status::Error, 1, 2));
    }
}
