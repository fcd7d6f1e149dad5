//! Putting fields, unless the span has an attribute of the same name.

use std::fmt::Display;

use obs_core::{Attributes, Payload, Str, Value};
use serde::Serialize;

use crate::encode::Fields;

/// Where the fields go.
#[derive(Debug)]
pub(super) struct Put<'p, 'f> {
    pub(super) to: &'p mut Fields<'f>,
    /// The span's own attributes, if there are any.
    pub(super) own: Option<&'p Attributes>,
}

impl Put<'_, '_> {
    /// Whether the span has no attribute of this name.
    #[inline]
    fn free(&self, key: &str) -> bool {
        self.own.is_none_or(|own| own.get(key).is_none())
    }

    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    pub(super) fn str(&mut self, key: &str, text: &str) {
        if self.free(key) {
            self.to.str(key, text);
        }
    }

    /// Text that is there and not empty: to readers of OTLP the empty text is none.
    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    pub(super) fn some(&mut self, key: &str, text: Option<&Str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.str(key, text);
        }
    }

    /// Texts, if there are any.
    pub(super) fn strs(&mut self, key: &str, texts: &[Str]) {
        if !texts.is_empty() && self.free(key) {
            self.to.strs(key, texts);
        }
    }

    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    pub(super) fn u64(&mut self, key: &str, number: Option<impl Into<u64>>) {
        if let Some(number) = number.filter(|_| self.free(key)) {
            self.to.u64(key, number.into());
        }
    }

    /// A count, of which zero is none.
    #[inline]
    pub(super) fn count(&mut self, key: &str, count: u64) {
        self.u64(key, Some(count).filter(|count| *count > 0));
    }

    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    pub(super) fn f64(&mut self, key: &str, number: Option<f64>) {
        if let Some(number) = number.filter(|_| self.free(key)) {
            self.to.f64(key, number);
        }
    }

    pub(super) fn bool(&mut self, key: &str, value: Option<bool>) {
        if let Some(value) = value.filter(|_| self.free(key)) {
            self.to.bool(key, value);
        }
    }

    pub(super) fn value(&mut self, key: &str, value: &Value) {
        if self.free(key) {
            self.to.value(key, value);
        }
    }

    pub(super) fn payload(&mut self, key: &str, document: &Payload) {
        self.str(key, document.as_str());
    }

    pub(super) fn json<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        if self.free(key) {
            self.to.json(key, value);
        }
    }

    pub(super) fn display(&mut self, key: &str, value: impl Display) {
        if self.free(key) {
            self.to.display(key, value);
        }
    }
}
