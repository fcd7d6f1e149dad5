//! Whether the options of a configuration go together; no disk is looked at.

use std::time::Duration;

use obs_core::units::Bytes;
use obs_core::{Error, Signal};

use crate::rotation::Rotation;
use crate::template::{Template, Values, end};
use crate::{Compression, FileConfig, FileFormat, Fsync, RotationPolicy};

/// Files shorter than this would be more name than content.
const LEAST_SIZE: Bytes = Bytes::new(1_000);

/// Names tell seconds apart.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);

impl FileConfig {
    /// Checks everything, and reads the template of names.
    pub(crate) fn template(&self, hostname: &str, pid: u32) -> Result<Template, Error> {
        self.validate()?;
        let end = end(self.file_format, self.compression);
        let default = format!("obs-{{signal}}-{{timestamp}}-{{hostname}}{end}");
        let text = self.filename_template.as_deref().unwrap_or(&default);
        let values = Values::new(hostname, self.service.as_deref(), pid);
        let template =
            Template::parse(text, end, values).map_err(|cause| Error::config("filename_template", cause))?;
        if self.file_format != FileFormat::Jsonl && !template.has_signal() {
            let message =
                format!("a file of {} holds one signal; put {{signal}} into the template", self.file_format);
            return Err(Error::config("filename_template", message));
        }
        self.validate_total(template.has_signal())?;
        Ok(template)
    }

    /// All together have room for a full file of each kind, so that what was just written is not removed.
    fn validate_total(&self, has_signal: bool) -> Result<(), Error> {
        let (Some(total), Some(file)) = (self.max_total_size, Rotation::of(self).size) else { return Ok(()) };
        let files = if has_signal { Signal::COUNT as u64 } else { 1 };
        let least = Bytes::new(file.saturating_mul(files));
        if total >= least {
            return Ok(());
        }
        let whose = match files {
            1 => "one file may have".to_owned(),
            files => format!("one file for each of {files} signals may have"),
        };
        let message = format!(
            "{total} is less than the {least} that {whose}, so that full files would be removed as they are closed; give it at least that, or files a smaller max_file_size"
        );
        Err(Error::config("max_total_size", message))
    }

    fn validate(&self) -> Result<(), Error> {
        let refuse = |field: &str, message: String| Err(Error::config(field, message));
        if self.output_directory.as_os_str().is_empty() {
            return refuse("output_directory", "it is empty; name a folder, such as `telemetry`".into());
        }
        if (self.file_format, self.compression) == (FileFormat::Parquet, Compression::Gzip) {
            return refuse(
                "compression",
                "Parquet makes its columns smaller itself; set it to zstd or none".into(),
            );
        }
        if self.file_format == FileFormat::Parquet && self.fsync > Fsync::OnRotate {
            let message = format!(
                "{} promises that what was delivered is on the disk, but rows of Parquet wait in memory for their row group, up to 8 MiB or 65536 of each signal; set it to on_rotate and a short rotation_interval, or file_format to jsonl",
                self.fsync
            );
            return refuse("fsync", message);
        }
        if self.serializer.is_some() && self.file_format != FileFormat::Jsonl {
            let message =
                format!("it makes lines of JSON, and {} has columns; leave it out", self.file_format);
            return refuse("serializer", message);
        }
        if self.rotation_policy == Some(RotationPolicy::Never)
            && (self.rotation_interval.is_some() || self.max_file_size.is_some())
        {
            let message =
                "never, but rotation_interval or max_file_size is given; leave one or the other out";
            return refuse("rotation_policy", message.into());
        }
        if self.rotation_interval.is_some_and(|interval| interval < LEAST_INTERVAL) {
            return refuse("rotation_interval", "it is shorter than a second; give it at least 1s".into());
        }
        for (field, size) in [("max_file_size", self.max_file_size), ("max_total_size", self.max_total_size)]
        {
            if let Some(size) = size.filter(|size| *size < LEAST_SIZE) {
                return refuse(
                    field,
                    format!("{size} is too little for a file; give it at least {LEAST_SIZE}"),
                );
            }
        }
        if self.max_age.is_some_and(|age| age.is_zero()) {
            let message = "zero would remove each file as it is closed; leave it out to keep all";
            return refuse("max_age", message.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Serializer;

    #[test]
    fn what_does_not_go_together_is_named_with_the_next_step() {
        let config = || FileConfig::new("a");
        let parquet = || config().with_file_format(FileFormat::Parquet);
        let serializer = Serializer::new(|_| Ok::<_, String>(serde_json::Value::Null));
        for (config, said) in [
            (FileConfig::new(""), "output_directory: it is empty; name a folder"),
            (
                parquet().with_compression(Compression::Gzip),
                "compression: Parquet makes its columns smaller itself",
            ),
            (parquet().with_serializer(serializer), "serializer: it makes lines of JSON"),
            (
                parquet().with_filename_template("a-{timestamp}.parquet"),
                "filename_template: a file of parquet holds one signal; put {signal}",
            ),
            (
                config().with_filename_template("a.jsonl.gz"),
                "filename_template: \"a.jsonl.gz\" does not end in `.jsonl`",
            ),
            (
                config().with_rotation_policy(RotationPolicy::Never).with_max_file_size(9_999u64),
                "rotation_policy: never, but",
            ),
            (
                config().with_rotation_interval(Duration::from_millis(10)),
                "rotation_interval: it is shorter than a second",
            ),
            (
                config().with_max_file_size(10u64),
                "max_file_size: 10B is too little for a file; give it at least 1KB",
            ),
            (config().with_max_total_size(10u64), "max_total_size: 10B"),
            (
                config().with_max_total_size(50_000_000u64),
                "max_total_size: 50MB is less than the 500MB that one file for each of 5 signals may have",
            ),
            (
                config().with_filename_template("a.jsonl").with_max_total_size(50_000_000u64),
                "max_total_size: 50MB is less than the 100MB that one file may have",
            ),
            (
                config().with_max_file_size(2_000u64).with_max_total_size(9_999u64),
                "max_total_size: 9999B is less than the 10KB",
            ),
            (
                config().with_rotation_policy(RotationPolicy::Never).with_max_total_size(0u64),
                "max_total_size: 0B is too little",
            ),
            (parquet().with_fsync(Fsync::OnFlush), "fsync: on_flush promises"),
            (parquet().with_fsync(Fsync::Always), "fsync: always promises"),
            (config().with_max_age(Duration::ZERO), "max_age: zero would remove"),
        ] {
            let error = config.template("host", 1).unwrap_err();
            assert!(error.message().starts_with(said), "{error}");
        }
        let fits = [
            config(),
            parquet(),
            parquet().with_compression(Compression::Zstd),
            config().with_filename_template("a.jsonl"),
            config().with_max_total_size(500_000_000u64),
            config().with_rotation_policy(RotationPolicy::Time).with_max_total_size(1_000u64),
            parquet().with_fsync(Fsync::OnRotate),
        ];
        for config in fits {
            config.template("host", 1).unwrap();
        }
    }
}
