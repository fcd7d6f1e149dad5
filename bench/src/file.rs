//! Files of JSON Lines against bare `write(2)` of the same bytes.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use obs_core::{Batch, Exporter};
use obs_file::{FileConfig, FileExporter, RotationPolicy};

use crate::Effort;
use crate::encode::calls;
use crate::store::Best;
use crate::table::{Goal, Row, short};

/// Spans in a batch.
const BATCH: usize = 512;

/// The rows of the table.
///
/// Both sides append to a file that is not waited for, a call of `write` for each batch, in one process and one after the
/// other; what obs does beside it is to make the lines.
pub(crate) fn run(effort: Effort) -> Result<Vec<Row>, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let batch = calls::batch(BATCH);
    let times = effort.rows.div_ceil(BATCH);
    let (mut ours, mut bare) = (Best::NONE, Best::NONE);
    let mut written = 0;
    for _ in 0..5 {
        let folder = tempfile::tempdir()?;
        let exporter = exporter(&folder.path().join("ours"))?;
        let bytes: Vec<u8> = exporter.encode(&batch).concat();
        ours.take(|| export(&runtime, &exporter, &batch, times))?;
        runtime.block_on(exporter.shutdown())?;
        drop(exporter);
        written = bytes.len() * times;
        assert_eq!(size(&folder.path().join("ours"))?, written as u64, "the same bytes");
        let mut file = appending(&folder.path().join("bare.jsonl"))?;
        bare.take(|| {
            for _ in 0..times {
                file.write_all(&bytes)?;
            }
            Ok(())
        })?;
    }
    let rate = |time: Duration| written as f64 / time.as_secs_f64() / f64::from(1 << 20);
    let share = |what, ours: Duration, bare: Duration| {
        let value = bare.as_secs_f64() / ours.as_secs_f64();
        let told = format!(
            "{} / bare write(2) {} MiB a second = {}",
            short(rate(ours)),
            short(rate(bare)),
            short(value)
        );
        Row::told(what, told, value, Goal::AtLeast(0.5))
    };
    Ok(vec![
        share("JSON Lines file, by the wall clock", ours.wall, bare.wall),
        share("JSON Lines file, by CPU time of the process", ours.cpu, bare.cpu),
    ])
}

/// One file, whatever the hour and the size.
fn exporter(folder: &Path) -> Result<FileExporter, Box<dyn Error>> {
    Ok(FileExporter::new(FileConfig::new(folder).with_rotation_policy(RotationPolicy::Never))?)
}

fn export(
    runtime: &tokio::runtime::Runtime,
    exporter: &FileExporter,
    batch: &Batch,
    times: usize,
) -> Result<(), Box<dyn Error>> {
    for _ in 0..times {
        let receipt = runtime.block_on(exporter.export(batch))?;
        assert_eq!(receipt.delivered, batch.len());
    }
    Ok(())
}

/// The bytes of all files of a folder.
fn size(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

fn appending(path: &Path) -> Result<File, Box<dyn Error>> {
    Ok(OpenOptions::new().create(true).append(true).open(path)?)
}
