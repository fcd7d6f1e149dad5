//! What a user can set.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fit::SMALLEST;
use crate::pii::Pii;
use crate::style::{HashKey, Style};

/// What a [`Redactor`](crate::Redactor) looks for and how it replaces it; both the shape in a file and the builder.
///
/// The default is every built-in rule and no other. Unknown fields are refused.
///
/// ```
/// use obs_redact::{RedactConfig, Redactor};
///
/// let config = RedactConfig::default()
///     .with_name("employee_number")
///     .with_name("*_pin")
///     .with_allowed_name("key")
///     .with_pattern("case-number", r"\bCASE-\d{6}\b");
/// let redactor = Redactor::new(&config)?;
/// assert!(redactor.name_is_sensitive("doorPin"));
/// assert_eq!(redactor.redact_text("see CASE-123456"), "see [REDACTED]");
/// # Ok::<(), obs_redact::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedactConfig {
    /// Further sensitive names of fields, compared like the built-in ones: case and everything but letters and digits
    /// are ignored. `*` in front makes an ending of the name. Empty by default.
    pub names: Vec<String>,
    /// Names that are never sensitive, written the same way; they win over all other names. Values under them are still
    /// searched for secrets by format. Empty by default.
    pub allowed_names: Vec<String>,
    /// Further formats of secrets: regular expressions by a name that errors use. Whole matches are replaced. Empty by
    /// default.
    pub patterns: BTreeMap<String, String>,
    /// What stands in place of a secret; `[REDACTED]` by default. It must not be empty, nor itself look like a secret.
    pub token: String,
    /// What the mark in place of a secret says of it; [`Style::Full`] by default: nothing.
    pub style: Style,
    /// The key of [`Style::KeyedHash`], at least 16 bytes; none by default. Only that style needs it.
    pub key: Option<HashKey>,
    /// The kinds of personal data that are replaced too; none by default.
    pub pii: Vec<Pii>,
    /// Whether what models, tools and memories read and wrote is passed on; true by default. If not, `[OMITTED]` stands in
    /// place of inputs, outputs, queries, contents, instructions and reasoning, and of attributes that carry the same.
    pub include_io: bool,
    /// Names of fields whose values are not passed on, compared like `names`: `[OMITTED]` stands in place of everything
    /// under them, in JSON, attributes, labels and records, and behind such a name in quotes in other text; also of a
    /// member `value` that such a name labels. Empty by default.
    pub exclude_fields: Vec<String>,
    /// How many bytes of one string are passed on, at least 32; the rest becomes `…[truncated N bytes]`. None by default,
    /// as for the limits below: nothing is cut unless you say so. Secrets are looked for before anything is cut.
    pub max_string: Option<usize>,
    /// How many elements of one array are passed on; `"[…N more items]"` stands in place of the others.
    pub max_items: Option<usize>,
    /// How many members of one object are passed on; `"…":"[…N more keys]"` stands in place of the others.
    pub max_keys: Option<usize>,
    /// How many bytes of one document are passed on, at least 32; marks and the brackets that close it come on top. Names
    /// and numbers for which there is no room are cut like strings.
    pub max_payload: Option<usize>,
    /// How many levels of JSON inside of JSON strings are parsed; 8 by default, since agents that hand each other tool
    /// results reach three or four. Deeper text is searched as text.
    pub max_nesting: usize,
    /// How deep arrays and objects may stand in each other; 126 by default, which with the marker is what
    /// serde_json reads. What stands deeper is replaced by the marker of a failure.
    pub max_depth: usize,
    /// The largest text in bytes that is searched; a larger one is replaced whole by the marker of a failure. None by
    /// default: the search takes time in proportion to the text, and no larger text should be lost to it.
    pub max_bytes: Option<usize>,
}

impl Default for RedactConfig {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            allowed_names: Vec::new(),
            patterns: BTreeMap::new(),
            token: "[REDACTED]".into(),
            style: Style::Full,
            key: None,
            pii: Vec::new(),
            include_io: true,
            exclude_fields: Vec::new(),
            max_string: None,
            max_items: None,
            max_keys: None,
            max_payload: None,
            max_nesting: 8,
            max_depth: 126,
            max_bytes: None,
        }
    }
}

impl RedactConfig {
    /// Adds a sensitive name, or with `*` in front an ending of names.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// Adds a name, or with `*` in front an ending of names, that is never sensitive.
    #[must_use]
    pub fn with_allowed_name(mut self, name: impl Into<String>) -> Self {
        self.allowed_names.push(name.into());
        self
    }

    /// Adds a format of secrets; a second one of the same name replaces the first.
    #[must_use]
    pub fn with_pattern(mut self, name: impl Into<String>, regex: impl Into<String>) -> Self {
        self.patterns.insert(name.into(), regex.into());
        self
    }

    /// Sets what stands in place of a secret.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// Sets what the mark in place of a secret says of it.
    #[must_use]
    pub fn with_style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// Sets [`Style::KeyedHash`] and its key.
    #[must_use]
    pub fn with_keyed_hash(mut self, key: impl Into<HashKey>) -> Self {
        self.key = Some(key.into());
        self.with_style(Style::KeyedHash)
    }

    /// Adds kinds of personal data.
    #[must_use]
    pub fn with_pii(mut self, kinds: impl IntoIterator<Item = Pii>) -> Self {
        self.pii.extend(kinds);
        self
    }

    /// Sets whether what models, tools and memories read and wrote is passed on.
    #[must_use]
    pub fn with_include_io(mut self, include: bool) -> Self {
        self.include_io = include;
        self
    }

    /// Adds a name, or with `*` in front an ending of names, whose values are not passed on.
    #[must_use]
    pub fn with_excluded_field(mut self, name: impl Into<String>) -> Self {
        self.exclude_fields.push(name.into());
        self
    }

    /// Sets how many bytes of one string are passed on.
    #[must_use]
    pub fn with_max_string(mut self, bytes: usize) -> Self {
        self.max_string = Some(bytes);
        self
    }

    /// Sets how many elements of one array are passed on.
    #[must_use]
    pub fn with_max_items(mut self, items: usize) -> Self {
        self.max_items = Some(items);
        self
    }

    /// Sets how many members of one object are passed on.
    #[must_use]
    pub fn with_max_keys(mut self, keys: usize) -> Self {
        self.max_keys = Some(keys);
        self
    }

    /// Sets how many bytes of one document are passed on.
    #[must_use]
    pub fn with_max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = Some(bytes);
        self
    }

    /// Sets how many levels of JSON inside of JSON strings are parsed.
    #[must_use]
    pub fn with_max_nesting(mut self, levels: usize) -> Self {
        self.max_nesting = levels;
        self
    }

    /// Sets how deep arrays and objects may stand in each other.
    #[must_use]
    pub fn with_max_depth(mut self, levels: usize) -> Self {
        self.max_depth = levels;
        self
    }

    /// Sets the largest text, in bytes, that is searched and not replaced.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = Some(bytes);
        self
    }
}

/// A [`RedactConfig`] that cannot work. The message names the setting, the cause and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    message: String,
}

impl ConfigError {
    pub(crate) fn pattern(name: &str, cause: &str) -> Self {
        Self { message: format!("redaction pattern `{name}` cannot be used: {cause}; correct or remove it") }
    }

    pub(crate) fn name(list: &str, name: &str) -> Self {
        let cause = "has no letter or digit, and those alone are compared";
        Self { message: format!("the name `{name}` in redaction `{list}` {cause}; correct or remove it") }
    }

    pub(crate) fn token(cause: &str) -> Self {
        Self { message: format!("the redaction token {cause}; choose another, such as `[REDACTED]`") }
    }

    pub(crate) fn key() -> Self {
        let shortest = HashKey::SHORTEST;
        Self {
            message: format!(
                "the redaction style `keyed_hash` needs a `key` of at least {shortest} bytes; set one"
            ),
        }
    }

    pub(crate) fn limit(limit: &str, bytes: usize) -> Self {
        Self {
            message: format!(
                "redaction `{limit}` is {bytes}, and marks alone take {SMALLEST} bytes; set at least that or none"
            ),
        }
    }

    pub(crate) fn built_in(rule: &str, error: &dyn Error) -> Self {
        Self { message: format!("the built-in redaction rule `{rule}` does not compile: {error}; report it") }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ConfigError {}
