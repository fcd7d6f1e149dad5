//! The public face of the rules.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use crate::config::{ConfigError, RedactConfig};
use crate::edit::apply;
use crate::engine::{Engine, TEXT_MARKER};
use crate::walk::{JSON_MARKER, walk};

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

    /// Redacts text of any form; borrows it if there is nothing to replace.
    ///
    /// Text that is JSON (one value, or several as in JSON Lines) is treated as by [`redact_json`](Self::redact_json).
    /// Other text is searched for secrets by format, and by name for `name=value`, `name: value` and `"name": value`.
    #[must_use]
    pub fn redact_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.engine_for(text) {
            Some(engine) => engine.text(text, 0, true).map_or(Cow::Borrowed(text), Cow::Owned),
            None => keep_marker(text, TEXT_MARKER),
        }
    }

    /// Redacts one JSON value; borrows it if there is nothing to replace.
    ///
    /// Values under sensitive names are replaced whole, also arrays and objects; `null`, booleans and what is empty
    /// stay. All other strings, names included, are searched for secrets by format, for names in running text, and for
    /// JSON of their own. What is not replaced stays byte for byte: numbers, order, white space. The output is JSON if
    /// the input is; input that is not is replaced by the marker.
    #[must_use]
    pub fn redact_json<'t>(&self, json: &'t str) -> Cow<'t, str> {
        let Some(engine) = self.engine_for(json) else { return keep_marker(json, JSON_MARKER) };
        match walk(engine, json, 0, true, false) {
            Ok(edits) if edits.is_empty() => Cow::Borrowed(json),
            Ok(edits) => match apply(json, edits, &engine.json_token) {
                Some(redacted) => Cow::Owned(redacted),
                None => keep_marker(json, JSON_MARKER),
            },
            Err(_) => keep_marker(json, JSON_MARKER),
        }
    }

    /// Redacts the text under a name: all of it if the name is sensitive, else as [`redact_text`](Self::redact_text)
    /// does. Empty text stays.
    #[must_use]
    pub fn redact_value<'t>(&self, name: Option<&str>, text: &'t str) -> Cow<'t, str> {
        if text.is_empty() || !name.is_some_and(|name| self.name_is_sensitive(name)) {
            return self.redact_text(text);
        }
        keep_marker(text, self.token())
    }

    /// The same for the text of a JSON value; the token is then a JSON string. `null`, booleans and what is empty stay.
    #[must_use]
    pub fn redact_json_value<'t>(&self, name: Option<&str>, json: &'t str) -> Cow<'t, str> {
        let nothing = matches!(json.trim_ascii(), "" | "null" | "true" | "false" | "\"\"" | "{}" | "[]");
        if nothing || !name.is_some_and(|name| self.name_is_sensitive(name)) {
            return self.redact_json(json);
        }
        match &self.engine {
            Some(engine) => keep_marker(json, &format!("\"{}\"", engine.json_token)),
            None => keep_marker(json, JSON_MARKER),
        }
    }

    /// What stands in place of a secret.
    #[must_use]
    pub fn token(&self) -> &str {
        self.engine.as_ref().map_or(TEXT_MARKER, |engine| &engine.token)
    }

    /// The rules, if there are any and the text is not too large for them.
    fn engine_for(&self, text: &str) -> Option<&Engine> {
        self.engine.as_deref().filter(|engine| text.len() <= engine.max_bytes)
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
