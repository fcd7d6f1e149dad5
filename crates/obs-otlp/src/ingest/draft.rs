//! A record's attributes on their way into its fields.

use obs_core::{Cost, Form, Payload, SpanType, Status, Str, Timestamp, TraceContext, Usage, Value};

use super::amounts::Amounts;
use super::error_info::Parts;
use super::pairs::{Unique, once};
use super::usage::Counts;
use super::value::{name, parsed, payload};
use super::{list, messages, own, restated, span_type, typed};
use crate::conventions::{self, ATTRIBUTES, Field};

/// An attribute and its position, so that those that stay keep their order.
pub(super) type Pair = (usize, Str, Value);

/// What a span's attributes fill; what fits nowhere is left over.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) span_type: SpanType,
    pub(super) input: Option<Payload>,
    pub(super) output: Option<Payload>,
    pub(super) context: TraceContext,
    pub(super) error: Parts,
    start: Timestamp,
    context_only: bool,
    metadata: Unique,
    parameters: Unique,
    counts: Counts,
    amounts: Amounts,
    /// A cost that was told whole, before its amounts.
    cost: Option<Cost>,
    /// That a cost was worked out from a list of prices.
    estimated: Option<Pair>,
    instructions: Option<Pair>,
    level: Option<Pair>,
    status_message: Option<Pair>,
    mimes: [Option<Pair>; 2],
    left: Vec<Pair>,
}

impl Draft {
    /// Sorts the attributes of a span that began at `start` into its fields.
    pub(super) fn of_span(pairs: Vec<(Str, Value)>, start: Timestamp) -> Self {
        let mut draft = Self { span_type: span_type::of(&pairs), start, ..Self::default() };
        draft.take(pairs);
        draft
    }

    /// Sorts the attributes of a record that has only a context, such as a log.
    pub(super) fn of_context(pairs: Vec<(Str, Value)>) -> Self {
        let mut draft = Self { context_only: true, ..Self::default() };
        draft.take(pairs);
        draft
    }

    /// Takes more attributes, which give way to those before.
    ///
    /// Of names that stand for one field the one of the lowest rank is taken first.
    fn take(&mut self, pairs: Vec<(Str, Value)>) {
        let offset = self.left.len();
        let mut known = Vec::new();
        for (order, (key, value)) in pairs.into_iter().enumerate() {
            let order = offset + order;
            match conventions::lookup(&key) {
                Some(meaning) => known.push((meaning.rank, (order, key, value))),
                None if self.take_own(&key, &value) => {}
                None if key == conventions::own::COST_ESTIMATED && value == Value::Bool(true) => {
                    self.left.extend(self.estimated.replace((order, key, value)));
                }
                None if span_type::implies(&self.span_type, &key, &value) => {}
                None => self.left.push((order, key, value)),
            }
        }
        known.sort_by_key(|(rank, (order, ..))| (*rank, *order));
        if !self.context_only {
            restated::drop_restated(&mut known);
        }
        let mut known = known.into_iter().peekable();
        while let Some((rank, pair)) = known.next() {
            let row = &ATTRIBUTES[rank];
            let flattened = row.name.ends_with('*') && is_list(row.field);
            if flattened {
                let mut group = vec![pair];
                while let Some((_, pair)) = known.next_if(|(next, _)| *next == rank) {
                    group.push(pair);
                }
                self.take_list(row.name.len() - 1, row.field, group);
            } else {
                self.take_one(row.field, pair);
            }
        }
    }

    /// Takes what stands under a name of our own; `false` if it is none of a record like this.
    fn take_own(&mut self, key: &str, value: &Value) -> bool {
        own::set_context(&mut self.context, key, value)
            || !self.context_only
                && (self.error.set_own(key, value)
                    || own::set_type(&mut self.span_type, &mut self.cost, key, value))
    }

    /// A field that the event of a span fills, if nothing has yet.
    pub(super) fn take_from_event(&mut self, key: &Str, value: Value) -> Option<Value> {
        let Some(meaning) = conventions::lookup(key).filter(|meaning| meaning.rest.is_empty()) else {
            return Some(value);
        };
        match meaning.field {
            Field::InputMime | Field::OutputMime | Field::TotalTokens | Field::MetadataKey => Some(value),
            Field::Instructions if self.instructions.is_some() => Some(value),
            field => self.set(usize::MAX, key, field, "", value),
        }
    }

    fn take_one(&mut self, field: Field, (order, key, value): Pair) {
        let prefix = conventions::lookup(&key).map_or(0, |meaning| key.len() - meaning.rest.len());
        let rest = Str::copied(&key[prefix..]);
        if let Some(value) = self.set(order, &key, field, &rest, value) {
            self.left.push((order, key, value));
        }
    }

    /// Fills a field; gives the value back if it does not fit.
    fn set(&mut self, order: usize, key: &Str, field: Field, rest: &str, value: Value) -> Option<Value> {
        if self.context_only && !is_context(field) {
            return Some(value);
        }
        match field {
            Field::Input => self.set_document(0, value),
            Field::Output => self.set_document(1, value),
            Field::InputMessages => once(&mut self.input, Some(payload(&value)), value),
            Field::OutputMessages => once(&mut self.output, Some(payload(&value)), value),
            Field::InputMime => hold(&mut self.mimes[0], (order, key.clone(), value)),
            Field::OutputMime => hold(&mut self.mimes[1], (order, key.clone(), value)),
            Field::Instructions if self.is_generation() => {
                hold(&mut self.instructions, (order, key.clone(), value))
            }
            Field::Cost | Field::InputCost | Field::OutputCost | Field::CostDetails if self.has_cost() => {
                self.amounts.set(field, value)
            }
            Field::Level => hold(&mut self.level, (order, key.clone(), value)),
            Field::StatusMessage => hold(&mut self.status_message, (order, key.clone(), value)),
            Field::OwnAttribute => self.own_attribute(order, Str::copied(rest), value),
            Field::FirstTokenTime => self.set_first_token_time(value),
            Field::TopK if self.is_generation() => self.parameters.add("top_k".into(), value),
            Field::Parameter if self.is_generation() => self.parameters.add(Str::copied(rest), value),
            Field::Parameters if self.is_generation() => self.set_parameters(value),
            Field::RunId if !matches!(self.span_type, SpanType::WorkflowRun(_)) => {
                self.metadata.add("runId".into(), value)
            }
            Field::Metadata => match parsed(&value) {
                Some(Value::Map(map)) => (!self.metadata.add_all(map)).then_some(value),
                _ => Some(value),
            },
            Field::MetadataKey => self.metadata.add(Str::copied(rest), value),
            Field::ErrorType | Field::ErrorMessage | Field::ErrorStack | Field::ErrorCode => {
                self.error.set(field, value)
            }
            _ if self.span_type.model().is_some() && is_count(field) => {
                self.counts.set(order, key, field, value)
            }
            field => self.set_context(field, value),
        }
    }

    fn set_context(&mut self, field: Field, value: Value) -> Option<Value> {
        let context = &mut self.context;
        let slot = match field {
            Field::TraceName => &mut context.name,
            Field::UserId => &mut context.user_id,
            Field::SessionId => &mut context.session_id,
            Field::ThreadId => &mut context.thread_id,
            Field::RequestId => &mut context.request_id,
            Field::OrganizationId => &mut context.organization_id,
            Field::Environment => &mut context.environment,
            Field::Release => &mut context.release,
            Field::Version => &mut context.version,
            Field::Service => &mut context.service,
            Field::ExperimentId => &mut context.experiment_id,
            Field::Tags => return set_tags(&mut context.tags, value),
            field => return typed::set(&mut self.span_type, field, value),
        };
        once(slot, name(&value), value)
    }

    fn is_generation(&self) -> bool {
        matches!(self.span_type, SpanType::LlmGeneration(_))
    }

    /// Whether spans of the type have a cost.
    fn has_cost(&self) -> bool {
        matches!(self.span_type, SpanType::LlmGeneration(_) | SpanType::Embedding(_))
    }

    /// The input or output, in the form that its media type says.
    fn set_document(&mut self, side: usize, value: Value) -> Option<Value> {
        let mime = self.mimes[side].as_ref().map(|(_, _, mime)| mime);
        let document = restated::document(&value, mime);
        once(if side == 0 { &mut self.input } else { &mut self.output }, Some(document), value)
    }

    /// An attribute under its own name, unless there is one already.
    fn own_attribute(&mut self, order: usize, name: Str, value: Value) -> Option<Value> {
        if self.left.iter().any(|(_, known, _)| *known == name) {
            return Some(value);
        }
        self.left.push((order, name, value));
        None
    }

    /// The status, which a level may say where nothing else does, and the message of one that failed.
    pub(super) fn settle_status(&mut self, said: Status) -> Status {
        let level = self.level.as_ref().and_then(|(_, _, level)| level.as_str());
        let (status, told) = match (level, said) {
            (Some("ERROR"), Status::Unset | Status::Error) => (Status::Error, true),
            (Some("DEFAULT"), Status::Unset | Status::Ok) => (said, true),
            _ => (said, false),
        };
        self.left.extend(self.level.take().filter(|_| !told));
        if let Some((order, key, message)) = self.status_message.take() {
            let kept = match status {
                Status::Error => self.error.set(Field::ErrorMessage, message),
                Status::Unset | Status::Ok => Some(message),
            };
            self.left.extend(kept.map(|message| (order, key, message)));
        }
        status
    }

    fn set_first_token_time(&mut self, value: Value) -> Option<Value> {
        let SpanType::LlmGeneration(generation) = &mut self.span_type else { return Some(value) };
        let time = typed::time(&value).filter(|time| *time >= self.start);
        once(&mut generation.time_to_first_token, time.map(|time| time.since(self.start)), value)
    }

    /// Parameters in one object; it is kept as well if one of them contradicts what was given alone.
    fn set_parameters(&mut self, value: Value) -> Option<Value> {
        let Some(Value::Map(map)) = parsed(&value) else { return Some(value) };
        let mut whole = true;
        for (key, value) in map {
            let left = match key.as_str() {
                "temperature" => self.set_context(Field::Temperature, value),
                "top_p" => self.set_context(Field::TopP, value),
                "max_tokens" => self.set_context(Field::MaxTokens, value),
                _ => self.parameters.add(key, value),
            };
            whole &= left.is_none();
        }
        (!whole).then_some(value)
    }

    /// A list that was flattened into attributes of one prefix.
    fn take_list(&mut self, prefix: usize, field: Field, group: Vec<Pair>) {
        let pairs = group.iter().map(|(_, key, value)| (key.get(prefix..).unwrap_or(""), value.clone()));
        let left = match list::unflatten(pairs) {
            Some(list) if field == Field::Tools => {
                self.set(usize::MAX, &Str::EMPTY, field, "", list::schemas(list)).is_some()
            }
            Some(list) => self.set(usize::MAX, &Str::EMPTY, field, "", list).is_some(),
            None => true,
        };
        if left {
            self.left.extend(group);
        }
    }

    /// Settles what needs all attributes, and gives the attributes that no field took, in their order.
    pub(super) fn finish(&mut self, scope: &str) -> obs_core::Attributes {
        for (side, document) in [(0, &self.input), (1, &self.output)] {
            let says = |(_, _, mime): &Pair| {
                document.as_ref().is_some_and(|document| is_form(mime, document.form()))
            };
            self.left.extend(self.mimes[side].take().filter(|mime| !says(mime)));
        }
        if let Some(instructions) = self.instructions.take() {
            match messages::with_instructions(self.input.as_ref(), &instructions.2) {
                Some(input) => self.input = Some(input),
                None => self.left.push(instructions),
            }
        }
        let provider = self.span_type.model().and_then(|(_, provider, _)| provider).cloned();
        let (usage, totals) = std::mem::take(&mut self.counts).finish(scope, provider.as_ref());
        self.left.extend(totals);
        self.finish_type(usage);
        self.context.metadata = std::mem::take(&mut self.metadata).finish();
        self.left.sort_by_key(|(order, ..)| *order);
        self.left.drain(..).map(|(_, key, value)| (key, value)).collect()
    }

    /// What the call cost; that it is an estimate stays behind where there is none.
    fn finish_cost(&mut self) -> Option<Box<Cost>> {
        let amounts = std::mem::take(&mut self.amounts).finish();
        let cost = self.cost.take().or(amounts);
        let estimated = self.estimated.take();
        let Some(mut cost) = cost else {
            self.left.extend(estimated);
            return None;
        };
        cost.estimated |= estimated.is_some();
        Some(Box::new(cost))
    }

    fn finish_type(&mut self, usage: Usage) {
        let cost = self.finish_cost();
        match &mut self.span_type {
            SpanType::LlmGeneration(generation) => {
                generation.usage = usage;
                generation.parameters.other = std::mem::take(&mut self.parameters).finish();
                generation.cost = cost;
            }
            SpanType::Embedding(embedding) => (embedding.usage, embedding.cost) = (usage, cost),
            SpanType::RagQuery(query) => asked(&mut query.query, self.input.as_ref()),
            SpanType::MemoryLookup(lookup) => asked(&mut lookup.query, self.input.as_ref()),
            _ => {}
        }
    }
}

/// A query that is only given as the span's input, in words.
fn asked(query: &mut Option<Str>, input: Option<&Payload>) {
    if query.is_none() {
        *query = input.filter(|input| input.form() == Form::Text).map(|input| input.shared().clone());
    }
}

fn hold(slot: &mut Option<Pair>, pair: Pair) -> Option<Value> {
    if slot.is_some() {
        return Some(pair.2);
    }
    *slot = Some(pair);
    None
}

fn is_form(mime: &Value, form: Form) -> bool {
    matches!((mime.as_str(), form), (Some("application/json"), Form::Json) | (Some("text/plain"), Form::Text))
}

fn is_list(field: Field) -> bool {
    matches!(field, Field::InputMessages | Field::OutputMessages | Field::Tools | Field::Documents)
}

fn is_context(field: Field) -> bool {
    field == Field::RunId || (Field::TraceName..=Field::MetadataKey).contains(&field)
}

fn is_count(field: Field) -> bool {
    (Field::InputTokens..=Field::UsageDetails).contains(&field)
}

/// Labels as a list, as a JSON list, or a single one.
fn set_tags(tags: &mut Vec<Str>, value: Value) -> Option<Value> {
    let new = match parsed(&value) {
        Some(Value::List(labels)) => labels.iter().map(name).collect(),
        _ => name(&value).map(|label| vec![label]),
    };
    match new {
        Some(new) if tags.is_empty() => *tags = new,
        Some(new) if *tags == new => {}
        _ => return Some(value),
    }
    None
}
