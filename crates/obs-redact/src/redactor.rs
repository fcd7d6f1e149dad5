//! The public face of the rules.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::config::{ConfigError, RedactConfig};
use crate::edit::apply;
use crate::engine::{Engine, OMITTED, TEXT_MARKER, looks_like_json};
use crate::fit::{MORE, more};
use crate::names::is_one_of;
use crate::rules::names::LABELS;
use crate::rules::values::VALUE_RULES;
use crate::walk::{JSON_MARKER, walk};

/// The names of the built-in formats, for whoever wants to see that each is found.
pub fn formats() -> impl Iterator<Item = &'static str> {
    VALUE_RULES.iter().map(|rule| rule.name)
}

/// The built-in rules, compiled once for the process.
static BUILT_IN: LazyLock<Redactor> = LazyLock::new(|| {
    let engine = Engine::new(&RedactConfig::default()).ok();
    Redactor { engine: engine.map(Arc::new) }
});

/// Finds secrets and replaces them.
///
/// Cloning is cheap and shares the compiled rules. The default has every built-in rule and no other.
///
/// Nothing here fails: where a search cannot be made, its text is replaced by `[REDACTION_FAILED]`, its JSON by
/// `{"error":"redaction_failed"}`. Output is redacted for good: redacting it once more changes nothing.
#[derive(Debug, Clone)]
pub struct Redactor {
    /// `None` only if the built-in rules did not compile; then everything is replaced.
    engine: Option<Arc<Engine>>,
}

impl Default for Redactor {
    fn default() -> Self {
        BUILT_IN.clone()
    }
}

impl Redactor {
    /// Compiles the rules of a configuration; an error names the setting that cannot be used.
    pub fn new(config: &RedactConfig) -> Result<Self, ConfigError> {
        if *config == RedactConfig::default() {
            return Ok(Self::default());
        }
        Ok(Self { engine: Some(Arc::new(Engine::new(config)?)) })
    }

    /// Whether a value under this name is a secret whatever it looks like.
    ///
    /// Names are compared by their letters and digits in lower case: `x-api-key`, `X_API_KEY` and `xApiKey` are one.
    #[must_use]
    pub fn name_is_sensitive(&self, name: &str) -> bool {
        self.engine.as_ref().is_none_or(|engine| engine.names.is_sensitive(name))
    }

    /// Whether the configuration keeps back what stands under this name: by `exclude_fields`, or because it was read or
    /// written and `include_io` is off.
    #[must_use]
    pub fn name_is_omitted(&self, name: &str) -> bool {
        self.engine.as_ref().is_some_and(|engine| engine.omits(name))
    }

    /// Whether the configuration keeps back what stands under some names, whatever it looks like: text without those
    /// names, such as a message about a record, can then hold what no search finds.
    #[must_use]
    pub fn keeps_back(&self) -> bool {
        self.engine.as_ref().is_none_or(|engine| engine.without_io || engine.omitted.is_some())
    }

    /// Redacts text of any form; borrows it if there is nothing to replace.
    ///
    /// Text that is JSON (one value, or several as in JSON Lines) is treated as by [`redact_json`](Self::redact_json).
    /// Other text is searched for secrets by format, and by name for `name=value`, `name: value` and `"name": value`.
    /// What is longer than the limits after that is cut.
    #[must_use]
    pub fn redact_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.engine_for(text) {
            Some(engine) => {
                fit_text(engine, engine.text(text, 0, true).map_or(Cow::Borrowed(text), Cow::Owned))
            }
            None => keep_marker(text, TEXT_MARKER),
        }
    }

    /// Redacts one JSON value; borrows it if there is nothing to replace.
    ///
    /// Values under sensitive names are replaced whole, also arrays and objects; `null`, booleans and what is empty
    /// stay. All other strings, names included, are searched for secrets by format, for names in running text, and for
    /// JSON of their own. What is not replaced stays byte for byte: numbers, order, white space. What is longer than the
    /// limits after that is cut. The output is JSON if the input is; input that is not is replaced by the marker.
    #[must_use]
    pub fn redact_json<'t>(&self, json: &'t str) -> Cow<'t, str> {
        let Some(engine) = self.engine_for(json) else { return keep_marker(json, JSON_MARKER) };
        match walk(engine, json, 0, true, false) {
            Ok(edits) if edits.is_empty() => fit_json(engine, Cow::Borrowed(json)),
            Ok(edits) => match apply(json, edits, &engine.marks, true) {
                Some(redacted) => fit_json(engine, Cow::Owned(redacted)),
                None => keep_marker(json, JSON_MARKER),
            },
            Err(_) => keep_marker(json, JSON_MARKER),
        }
    }

    /// Redacts the text under a name: all of it if the name is sensitive or kept back, else as
    /// [`redact_text`](Self::redact_text) does. Empty text stays.
    #[must_use]
    pub fn redact_value<'t>(&self, name: Option<&str>, text: &'t str) -> Cow<'t, str> {
        let Some(name) = name.filter(|_| !text.is_empty()) else { return self.redact_text(text) };
        if self.name_is_omitted(name) {
            return keep_marker(text, OMITTED);
        }
        if !self.name_is_sensitive(name) {
            return self.redact_text(text);
        }
        self.mark(text, false)
    }

    /// The same for the text of a JSON value; the mark is then a JSON string. `null`, booleans and what is empty stay,
    /// unless the name is kept back: then only `null` does.
    #[must_use]
    pub fn redact_json_value<'t>(&self, name: Option<&str>, json: &'t str) -> Cow<'t, str> {
        let value = json.trim_ascii();
        if value != "null" && name.is_some_and(|name| self.name_is_omitted(name)) {
            return keep_marker(json, &format!("\"{OMITTED}\""));
        }
        let nothing = matches!(value, "" | "null" | "true" | "false" | "\"\"" | "{}" | "[]");
        if nothing || !name.is_some_and(|name| self.name_is_sensitive(name)) {
            return self.redact_json(json);
        }
        self.mark(json, true)
    }

    /// The mark for a text that is a secret as a whole; empty text and marks stay.
    #[must_use]
    pub fn redact_whole<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.is_empty() { Cow::Borrowed(text) } else { self.mark(text, false) }
    }

    /// Whether a member of this name labels its sibling `value`, as in a list of headers.
    #[must_use]
    pub fn name_is_label(name: &str) -> bool {
        is_one_of(name, LABELS)
    }

    /// Whether what stands in so many arrays and objects is deeper than is searched.
    #[must_use]
    pub fn is_too_deep(&self, depth: usize) -> bool {
        self.engine.as_ref().is_none_or(|engine| depth >= engine.max_depth)
    }

    /// Whether a number is personal data of a kind that is replaced.
    #[must_use]
    pub fn number_is_sensitive(&self, number: impl fmt::Display) -> bool {
        self.engine.as_ref().is_none_or(|engine| {
            // Most configurations ask for none, and then no number is written out.
            engine.values.asks_for_personal() && engine.values.is_personal(&number.to_string())
        })
    }

    /// How many elements of a list are passed on and the mark for the others; `None` if all of them are. `last` is the
    /// last element, if it is text: it may be that mark already.
    #[must_use]
    pub fn items_beyond(&self, length: usize, last: Option<&str>) -> Option<(usize, String)> {
        let limits = self.engine.as_ref()?.limits.as_ref()?;
        more(length, limits.items, last, "items")
    }

    /// The same for the members of a map; the mark stands under the name `…`.
    #[must_use]
    pub fn keys_beyond(&self, length: usize, last: Option<&str>) -> Option<(usize, &'static str, String)> {
        let limits = self.engine.as_ref()?.limits.as_ref()?;
        more(length, limits.keys, last, "keys").map(|(kept, mark)| (kept, MORE, mark))
    }

    /// The mark for all of a text.
    fn mark<'t>(&self, text: &'t str, json: bool) -> Cow<'t, str> {
        let Some(engine) = &self.engine else {
            return keep_marker(text, if json { JSON_MARKER } else { TEXT_MARKER });
        };
        if !json {
            if engine.marks.plain.is(text) {
                return Cow::Borrowed(text);
            }
            let mut mark = String::new();
            engine.marks.write(&mut mark, text, false);
            return Cow::Owned(mark);
        }
        let value = text.trim_ascii();
        let contents = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        if contents.is_some_and(|contents| engine.marks.json.is(contents)) {
            return Cow::Borrowed(text);
        }
        let mut mark = String::from("\"");
        engine.marks.write(&mut mark, value, true);
        mark.push('"');
        Cow::Owned(mark)
    }

    /// What stands in place of a secret, without what a style adds.
    #[must_use]
    pub fn token(&self) -> &str {
        self.engine.as_ref().map_or(TEXT_MARKER, |engine| &engine.marks.plain.token)
    }

    /// The rules, if there are any and the text is not too large for them.
    fn engine_for(&self, text: &str) -> Option<&Engine> {
        self.engine.as_deref().filter(|engine| text.len() <= engine.max_bytes)
    }
}

/// Redacted text within the limits; if it is JSON it stays so, where that is enough.
fn fit_text<'t>(engine: &Engine, text: Cow<'t, str>) -> Cow<'t, str> {
    let Some(limits) = &engine.limits else { return text };
    let text = match looks_like_json(&text).then(|| limits.json(&text, &engine.marks)) {
        Some(Ok(Some(fitting))) => Cow::Owned(fitting),
        _ => text,
    };
    limits.text(&text, &engine.marks.plain).map_or(text, Cow::Owned)
}

/// Redacted JSON within the limits.
fn fit_json<'t>(engine: &Engine, json: Cow<'t, str>) -> Cow<'t, str> {
    match engine.limits.as_ref().map(|limits| limits.json(&json, &engine.marks)) {
        None | Some(Ok(None)) => json,
        Some(Ok(Some(fitting))) => Cow::Owned(fitting),
        Some(Err(_)) => Cow::Owned(JSON_MARKER.into()),
    }
}

/// A replacement for the whole text; borrowed if it stands there already.
fn keep_marker<'t>(text: &'t str, marker: &str) -> Cow<'t, str> {
    if text == marker { Cow::Borrowed(text) } else { Cow::Owned(marker.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rules_compile() {
        Engine::new(&RedactConfig::default()).unwrap();
    }

    #[test]
    fn law_6_without_rules_everything_is_replaced() {
        let broken = Redactor { engine: None };
        assert!(broken.name_is_sensitive("colour"));
        assert_eq!(broken.redact_text("hello"), "[REDACTION_FAILED]");
        assert_eq!(broken.redact_value(Some("colour"), "red"), "[REDACTION_FAILED]");
        for json in [broken.redact_json("[1]"), broken.redact_json_value(Some("colour"), "[1]")] {
            assert_eq!(json, r#"{"error":"redaction_failed"}"#);
        }
    }

    #[test]
    fn a_redactor_goes_to_other_threads() {
        fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
        shared(&Redactor::default());
    }
}
