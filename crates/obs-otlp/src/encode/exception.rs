//! Events that tell of an error.

use std::fmt;

use obs_core::{Attributes, ErrorInfo, Event};

use super::Fields;
use crate::conventions::{Convention, Field, name};

/// The name of an event that tells of an error.
pub(super) const EXCEPTION: &str = "exception";

const ERROR_TYPE: &str = name(Convention::General, Field::ErrorType);
const ERROR_MESSAGE: &str = name(Convention::General, Field::ErrorMessage);
const ERROR_STACK: &str = name(Convention::General, Field::ErrorStack);

/// Whether an event could tell of the error.
pub(super) fn says_anything(error: &ErrorInfo) -> bool {
    let ErrorInfo { error_type, message, stack, sources, .. } = error;
    error_type.is_some() || !message.is_empty() || stack.is_some() || !sources.is_empty()
}

/// The last exception, if it does not say yet what went wrong.
pub(super) fn untold(events: &[Event]) -> Option<usize> {
    let nth = events.iter().rposition(|event| event.name == EXCEPTION)?;
    let says = |key| events[nth].attributes.get(key).is_some();
    (!says(ERROR_TYPE) && !says(ERROR_MESSAGE) && !says(ERROR_STACK)).then_some(nth)
}

/// What an event says: of an error first.
pub(super) fn told(error: Option<&ErrorInfo>, own: Option<&Attributes>, to: &mut Fields<'_>) {
    if let Some(error) = error {
        to.opt_str(ERROR_TYPE, error.error_type.as_ref());
        if !error.message.is_empty() {
            to.str(ERROR_MESSAGE, &error.message);
        }
        match &error.stack {
            Some(stack) => to.str(ERROR_STACK, stack),
            None if error.sources.is_empty() => {}
            None => to.display(ERROR_STACK, Causes(error)),
        }
    }
    if let Some(own) = own {
        to.attributes(own);
    }
}

/// The chain of sources, which is what most errors of Rust have in place of a stack.
#[derive(Debug)]
pub(super) struct Causes<'a>(pub(super) &'a ErrorInfo);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        self.0.sources.iter().try_for_each(|source| write!(f, "\ncaused by: {source}"))
    }
}
