//! What a user gives.

use std::path::PathBuf;
use std::time::Duration;

use obs_core::units::Bytes;
use obs_core::{suggest, units};
use serde::{Deserialize, Deserializer, de};

use crate::{Compression, FileFormat, Fsync, RotationPolicy, Serializer};

/// Which files are written, and for how long they are kept; both the shape in a configuration and the builder.
///
/// Unknown options are refused with the nearest name.
///
/// ```
/// use std::time::Duration;
///
/// use obs_file::{Compression, FileConfig};
///
/// let built = FileConfig::new("telemetry")
///     .with_compression(Compression::Gzip)
///     .with_max_age(Duration::from_secs(30 * 24 * 3600));
/// let read: FileConfig = serde_json::from_str(
///     r#"{"output_directory": "telemetry", "compression": "gzip", "max_age": "30d"}"#,
/// )?;
/// assert_eq!(built, read);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
#[non_exhaustive]
pub struct FileConfig {
    /// The folder of the files; it is made with those above it where it is not there, for its owner only.
    pub output_directory: PathBuf,
    /// What a file holds: `jsonl`, `csv` or `parquet`; JSON Lines by default.
    #[serde(default)]
    pub file_format: FileFormat,
    /// How a file is made smaller: `none`, `gzip` or `zstd`; not at all by default.
    #[serde(default)]
    pub compression: Compression,
    /// What files are called, with `{timestamp}`, `{hostname}`, `{signal}`, `{service}`, `{pid}` and `{sequence}`.
    ///
    /// It ends as the format and the compression want it, such as `.jsonl.gz`; files of one name are told apart by a
    /// number before that. By default `obs-{signal}-{timestamp}-{hostname}` with the right end; JSON Lines without
    /// `{signal}` have all signals in one file.
    #[serde(default)]
    pub filename_template: Option<String>,
    /// What `{service}` stands for; `unknown_service` by default.
    #[serde(default)]
    pub service: Option<String>,
    /// What certainly closes a file: `time`, `size`, `both` or `never`.
    ///
    /// By default whatever of the next two options is given, and both where none is; one that is given always counts.
    #[serde(default)]
    pub rotation_policy: Option<RotationPolicy>,
    /// After how long a file is closed: at whole multiples of it since 1970 in UTC, so that hourly files begin at the
    /// full hour; `1h` by default where time rotates.
    #[serde(default, with = "units::duration::option")]
    pub rotation_interval: Option<Duration>,
    /// The most bytes of a file; a single batch may be larger. `100MB` by default where size rotates.
    #[serde(default)]
    pub max_file_size: Option<Bytes>,
    /// For how long closed files are kept; for ever by default.
    #[serde(default, with = "units::duration::option")]
    pub max_age: Option<Duration>,
    /// How many bytes closed files may have together before the oldest are removed; no end by default.
    ///
    /// At least `max_file_size`, times five where the names have `{signal}`, so that a full file is not removed as it is
    /// closed. The one that was closed last always stays.
    #[serde(default)]
    pub max_total_size: Option<Bytes>,
    /// When it is waited for the disk: `never`, `on_rotate`, `on_flush` or `always`; when a file is closed by default.
    #[serde(default)]
    pub fsync: Fsync,
    /// What a line of JSON Lines holds instead of the canonical JSON: a function of one's own, so in code alone; the
    /// canonical JSON by default, which alone can be read back.
    #[serde(default, deserialize_with = "no_function")]
    pub serializer: Option<Serializer>,
}

/// Options of delivery that other clients have on the exporter.
const ELSEWHERE: &[(&str, &str)] = &[
    ("batch_size", suggest::LANE),
    ("flush_interval", suggest::LANE),
    ("flush_interval_seconds", suggest::LANE),
];

impl<'de> Deserialize<'de> for FileConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Self::deserialize(deserializer);
        read.map_err(|error| suggest::error_elsewhere(suggest::error(error), ELSEWHERE))
    }
}

fn no_function<'de, D: Deserializer<'de>>(_: D) -> Result<Option<Serializer>, D::Error> {
    Err(de::Error::custom(
        "serializer: it is a function, which no file can hold; set it in code with `FileConfig::with_serializer`",
    ))
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($field:ident: $type:ty) = $value:expr;)*) => {
        impl FileConfig {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(mut self, $field: $type) -> Self {
                    self.$field = $value;
                    self
                }
            )*
        }
    };
}

setters! {
    /// Writes this format.
    with_file_format(file_format: FileFormat) = file_format;
    /// Makes files smaller.
    with_compression(compression: Compression) = compression;
    /// Calls files by this template.
    with_filename_template(filename_template: impl Into<String>) = Some(filename_template.into());
    /// Sets what `{service}` stands for.
    with_service(service: impl Into<String>) = Some(service.into());
    /// Sets what certainly closes a file.
    with_rotation_policy(rotation_policy: RotationPolicy) = Some(rotation_policy);
    /// Closes files at whole multiples of this.
    with_rotation_interval(rotation_interval: Duration) = Some(rotation_interval);
    /// Closes a file before it outgrows this.
    with_max_file_size(max_file_size: impl Into<Bytes>) = Some(max_file_size.into());
    /// Removes closed files that were last written longer ago than this.
    with_max_age(max_age: Duration) = Some(max_age);
    /// Removes the oldest closed files while all together have more bytes than this.
    with_max_total_size(max_total_size: impl Into<Bytes>) = Some(max_total_size.into());
    /// Sets when it is waited for the disk.
    with_fsync(fsync: Fsync) = fsync;
    /// Writes what this function makes of a record, one line each.
    with_serializer(serializer: Serializer) = Some(serializer);
}

impl FileConfig {
    /// Writes JSON Lines into this folder, a file an hour and at most 100 MB each, and keeps them all.
    pub fn new(output_directory: impl Into<PathBuf>) -> Self {
        Self {
            output_directory: output_directory.into(),
            file_format: FileFormat::default(),
            compression: Compression::default(),
            filename_template: None,
            service: None,
            rotation_policy: None,
            rotation_interval: None,
            max_file_size: None,
            max_age: None,
            max_total_size: None,
            fsync: Fsync::default(),
            serializer: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<FileConfig, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_and_the_builder_say_the_same() {
        let built = FileConfig::new("telemetry")
            .with_file_format(FileFormat::Parquet)
            .with_compression(Compression::Zstd)
            .with_filename_template("a-{signal}.parquet")
            .with_service("shop")
            .with_rotation_policy(RotationPolicy::Both)
            .with_rotation_interval(Duration::from_hours(1))
            .with_max_file_size(100_000_000)
            .with_max_age(Duration::from_hours(24 * 30))
            .with_max_total_size(10_000_000_000)
            .with_fsync(Fsync::OnFlush);
        let json = r#"{
            "output_directory": "telemetry", "file_format": "parquet", "compression": "zstd",
            "filename_template": "a-{signal}.parquet", "service": "shop", "rotation_policy": "both",
            "rotation_interval": "1h", "max_file_size": "100MB", "max_age": "30d", "max_total_size": "10GB",
            "fsync": "on_flush"
        }"#;
        assert_eq!(read(json), Ok(built));
        assert_eq!(read(r#"{"output_directory": "a"}"#), Ok(FileConfig::new("a")));
    }

    #[test]
    fn what_is_wrong_in_a_file_is_named_with_the_next_step() {
        for (option, parts) in [
            (r#""compresion": "gzip""#, ["`compresion`", "did you mean `compression`?"]),
            (r#""compression": "gz""#, ["unknown variant `gz`", "`gzip`"]),
            (r#""rotation_interval": 3600"#, ["integer `3600`", "\"30s\""]),
            (r#""max_file_size": "100""#, ["\"100\"", "units"]),
            (r#""serializer": "mine""#, ["it is a function", "with_serializer"]),
            (r#""batch_size": 100"#, ["unknown field `batch_size`", "belongs to the lane"]),
            (r#""flush_interval": "1s""#, ["unknown field `flush_interval`", "belongs to the lane"]),
        ] {
            let error = read(&format!(r#"{{"output_directory": "a", {option}}}"#)).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{option}: {error}");
        }
        assert!(read("{}").unwrap_err().contains("missing field `output_directory`"));
    }
}
