//! Errors of the application.

use std::error::Error;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Attributes, Str};

/// An error of the application, as a span carries it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorInfo {
    /// Shared by every ancestor that fails with the same error, so that it is counted once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_id: Option<Uuid>,
    /// The error's type: a Rust type path, an exception class.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub error_type: Option<Str>,
    /// What it says.
    pub message: Str,
    /// The stack trace, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<Str>,
    /// The messages of its sources, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Str>,
    /// A code of the error's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Str>,
    /// The part of the system it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Str>,
    /// What kind of trouble it is: `user`, `system`, `third_party`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Str>,
    /// Anything else.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub details: Attributes,
}

impl ErrorInfo {
    /// The most sources that are followed.
    pub const MAX_SOURCES: usize = 32;

    /// An error with only a message.
    pub fn message(message: impl Into<Str>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// The error's own type name, message and chain of sources.
    pub fn of<E: Error + ?Sized>(error: &E) -> Self {
        let mut sources = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source.filter(|_| sources.len() < Self::MAX_SOURCES) {
            sources.push(cause.to_string().into());
            source = cause.source();
        }
        let name = std::any::type_name::<E>();
        let error_type = (!name.starts_with("dyn ")).then(|| Str::from_static(name));
        Self { error_type, message: error.to_string().into(), sources, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_message_and_sources_are_kept() {
        let error = "x".parse::<u8>().unwrap_err();
        let info = ErrorInfo::of(&error);
        assert_eq!(info.error_type.unwrap(), "core::num::error::ParseIntError");
        assert_eq!(info.message, "invalid digit found in string");
        let outer = std::io::Error::other(error);
        let info = ErrorInfo::of(&outer);
        assert_eq!(info.error_type.unwrap(), "std::io::error::Error");
        let boxed: Box<dyn Error> = Box::new(outer);
        assert_eq!(ErrorInfo::of(&*boxed).error_type, None);
    }
}
