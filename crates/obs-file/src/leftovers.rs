//! Files that a process left open when it died.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};

use crate::disk::{Names, is_plain, leads_to};
use crate::site::{OPEN, Site, TORN};
use crate::{Compression, FileFormat, Fsync, compress, parquet};

/// How much is read at once from behind.
const STEP: u64 = 64 << 10;

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
            site.notices.once(format!("files that may have been left open cannot be listed: {cause}"));
            return;
        }
    };
    for open_name in names {
        let Some(name) = open_name.strip_suffix(OPEN).filter(|name| site.template.reads(name).is_some())
        else {
            continue;
        };
        match take(site, &open_name)
            .and_then(|file| file.map(|file| end(site, file, &open_name, name)).transpose())
        {
            Ok(None) => {}
            Ok(Some(what)) => site.notices.once(what),
            Err(cause) => {
                site.notices.once(format!("{open_name}: it was left open and cannot be closed: {cause}"));
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
    Ok((is_plain(&file) && leads_to(&site.folder, open_name, &file)).then_some(file))
}

/// Ends the file; what is to be said of it.
fn end(site: &Site, mut file: File, open_name: &str, name: &str) -> io::Result<String> {
    let len = file.metadata()?.len();
    if site.format == FileFormat::Parquet {
        return end_table(site, &mut file, open_name, name, len);
    }
    let whole = whole(site, &mut file, len)?;
    if whole <= header_len(site, name)? {
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

/// How many bytes a file has before its first record.
fn header_len(site: &Site, name: &str) -> io::Result<u64> {
    let Some(rows) = &site.rows else { return Ok(0) };
    let signal = site.template.reads(name).and_then(|found| found.signal);
    let header = rows.header(signal.unwrap_or(obs_core::Signal::Traces));
    if header.is_empty() {
        return Ok(0);
    }
    Ok(compress::Packer::new(site.compression)?.pack(&header)?.len() as u64)
}

/// A table whose footer was written has only to be named; without one nobody can read it.
fn end_table(site: &Site, file: &mut File, open_name: &str, name: &str, len: u64) -> io::Result<String> {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    file.take(LOOK_BYTES).read_to_end(&mut front)?;
    file.seek(SeekFrom::Start(len.saturating_sub(LOOK_BYTES)))?;
    file.take(LOOK_BYTES).read_to_end(&mut back)?;
    if parquet::is_ours(&front, &back) {
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

/// How much of the file is whole.
fn whole(site: &Site, file: &mut File, len: u64) -> io::Result<u64> {
    match (site.compression, site.format, &site.rows) {
        (Compression::None, FileFormat::Jsonl, _) | (_, _, None) => behind_the_last_newline(file, len),
        (Compression::None, _, Some(rows)) => {
            let mut all = Vec::new();
            file.read_to_end(&mut all)?;
            Ok(rows.whole(&all).bytes as u64)
        }
        (compression, ..) => compress::whole_pieces(file, compression),
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
