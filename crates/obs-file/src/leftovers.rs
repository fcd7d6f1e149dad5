//! Files that a process left open when it died.

use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use crate::csv::Scan;
use crate::disk::{Names, is_own, is_plain, leads_to};
use crate::site::{OPEN, Site, TORN};
use crate::{Compression, FileFormat, Fsync, compress, parquet};

/// How much is read at once from behind.
const STEP: u64 = 64 << 10;

/// A crash tears one write; the longest that can be read back has so many bytes.
const MOST_TORN: u64 = obs_json::MAX_LINE_BYTES as u64;

/// How much of either end of a table is looked at.
const LOOK_BYTES: u64 = 64 << 10;

/// Closes what was left open: cuts off what is torn and gives the file its name.
///
/// Whoever still writes to a file holds its lock, so that only files of the dead are touched.
/// What cannot be closed stays for the next start, with a warning.
pub(crate) fn close(site: &Site) {
    let names = match site.folder.names() {
        Ok(names) => names,
        Err(cause) => {
            site.tell(format!("files that may have been left open cannot be listed: {cause}"));
            return;
        }
    };
    for open_name in names {
        let Some(name) = open_name.strip_suffix(OPEN).filter(|name| site.template.reads(name).is_some())
        else {
            continue;
        };
        let taken = match take(site, &open_name) {
            Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
                site.tell(format!("{open_name}: {cause}; it stays as it is"));
                continue;
            }
            taken => taken,
        };
        match taken.and_then(|file| file.map(|file| end(site, file, &open_name, name)).transpose()) {
            Ok(None) => {}
            Ok(Some(what)) => site.tell(what),
            Err(cause) => {
                site.tell(format!("{open_name}: it was left open and cannot be closed: {cause}"));
            }
        }
    }
}

/// The file, if nobody writes to it any more, and it is one of ours and no link to another.
fn take(site: &Site, open_name: &str) -> io::Result<Option<File>> {
    let file = match site.folder.reopen(open_name) {
        Ok(file) => file,
        // It was closed meanwhile.
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(cause),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(cause)) => return Err(cause),
    }
    if is_plain(&file) && !is_own(&file) {
        let what = "another user owns it, and nothing says that what is in it was written by us";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    Ok((is_plain(&file) && leads_to(&site.folder, open_name, &file)).then_some(file))
}

/// Ends the file; what is to be said of it.
fn end(site: &Site, mut file: File, open_name: &str, name: &str) -> io::Result<String> {
    let len = file.metadata()?.len();
    if site.format == FileFormat::Parquet {
        return end_table(site, &mut file, open_name, name, len);
    }
    let Kept { whole, damaged } = look_through(site, &mut file, len)?;
    if damaged {
        let torn = format!("{name}{TORN}");
        site.folder.rename(open_name, &torn)?;
        return Ok(format!(
            "{torn}: it was left open by a process that died, and is damaged behind its first {whole} bytes; all {len} bytes are kept under this name, to be looked at by hand"
        ));
    }
    if !has_record(site, &mut file, whole)? {
        site.folder.remove(open_name)?;
        return Ok(format!("{open_name}: it was left open without a record, and removed"));
    }
    if whole < len {
        file.set_len(whole)?;
    }
    if site.fsync >= Fsync::OnRotate {
        file.sync_all()?;
    }
    let name = site.settle(open_name, name)?;
    Ok(match len - whole {
        0 => format!("{name}: it was left open by a process that died, and is closed now"),
        torn => format!(
            "{name}: it was left open by a process that died, and is closed now; {torn} bytes of what was being written were cut off"
        ),
    })
}

/// Whether anything stands in the front of the file, behind the names of columns where the format has them.
fn has_record(site: &Site, file: &mut File, whole: u64) -> io::Result<bool> {
    if whole == 0 || site.format == FileFormat::Jsonl {
        return Ok(whole > 0);
    }
    file.seek(SeekFrom::Start(0))?;
    let front = BufReader::new(file.try_clone()?.take(whole));
    let mut text = compress::unpacked(front)?;
    let mut header = Vec::new();
    (&mut text).take(LOOK_BYTES).read_until(b'\n', &mut header)?;
    Ok(!text.fill_buf()?.is_empty())
}

/// A table whose footer was written has only to be named; without one nobody can read it.
fn end_table(site: &Site, file: &mut File, open_name: &str, name: &str, len: u64) -> io::Result<String> {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    file.take(LOOK_BYTES).read_to_end(&mut front)?;
    file.seek(SeekFrom::Start(len.saturating_sub(LOOK_BYTES)))?;
    file.take(LOOK_BYTES).read_to_end(&mut back)?;
    if parquet::is_ours(&front, &back) {
        if site.fsync >= Fsync::OnRotate {
            file.sync_all()?;
        }
        let name = site.settle(open_name, name)?;
        return Ok(format!("{name}: it was left open by a process that died, and is closed now"));
    }
    // Four bytes say what the file is to be.
    if len <= 4 {
        site.folder.remove(open_name)?;
        return Ok(format!("{open_name}: it was left open without a record, and removed"));
    }
    let torn = format!("{name}{TORN}");
    site.folder.rename(open_name, &torn)?;
    Ok(format!(
        "{torn}: a process died before it could end this file; {len} bytes of records in it cannot be read"
    ))
}

/// How much of a file is whole, and whether what is behind that is more than what a crash tears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept {
    whole: u64,
    damaged: bool,
}

fn look_through(site: &Site, file: &mut File, len: u64) -> io::Result<Kept> {
    let (whole, damaged) = match (site.compression, site.format) {
        (Compression::None, FileFormat::Csv) => {
            let mut scan = Scan::default();
            each_step(file, 0, |bytes| scan.feed(bytes))?;
            (scan.whole, scan.damaged)
        }
        (Compression::None, _) => (behind_the_last_newline(file, len)?, false),
        (compression, _) => {
            file.seek(SeekFrom::Start(0))?;
            let pieces = compress::whole_pieces(&mut *file, compression)?;
            let damaged = !pieces.torn || begins_again(file, pieces.bytes, compression)?;
            (pieces.bytes, damaged && pieces.bytes < len)
        }
    };
    let is_tear = !damaged && len - whole <= MOST_TORN;
    let damaged = !is_tear && !only_zeros(file, whole)?;
    Ok(Kept { whole, damaged })
}

/// Whether another piece begins within the one that begins here and has no end.
fn begins_again(file: &mut File, at: u64, compression: Compression) -> io::Result<bool> {
    let front = compress::front_of_a_piece(compression);
    let (mut window, mut found) = (Vec::new(), false);
    each_step(file, at + 1, |bytes| {
        window.extend_from_slice(bytes);
        found |= window.windows(front.len()).any(|window| window == front);
        window.drain(..window.len().saturating_sub(front.len() - 1));
    })?;
    Ok(found)
}

/// What a file system leaves of what it had promised room for and never wrote.
fn only_zeros(file: &mut File, from: u64) -> io::Result<bool> {
    let mut zeros = true;
    each_step(file, from, |bytes| zeros &= bytes.iter().all(|byte| *byte == 0))?;
    Ok(zeros)
}

/// Reads what is behind this place in steps, whatever the size of the file.
fn each_step(file: &mut File, from: u64, mut act: impl FnMut(&[u8])) -> io::Result<()> {
    file.seek(SeekFrom::Start(from))?;
    let mut step = vec![0; STEP as usize];
    loop {
        match file.read(&mut step) {
            Ok(0) => return Ok(()),
            Ok(read) => act(&step[..read]),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
}

/// Where the last line ends, looked for from behind.
fn behind_the_last_newline(file: &mut File, len: u64) -> io::Result<u64> {
    let mut end = len;
    let mut piece = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(STEP);
        file.seek(SeekFrom::Start(start))?;
        piece.clear();
        file.take(end - start).read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_last_newline_is_found_from_behind() {
        for (front, torn) in
            [("", 0), ("a\n", 0), ("a\n", 5), ("a\nb\n", 200_000), ("", 70_000), ("\n", STEP as usize)]
        {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(front.as_bytes()).unwrap();
            file.write_all(&vec![b'x'; torn]).unwrap();
            let len = (front.len() + torn) as u64;
            assert_eq!(behind_the_last_newline(&mut file, len).unwrap(), front.len() as u64, "{torn}");
        }
    }
}
