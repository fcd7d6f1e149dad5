//! Fills in what calls of models cost.

use std::sync::Arc;

use obs_core::{Attributes, Cost, Signals, Span, SpanRecord, SpanType, Str, Usage, Value};
use obs_pipeline::{Emit, Processor, Segment};
use rustc_hash::FxHashMap;

use super::compute::{self, Computed};
use super::entry::ModelPrices;
use super::{MISSING, Prices, UNKNOWN};

/// The most models that are remembered; beyond, all are looked up anew.
const CAPACITY: usize = 1024;

/// Under what a provider's own word about a cost comes in US dollars: the whole, the input's part, the output's.
const REPORTED: [[&str; 3]; 2] = [
    ["gen_ai.usage.cost", "gen_ai.usage.input_cost", "gen_ai.usage.output_cost"],
    ["llm.cost.total", "llm.cost.prompt", "llm.cost.completion"],
];

/// Which model: the provider, the model that was asked for and the one that answered.
type Call = (Option<Str>, Option<Str>, Option<Str>);

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
        let (provider, asked, answered) = &call;
        let found = prices.find_call(provider.as_deref(), asked.as_deref(), answered.as_deref()).cloned();
        if self.known.len() >= CAPACITY {
            self.known.clear();
        }
        self.known.insert(call, found.clone());
        found
    }

    fn fill(&mut self, span: &mut Span) {
        let (call, usage, cost): (Call, &Usage, &mut Option<Box<Cost>>) = match &mut span.span_type {
            SpanType::LlmGeneration(call) => {
                let named = (call.provider.clone(), call.model.clone(), call.response_model.clone());
                (named, &call.usage, &mut call.cost)
            }
            SpanType::Embedding(embedding) => {
                let named = (embedding.provider.clone(), embedding.model.clone(), None);
                (named, &embedding.usage, &mut embedding.cost)
            }
            _ => return,
        };
        if cost.is_some() {
            return;
        }
        if let Some(reported) = reported(&mut span.attributes) {
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

/// What the provider said the call cost; it then stands in the span's field and no longer among its attributes.
fn reported(attributes: &mut Attributes) -> Option<Cost> {
    let is_money = |amount: &f64| amount.is_finite() && *amount >= 0.0;
    let amount =
        |attributes: &Attributes, name| attributes.get(name).and_then(Value::as_f64).filter(is_money);
    let names = REPORTED.iter().find(|[total, ..]| amount(attributes, total).is_some())?;
    let mut take = |name| {
        let amount = amount(attributes, name);
        amount.inspect(|_| drop(attributes.remove(name)))
    };
    let [total, input, output] = names.map(&mut take);
    Some(Cost { input, output, ..Cost::usd(total?) })
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
