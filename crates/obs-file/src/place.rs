//! The file that is being written: begun with the first record, ended by time, by size or on demand.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use obs_core::{Batch, Refused, Signal, Timestamp};

use crate::Fsync;
use crate::appended::{Appended, Broken, Keep};
use crate::clock::Moment;
use crate::compress::Packer;
use crate::disk::{Names, is_gone, leads_to};
use crate::format::{Rows, Table};
use crate::parquet::Parquet;
use crate::site::{Begun, Site};

/// A place for one file at a time.
#[derive(Debug)]
pub(crate) struct Place {
    /// None where all signals share the file.
    signal: Option<Signal>,
    open: Option<Open>,
    /// The last name, so that many files in one second are not counted through.
    last: (Timestamp, u32),
}

/// A file that is being written.
#[derive(Debug)]
struct Open {
    content: Content,
    /// The same file, which holds the lock until it has its name.
    file: File,
    open_name: String,
    name: String,
    begun: Moment,
    /// Whether any record is in it.
    used: bool,
    /// Whether the disk failed to take it; such a file is not written to again.
    failed: bool,
}

#[derive(Debug)]
enum Content {
    Rows(Appended),
    Table(Box<dyn Table>),
}

impl Content {
    fn bytes(&self) -> u64 {
        match self {
            Self::Rows(rows) => rows.len(),
            Self::Table(table) => table.bytes(),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        match self {
            Self::Rows(rows) => rows.sync(),
            Self::Table(table) => table.flush().and_then(|()| table.sync()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Rows(rows) => rows.mend(),
            Self::Table(table) => table.finish(),
        }
    }
}

impl Place {
    pub(crate) fn new(signal: Option<Signal>) -> Self {
        Self { signal, open: None, last: (Timestamp::default(), 1) }
    }

    /// Appends rows that are packed already.
    pub(crate) fn append(
        &mut self,
        site: &Site,
        rows: &dyn Rows,
        packed: &[u8],
        keep: Keep,
    ) -> Result<(), Broken> {
        let now = site.now();
        self.close_if_due(site, now)?;
        self.close_if_full(site, packed.len())?;
        let open = self.opened(site, now)?;
        let Content::Rows(file) = &mut open.content else { return Ok(()) };
        let before = file.len();
        let plain = (site.compression == crate::Compression::None).then_some(rows);
        let appended = file.append(packed, plain, keep);
        let used = open.used;
        open.used |= file.len() > before;
        // Also where a write broke off: the rows before that count as delivered.
        if site.fsync == Fsync::Always
            && file.len() > before
            && let Err(cause) = file.sync()
        {
            (open.used, open.failed) = (used, true);
            file.cut_back(before)?;
            return Err(cause.into());
        }
        appended
    }

    /// Gives records to a table, and returns those that it has no row for.
    pub(crate) fn tabulate(&mut self, site: &Site, batch: &Batch) -> io::Result<Vec<Refused>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let now = site.now();
        self.close_if_due(site, now)?;
        self.close_if_full(site, 0)?;
        let open = self.opened(site, now)?;
        let Content::Table(table) = &mut open.content else { return Ok(Vec::new()) };
        let refused = table.write(batch)?;
        open.used |= refused.len() < batch.len();
        Ok(refused)
    }

    /// The open file, begun if there is none.
    fn opened(&mut self, site: &Site, now: Moment) -> io::Result<&mut Open> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.begin(site, now)?,
        };
        Ok(self.open.insert(open))
    }

    fn begin(&mut self, site: &Site, now: Moment) -> io::Result<Open> {
        // Names tell seconds apart.
        let second = Timestamp::from_nanos(now.wall.as_nanos() / 1_000_000_000 * 1_000_000_000);
        if self.last.0 != second {
            self.last = (second, 1);
        }
        let Begun { file, open_name, name } = site.begin(self.signal, now, &mut self.last.1)?;
        let content = self.content(site, &file).inspect_err(|_| {
            // Nobody has anything in it; where it cannot be removed either, the next start does that.
            let _ = site.folder.remove(&open_name);
        })?;
        Ok(Open { content, file, open_name, name, begun: now, used: false, failed: false })
    }

    fn content(&self, site: &Site, file: &File) -> io::Result<Content> {
        let handle = Box::new(file.try_clone()?);
        // A format of one table a file has a file for each signal.
        let signal = self.signal.unwrap_or(Signal::Traces);
        let Some(rows) = &site.rows else {
            return Ok(Content::Table(Box::new(Parquet::begin(signal, site.compression, handle)?)));
        };
        let (mut file, header) = (Appended::new(handle), rows.header(signal));
        if !header.is_empty() {
            let mut packer = Packer::new(site.compression)?;
            file.append(packer.pack(&header)?, None, Keep::Nothing).map_err(|broken| broken.cause)?;
        }
        Ok(Content::Rows(file))
    }

    /// Closes the file if it would outgrow its size.
    fn close_if_full(&mut self, site: &Site, more: usize) -> io::Result<()> {
        match &self.open {
            Some(open) if open.used && site.rotation.is_full(open.content.bytes(), more as u64) => {
                self.close(site).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Closes the file if its time is over, the disk failed to take it, or somebody removed it.
    fn close_if_due(&mut self, site: &Site, now: Moment) -> io::Result<Option<PathBuf>> {
        match &self.open {
            // Nobody can reach what would be written to a file without a name.
            Some(open) if open.failed || is_gone(&open.file) || site.rotation.is_due(open.begun, now) => {
                self.close(site)
            }
            _ => Ok(None),
        }
    }

    /// Ends the file and gives it its name; where it is now, unless nothing was in it.
    ///
    /// On an error it is open still, and closing it may be tried again.
    pub(crate) fn close(&mut self, site: &Site) -> io::Result<Option<PathBuf>> {
        let Some(open) = &mut self.open else { return Ok(None) };
        if !leads_to(&site.folder, &open.open_name, &open.file) {
            let lost = if open.used { ", with the records in it" } else { "" };
            site.tell(format!("{}: somebody moved or removed it while it was open{lost}", open.open_name));
            self.open = None;
            return Ok(None);
        }
        if !open.used {
            site.folder.remove(&open.open_name)?;
            self.open = None;
            return Ok(None);
        }
        open.content.finish()?;
        if site.fsync >= Fsync::OnRotate
            && !open.failed
            && let Err(cause) = open.file.sync_all()
        {
            // To ask again would say yes without having written: the file is as good as it gets.
            open.failed = true;
            site.tell(format!("{}: the disk may not have all of it: {cause}", open.name));
        }
        let name = site.settle(&open.open_name, &open.name)?;
        self.open = None;
        site.retention.sweep(site, Some(&name));
        Ok(Some(site.path.join(name)))
    }

    /// Waits for the disk if the policy is to do so on a flush.
    pub(crate) fn flush(&mut self, site: &Site) -> io::Result<()> {
        self.close_if_due(site, site.now())?;
        match &mut self.open {
            Some(open) if site.fsync >= Fsync::OnFlush => {
                open.content.sync().inspect_err(|_| open.failed = true)
            }
            _ => Ok(()),
        }
    }

    /// How many rows are in memory only, for want of a row group.
    pub(crate) fn waiting(&self) -> usize {
        match &self.open {
            Some(Open { content: Content::Table(table), .. }) => table.waiting(),
            _ => 0,
        }
    }

    /// The open file, if it is no longer where it should be.
    pub(crate) fn lost<'a>(&'a self, site: &Site) -> Option<&'a str> {
        let open = self.open.as_ref()?;
        (!leads_to(&site.folder, &open.open_name, &open.file)).then_some(&open.open_name)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::clock::SystemClock;
    use crate::format::Handle;
    use crate::jsonl::Jsonl;
    use crate::{FileConfig, RotationPolicy};

    /// A disk with room for ten bytes: what is on it, how much of that is there for good, and whether it syncs.
    #[derive(Debug, Clone, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, usize, bool)>>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (all, ..) = &mut *self.0.lock().unwrap();
            let taken = (10 - all.len()).min(bytes.len());
            all.extend(&bytes[..taken]);
            if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Handle for Disk {
        fn cut(&mut self, len: u64) -> io::Result<()> {
            self.0.lock().unwrap().0.truncate(len as usize);
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            let (all, synced, syncs) = &mut *self.0.lock().unwrap();
            if !*syncs {
                return Err(io::Error::other("bad sector"));
            }
            *synced = all.len();
            Ok(())
        }
    }

    #[test]
    fn rows_before_a_write_that_broke_off_count_only_once_the_disk_has_them() {
        for (syncs, rows, kept) in [(true, 2, "one\ntwo\n"), (false, 0, "")] {
            let folder = tempfile::tempdir().unwrap();
            let config = FileConfig::new(folder.path())
                .with_fsync(Fsync::Always)
                .with_rotation_policy(RotationPolicy::Never);
            let template = config.template("host", 1).unwrap();
            let site = Site::new(config, template, Box::new(SystemClock::start())).unwrap();
            let mut place = Place::new(None);
            let disk = Disk::default();
            disk.0.lock().unwrap().2 = syncs;
            place.opened(&site, site.now()).unwrap().content =
                Content::Rows(Appended::new(Box::new(disk.clone())));
            let lines = Jsonl { serializer: None };
            let broken = place.append(&site, &lines, b"one\ntwo\nthree\n", Keep::WholeRows).unwrap_err();
            let (all, synced, _) = &*disk.0.lock().unwrap();
            assert_eq!((broken.rows, std::str::from_utf8(all).unwrap(), *synced), (rows, kept, kept.len()));
            assert_eq!(
                place.open.as_ref().is_some_and(|open| open.failed),
                !syncs,
                "it is not written to again"
            );
        }
    }
}
