//! Lines of a file of JSON Lines, without the file.

use std::error::Error;

use obs_core::Batch;
use obs_file::{FileConfig, FileExporter};

use super::tree::bytes;
use super::{Contest, against_records, calls};

pub(super) fn spans() -> Result<Contest, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let exporter = FileExporter::new(FileConfig::new(folder.path()))?;
    assert!(bytes(&exporter.encode(&calls::batch(1))) > 0, "the spans are taken");
    let ours = move |batch: &Batch| {
        // The folder must be there as long as the exporter is.
        let _ = folder.path();
        bytes(&exporter.encode(batch))
    };
    Ok(against_records("model calls as JSON Lines", ["encode.file", "value.records.file"], ours))
}
