//! Fills in what calls of models cost.

use std::sync::Arc;

use obs_core::{Signals, Span, SpanRecord, SpanType, Str};
use obs_pipeline::{Emit, Processor, Segment};
use rustc_hash::FxHashMap;

use super::compute::{self, Computed};
use super::entry::ModelPrices;
use super::{MISSING, Prices, UNKNOWN, reported};

/// The most models that are remembered; beyond, all are looked up anew.
const CAPACITY: usize = 1024;

/// Which model was called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub(super) provider: Option<Str>,
    pub(super) asked: Option<Str>,
    pub(super) answered: Option<Str>,
}

impl Call {
    /// The call that a span stands for, if it is one.
    pub(super) fn of(span_type: &SpanType) -> Option<Self> {
        let (model, provider, _) = span_type.model()?;
        let answered = span_type.as_generation().and_then(|call| call.response_model.clone());
        Some(Self { provider: provider.cloned(), asked: model.cloned(), answered })
    }
}

/// The processor that fills in the cost of generations and embeddings.
#[derive(Debug)]
pub(crate) struct CostProcessor {
    /// Read when the first call comes.
    prices: Option<Prices>,
    known: FxHashMap<Call, Option<Arc<ModelPrices>>>,
}

impl CostProcessor {
    /// With these prices, else the built-in ones.
    pub(crate) fn new(prices: Option<Prices>) -> Self {
        Self { prices, known: FxHashMap::default() }
    }

    fn find(&mut self, call: Call) -> Option<Arc<ModelPrices>> {
        if let Some(known) = self.known.get(&call) {
            return known.clone();
        }
        let prices = self.prices.get_or_insert_with(Prices::built_in);
        let found = prices.find_call(&call).cloned();
        if self.known.len() >= CAPACITY {
            self.known.clear();
        }
        self.known.insert(call, found.clone());
        found
    }

    pub(super) fn fill(&mut self, span: &mut Span) {
        let Some(call) = Call::of(&span.span_type) else { return };
        let (usage, cost) = match &mut span.span_type {
            SpanType::LlmGeneration(call) => (&call.usage, &mut call.cost),
            SpanType::Embedding(embedding) => (&embedding.usage, &mut embedding.cost),
            _ => return,
        };
        if cost.is_some() {
            return;
        }
        if let Some(reported) = reported::take(&mut span.attributes) {
            *cost = Some(Box::new(reported));
            return;
        }
        let computed = match self.find(call) {
            None => Err("model"),
            Some(prices) => compute::cost(&prices, usage).ok_or("usage"),
        };
        match computed {
            Ok(Computed { cost: computed, missing }) => {
                *cost = Some(Box::new(computed));
                if !missing.is_empty() {
                    span.attributes.insert(MISSING, missing.join(","));
                }
            }
            Err(unknown) => span.attributes.insert(UNKNOWN, unknown),
        }
    }
}

impl Processor for CostProcessor {
    fn name(&self) -> &'static str {
        "cost"
    }

    /// Costs are asked for by nobody on their own: where no one takes spans or what is made of them, none come.
    fn needs(&self) -> Signals {
        Signals::NONE
    }

    fn process(&mut self, records: &mut Segment, _: &mut Emit) {
        if let Segment::Traces(records) = records {
            for record in records {
                if let SpanRecord::Ended(span) = record {
                    self.fill(span);
                }
            }
        }
    }
}
