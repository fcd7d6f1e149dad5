//! Putting fields, unless the span has an attribute of the same name.

use std::fmt::Display;

use obs_core::{Attributes, Form, Payload, Str, Value};
use serde::Serialize;

use crate::encode::Fields;

/// Where the fields go.
#[derive(Debug)]
pub(in crate::encode) struct Put<'p, 'f> {
    pub(in crate::encode) to: &'p mut Fields<'f>,
    /// What is not put, if there is any such.
    pub(in crate::encode) taken: Option<Taken<'p>>,
}

/// Names that are not put.
#[derive(Debug, Clone, Copy)]
pub(in crate::encode) struct Taken<'p> {
    /// The span's own attributes.
    pub(in crate::encode) own: &'p Attributes,
    /// Names of fields that go out under those of another convention.
    pub(in crate::encode) told: &'static [&'static str],
}

impl<'p> Taken<'p> {
    /// Those that the span has, and those that are told elsewhere; `None` if there are none.
    pub(in crate::encode) fn by(own: &'p Attributes, told: &'static [&'static str]) -> Option<Self> {
        (!own.is_empty() || !told.is_empty()).then_some(Self { own, told })
    }
}

impl Put<'_, '_> {
    /// Whether nothing else goes out under this name or for it.
    #[inline]
    fn free(&self, key: &str) -> bool {
        self.taken.is_none_or(|taken| taken.own.get(key).is_none() && !taken.told.contains(&key))
    }

    /// Whether the field of this name goes out under that of another convention.
    pub(super) fn is_told(&self, key: &str) -> bool {
        self.taken.is_some_and(|taken| taken.told.contains(&key))
    }

    /// A document and its media type; the type never without the document.
    pub(in crate::encode) fn document(&mut self, name: &str, mime: &str, document: &Payload) {
        if self.free(name) {
            let json = document.settled().form() == Form::Json;
            self.str(mime, if json { "application/json" } else { "text/plain" });
            self.to.payload(name, document);
        }
    }

    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    pub(in crate::encode) fn str(&mut self, key: &str, text: &str) {
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
    pub(in crate::encode) fn some(&mut self, key: &str, text: Option<&Str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.str(key, text);
        }
    }

    /// Texts, if there are any.
    pub(in crate::encode) fn strs(&mut self, key: &str, texts: &[Str]) {
        if !texts.is_empty() && self.free(key) {
            self.to.strs(key, texts);
        }
    }

    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    pub(in crate::encode) fn u64(&mut self, key: &str, number: Option<impl Into<u64>>) {
        if let Some(number) = number.filter(|_| self.free(key)) {
            self.to.u64(key, number.into());
        }
    }

    /// A count, of which zero is none.
    #[inline]
    pub(in crate::encode) fn count(&mut self, key: &str, count: u64) {
        self.u64(key, Some(count).filter(|count| *count > 0));
    }

    #[expect(
        clippy::inline_always,
        reason = "of a constant key, the length and the bytes are constants then"
    )]
    #[inline(always)]
    pub(in crate::encode) fn f64(&mut self, key: &str, number: Option<f64>) {
        if let Some(number) = number.filter(|_| self.free(key)) {
            self.to.f64(key, number);
        }
    }

    pub(in crate::encode) fn bool(&mut self, key: &str, value: Option<bool>) {
        if let Some(value) = value.filter(|_| self.free(key)) {
            self.to.bool(key, value);
        }
    }

    pub(in crate::encode) fn value(&mut self, key: &str, value: &Value) {
        if self.free(key) {
            self.to.value(key, value);
        }
    }

    pub(in crate::encode) fn payload(&mut self, key: &str, document: &Payload) {
        self.str(key, document.as_str());
    }

    pub(in crate::encode) fn json<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        if self.free(key) {
            self.to.json(key, value);
        }
    }

    pub(in crate::encode) fn display(&mut self, key: &str, value: impl Display) {
        if self.free(key) {
            self.to.display(key, value);
        }
    }
}
