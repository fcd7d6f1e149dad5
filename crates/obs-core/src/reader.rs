//! Reading traces back.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    Cost, Error, Feedback, Log, Score, Span, SpanId, SpanType, Status, Str, Timestamp, TraceId, Usage,
};

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

    /// Tokens of all model calls.
    ///
    /// Frameworks report the same tokens on nested spans: of model calls, and of spans of no special type, that stand
    /// directly in each other only the innermost that reports any counts.
    /// What a tool, an agent or a workflow does below a model call is work of its own, and counts besides.
    pub fn usage(&self) -> Usage {
        let reports = |span: &Span| span.span_type.model().is_some_and(|(_, _, usage)| !usage.is_empty());
        let mut sum = Usage::default();
        for span in self.innermost(reports) {
            if let Some((_, _, usage)) = span.span_type.model() {
                sum += *usage;
            }
        }
        sum
    }

    /// What all model calls cost, a sum for each currency, in the order in which they first come.
    ///
    /// Each call counts once, as in [`Trace::usage`]: of model calls that stand directly in each other only the innermost
    /// that reports tokens or a cost.
    /// A call that says how many tokens it used and not what they cost makes every sum partial, and so does one that
    /// ended well and says neither; without any known cost there is no sum.
    pub fn cost(&self) -> Vec<Cost> {
        let reports = |span: &Span| {
            let used = span.span_type.model().is_some_and(|(_, _, usage)| !usage.is_empty());
            used || span.span_type.cost().is_some()
        };
        let mut sums = Vec::new();
        let mut unknown = false;
        for span in self.innermost(reports) {
            match span.span_type.cost() {
                Some(cost) => cost.add_to(&mut sums),
                None => unknown = true,
            }
        }
        let silent = |span: &Span| span.span_type.model().is_some() && span.status != Status::Error;
        unknown |= self.innermost(silent).any(|span| !reports(span));
        for sum in sums.iter_mut().filter(|_| unknown) {
            sum.partial = true;
        }
        sums
    }

    /// The spans that report something, but those that report for what stands directly below them.
    fn innermost(&self, reports: impl Fn(&Span) -> bool) -> impl Iterator<Item = &Span> {
        let known: HashMap<SpanId, &Span> = self.spans.iter().map(|span| (span.span_id, span)).collect();
        let passes_on =
            |span: &Span| matches!(span.span_type, SpanType::LlmGeneration(_) | SpanType::Generic);
        let mut outer: HashSet<SpanId> = HashSet::new();
        for span in self.spans.iter().filter(|span| reports(span)) {
            let mut above = span.parent_span_id;
            while let Some(id) = above
                && let Some(parent) = known.get(&id)
                && passes_on(parent)
                && outer.insert(id)
            {
                above = parent.parent_span_id;
            }
        }
        self.spans.iter().filter(move |span| reports(span) && !outer.contains(&span.span_id))
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
    use crate::{LlmGeneration, SpanType};

    fn span(id: u64, parent: Option<u64>, tokens: u64) -> Span {
        let mut span =
            Span::new(TraceId::new(1).unwrap(), SpanId::new(id).unwrap(), "s", Timestamp::from_nanos(id));
        span.parent_span_id = parent.and_then(SpanId::new);
        if tokens > 0 {
            let usage = Usage::new(tokens, 0);
            span.span_type = SpanType::LlmGeneration(LlmGeneration { usage, ..LlmGeneration::default() });
        }
        span
    }

    #[test]
    fn nested_reports_count_once() {
        let mut trace = Trace::new(TraceId::new(1).unwrap());
        trace.spans = vec![
            span(1, None, 10),
            span(2, Some(1), 0),
            span(3, Some(2), 4),
            span(4, Some(2), 6),
            span(5, Some(1), 0),
        ];
        assert_eq!(trace.usage().input, Some(10));
        trace.spans = vec![span(1, Some(2), 3), span(2, Some(1), 5)];
        assert!(trace.usage().input <= Some(8), "a cycle ends");
    }

    #[test]
    fn what_a_tool_does_below_a_model_call_counts_besides() {
        let mut trace = Trace::new(TraceId::new(1).unwrap());
        let mut tool = span(2, Some(1), 0);
        tool.span_type = SpanType::ToolCall(crate::ToolCall::default());
        trace.spans = vec![span(1, None, 1000), tool, span(3, Some(2), 20)];
        assert_eq!(trace.usage().input, Some(1020));
    }

    fn costing(mut span: Span, cost: Option<Cost>) -> Span {
        if let SpanType::LlmGeneration(call) = &mut span.span_type {
            call.cost = cost.map(Box::new);
        }
        span
    }

    fn trace_of(spans: Vec<Span>) -> Trace {
        Trace { spans, ..Trace::new(TraceId::new(1).unwrap()) }
    }

    #[test]
    fn a_cost_counts_once_a_call_and_the_sum_says_what_it_lacks() {
        let dollars = |total| Some(Cost { input: Some(total), estimated: true, ..Cost::usd(total) });
        let euros = Some(Cost { currency: "EUR".into(), ..Cost::usd(0.5) });
        let mut trace = trace_of(vec![
            costing(span(1, None, 10), dollars(1.0)),
            costing(span(2, Some(1), 4), dollars(0.25)),
            costing(span(3, Some(1), 6), dollars(0.5)),
            costing(span(4, Some(3), 6), euros),
        ]);
        let sums = trace.cost();
        let told: Vec<_> = sums.iter().map(|sum| (sum.total, &*sum.currency, sum.partial)).collect();
        assert_eq!(told, [(0.25, "USD", false), (0.5, "EUR", false)]);
        assert!(sums[0].estimated && !sums[1].estimated);
        trace.spans.push(costing(span(5, None, 3), None));
        assert!(trace.cost().iter().all(|sum| sum.partial), "tokens without a price are not free");
        assert_eq!(trace.summary().unwrap().cost, trace.cost());
    }

    #[test]
    fn a_stream_without_usage_makes_the_sum_partial_and_a_refused_call_does_not() {
        let mut silent = span(2, None, 1);
        silent.span_type = SpanType::LlmGeneration(LlmGeneration::default());
        let told = costing(span(1, None, 10), Some(Cost::usd(1.0)));
        let refused = Span { status: Status::Error, ..silent.clone() };
        assert!(!trace_of(vec![told.clone(), refused]).cost()[0].partial);
        assert!(trace_of(vec![told, silent.clone()]).cost()[0].partial);
        assert_eq!(trace_of(vec![silent]).cost(), [], "nothing known is not zero");
    }

    #[test]
    fn a_trace_without_its_root_is_summed_up_by_its_first_orphan() {
        let mut trace = Trace::new(TraceId::new(1).unwrap());
        assert_eq!(trace.summary(), None);
        let mut orphan = span(2, Some(99), 0);
        orphan.status = Status::Unset;
        let mut child = span(3, Some(2), 0);
        child.status = Status::Error;
        trace.spans = vec![orphan, child];
        let summary = trace.summary().unwrap();
        assert_eq!((summary.status, summary.errors, summary.spans), (Status::Error, 1, 2));
    }
}
