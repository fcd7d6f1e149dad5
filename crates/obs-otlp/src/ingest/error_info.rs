//! What went wrong, from attributes and `exception` events.

use obs_core::{Attributes, ErrorInfo, Event, Status, Str, Timestamp, Value};
use uuid::Uuid;

use super::pairs::once;
use super::value::name;
use crate::conventions::{self, Field, own};

/// Error types that say nothing.
const UNKNOWN: [&str; 3] = ["unknown", "_OTHER", ""];

/// The parts of a span's error while they are being found.
#[derive(Debug, Default)]
pub(super) struct Parts {
    error_type: Option<Str>,
    message: Option<Str>,
    stack: Option<Str>,
    code: Option<Str>,
    id: Option<Uuid>,
    domain: Option<Str>,
    category: Option<Str>,
    details: Option<Attributes>,
}

impl Parts {
    /// Takes a part; gives the value back if it says nothing or another was found.
    pub(super) fn set(&mut self, field: Field, value: Value) -> Option<Value> {
        match field {
            Field::ErrorType if value.as_str().is_some_and(|text| UNKNOWN.contains(&text)) => Some(value),
            Field::ErrorType => once(&mut self.error_type, name(&value), value),
            Field::ErrorMessage => once(&mut self.message, name(&value), value),
            Field::ErrorStack => once(&mut self.stack, name(&value), value),
            Field::ErrorCode => once(&mut self.code, name(&value), value),
            _ => Some(value),
        }
    }

    /// Takes what stands under a name of our own; `false` if it is none of them, or was told before.
    pub(super) fn set_own(&mut self, key: &str, value: &Value) -> bool {
        let slot = match key {
            own::ERROR_ID if self.id.is_none() => {
                self.id = value.as_str().and_then(|id| id.parse().ok());
                return self.id.is_some();
            }
            own::ERROR_DETAILS => return super::own::once(&mut self.details, value),
            own::ERROR_DOMAIN => &mut self.domain,
            own::ERROR_CATEGORY => &mut self.category,
            _ => return false,
        };
        once(slot, name(value), Value::Null).is_none()
    }

    fn is_empty(&self) -> bool {
        let Self { error_type, message, stack, code, id, domain, category, details } = self;
        let texts = [error_type, message, stack, code, domain, category];
        texts.iter().all(|text| text.is_none()) && id.is_none() && details.is_none()
    }

    /// The error of a span that failed, or that says so by its attributes.
    ///
    /// The last `exception` event is the one that ended the span: what it says moves into the error, and the event keeps its time; one that has nothing but the time of the span's end is left out.
    /// The exceptions of a span that did not fail were handled, and stay events.
    pub(super) fn finish(
        mut self,
        status: Status,
        message: &str,
        events: &mut Vec<Event>,
        end: Option<Timestamp>,
    ) -> Option<Box<ErrorInfo>> {
        if status != Status::Error && self.is_empty() {
            return None;
        }
        let exception = events.iter().rposition(|event| event.name == "exception");
        if let Some(nth) = exception.filter(|_| status == Status::Error) {
            let said = self.absorb(&mut events[nth]);
            if said && events[nth].attributes.is_empty() && Some(events[nth].time) == end {
                events.remove(nth);
            }
        }
        let said = Some(message).filter(|text| !text.is_empty());
        let mut details = self.details.take().unwrap_or_default();
        if let (Some(said), Some(_)) =
            (said, self.message.as_ref().filter(|known| Some(known.as_str()) != said))
        {
            details.insert("status.message", Str::copied(said));
        }
        Some(Box::new(ErrorInfo {
            error_type: self.error_type,
            message: self.message.or_else(|| said.map(Str::copied)).unwrap_or_default(),
            stack: self.stack,
            code: self.code,
            error_id: self.id,
            domain: self.domain,
            category: self.category,
            details,
            ..ErrorInfo::default()
        }))
    }

    /// Takes what the span's attributes did not say; the rest stays with the event.
    ///
    /// Whether the event said anything.
    fn absorb(&mut self, event: &mut Event) -> bool {
        let said = !event.attributes.is_empty();
        let mut left = Attributes::new();
        for (key, value) in std::mem::take(&mut event.attributes) {
            let field = conventions::lookup(&key).map(|meaning| meaning.field);
            let kept = match field {
                Some(field) => self.set(field, value),
                None => Some(value),
            };
            if let Some(value) = kept {
                left.push(key, value);
            }
        }
        event.attributes = left;
        said
    }
}
