//! What a user puts in place of the records as they are: a function, or a template.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use obs_core::units::Bytes;
use obs_core::{Batch, suggest};
use serde::{Deserialize, Deserializer, Serialize};

/// What a function makes of the records of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookPayload {
    /// The body; with the format `form`, what its field holds.
    pub bytes: Vec<u8>,
    /// The value of `Content-Type`, where it is another than the format's.
    pub content_type: Option<String>,
}

impl WebhookPayload {
    /// These bytes, as what the configuration's format says.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), content_type: None }
    }

    /// A value as JSON.
    ///
    /// # Errors
    /// What the value's `Serialize` reports.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_vec(value).map(Self::new)
    }

    /// Sets the value of `Content-Type`; what has another type than JSON is not held to be JSON.
    #[must_use]
    pub fn with_content_type(self, content_type: impl Into<String>) -> Self {
        Self { content_type: Some(content_type.into()), ..self }
    }
}

/// Why a function made nothing; its words become the reason of the rejection.
pub type TransformError = Box<dyn StdError + Send + Sync>;

/// A function over the records of one request.
pub type TransformFunction = dyn Fn(&Batch) -> Result<WebhookPayload, TransformError> + Send + Sync;

/// What makes the body of a request; in a file it is a [`Template`].
#[derive(Clone)]
#[non_exhaustive]
pub enum PayloadTransformer {
    /// A template of the configuration's.
    Template(Template),
    /// A function of the application's.
    Function(Arc<TransformFunction>),
}

impl PayloadTransformer {
    /// A function over the records of one request.
    pub fn function(
        function: impl Fn(&Batch) -> Result<WebhookPayload, TransformError> + Send + Sync + 'static,
    ) -> Self {
        Self::Function(Arc::new(function))
    }
}

impl From<Template> for PayloadTransformer {
    fn from(template: Template) -> Self {
        Self::Template(template)
    }
}

impl fmt::Debug for PayloadTransformer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template(template) => template.fmt(f),
            Self::Function(_) => f.write_str("Function"),
        }
    }
}

/// Functions are the same where they are one.
impl PartialEq for PayloadTransformer {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Template(one), Self::Template(other)) => one == other,
            (Self::Function(one), Self::Function(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for PayloadTransformer {}

impl<'de> Deserialize<'de> for PayloadTransformer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <Template as Deserialize>::deserialize(deserializer).map(Self::Template)
    }
}

/// How often a template is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Once for each request: what it makes is the body.
    #[default]
    Batch,
    /// Once for each record: what it makes stands in the record's place.
    Record,
}

/// A minijinja template over the records of a request.
///
/// [`Debug`](fmt::Debug) shows how long its text is and not the text, since APIs may want their keys in there.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
#[non_exhaustive]
pub struct Template {
    /// Its text; required.
    pub template: String,
    /// How often it is rendered, once per request by default.
    #[serde(default)]
    pub per: Per,
    /// The most steps that one rendering may take; `250000` by default, some hundreds for each record of a full batch; 1,000 to
    /// 100 million.
    #[serde(default = "fuel")]
    pub fuel: u64,
    /// The most bytes that one rendering may make, and its filters on the way; `16MiB` by default, 1 KiB to
    /// 64 MiB.
    #[serde(default = "max_output")]
    pub max_output: Bytes,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("bytes", &self.template.len())
            .field("per", &self.per)
            .field("fuel", &self.fuel)
            .field("max_output", &self.max_output)
            .finish_non_exhaustive()
    }
}

const fn fuel() -> u64 {
    250_000
}

const fn max_output() -> Bytes {
    Bytes::new(16 << 20)
}

impl Template {
    /// Rendered once for each request.
    pub fn per_batch(template: impl Into<String>) -> Self {
        Self { template: template.into(), per: Per::Batch, fuel: fuel(), max_output: max_output() }
    }

    /// Rendered once for each record.
    pub fn per_record(template: impl Into<String>) -> Self {
        Self { per: Per::Record, ..Self::per_batch(template) }
    }

    /// Sets the most steps of one rendering.
    #[must_use]
    pub fn with_fuel(self, fuel: u64) -> Self {
        Self { fuel, ..self }
    }

    /// Sets the most bytes of one rendering.
    #[must_use]
    pub fn with_max_output(self, max_output: impl Into<Bytes>) -> Self {
        Self { max_output: max_output.into(), ..self }
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(suggest::error)
    }
}
