//! What a user can set about dead letters.

use std::path::{Path, PathBuf};
use std::time::Duration;

use obs_core::units::{Bytes, duration};
use obs_core::{Error, suggest};
use serde::{Deserialize, Deserializer, Serialize};

/// The least `max_size`: an empty file takes some of it already.
const LEAST_SIZE: Bytes = Bytes::new(1_000_000);

/// Where dead letters lie and how many are kept; both the shape in a file and the builder.
///
/// ```
/// use obs_queue::DeadLetterConfig;
///
/// let built = DeadLetterConfig::new("obs-queue").with_max_size(50_000_000);
/// let read: DeadLetterConfig = serde_json::from_str(r#"{ "directory": "obs-queue", "max_size": "50MB" }"#)?;
/// assert_eq!(read, built);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DeadLetterConfig {
    /// The folder of `dead-letters.db`; it is made where it does not exist, readable by its owner only. Several processes
    /// can share it. Required.
    pub directory: PathBuf,
    /// While the file holds more than this, the oldest letters are removed; at least 1MB, 256MB by default.
    pub max_size: Bytes,
    /// Letters that came longer ago than this are removed; 30 days by default.
    #[serde(with = "duration")]
    pub max_age: Duration,
}

impl Default for DeadLetterConfig {
    fn default() -> Self {
        Self {
            directory: PathBuf::new(),
            max_size: Bytes::new(256_000_000),
            max_age: Duration::from_hours(30 * 24),
        }
    }
}

impl<'de> Deserialize<'de> for DeadLetterConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(suggest::error)
    }
}

impl Serialize for DeadLetterConfig {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl DeadLetterConfig {
    /// Dead letters in this folder.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), ..Self::default() }
    }

    /// Sets how much the file may hold.
    #[must_use]
    pub fn with_max_size(mut self, size: impl Into<Bytes>) -> Self {
        self.max_size = size.into();
        self
    }

    /// Sets how long letters are kept.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Whether the values make sense together; the disk is not looked at.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.directory == Path::new("") {
            return Err(Error::config("directory", "it is empty; name a folder, such as `obs-queue`"));
        }
        if self.max_size < LEAST_SIZE {
            let message =
                format!("{} is too little to work with; give it at least {LEAST_SIZE}", self.max_size);
            return Err(Error::config("max_size", message));
        }
        if self.max_age.is_zero() {
            return Err(Error::config("max_age", "zero keeps nothing; give it a time, such as \"30d\""));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senseless_values_are_refused_by_name() {
        for (config, field) in [
            (DeadLetterConfig::new(""), "directory"),
            (DeadLetterConfig::new("a").with_max_size(10), "max_size"),
            (DeadLetterConfig::new("a").with_max_age(Duration::ZERO), "max_age"),
        ] {
            assert!(config.validate().unwrap_err().message().starts_with(field), "{field}");
        }
    }

    #[test]
    fn a_config_reads_back_what_it_writes_and_hints_at_names() {
        let config = DeadLetterConfig::new("q");
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(json, r#"{"directory":"q","max_size":"256MB","max_age":"30d"}"#);
        assert_eq!(serde_json::from_str::<DeadLetterConfig>(&json).unwrap(), config);
        let error = serde_json::from_str::<DeadLetterConfig>(r#"{"max_sise":"1GB"}"#).unwrap_err();
        assert!(error.to_string().contains("did you mean `max_size`"), "{error}");
    }
}
