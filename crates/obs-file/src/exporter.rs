//! Where records are written, and nowhere else.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use obs_core::{
    Batch, Call, Descriptor, Error, ErrorKind, Exporter, Health, Limits, Mapped, Mappers, Receipt, Rejection,
    Retry, Signal,
};

use crate::clock::{Clock, SystemClock};
use crate::disk::{Folder, Names};
use crate::format::{Rows, Table};
use crate::memory::Memory;
use crate::parquet::Parquet;
use crate::site::Site;
use crate::slot::{Slot, Written};
use crate::wire::Request;
use crate::{FileConfig, FileFormat, feedback, leftovers, logs, metrics, scores, traces};

/// What the exporter is and takes: all five signals as what they are.
pub const DESCRIPTOR: Descriptor = Descriptor::of("file", &FileExporter::MAPPERS)
    .with_local()
    .with_all_limits(Limits { items: 2_048, bytes: 4 << 20 });

/// Less room than this is told by `check`.
const LITTLE_ROOM: u64 = 64 << 20;

/// How the names of the files begin that `check` makes and removes.
const PROBE: &str = ".obs-check-";

/// Writes records to rotated files of JSON Lines, CSV or Parquet.
///
/// A file is open under its name with `.open` behind, and gets its name once it is closed and whole. Each has one
/// writer, however many processes write into the folder; what a process left open when it died is closed by the next
/// exporter that is made for the same names.
/// An error leaves undelivered exactly the records that were not written whole.
///
/// Dropping it closes its files as `shutdown` does, where that is possible.
#[derive(Debug)]
pub struct FileExporter {
    descriptor: Descriptor,
    site: Site,
    /// One for each signal, or one for all.
    slots: Vec<Mutex<Slot>>,
    closed: AtomicBool,
    /// How often it was tried whether a file can be made.
    probes: AtomicU64,
}

impl FileExporter {
    const MAPPERS: Mappers<Self, Request> = Mappers::NONE
        .traces(traces::map)
        .metrics(metrics::map)
        .logs(logs::map)
        .scores(scores::map)
        .feedback(feedback::map);

    /// Makes the folder if it is not there, closes what a process that died left open in it, and removes what is too old.
    ///
    /// # Errors
    /// A configuration error that names the option, the cause and the next step.
    pub fn new(config: FileConfig) -> Result<Self, Error> {
        Self::with_clock(config, SystemClock::start())
    }

    /// As [`Self::new`], with a clock of one's own, for tests.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_clock(config: FileConfig, clock: impl Clock) -> Result<Self, Error> {
        let hostname = gethostname::gethostname();
        let template = config.template(&hostname.to_string_lossy(), std::process::id())?;
        let signals: Vec<Option<Signal>> =
            if template.has_signal() { Signal::ALL.into_iter().map(Some).collect() } else { vec![None] };
        let site = Site::new(config, template, Box::new(clock))?;
        leftovers::close(&site);
        remove_probes(&site);
        site.retention.sweep(&site, None);
        let slots: io::Result<_> =
            signals.into_iter().map(|signal| Slot::new(signal, &site).map(Mutex::new)).collect();
        let slots = slots.map_err(|cause| Error::config("compression", cause))?;
        Ok(Self {
            descriptor: DESCRIPTOR,
            site,
            slots,
            closed: AtomicBool::new(false),
            probes: AtomicU64::new(0),
        })
    }

    /// What the files hold.
    pub fn format(&self) -> FileFormat {
        self.site.format
    }

    /// Closes the files that are open, so that they have their names; the next record begins another.
    ///
    /// Returns those that were closed; one that holds no record is removed instead.
    ///
    /// # Errors
    /// The first trouble with the disk; what could not be closed is open still, and may be closed later.
    pub fn rotate(&self) -> Result<Vec<PathBuf>, Error> {
        self.each(|slot| slot.close(&self.site))
    }

    /// How many rows of open Parquet files are in memory only: delivered, and lost should the process die before the file
    /// is closed. Zero for other formats.
    pub fn rows_in_memory(&self) -> usize {
        self.slots.iter().map(|slot| lock(slot).waiting()).sum()
    }

    /// What a batch becomes, before it is made smaller; nothing is written. A whole file for Parquet, the rows for others.
    pub fn encode(&self, batch: &Batch) -> Vec<Vec<u8>> {
        if batch.is_empty() {
            return Vec::new();
        }
        if let Some(rows) = &self.site.rows {
            let (mut out, mut refused) = (Vec::new(), Vec::new());
            rows.encode(batch, &mut out, &mut refused);
            return vec![out];
        }
        let memory = Memory::default();
        let table = Parquet::begin(batch.signal(), self.site.compression, Box::new(memory.clone()));
        // Memory takes everything, so that there is always a file.
        let written = table.and_then(|mut table| table.write(batch).and_then(|_| table.finish()));
        written.map_or_else(|_| Vec::new(), |()| vec![memory.take()])
    }

    /// Writes rows that belong together, all of them or none.
    pub(crate) fn write_rows(&self, signal: Signal, rows: &dyn Rows, bytes: &[u8]) -> Result<(), Error> {
        let mut slot = self.slot(signal);
        if self.is_closed() {
            return Err(Error::closed(self.descriptor.kind(), &Batch::empty(signal)));
        }
        let done = slot.write_rows(&self.site, rows, bytes).map_err(io_error);
        self.site.notices.last_write(&done);
        done
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn slot(&self, signal: Signal) -> MutexGuard<'_, Slot> {
        lock(if self.slots.len() == 1 { &self.slots[0] } else { &self.slots[signal.index()] })
    }

    /// Does something with every slot, whatever comes of the others.
    fn each(
        &self,
        mut act: impl FnMut(&mut Slot) -> io::Result<Option<PathBuf>>,
    ) -> Result<Vec<PathBuf>, Error> {
        let (mut paths, mut first) = (Vec::new(), None);
        for slot in &self.slots {
            match act(&mut lock(slot)) {
                Ok(path) => paths.extend(path),
                Err(cause) => first = first.or(Some(cause)),
            }
        }
        first.map_or(Ok(paths), |cause| Err(io_error(cause)))
    }

    /// Writes what was mapped; what is left when that fails is undelivered.
    fn settle(&self, batch: &Batch, mapped: Mapped<Request>) -> Result<Receipt, Error> {
        let mut receipt = Receipt::default();
        for Call { request: Request(records), .. } in mapped.calls {
            let Written { refused, written, cause } = {
                let mut slot = self.slot(records.signal());
                // Under the lock of the slot, so that nothing is begun behind a shutdown.
                if self.is_closed() {
                    return Err(Error::closed(self.descriptor.kind(), batch));
                }
                slot.write(&self.site, &records)
            };
            receipt.delivered += written;
            let left = cause.is_some().then(|| behind(&refused, written, records.len()));
            for refused in refused {
                let records = records.select(&[refused.at]);
                receipt.rejected.push(Rejection::of(records, refused.kind, refused.reason));
            }
            if let Some((cause, left)) = cause.zip(left) {
                return Err(io_error(cause).with_undelivered(records.select(&left)).with_settled(receipt));
            }
        }
        Ok(receipt)
    }

    /// Whether a file can be made, and what else is to be said.
    fn health(&self) -> Health {
        if self.is_closed() {
            return Health::Unhealthy("it was shut down; make a new exporter".into());
        }
        let place = self.site.path.display();
        if let Err(cause) = self.probe() {
            return Health::Unhealthy(format!("{place}: a file cannot be written: {cause}").into());
        }
        let mut said = self.site.notices.take();
        said.extend(self.site.notices.trouble().map(|trouble| format!("the last write failed: {trouble}")));
        for slot in &self.slots {
            let lost =
                lock(slot).lost(&self.site).map(|name| format!("{name}: somebody moved or removed it"));
            said.extend(lost);
        }
        if let Some(room) = self.site.folder.room().filter(|room| *room < LITTLE_ROOM) {
            let room = obs_core::units::Bytes::new(room);
            said.push(format!("{place}: {room} are left on the disk; make room"));
        }
        if said.is_empty() { Health::Healthy } else { Health::Degraded(said.join("; ").into()) }
    }

    /// Writes a byte to a file that is removed at once, in the folder that the path leads to now.
    fn probe(&self) -> io::Result<()> {
        use std::io::Write;
        let folder = Folder::open(&self.site.path)?;
        let number = self.probes.fetch_add(1, Ordering::Relaxed);
        let at = self.site.now().wall.as_nanos();
        let name = format!("{PROBE}{}-{at}-{number}", std::process::id());
        let written = folder.create(&name)?.write_all(b"\n");
        match folder.remove(&name) {
            // Another exporter that started meanwhile took it for one that was left.
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
            _ => written,
        }
    }
}

/// Removes what `check` left where the process died in between; one that is in use is made again by the next `check`.
fn remove_probes(site: &Site) {
    let is_probe = |name: &String| {
        name.strip_prefix(PROBE).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
    };
    for name in site.folder.names().unwrap_or_default().into_iter().filter(is_probe) {
        // Another may have been faster; it is one byte, and the next start tries again.
        let _ = site.folder.remove(&name);
    }
}

/// The positions of the records that were neither refused nor among the first that were written.
fn behind(refused: &[obs_core::Refused], written: usize, len: usize) -> Vec<usize> {
    let mut refused = refused.iter().map(|refused| refused.at).peekable();
    (0..len).filter(|at| refused.next_if_eq(at).is_none()).skip(written).collect()
}

#[async_trait]
impl Exporter for FileExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.is_closed() {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        let Some(mapped) = Self::MAPPERS.map(self, batch) else {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        };
        if batch.is_empty() {
            return Ok(Receipt::default());
        }
        let settled = self.settle(batch, mapped);
        self.site.notices.last_write(&settled);
        settled
    }

    async fn check(&self) -> Health {
        self.health()
    }

    async fn flush(&self) -> Result<(), Error> {
        self.each(|slot| slot.flush(&self.site).map(|()| None)).map(drop)
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.closed.store(true, Ordering::Release);
        self.rotate().map(drop)
    }
}

impl Drop for FileExporter {
    fn drop(&mut self) {
        if let Err(error) = self.rotate() {
            tracing::warn!(target: "obs::file", %error, "a file stays open; the next start closes it");
        }
    }
}

/// An error of the disk: it may pass, as when room is made.
fn io_error(cause: io::Error) -> Error {
    let message = format!("records cannot be written: {cause}");
    Error::without_records(ErrorKind::Io, message).with_retry(Retry::Backoff).with_source(cause)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
