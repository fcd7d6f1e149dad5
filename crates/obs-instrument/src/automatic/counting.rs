//! Makes metrics of spans, scores and feedback.

use std::sync::Arc;

use obs_core::{
    Cost, Exemplar, Feedback, Labels, LlmGeneration, Metric, MetricValue, Resource, Score, Span, SpanType,
    Status, Str, Timestamp, TraceContext,
};
use obs_pipeline::Emit;

use super::cardinality::{LabelSets, Rules};
use super::catalogue::{AutomaticMetric, GenAi, Of, Shape};
use super::config::AutomaticMetrics;
use super::errors::RecentErrors;
use super::labels::{self, Pair, Run};
use super::started::{TOLD, exemplar};
use crate::restated;

/// Counts what spans and judgements tell.
#[derive(Debug)]
pub(crate) struct Counting {
    catalogue: bool,
    gen_ai: bool,
    /// Whether any destination gets spans.
    traced: bool,
    /// The names of the catalogue, with the prefix.
    names: [Str; Of::COUNT],
    sets: [LabelSets; Shape::COUNT],
    errors: RecentErrors,
}

/// What whoever opened a span knows of it, besides the record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// Its start was counted before.
    told: bool,
    /// A call directly below has said the tokens that this one says once more.
    tokens: bool,
    /// The same of the cost.
    cost: bool,
}

impl Known {
    /// The bits of a span's trace flags that say it.
    pub(crate) const BITS: u8 = TOLD | restated::BOTH;

    pub(crate) fn of(flags: u8) -> Self {
        let has = |bit| flags & bit != 0;
        Self { told: has(TOLD), tokens: has(restated::TOKENS), cost: has(restated::COST) }
    }
}

/// Where metrics of one record go, and what they share with it.
struct Out<'a> {
    emit: &'a mut Emit,
    time: Timestamp,
    context: &'a Arc<TraceContext>,
    resource: &'a Arc<Resource>,
    exemplar: Option<Exemplar>,
}

impl Out<'_> {
    fn put(&mut self, name: Str, metric: &AutomaticMetric, value: f64, labels: Labels) -> &mut Self {
        self.put_priced(name, metric, value, labels, None);
        self
    }

    fn put_priced(
        &mut self,
        name: Str,
        metric: &AutomaticMetric,
        value: f64,
        labels: Labels,
        cost: Option<Box<Cost>>,
    ) {
        let value = match metric.kind {
            "counter" => MetricValue::Add(value),
            _ => MetricValue::Sample(value),
        };
        let (context, resource) = (Arc::clone(self.context), Arc::clone(self.resource));
        let mut record = Metric::new_in(self.time, name, value, context, resource);
        record.unit = Some(metric.unit.into());
        record.description = Some(metric.description.into());
        record.labels = labels;
        record.exemplar.clone_from(&self.exemplar);
        record.cost = cost;
        self.emit.metric(record);
    }
}

impl Counting {
    /// `None` where nothing is to be counted.
    pub(crate) fn new(config: &AutomaticMetrics, traced: bool) -> Option<Self> {
        config.counts().then(|| Self {
            catalogue: config.catalogue,
            gen_ai: config.gen_ai,
            traced,
            names: super::AUTOMATIC_METRICS.map(|metric| {
                let name = config.name(metric.name);
                if name == metric.name { metric.name.into() } else { name.into() }
            }),
            sets: std::array::from_fn(|_| LabelSets::default()),
            errors: RecentErrors::default(),
        })
    }

    /// Whether a metric of this name is the catalogue's own, as starts that were told elsewhere are.
    pub(crate) fn place(&self, name: &str) -> Option<Of> {
        let starts = [Of::AgentStarted, Of::ModelStarted, Of::ToolStarted, Of::WorkflowStarted];
        starts.into_iter().find(|of| self.catalogue && self.names[*of as usize] == *name)
    }

    fn settle(&mut self, rules: &Rules, shape: Shape, pairs: &[Pair<'_>]) -> Labels {
        let seen = pairs.iter().filter_map(|(label, value)| Some((*label, value.as_ref()?.as_str())));
        self.sets[shape as usize].settle(rules, seen, || labels::list(pairs))
    }

    /// The labels of a start that was told elsewhere, settled with those that are told here.
    pub(crate) fn settle_start(&mut self, rules: &Rules, of: Of, given: &Labels) -> Labels {
        let seen = given.iter().map(|(label, value)| (label.as_str(), value.as_str()));
        self.sets[of.shape() as usize].settle(rules, seen, || given.clone())
    }

    /// A span that ended.
    pub(crate) fn span(&mut self, rules: &Rules, span: &Span, known: Known, emit: &mut Emit) {
        let time = span.end.unwrap_or(span.start);
        let (context, resource) = (&span.context, &span.resource);
        let mut out = Out { emit, time, context, resource, exemplar: exemplar(span).filter(|_| self.traced) };
        if self.catalogue {
            if let Some(run) = Run::of(span) {
                self.run(rules, span, &run, known, &mut out);
            }
            if !known.cost
                && let Some((cost, pairs)) = span.span_type.cost().zip(labels::cost(span))
            {
                let labels = self.settle(rules, Of::Cost.shape(), &pairs);
                self.put(Of::Cost, cost.total, &labels, &mut out);
            }
            if span.status == Status::Error {
                self.error(rules, span, &mut out);
            }
        }
        if self.gen_ai {
            self.gen_ai(rules, span, known, &mut out);
        }
    }

    fn run(&mut self, rules: &Rules, span: &Span, run: &Run<'_>, known: Known, out: &mut Out<'_>) {
        let plain = self.settle(rules, run.started.shape(), run.plain());
        let ended = self.settle(rules, run.ended.shape(), run.with_status());
        if !known.told {
            self.put(run.started, 1.0, &plain, out);
        }
        self.put(run.ended, 1.0, &ended, out);
        if let Some(took) = span.duration() {
            let labels = if run.duration.shape() == run.ended.shape() { &ended } else { &plain };
            self.put(run.duration, took.as_secs_f64() * 1e3, labels, out);
        }
        if let SpanType::LlmGeneration(call) = &span.span_type {
            self.model(call, known, &plain, out);
        }
    }

    fn model(&self, call: &LlmGeneration, known: Known, plain: &Labels, out: &mut Out<'_>) {
        if !known.tokens {
            self.tokens(call, known, plain, out);
        }
        if let Some(first) = call.time_to_first_token {
            self.put(Of::FirstToken, first.as_secs_f64() * 1e3, plain, out);
        }
    }

    fn tokens(&self, call: &LlmGeneration, known: Known, plain: &Labels, out: &mut Out<'_>) {
        let [of_input, of_output] = if known.cost { [None, None] } else { shares(call) };
        let (usage, details) = (&call.usage, &call.usage.input_details);
        let counts = [
            (Of::InputTokens, usage.input, of_input),
            (Of::OutputTokens, usage.output, of_output),
            (Of::CacheReadTokens, Some(details.cache_read).filter(|tokens| *tokens > 0), None),
            (Of::CacheWriteTokens, Some(details.cache_writes()).filter(|tokens| *tokens > 0), None),
        ];
        for (of, tokens, cost) in counts {
            if let Some(tokens) = tokens {
                let name = self.names[of as usize].clone();
                out.put_priced(name, of.metric(), tokens as f64, plain.clone(), cost);
            }
        }
    }

    fn error(&mut self, rules: &Rules, span: &Span, out: &mut Out<'_>) {
        if self.errors.is_new(span.error.as_ref().and_then(|error| error.error_id)) {
            let span_type = Str::from_static(span.span_type.name());
            let labels = self.settle(rules, Of::Errors.shape(), &labels::error(span, &span_type));
            self.put(Of::Errors, 1.0, &labels, out);
        }
    }

    fn gen_ai(&mut self, rules: &Rules, span: &Span, known: Known, out: &mut Out<'_>) {
        let Some([operation, provider, request, response]) = labels::gen_ai(span) else { return };
        if let Some(took) = span.duration() {
            let pairs = [operation, provider, request, response, labels::gen_ai_error(span)];
            let labels = self.settle(rules, GenAi::Duration.shape(), &pairs);
            let metric = GenAi::Duration.metric();
            out.put(metric.name.into(), metric, took.as_secs_f64(), labels);
        }
        let usage = span.span_type.model().map(|(_, _, usage)| usage).filter(|_| !known.tokens);
        let Some(usage) = usage else { return };
        for (token_type, tokens) in [("input", usage.input), ("output", usage.output)] {
            let Some(tokens) = tokens else { continue };
            let token_type = Str::from_static(token_type);
            let pairs = [operation, provider, request, response, ("gen_ai.token.type", Some(&token_type))];
            let labels = self.settle(rules, GenAi::Tokens.shape(), &pairs);
            let metric = GenAi::Tokens.metric();
            out.put(metric.name.into(), metric, tokens as f64, labels);
        }
    }

    /// A score.
    pub(crate) fn score(&mut self, rules: &Rules, score: &Score, emit: &mut Emit) {
        let Score { time, context, resource, .. } = score;
        let mut out = Out { emit, time: *time, context, resource, exemplar: None };
        self.judgement(rules, Of::Scores, &labels::score(score), &mut out);
    }

    /// Feedback.
    pub(crate) fn feedback(&mut self, rules: &Rules, feedback: &Feedback, emit: &mut Emit) {
        let Feedback { time, context, resource, .. } = feedback;
        let mut out = Out { emit, time: *time, context, resource, exemplar: None };
        self.judgement(rules, Of::Feedback, &labels::feedback(feedback), &mut out);
    }

    fn judgement(&mut self, rules: &Rules, of: Of, pairs: &[Pair<'_>], out: &mut Out<'_>) {
        if self.catalogue {
            let labels = self.settle(rules, of.shape(), pairs);
            self.put(of, 1.0, &labels, out);
        }
    }

    fn put(&self, of: Of, value: f64, labels: &Labels, out: &mut Out<'_>) {
        out.put(self.names[of as usize].clone(), of.metric(), value, labels.clone());
    }
}

/// What input and output tokens cost, so that the sum over the counts of tokens is the cost of the call.
///
/// Where only the whole is known, the first count that there is carries it.
fn shares(call: &LlmGeneration) -> [Option<Box<Cost>>; 2] {
    let Some(cost) = &call.cost else { return [None, None] };
    let share = |total: f64| Some(Box::new(Cost { total, input: None, output: None, ..(**cost).clone() }));
    match (cost.input, cost.output) {
        (Some(input), Some(output))
            if call.usage.input.is_some()
                && call.usage.output.is_some()
                && is_whole(input + output, cost.total) =>
        {
            [share(input), share(output)]
        }
        _ if call.usage.input.is_some() => [share(cost.total), None],
        _ => [None, share(cost.total)],
    }
}

/// Whether the parts make the whole, but for rounding.
fn is_whole(parts: f64, whole: f64) -> bool {
    (parts - whole).abs() <= whole.abs() * 1e-9
}
