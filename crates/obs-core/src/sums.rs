//! What a trace used and what it cost: each call once.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};

use crate::{Cost, Span, SpanId, SpanType, Status, Trace, Usage, Value, rolled};

impl SpanType {
    /// Whether a span of this type may say once more what a call directly below it used, as frameworks have it: a model
    /// call, or a span of no special type.
    pub fn may_restate(&self) -> bool {
        matches!(self, Self::LlmGeneration(_) | Self::Generic)
    }
}

impl Trace {
    /// Tokens of all model calls.
    ///
    /// Frameworks report the same tokens on nested spans: of generations, and of spans of no special type, that stand
    /// directly in each other only the innermost generation that reports any counts.
    /// What a tool, an agent or a workflow does below a model call is work of its own, and counts besides; so do
    /// embeddings.
    /// Calls that are hidden count by what the span says that shows them ([`rolled`]): in place of that span's own tokens if
    /// it is a generation, unless it says that they stand beside it.
    /// Where a tool, an agent or a workflow that is hidden stood between two generations that are shown, they seem to stand
    /// directly in each other, and the inner one alone counts; metrics, which are made where that is known, count both.
    pub fn usage(&self) -> Usage {
        let restated =
            restated(&self.spans, |span| own_usage(span).is_some(), |span| hidden_usage(span).is_some());
        let mut sum = Usage::default();
        for span in &self.spans {
            sum += hidden_usage(span).unwrap_or_default();
            if !restated.contains(&span.span_id) {
                sum += own_usage(span).copied().unwrap_or_default();
            }
        }
        sum
    }

    /// What all model calls cost, a sum for each currency, in the order in which they first come.
    ///
    /// Each call counts once, as in [`Trace::usage`]: of generations that stand directly in each other only the innermost
    /// that reports tokens or a cost, and of hidden calls what the span says that shows them.
    /// A call that says how many tokens it used and not what they cost makes every sum partial, and so does one that
    /// ended well and says neither; without any known cost there is no sum.
    pub fn cost(&self) -> Vec<Cost> {
        cost_of(&self.spans)
    }
}

/// What all model calls among these spans of one trace cost; as [`Trace::cost`].
pub fn cost_of(spans: &[impl Borrow<Span>]) -> Vec<Cost> {
    let restated = restated(spans, reports_cost, shows_cost);
    let mut sums = Vec::new();
    let mut unknown = false;
    for span in spans.iter().map(Borrow::<Span>::borrow) {
        let hidden = hidden_costs(span);
        unknown |= hidden.is_empty() && hidden_usage(span).is_some();
        for cost in &hidden {
            cost.add_to(&mut sums);
        }
        if restated.contains(&span.span_id) {
            continue;
        }
        match span.span_type.cost() {
            Some(cost) => cost.add_to(&mut sums),
            None => unknown |= own_usage(span).is_some(),
        }
    }
    unknown |= has_silent_call(spans);
    for sum in sums.iter_mut().filter(|_| unknown) {
        sum.partial = true;
    }
    sums
}

/// Whether a call ended well that says neither tokens nor a cost, and nothing below it does.
fn has_silent_call(spans: &[impl Borrow<Span>]) -> bool {
    let is_call = |span: &Span| span.span_type.model().is_some() && span.status != Status::Error;
    let says = |span: &Span| reports_cost(span) || shows_cost(span);
    let outer = restated(spans, is_call, says);
    let mut spans = spans.iter().map(Borrow::<Span>::borrow);
    spans.any(|span| is_call(span) && !says(span) && !outer.contains(&span.span_id))
}

/// The generations whose own report others make: what stands directly below them, or what they tell of hidden calls.
fn restated(
    spans: &[impl Borrow<Span>],
    reports: impl Fn(&Span) -> bool,
    shows: impl Fn(&Span) -> bool,
) -> HashSet<SpanId> {
    let spans = || spans.iter().map(Borrow::<Span>::borrow);
    let known: HashMap<SpanId, &Span> = spans().map(|span| (span.span_id, span)).collect();
    let may_restate = |span: &&Span| span.span_type.may_restate();
    let mut restated: HashSet<SpanId> = HashSet::new();
    for span in spans().filter(may_restate).filter(|span| reports(span) || shows(span)) {
        let mut above = span.parent_span_id;
        while let Some(id) = above
            && let Some(parent) = known.get(&id).filter(|span| may_restate(span))
            && restated.insert(id)
        {
            above = parent.parent_span_id;
        }
    }
    let is_beside = |span: &Span| span.attributes.get(rolled::BESIDE) == Some(&Value::Bool(true));
    let shown = spans().filter(may_restate).filter(|span| shows(span) && !is_beside(span));
    restated.extend(shown.map(|span| span.span_id));
    restated
}

fn own_usage(span: &Span) -> Option<&Usage> {
    span.span_type.model().map(|(_, _, usage)| usage).filter(|usage| !usage.is_empty())
}

fn hidden_usage(span: &Span) -> Option<Usage> {
    (!span.attributes.is_empty()).then(|| rolled::usage(&span.attributes)).flatten()
}

fn hidden_costs(span: &Span) -> Vec<Cost> {
    if span.attributes.is_empty() { Vec::new() } else { rolled::costs(&span.attributes) }
}

fn reports_cost(span: &Span) -> bool {
    own_usage(span).is_some() || span.span_type.cost().is_some()
}

fn shows_cost(span: &Span) -> bool {
    hidden_usage(span).is_some() || !hidden_costs(span).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Embedding, LlmGeneration, Timestamp, ToolCall, TraceId};

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
        tool.span_type = SpanType::ToolCall(ToolCall::default());
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

    fn rolled(mut span: Span, tokens: i64, cost: f64) -> Span {
        span.attributes.push(rolled::INPUT_TOKENS, tokens);
        span.attributes.push(rolled::COST, cost);
        span
    }

    #[test]
    fn an_embedding_in_a_generation_is_work_of_its_own() {
        let mut embedding = span(2, Some(1), 0);
        let usage = Usage { input: Some(20), ..Usage::default() };
        embedding.span_type = SpanType::Embedding(Embedding { usage, ..Embedding::default() });
        assert_eq!(trace_of(vec![span(1, None, 1000), embedding]).usage().input, Some(1020));
    }

    #[test]
    fn hidden_calls_count_by_what_shows_them() {
        let shown = |id, tokens| rolled(span(id, None, 0), tokens, 0.5);
        let trace = trace_of(vec![shown(1, 10), costing(span(2, Some(1), 4), Some(Cost::usd(1.0)))]);
        assert_eq!((trace.usage().input, trace.cost()[0].total), (Some(14), 1.5));
        assert!(!trace.cost()[0].partial);
        let outer = rolled(costing(span(1, None, 10), Some(Cost::usd(1.0))), 10, 1.0);
        let trace = trace_of(vec![outer]);
        assert_eq!((trace.usage().input, trace.cost()[0].total), (Some(10), 1.0), "the outer call restates");
        let mut beside = trace.spans[0].clone();
        beside.attributes.push(rolled::BESIDE, true);
        assert_eq!(trace_of(vec![beside]).usage().input, Some(20));
        let mut unpriced = span(1, None, 0);
        unpriced.attributes.push(rolled::INPUT_TOKENS, 5);
        let trace = trace_of(vec![unpriced, costing(span(2, None, 4), Some(Cost::usd(1.0)))]);
        assert!(trace.cost()[0].partial, "hidden tokens without a price are not free, either");
    }

    #[test]
    fn an_outer_call_that_shows_hidden_ones_and_has_visible_ones_loses_neither() {
        let outer = rolled(costing(span(1, None, 14), Some(Cost::usd(1.25))), 10, 1.0);
        let trace = trace_of(vec![outer, costing(span(2, Some(1), 4), Some(Cost::usd(0.25)))]);
        assert_eq!((trace.usage().input, trace.cost()[0].total), (Some(14), 1.25));
    }

    #[test]
    fn what_a_span_of_no_type_tells_of_hidden_calls_its_parent_restates() {
        let step = rolled(span(2, Some(1), 0), 10, 1.0);
        let trace = trace_of(vec![costing(span(1, None, 10), Some(Cost::usd(1.0))), step.clone()]);
        assert_eq!((trace.usage().input, trace.cost()[0].total), (Some(10), 1.0));
        let visible = costing(span(3, Some(2), 4), Some(Cost::usd(0.25)));
        let trace = trace_of(vec![step, visible]);
        assert_eq!(
            (trace.usage().input, trace.cost()[0].total),
            (Some(14), 1.25),
            "beside a call that is shown"
        );
    }
}
