//! A span of `tracing` under way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use obs_core::{Attributes, SpanType, Str, Value};
use obs_instrument::{ActiveSpan, Context, Generic};
use obs_otlp::conventions::{Field, TYPES, tokens};

use crate::limits::{Budget, Limits};
use crate::look::{self, Look};
use crate::plan::{Goes, Plan};
use crate::read;
use crate::trouble::{self, Trouble};
use crate::typed;
use crate::visit::{Tellings, Told};

/// What the registry keeps for a layer, of one span.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) span: ActiveSpan<Generic>,
    pub(crate) plan: Arc<Plan>,
    /// The context under it, made when somebody enters it or starts something below.
    context: OnceLock<Context>,
    /// When it was last left, in nanoseconds; 0 if it never was.
    pub(crate) left: AtomicU64,
    /// The name of its type; `None` while a field may still say it.
    pub(crate) span_type: Option<&'static str>,
    /// The fields that were told, by their place; of very many only the first are told apart.
    told: u64,
    /// Those of them that there was no room for.
    refused: u64,
    /// What waits for the type, or for a better name of the same thing.
    pub(crate) pending: Vec<(usize, Value)>,
    budget: Budget,
    pub(crate) trouble: Option<Box<Trouble>>,
    pub(crate) conversation: Conversation,
    pub(crate) total: Option<(usize, u64)>,
    pub(crate) api_names: bool,
    pub(crate) attributes: usize,
    pub(crate) events: usize,
    pub(crate) links: usize,
}

/// What is put together at the end: a model's instructions stand before its messages.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    pub(crate) instructions: Option<(usize, Value)>,
    pub(crate) input: Option<Value>,
}

impl Open {
    /// A span that was just started, as the type it was named or guessed.
    pub(crate) fn new(span: ActiveSpan<Generic>, plan: Arc<Plan>, span_type: Option<&'static str>) -> Self {
        Self {
            span,
            plan,
            context: OnceLock::new(),
            left: AtomicU64::new(0),
            span_type,
            told: 0,
            refused: 0,
            pending: Vec::new(),
            budget: Budget::default(),
            trouble: None,
            conversation: Conversation::default(),
            total: None,
            api_names: false,
            attributes: 0,
            events: 0,
            links: 0,
        }
    }

    pub(crate) fn context(&self) -> &Context {
        self.context.get_or_init(|| self.span.context())
    }

    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Notes that it was left now, which is its end unless it is entered again.
    pub(crate) fn leave(&self) {
        if let Some(now) = self.span.time() {
            self.left.store(now.as_nanos(), Ordering::Relaxed);
        }
    }

    /// Whether an event in it is worth a look: it may mark the span, stand in it, or be its first token.
    pub(crate) fn listens(&self, marks: bool, stands: bool) -> bool {
        let generates = matches!(self.span_type, None | Some("llm_generation"));
        self.span.keeps_fields() && (marks || stands || generates)
    }

    /// Takes what its fields were told; gives its context if that is another one now.
    pub(crate) fn take(&mut self, tellings: &mut Tellings, limits: &Limits) -> Option<Context> {
        let had_context = self.context.get().is_some();
        if self.span_type.is_none() {
            self.settle_type_if_named(tellings);
        }
        for (at, told) in tellings.drain(..) {
            self.tell(at, told, limits);
        }
        if *self.left.get_mut() > 0 {
            // Told after it was left: then it is still at work, as a stream is that is read elsewhere.
            self.leave();
        }
        (had_context && self.context.get().is_none()).then(|| self.context().clone())
    }

    fn settle_type_if_named(&mut self, tellings: &Tellings) {
        let mut look = Look::default();
        for (at, told) in tellings {
            if let (Some(slot), Told::Value(value)) = (self.plan.slots.get(*at), told) {
                look.hear_value(slot.goes, value);
            }
        }
        if let Some(span_type) = look.named() {
            self.settle_type(Some(span_type));
        }
    }

    /// From now on its type is known; what waited for that is told.
    pub(crate) fn settle_type(&mut self, span_type: Option<SpanType>) {
        self.span_type = Some(span_type.as_ref().map_or("generic", SpanType::name));
        if let Some(span_type) = span_type {
            self.span.retype(span_type);
        }
        for (at, value) in std::mem::take(&mut self.pending) {
            if self.slot(at).is_some_and(|(_, _, better)| better.is_some()) {
                self.pending.push((at, value));
            } else {
                self.set(at, value);
            }
        }
    }

    pub(crate) fn slot(&self, at: usize) -> Option<(&'static str, Goes, Option<usize>)> {
        self.plan.slots.get(at).map(|slot| (slot.key, slot.goes, slot.better))
    }

    pub(crate) fn was_told(&self, at: usize) -> bool {
        at < 64 && self.told & 1 << at != 0
    }

    fn tell(&mut self, at: usize, told: Told, limits: &Limits) {
        let Some((key, goes, better)) = self.slot(at) else { return };
        let known = self.was_told(at);
        if at < 64 {
            self.told |= 1 << at;
        }
        let value = match (goes, told) {
            (Goes::Error, told) => match self.trouble().error(told) {
                Some(value) => return self.attribute(at, known, key, value, limits),
                None => return,
            },
            (_, Told::Error(info)) => {
                let message = info.message.clone();
                self.trouble().error(Told::Error(info));
                Value::Str(message)
            }
            (_, Told::Value(value)) => value,
        };
        let value = match value {
            Value::Str(text) => Value::Str(self.budget.admit(at, text, limits.span_bytes)),
            value => value,
        };
        if goes == Goes::Attribute {
            self.attribute(at, known, key, value, limits);
        } else if better.is_some() || self.must_wait(goes) {
            self.pending.retain(|(waiting, _)| *waiting != at);
            self.pending.push((at, value));
        } else {
            self.set(at, value);
        }
    }

    /// Whether what a field means depends on a type that is not known yet.
    fn must_wait(&self, goes: Goes) -> bool {
        let Goes::Field(field, _) = goes else { return false };
        let of_any_type = typed::is_context(field)
            || trouble::is_part(field)
            || matches!(field, Field::Input | Field::Output | Field::InputMessages | Field::OutputMessages);
        self.span_type.is_none() && !of_any_type
    }

    /// Puts a value where it goes; one that fits nowhere stays an attribute.
    pub(crate) fn set(&mut self, at: usize, value: Value) {
        let Some((key, goes, _)) = self.slot(at) else { return };
        let left = match goes {
            Goes::Name => match value {
                Value::Str(name) => {
                    self.span.rename(name);
                    None
                }
                value => Some(value),
            },
            Goes::Kind => match value.as_str().and_then(look::kind) {
                Some(kind) => {
                    self.span.kind(kind);
                    None
                }
                None => Some(value),
            },
            Goes::Type(first) => self.name_type(first, value),
            Goes::Status => self.trouble().status(value),
            Goes::StatusMessage => self.trouble().status_message(value),
            Goes::Field(field, rest) => self.set_field(at, key, field, rest, value),
            Goes::Attribute | Goes::Error | Goes::Message | Goes::LogMetadata => Some(value),
        };
        if let Some(value) = left {
            self.span.attribute(key, value);
        }
    }

    /// A name of the type; it stays an attribute unless the type says as much.
    fn name_type(&mut self, first: usize, value: Value) -> Option<Value> {
        let row = value.as_str().and_then(|name| TYPES.get(typed::row(first, name)?));
        let said = row.is_some_and(|row| {
            let mcp = row.span_type == "tool_call" && self.span_type == Some("mcp_tool_call");
            typed::says_all(row) && (mcp || self.span_type == Some(row.span_type))
        });
        (!said).then_some(value)
    }

    fn set_field(
        &mut self,
        at: usize,
        key: &'static str,
        field: Field,
        rest: &'static str,
        value: Value,
    ) -> Option<Value> {
        match field {
            Field::Input | Field::InputMessages if self.plan.has_instructions => {
                self.conversation.input = Some(value);
                None
            }
            Field::Input | Field::InputMessages => {
                self.span.input_with(|| read::document(&value).unwrap_or_else(|| "".into()));
                None
            }
            Field::Output | Field::OutputMessages => {
                self.span.output_with(|| read::document(&value).unwrap_or_else(|| "".into()));
                None
            }
            Field::Instructions if self.span_type == Some("llm_generation") => {
                self.conversation.instructions = Some((at, value));
                None
            }
            Field::TotalTokens => match read::whole(&value) {
                Some(total) => {
                    self.total = Some((at, total));
                    None
                }
                None => Some(value),
            },
            field if trouble::is_part(field) => self.trouble().part(field, value),
            field if typed::is_context(field) => {
                let mut left = Some(value);
                self.span.trace(|context| {
                    left = left.take().and_then(|value| typed::set_context(context, field, value));
                });
                self.context = OnceLock::new();
                left
            }
            field => {
                self.api_names |= tokens::is_api_name(key);
                let mut left = Some(value);
                self.span.typed(|span_type| {
                    left = left.take().and_then(|value| typed::set(span_type, field, rest, value));
                });
                left
            }
        }
    }

    fn attribute(&mut self, at: usize, known: bool, key: &'static str, value: Value, limits: &Limits) {
        let bit = 1u64.checked_shl(at as u32).unwrap_or(0);
        if known {
            if self.refused & bit == 0 {
                self.span.attribute(key, value);
            }
            return;
        }
        self.attributes += 1;
        if self.attributes > limits.attributes {
            self.refused |= bit;
        } else if bit == 0 {
            self.span.attribute(key, value);
        } else {
            // Told for the first time, so that nothing of its name is there.
            self.span.attributes(|attributes| attributes.push(key, value));
        }
    }

    pub(crate) fn trouble(&mut self) -> &mut Trouble {
        self.trouble.get_or_insert_default()
    }

    /// Notes that something happened during it.
    pub(crate) fn event(&mut self, name: Str, attributes: Attributes, limits: &Limits) {
        self.events += 1;
        if self.events <= limits.events {
            self.span.event(name, attributes);
        }
    }

    /// Relates it to the span of another context.
    pub(crate) fn follow(&mut self, cause: &Context, limits: &Limits) {
        let (Some(trace_id), Some(span_id)) = (cause.trace_id(), cause.span_id()) else { return };
        self.links += 1;
        if self.links <= limits.links {
            self.span.link(trace_id, span_id, Attributes::new());
        }
    }

    /// The first token came now, or so long after the start, if it is a model's call and none came before.
    pub(crate) fn first_token(&mut self, since_start: Option<Duration>) {
        let since_start = since_start.or_else(|| self.span.age());
        self.span.typed(|span_type| {
            if let SpanType::LlmGeneration(call) = span_type {
                call.time_to_first_token = call.time_to_first_token.or(since_start);
            }
        });
    }
}
