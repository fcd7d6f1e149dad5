//! Inputs, outputs and other documents of the application's own.

use std::borrow::Cow;

use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::Str;
use crate::json::splice;

/// What the text of a [`Payload`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Plain text, whatever it looks like.
    Text,
    /// Valid JSON without newlines, nested at most 127 deep, and no bare string; encoders splice it as it stands.
    Json,
    /// Not looked at yet: the pipeline settles it off the application's thread.
    Unchecked,
}

/// A document of the application's own: shared text and its form.
///
/// Canonical JSON writes `Text` as a string and `Json` as itself.
#[derive(Debug, Clone)]
pub struct Payload {
    text: Str,
    form: Form,
}

impl Payload {
    /// Plain text: never read as JSON.
    pub fn text(text: impl Into<Str>) -> Self {
        Self { text: text.into(), form: Form::Text }
    }

    /// Text that may be JSON: taken as JSON if it turns out to be an object or an array, else as plain text.
    ///
    /// This costs nothing here; [`Payload::settle`] looks at it later.
    #[inline]
    pub fn unchecked(text: impl Into<Str>) -> Self {
        Self { text: text.into(), form: Form::Unchecked }
    }

    /// Any serialisable value, as JSON; a string becomes plain text.
    ///
    /// # Errors
    /// What the value's `Serialize` reports, for example a map whose keys are no strings.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_string(value)?;
        Ok(Self::from_json(&json).unwrap_or_else(|| Self::text(json)))
    }

    /// JSON text of any kind, scalars too, or `None` if it is not valid JSON or nested deeper than 127.
    pub fn from_json(json: &str) -> Option<Self> {
        if json.trim_start().starts_with('"') {
            return serde_json::from_str::<String>(json).ok().map(Self::text);
        }
        if !is_json(json) {
            return None;
        }
        Some(Self { text: without_newlines(json).into(), form: Form::Json })
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The shared text.
    pub fn shared(&self) -> &Str {
        &self.text
    }

    /// What the text is known to be.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Whether it is JSON that nests deeper than this: for encoders that put it deep into a document of their own, which
    /// most readers take no deeper than 127.
    ///
    /// ```
    /// let payload = obs_core::Payload::unchecked("[[1]]");
    /// assert!(payload.is_deeper_than(1) && !payload.is_deeper_than(2));
    /// assert!(!obs_core::Payload::text("[[1]]").is_deeper_than(1));
    /// ```
    pub fn is_deeper_than(&self, levels: usize) -> bool {
        let settled = self.settled();
        settled.form == Form::Json && is_deeper(&settled.text, levels)
    }

    /// Decides what an unchecked payload is; does nothing otherwise.
    pub fn settle(&mut self) {
        if self.form != Form::Unchecked {
            return;
        }
        self.form = Form::Text;
        let first = self.text.trim_ascii_start().bytes().next();
        if matches!(first, Some(b'{' | b'[')) && is_json(&self.text) {
            self.form = Form::Json;
            if let Cow::Owned(compact) = without_newlines(&self.text) {
                self.text = compact.into();
            }
        }
    }

    /// The payload, settled: for encoders that may meet an unchecked one.
    pub fn settled(&self) -> Cow<'_, Self> {
        if self.form == Form::Unchecked {
            let mut settled = self.clone();
            settled.settle();
            Cow::Owned(settled)
        } else {
            Cow::Borrowed(self)
        }
    }
}

/// The deepest nesting that counts as JSON: what `serde_json` and most other readers take.
const MAX_DEPTH: usize = 127;

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok() && !is_deeper(text, MAX_DEPTH)
}

/// Whether valid JSON nests deeper; few brackets cannot, and counting them is a tenth of the work.
fn is_deeper(json: &str, levels: usize) -> bool {
    let opening =
        |bytes: &[u8]| usize::from(bytes.iter().map(|b| u8::from(matches!(b, b'{' | b'['))).sum::<u8>());
    // Sums of a byte are what vector units are best at, and 128 of them fit.
    json.as_bytes().chunks(128).map(opening).sum::<usize>() > levels && depth(json) > levels
}

/// How deep valid JSON nests.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// JSON has newlines only between tokens, where no character is needed, so dropping them changes no value.
fn without_newlines(json: &str) -> Cow<'_, str> {
    // Looking at every byte without a way out is several times as fast as stopping at the first.
    let newline = |byte| u8::from(byte == b'\n') | u8::from(byte == b'\r');
    if json.bytes().fold(0, |found, byte| found | newline(byte)) != 0 {
        Cow::Owned(json.replace(['\n', '\r'], ""))
    } else {
        Cow::Borrowed(json)
    }
}

impl PartialEq for Payload {
    /// Equal text of equal form, unchecked payloads as what they settle to; spaces around JSON do not count.
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.settled(), other.settled());
        match (a.form, b.form) {
            (Form::Json, Form::Json) => a.text.trim_ascii() == b.text.trim_ascii(),
            (a_form, b_form) => a_form == b_form && a.text == b.text,
        }
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self::unchecked(Str::copied(text))
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self::unchecked(text)
    }
}

impl From<Str> for Payload {
    fn from(text: Str) -> Self {
        Self::unchecked(text)
    }
}

impl From<std::sync::Arc<str>> for Payload {
    fn from(text: std::sync::Arc<str>) -> Self {
        Self::unchecked(text)
    }
}

impl From<serde_json::Value> for Payload {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::String(text) => Self::text(text),
            value => {
                let json = value.to_string();
                Self::from_json(&json).unwrap_or_else(|| Self::text(json))
            }
        }
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settled = self.settled();
        match settled.form {
            Form::Json => splice(&settled.text, serializer),
            Form::Text | Form::Unchecked => serializer.serialize_str(&settled.text),
        }
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self::from_json(raw.get()).unwrap_or_else(|| Self::text(raw.get().to_owned())))
    }
}

/// For optional fields: a `null` that is there is the JSON document `null`, not an absent one.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Payload>, D::Error> {
    Payload::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn settles(text: &str, form: Form, to: &str) {
        let mut payload = Payload::from(text);
        payload.settle();
        assert_eq!((payload.form(), payload.as_str()), (form, to));
    }

    #[test]
    fn unchecked_text_settles_to_what_it_is() {
        settles("", Form::Text, "");
        settles("plain", Form::Text, "plain");
        settles("42", Form::Text, "42");
        settles("{\"a\":1", Form::Text, "{\"a\":1");
        settles(" {\"a\":1}", Form::Json, " {\"a\":1}");
        settles("[1,\n 2]", Form::Json, "[1, 2]");
        let deep = "[".repeat(200) + &"]".repeat(200);
        settles(&deep, Form::Text, &deep);
    }

    #[test]
    fn depth_counts_brackets_that_nest_and_no_others() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        for (json, taken) in [
            (nested(MAX_DEPTH), true),
            (nested(MAX_DEPTH + 1), false),
            (format!("[{}1]", "[],".repeat(500)), true),
            (format!("[\"{}\"]", "[{".repeat(500)), true),
            (format!("[\"{}\",{}]", "x".repeat(1_000), nested(MAX_DEPTH)), false),
        ] {
            assert_eq!(Payload::from_json(&json).is_some(), taken, "{json}");
        }
    }

    #[test]
    fn json_is_spliced_and_text_is_quoted() {
        let pair = (Payload::from("{\"a\": 1.0}"), Payload::text("{\"a\": 1.0}"));
        let json = serde_json::to_string(&pair).unwrap();
        assert_eq!(json, r#"[{"a": 1.0},"{\"a\": 1.0}"]"#);
        assert_eq!(serde_json::from_str::<(Payload, Payload)>(&json).unwrap(), pair);
        assert_eq!(Payload::json("text").unwrap(), Payload::text("text"));
        assert_eq!(Payload::json(&7).unwrap().form(), Form::Json);
        assert_eq!(Payload::from(" [1] "), Payload::from("[1]"));
        assert_ne!(Payload::text(" a"), Payload::text("a"));
    }
}
