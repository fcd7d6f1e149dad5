//! Which closed files are removed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use obs_core::Timestamp;

use crate::disk::Names;
use crate::site::{Site, TORN};
use crate::{FileConfig, FileFormat, compress, jsonl, parquet};

/// How much of either end of a file is looked at before it is removed.
const LOOK_BYTES: u64 = 64 << 10;

/// For how long closed files are kept, and how many bytes of them.
#[derive(Debug)]
pub(crate) struct Retention {
    age: Option<Duration>,
    size: Option<u64>,
    /// The files that were looked into, and whether they hold what we write, so that each is read and told of once.
    known: Mutex<BTreeMap<Closed, bool>>,
}

/// A closed file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Closed {
    /// When it was last written.
    written: Timestamp,
    name: String,
    bytes: u64,
}

impl Retention {
    pub(crate) fn of(config: &FileConfig) -> Self {
        let size = config.max_total_size.map(obs_core::units::Bytes::get);
        Self { age: config.max_age, size, known: Mutex::default() }
    }

    /// Removes what is too old or too much, the oldest first; what cannot be looked at or removed stays, with a warning.
    ///
    /// Only files of our names are looked at, and removed only if they hold what we write: never a link, never a file of
    /// a stranger who happens to call his as we do, never one that is open, never the one that was `closed` just now.
    /// What is not ours counts for nothing.
    pub(crate) fn sweep(&self, site: &Site, just_closed: Option<&str>) {
        if self.age.is_none() && self.size.is_none() {
            return;
        }
        match closed(site) {
            Ok(files) => {
                let ours = self.ours(site, files);
                for file in self.beyond(ours, site.clock.now()) {
                    if just_closed != Some(&file.name) {
                        remove(site, &file);
                    }
                }
            }
            Err(cause) => {
                tracing::warn!(target: "obs::file", error = %cause, "old files cannot be listed");
            }
        }
    }

    /// Those that hold what we write.
    fn ours(&self, site: &Site, files: Vec<Closed>) -> Vec<Closed> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *known);
        let mut ours = Vec::new();
        for file in files {
            let Some(is_ours) = before.get(&file).copied().or_else(|| is_ours(site, &file.name)) else {
                continue;
            };
            if is_ours {
                ours.push(file.clone());
            }
            known.insert(file, is_ours);
        }
        ours
    }

    /// Those to remove, the oldest first; size alone never takes the newest.
    fn beyond(&self, mut files: Vec<Closed>, now: Timestamp) -> Vec<Closed> {
        files.sort();
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        let is_kept = |file: &Closed| {
            let old = self.age.is_some_and(|age| now.since(file.written) > age);
            let much = total > file.bytes && self.size.is_some_and(|size| total > size);
            total -= file.bytes;
            !old && !much
        };
        let kept = files.iter().position(is_kept).unwrap_or(files.len());
        files.truncate(kept);
        files
    }
}

/// The closed files of our names.
fn closed(site: &Site) -> io::Result<Vec<Closed>> {
    let ours = |name: &String| {
        let stem = name.strip_suffix(TORN).unwrap_or(name);
        site.template.reads(stem).is_some()
    };
    let look = |name: String| {
        let found = site.folder.look(&name).and_then(|file| file.metadata()).ok()?;
        let written = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let written = Timestamp::from_nanos(u64::try_from(written.as_nanos()).ok()?);
        found.is_file().then_some(Closed { written, name, bytes: found.len() })
    };
    Ok(site.folder.names()?.into_iter().filter(ours).filter_map(look).collect())
}

fn remove(site: &Site, file: &Closed) {
    match site.folder.remove(&file.name) {
        // Another process was faster.
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => {
            let name = &file.name;
            tracing::warn!(target: "obs::file", name, error = %cause, "an old file cannot be removed");
        }
        Ok(()) => {
            tracing::debug!(target: "obs::file", name = %file.name, "an old file was removed");
        }
    }
}

/// Whether the file holds what we write, where it can be read now.
fn is_ours(site: &Site, name: &str) -> Option<bool> {
    match holds_ours(site, name) {
        Ok(true) => Some(true),
        Ok(false) => {
            tracing::warn!(target: "obs::file", name, "it has a name of ours and holds nothing of ours; it stays");
            Some(false)
        }
        Err(cause) => {
            tracing::warn!(target: "obs::file", name, error = %cause, "it has a name of ours and cannot be read; it stays");
            None
        }
    }
}

/// Whether the file holds what we write.
fn holds_ours(site: &Site, name: &str) -> io::Result<bool> {
    let mut file = site.folder.look(name)?;
    let torn = name.ends_with(TORN);
    if site.format == FileFormat::Parquet {
        let (front, back) = ends(&mut file)?;
        return Ok(if torn { front.starts_with(b"PAR1") } else { parquet::is_ours(&front, &back) });
    }
    let mut front = Vec::new();
    let unpacked = compress::unpacked(BufReader::new(file))?;
    match unpacked.take(LOOK_BYTES).read_to_end(&mut front) {
        Ok(_) => {}
        // What can be read before the damage tells whose it is.
        Err(cause) if compress::is_content(&cause) => {}
        Err(cause) => return Err(cause),
    }
    let signal = site.template.reads(name.strip_suffix(TORN).unwrap_or(name)).and_then(|found| found.signal);
    Ok(match (site.format, &site.rows, signal) {
        (FileFormat::Jsonl, ..) => jsonl::is_ours(&front, site.serializer.as_ref()),
        (_, Some(rows), Some(signal)) => rows.begins(&front, signal),
        _ => false,
    })
}

fn ends(file: &mut File) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    let len = file.metadata()?.len();
    file.take(LOOK_BYTES).read_to_end(&mut front)?;
    file.seek(SeekFrom::Start(len.saturating_sub(LOOK_BYTES)))?;
    file.take(LOOK_BYTES).read_to_end(&mut back)?;
    Ok((front, back))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first_until_age_and_size_are_kept() {
        let day = |days: u64| Duration::from_hours(24 * days);
        let at = |days: u64| Timestamp::default().saturating_add(day(days));
        let file = |days: u64| Closed { written: at(days), name: format!("{days}"), bytes: 10 };
        let files: Vec<Closed> = [4, 1, 3, 2].into_iter().map(file).collect();
        for (age, size, removed) in [
            (None, None, 0),
            (Some(8), None, 1),
            (Some(7), None, 2),
            (Some(100), None, 0),
            (None, Some(40), 0),
            (None, Some(39), 1),
            (None, Some(0), 3),
            (Some(7), Some(15), 3),
            (Some(7), Some(40), 2),
        ] {
            let retention = Retention { age: age.map(day), size, known: Mutex::default() };
            let names: Vec<String> = retention
                .beyond(files.clone(), at(9).saturating_add(Duration::from_secs(1)))
                .into_iter()
                .map(|file| file.name)
                .collect();
            assert_eq!(names, ["1", "2", "3", "4"][..removed], "{age:?} {size:?}");
        }
    }
}
