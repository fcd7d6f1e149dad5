//! What went wrong with a span, as it becomes known piece by piece.

use obs_core::{ErrorInfo, Str, Value};
use obs_otlp::conventions::Field;

use crate::visit::Told;

/// What is known of a span's failure.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    info: ErrorInfo,
    /// Whether something said that the span failed.
    failed: bool,
    /// Whether it was declared fine, which an event does not undo.
    fine: bool,
    /// Whether the message came from an event, which a field of the span overrules.
    from_event: bool,
}

/// What becomes of the span.
#[derive(Debug)]
pub(crate) enum Verdict {
    Fine,
    Failed(Box<ErrorInfo>),
}

impl Trouble {
    /// A field that is, or tells of, an error; gives the value back if it says nothing of that kind.
    pub(crate) fn error(&mut self, told: Told) -> Option<Value> {
        match told {
            Told::Error(info) => self.take(*info, false),
            Told::Value(Value::Str(text)) if !text.is_empty() => self.take(ErrorInfo::message(text), false),
            Told::Value(Value::Bool(true)) => self.failed = true,
            Told::Value(value) => return Some(value),
        }
        None
    }

    /// An error that an event tells of; the first that is known stays, since later ones follow from it.
    pub(crate) fn event(&mut self, info: ErrorInfo) {
        if !self.failed {
            self.take(info, true);
        }
    }

    fn take(&mut self, info: ErrorInfo, from_event: bool) {
        self.failed = true;
        self.from_event = from_event;
        let ErrorInfo { error_type, message, sources, stack, .. } = info;
        self.info.message = message;
        self.info.sources = sources;
        self.info.error_type = self.info.error_type.take().or(error_type);
        self.info.stack = self.info.stack.take().or(stack);
    }

    /// What the span says of its own status; gives other words back.
    pub(crate) fn status(&mut self, value: Value) -> Option<Value> {
        match value.as_str() {
            Some(text) if text.eq_ignore_ascii_case("error") => (self.failed, self.fine) = (true, false),
            Some(text) if text.eq_ignore_ascii_case("ok") => self.fine = true,
            Some(text) if text.eq_ignore_ascii_case("unset") => {}
            _ => return Some(value),
        }
        None
    }

    /// Why the status is what it is.
    pub(crate) fn status_message(&mut self, value: Value) -> Option<Value> {
        match value {
            Value::Str(text) => {
                self.info.message = text;
                self.from_event = false;
                None
            }
            value => Some(value),
        }
    }

    /// A part of the error under a conventional name.
    pub(crate) fn part(&mut self, field: Field, value: Value) -> Option<Value> {
        let Value::Str(text) = value else { return Some(value) };
        match field {
            Field::ErrorType => self.info.error_type = Some(text),
            Field::ErrorStack => self.info.stack = Some(text),
            Field::ErrorCode => self.info.code = Some(text),
            _ => (self.info.message, self.from_event) = (text, false),
        }
        self.failed = true;
        None
    }

    /// What becomes of the span.
    pub(crate) fn verdict(self) -> Option<Verdict> {
        match (self.fine, self.failed) {
            (true, _) => Some(Verdict::Fine),
            (false, true) => Some(Verdict::Failed(Box::new(self.info))),
            (false, false) => None,
        }
    }
}

/// Whether a field tells a part of an error.
pub(crate) fn is_part(field: Field) -> bool {
    matches!(field, Field::ErrorType | Field::ErrorMessage | Field::ErrorStack | Field::ErrorCode)
}

/// The error that an event tells of: its error value, else what it says.
pub(crate) fn of_event(error: Option<&ErrorInfo>, message: &Str) -> ErrorInfo {
    error.cloned().unwrap_or_else(|| ErrorInfo::message(message.clone()))
}
