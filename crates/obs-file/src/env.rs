//! The variables of the environment.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use obs_core::{Env, Error, units};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ReadError, StrDeserializer};

use crate::FileConfig;

/// A duration as configurations write it.
#[derive(Deserialize)]
struct Span(#[serde(with = "units::duration")] Duration);

impl FromStr for Span {
    type Err = ReadError;

    fn from_str(text: &str) -> Result<Self, ReadError> {
        let text: StrDeserializer<'_, ReadError> = text.into_deserializer();
        units::duration::deserialize(text).map(Self)
    }
}

impl FileConfig {
    /// Reads `OBS_FILE_OUTPUT_DIRECTORY`, which must be set, and where set `OBS_FILE_FORMAT`, `OBS_FILE_COMPRESSION`,
    /// `OBS_FILE_FILENAME_TEMPLATE`, `OBS_FILE_ROTATION_POLICY`, `OBS_FILE_ROTATION_INTERVAL`,
    /// `OBS_FILE_MAX_FILE_SIZE`, `OBS_FILE_MAX_AGE`, `OBS_FILE_MAX_TOTAL_SIZE`, `OBS_FILE_FSYNC`, and for the service
    /// `OBS_FILE_SERVICE`, else `OTEL_SERVICE_NAME`.
    ///
    /// # Errors
    /// A configuration error that names the variable that is missing or cannot be read, and what to set it to.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(&Env::process())
    }

    /// As [`Self::from_env`], with a prefix and an underscore before the names: `PROFILING_OBS_FILE_FORMAT`.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    pub fn from_env_prefixed(prefix: &str) -> Result<Self, Error> {
        Self::from_vars(&Env::process().prefixed(prefix))
    }

    /// As [`Self::from_env`], from this environment.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    pub fn from_vars(env: &Env) -> Result<Self, Error> {
        const FOLDER: &str = "OBS_FILE_OUTPUT_DIRECTORY";
        let folder = env.os(FOLDER).map(PathBuf::from);
        let folder = folder
            .map_or_else(|| env.required(&[FOLDER], "a folder for the files").map(PathBuf::from), Ok)?;
        let size = "a size such as 100MB";
        let span =
            |name, what| Ok::<_, Error>(env.parsed::<Span>(name, what)?.map(|Span(duration)| duration));
        Ok(Self {
            file_format: env.parsed("OBS_FILE_FORMAT", "jsonl, csv or parquet")?.unwrap_or_default(),
            compression: env.parsed("OBS_FILE_COMPRESSION", "none, gzip or zstd")?.unwrap_or_default(),
            filename_template: env.text("OBS_FILE_FILENAME_TEMPLATE")?,
            service: env.first(&["OBS_FILE_SERVICE", "OTEL_SERVICE_NAME"])?,
            rotation_policy: env.parsed("OBS_FILE_ROTATION_POLICY", "time, size, both or never")?,
            rotation_interval: span("OBS_FILE_ROTATION_INTERVAL", "a duration such as 1h")?,
            max_file_size: env.parsed("OBS_FILE_MAX_FILE_SIZE", size)?,
            max_age: span("OBS_FILE_MAX_AGE", "a duration such as 30d")?,
            max_total_size: env.parsed("OBS_FILE_MAX_TOTAL_SIZE", size)?,
            fsync: env.parsed("OBS_FILE_FSYNC", "never, on_rotate, on_flush or always")?.unwrap_or_default(),
            ..Self::new(folder)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Compression, FileFormat, Fsync, RotationPolicy};

    #[test]
    fn every_variable_reaches_its_option() {
        let env = Env::of([
            ("A_OBS_FILE_OUTPUT_DIRECTORY", "telemetry"),
            ("A_OBS_FILE_FORMAT", "CSV"),
            ("A_OBS_FILE_COMPRESSION", "zstd"),
            ("A_OBS_FILE_FILENAME_TEMPLATE", "a-{signal}.csv.zst"),
            ("A_OBS_FILE_ROTATION_POLICY", "both"),
            ("A_OBS_FILE_ROTATION_INTERVAL", "15m"),
            ("A_OBS_FILE_MAX_FILE_SIZE", "10MB"),
            ("A_OBS_FILE_MAX_AGE", "30d"),
            ("A_OBS_FILE_MAX_TOTAL_SIZE", "1GB"),
            ("A_OBS_FILE_FSYNC", "on_flush"),
            ("A_OTEL_SERVICE_NAME", "shop"),
        ]);
        let wanted = FileConfig::new("telemetry")
            .with_file_format(FileFormat::Csv)
            .with_compression(Compression::Zstd)
            .with_filename_template("a-{signal}.csv.zst")
            .with_service("shop")
            .with_rotation_policy(RotationPolicy::Both)
            .with_rotation_interval(Duration::from_mins(15))
            .with_max_file_size(10_000_000)
            .with_max_age(Duration::from_hours(30 * 24))
            .with_max_total_size(1_000_000_000)
            .with_fsync(Fsync::OnFlush);
        assert_eq!(FileConfig::from_vars(&env.prefixed("A")).unwrap(), wanted);
        let ours = Env::of([
            ("OBS_FILE_OUTPUT_DIRECTORY", "t"),
            ("OBS_FILE_SERVICE", "a"),
            ("OTEL_SERVICE_NAME", "b"),
        ]);
        assert_eq!(FileConfig::from_vars(&ours).unwrap(), FileConfig::new("t").with_service("a"));
    }

    #[test]
    fn what_is_missing_or_cannot_be_read_is_named() {
        let error = FileConfig::from_vars(&Env::of([("X", "y")]).prefixed("P")).unwrap_err();
        assert_eq!(error.message(), "P_OBS_FILE_OUTPUT_DIRECTORY: not set; set it to a folder for the files");
        for name in [
            "FORMAT",
            "COMPRESSION",
            "ROTATION_POLICY",
            "ROTATION_INTERVAL",
            "MAX_FILE_SIZE",
            "MAX_AGE",
            "FSYNC",
        ] {
            let name = format!("OBS_FILE_{name}");
            let env = Env::of([("OBS_FILE_OUTPUT_DIRECTORY", "t"), (&name, "7 of them")]);
            let error = FileConfig::from_vars(&env).unwrap_err();
            assert!(
                error.message().starts_with(&format!("{name}: it cannot be read; set it to ")),
                "{error}"
            );
        }
    }
}
