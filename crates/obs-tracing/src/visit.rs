//! What the fields of a span or an event say.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::{self, Write};

use obs_core::{ErrorInfo, Str, Value};
use tracing::field::{Field, Visit};

use crate::limits::{Bounded, copied};
use crate::plan::{Goes, Plan};

/// What a field was told.
#[derive(Debug)]
pub(crate) enum Told {
    Value(Value),
    /// An error value, with its sources.
    Error(Box<ErrorInfo>),
}

/// What fields were told, by their place in the callsite.
pub(crate) type Tellings = Vec<(usize, Told)>;

thread_local! {
    static SCRATCH: RefCell<Tellings> = const { RefCell::new(Vec::new()) };
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Longer buffers are not kept for the next value.
const KEPT_TEXT: usize = 64 << 10;

/// Lends memory for what fields are told; nested use, by a `Debug` that traces, gets its own.
pub(crate) fn with_tellings<R>(run: impl FnOnce(&mut Tellings) -> R) -> R {
    let mut tellings = SCRATCH.try_with(RefCell::take).unwrap_or_default();
    let result = run(&mut tellings);
    tellings.clear();
    let _ = SCRATCH.try_with(|scratch| scratch.replace(tellings));
    result
}

/// The text of a value, formatted once and no further than it is kept.
pub(crate) fn formatted(value: &dyn fmt::Debug, limit: usize) -> Str {
    let mut text = TEXT.try_with(RefCell::take).unwrap_or_default();
    // An error means that it was too long, or that the value could not be told to its end.
    let _ = write!(Bounded { text: &mut text, limit }, "{value:?}");
    let result = copied(&text, limit);
    if text.capacity() <= KEPT_TEXT {
        text.clear();
        let _ = TEXT.try_with(|kept| kept.replace(text));
    }
    result
}

/// Whether a field is only for those who read spans, not for those who count them.
fn is_content(goes: Goes) -> bool {
    use obs_otlp::conventions::Field::{Input, InputMessages, Output, OutputMessages};
    matches!(goes, Goes::Attribute | Goes::Field(Input | InputMessages | Output | OutputMessages, _))
}

/// Gathers what fields are told.
pub(crate) struct Gather<'a> {
    pub(crate) plan: &'a Plan,
    /// The most bytes of a text.
    pub(crate) limit: usize,
    /// Whether only what a typed field may take is wanted.
    pub(crate) typed_only: bool,
    /// Whether a first look has told the span's name and role already.
    pub(crate) looked: bool,
    pub(crate) tellings: &'a mut Tellings,
}

impl Gather<'_> {
    fn wanted(&self, field: &Field) -> bool {
        let goes = self.plan.slots.get(field.index()).map(|slot| slot.goes);
        match goes {
            None => false,
            Some(goes) if is_content(goes) => !self.typed_only,
            Some(Goes::Name | Goes::Kind) => !self.looked,
            Some(_) => true,
        }
    }

    fn tell(&mut self, field: &Field, value: impl Into<Value>) {
        if self.wanted(field) {
            self.tellings.push((field.index(), Told::Value(value.into())));
        }
    }
}

impl Visit for Gather<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.tell(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.tell(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.tell(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.tell(field, value),
            Err(_) => self.tell(field, value.to_string()),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match i64::try_from(value) {
            Ok(value) => self.tell(field, value),
            Err(_) => self.tell(field, value.to_string()),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.tell(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if self.wanted(field) {
            let recurs = self.plan.slots.get(field.index()).is_some_and(|slot| slot.recurs);
            let text = if recurs && value.len() <= self.limit {
                obs_instrument::intern(value)
            } else {
                copied(value, self.limit)
            };
            self.tellings.push((field.index(), Told::Value(Value::Str(text))));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if self.wanted(field) {
            self.tellings.push((field.index(), Told::Error(Box::new(ErrorInfo::of(value)))));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.wanted(field) {
            let text = formatted(value, self.limit);
            self.tellings.push((field.index(), Told::Value(Value::Str(text))));
        }
    }
}
