//! What a user can set about the queue.

use std::path::{Path, PathBuf};
use std::time::Duration;

use obs_core::units::{Bytes, duration};
use obs_core::{Error, suggest};
use serde::{Deserialize, Deserializer, Serialize};

/// The least `max_size`: an empty file takes some of it already.
const LEAST_SIZE: Bytes = Bytes::new(1_000_000);

/// When the disk is made to have what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Segments of up to 20 ms are written together, and the disk is waited for: a `sync` that returned `true` survives
    /// a loss of power.
    #[default]
    Batch,
    /// What is there is written at once, and the disk is waited for each time: less is lost with the power, and the disk
    /// is busier.
    Always,
    /// Segments of up to 20 ms are written together, and the operating system decides when the disk has them: nothing is
    /// lost with the process, the last seconds may be lost with the power.
    Os,
}

/// Where the queue lies and how much it keeps; both the shape in a file and the builder.
///
/// Unknown options are refused with the nearest name.
///
/// ```
/// use obs_queue::{Durability, QueueConfig};
///
/// let built = QueueConfig::new("queue").with_mode(Durability::Os).with_max_size(500_000_000);
/// let read: QueueConfig = serde_json::from_str(r#"{ "directory": "queue", "mode": "os", "max_size": "500MB" }"#)?;
/// assert_eq!(read, built);
/// let error = serde_json::from_str::<QueueConfig>(r#"{ "directry": "queue" }"#).unwrap_err();
/// assert!(error.to_string().contains("did you mean `directory`?"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct QueueConfig {
    /// The folder of `queue.db`; it is made where it does not exist, readable by its owner only. One process at a time
    /// can use it. Required.
    pub directory: PathBuf,
    /// When the disk is made to have what was written: `batch` by default.
    pub mode: Durability,
    /// While the file holds more than this, the lane furthest behind gives up its oldest records; at least 1MB, 1GiB by
    /// default.
    pub max_size: Bytes,
    /// How long records are kept for destinations that the application no longer has; 24 hours by default. For those it
    /// has, the lane's own `max_age` counts.
    #[serde(with = "duration")]
    pub max_age: Duration,
    /// Whether segments are compressed (zstd, level 1) before they are written; off by default, since it costs more CPU
    /// than it saves on a local disk.
    pub compress_buffer: bool,
    /// Segments of fewer records than this are not compressed; 100 by default.
    pub compression_threshold: usize,
    /// How long to wait before a disk that failed is tried again; 5 seconds by default, at least 100 ms.
    #[serde(with = "duration")]
    pub retry_interval: Duration,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            directory: PathBuf::new(),
            mode: Durability::default(),
            max_size: Bytes::new(1 << 30),
            max_age: Duration::from_hours(24),
            compress_buffer: false,
            compression_threshold: 100,
            retry_interval: Duration::from_secs(5),
        }
    }
}

impl<'de> Deserialize<'de> for QueueConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer).map_err(suggest::error)
    }
}

impl Serialize for QueueConfig {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl QueueConfig {
    /// A queue in this folder.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), ..Self::default() }
    }

    /// Sets when the disk is made to have what was written.
    #[must_use]
    pub fn with_mode(mut self, mode: Durability) -> Self {
        self.mode = mode;
        self
    }

    /// Sets how much the file may hold.
    #[must_use]
    pub fn with_max_size(mut self, size: impl Into<Bytes>) -> Self {
        self.max_size = size.into();
        self
    }

    /// Sets how long records are kept for destinations that are gone.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets whether segments are compressed.
    #[must_use]
    pub fn with_compress_buffer(mut self, compress: bool) -> Self {
        self.compress_buffer = compress;
        self
    }

    /// Sets how many records a segment must have to be compressed.
    #[must_use]
    pub fn with_compression_threshold(mut self, records: usize) -> Self {
        self.compression_threshold = records;
        self
    }

    /// Sets how long to wait before a disk that failed is tried again.
    #[must_use]
    pub fn with_retry_interval(mut self, wait: Duration) -> Self {
        self.retry_interval = wait;
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
            return Err(Error::config("max_age", "zero keeps nothing; give it a time, such as \"24h\""));
        }
        if self.retry_interval < Duration::from_millis(100) {
            let message = "it would wear the disk out; give it at least \"100ms\"";
            return Err(Error::config("retry_interval", message));
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
            (QueueConfig::new(""), "directory"),
            (QueueConfig::new("a").with_max_size(10), "max_size"),
            (QueueConfig::new("a").with_max_age(Duration::ZERO), "max_age"),
            (QueueConfig::new("a").with_retry_interval(Duration::ZERO), "retry_interval"),
        ] {
            assert!(config.validate().unwrap_err().message().starts_with(field), "{field}");
        }
        assert!(QueueConfig::new("a").validate().is_ok());
    }

    #[test]
    fn a_config_reads_back_what_it_writes() {
        let config = QueueConfig::new("q").with_compress_buffer(true).with_compression_threshold(7);
        let json = serde_json::to_string(&config).unwrap();
        assert!(json.contains(r#""max_size":"1GiB","max_age":"1d""#), "{json}");
        assert_eq!(serde_json::from_str::<QueueConfig>(&json).unwrap(), config);
    }
}
