//! The contract, as the testkit has it, for each format and each way to make it smaller.

use std::path::PathBuf;
use std::sync::Arc;

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use async_trait::async_trait;
use obs_core::{Descriptor, Exporter, Signal};
use obs_file::{Compression, DESCRIPTOR, FileConfig, FileExporter, FileFormat, Fsync, read_directory};
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use serde_json::json;
use tempfile::TempDir;

/// An exporter that writes into a folder of its own.
struct InFolder {
    dir: TempDir,
    exporter: Arc<FileExporter>,
}

impl InFolder {
    fn start(setup: Setup, with: impl FnOnce(FileConfig) -> FileConfig) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = FileConfig::new(dir.path().join("made/here"));
        let config = with(config);
        // Tables promise nothing before they are closed.
        let waits = setup == Setup::Everything && config.file_format != FileFormat::Parquet;
        let config = if waits { config.with_fsync(Fsync::Always) } else { config };
        let exporter = FileExporter::new(config).unwrap();
        Self { dir, exporter: Arc::new(exporter) }
    }

    /// The files, closed, with the signal in their names.
    fn files(&self) -> Vec<(Signal, PathBuf)> {
        self.exporter.rotate().unwrap();
        let entries = std::fs::read_dir(self.dir.path().join("made/here")).unwrap();
        let file = |path: PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let signal = name.split('-').nth(1).unwrap();
            (*Signal::ALL.iter().find(|known| known.as_str() == signal).unwrap(), path)
        };
        entries.map(|entry| file(entry.unwrap().path())).collect()
    }

    fn rows(&self, count: impl Fn(&[u8]) -> usize) -> Observed {
        let mut observed = Observed::default();
        for (signal, path) in self.files() {
            let bytes = std::fs::read(path).unwrap();
            let rows = count(&bytes);
            observed.records[signal.index()] += rows;
            observed.writes += rows;
            observed.bytes.extend(bytes);
        }
        observed
    }

    /// Lines are there at once, also in files that are still open.
    fn lines(&self) -> Observed {
        let folder = self.dir.path().join("made/here");
        let mut observed = Observed::default();
        for record in read_directory(&folder).unwrap() {
            let record = record.unwrap();
            observed.records[record.signal().index()] += 1;
            observed.writes += 1;
            record.write_line(&mut observed.bytes).unwrap();
        }
        observed
    }
}

macro_rules! harness {
    ($module:ident, $name:ident, $with:expr, $observe:expr) => {
        struct $name(InFolder);

        #[async_trait]
        impl Harness for $name {
            fn descriptor() -> Descriptor {
                DESCRIPTOR
            }

            fn config() -> Option<ConfigCheck> {
                Some(ConfigCheck::of::<FileConfig>(json!({
                    "output_directory": "telemetry",
                    "file_format": "jsonl",
                    "compression": "gzip",
                    "filename_template": "profiling-{timestamp}-{hostname}.jsonl.gz",
                    "service": "shop",
                    "rotation_policy": "time",
                    "rotation_interval": "1h",
                    "max_file_size": "100MB",
                    "max_age": "30d",
                    "max_total_size": "10GB",
                    "fsync": "on_flush",
                })))
            }

            async fn start(setup: Setup) -> Self {
                Self(InFolder::start(setup, $with))
            }

            fn exporter(&self) -> Arc<dyn Exporter> {
                self.0.exporter.clone()
            }

            async fn observe(&self) -> Observed {
                ($observe)(&self.0)
            }

            fn secrets(&self) -> Vec<String> {
                Vec::new()
            }
        }

        mod $module {
            obs_testkit::conformance!(super::$name);
        }
    };
}

harness!(jsonl, Jsonl, |config| config, InFolder::lines);
harness!(gzip, Gzip, |config| config.with_compression(Compression::Gzip), InFolder::lines);
harness!(
    one_file_of_zstd,
    OneFile,
    |config| config.with_compression(Compression::Zstd).with_filename_template("all-{pid}.jsonl.zst"),
    InFolder::lines
);
harness!(rows_of_csv, Csv, |config| config.with_file_format(FileFormat::Csv), |folder: &InFolder| {
    folder.rows(|bytes| ::csv::Reader::from_reader(bytes).records().map(Result::unwrap).count())
});
harness!(
    tables_of_parquet,
    Parquet,
    |config| config.with_file_format(FileFormat::Parquet).with_compression(Compression::Zstd),
    |folder: &InFolder| folder.rows(|bytes| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let reader = SerializedFileReader::new(file.reopen().unwrap()).unwrap();
        reader.metadata().file_metadata().num_rows() as usize
    })
);
