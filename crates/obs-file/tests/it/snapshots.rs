//! Files as they lie in a folder.

use obs_core::{Exporter, Signal};
use obs_file::{Compression, FileConfig, FileFormat};
use obs_testkit::fixtures;

use crate::support::{config, exporter, names};

#[tokio::test]
async fn the_first_lines_of_each_signal() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = exporter(config(folder.path()));
    for signal in Signal::ALL {
        exporter.export(&fixtures::batch(signal).slice(0..2)).await.unwrap();
    }
    exporter.shutdown().await.unwrap();
    let text = std::fs::read_to_string(folder.path().join("app-20261121T130500Z.jsonl")).unwrap();
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn lines_of_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = exporter(config(folder.path()));
    for batch in fixtures::trace_batches() {
        exporter.export(&batch).await.unwrap();
    }
    exporter.shutdown().await.unwrap();
    let text = std::fs::read_to_string(folder.path().join("app-20261121T130500Z.jsonl")).unwrap();
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn names_of_each_format() {
    let folder = tempfile::tempdir().unwrap();
    for (format, compression) in [
        (FileFormat::Jsonl, Compression::None),
        (FileFormat::Jsonl, Compression::Gzip),
        (FileFormat::Jsonl, Compression::Zstd),
        (FileFormat::Csv, Compression::None),
        (FileFormat::Csv, Compression::Gzip),
        (FileFormat::Csv, Compression::Zstd),
        (FileFormat::Parquet, Compression::None),
        (FileFormat::Parquet, Compression::Zstd),
    ] {
        let config = FileConfig::new(folder.path()).with_file_format(format).with_compression(compression);
        let exporter = exporter(config);
        for signal in Signal::ALL {
            exporter.export(&fixtures::batch(signal)).await.unwrap();
        }
    }
    // As it stands in names: what may not be there is replaced.
    let keep = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let hostname: String = gethostname::gethostname().to_string_lossy().chars().take(64).map(keep).collect();
    let shown: Vec<String> =
        names(folder.path()).iter().map(|name| name.replace(&hostname, "HOST")).collect();
    insta::assert_snapshot!(shown.join("\n"));
}
