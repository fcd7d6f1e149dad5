//! Where lines are written, and nowhere else.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use obs_core::{
    Batch, Call, Descriptor, Error, ErrorKind, Exporter, Health, Limits, Mapped, Mappers, Receipt, Rejection,
    Retry,
};

use crate::file::FileSink;
use crate::sink::{Partial, Sink};
use crate::wire::Request;
use crate::{JsonConfig, Memory, feedback, logs, metrics, scores, traces};

/// What the exporter is and takes: all five signals as what they are.
pub const DESCRIPTOR: Descriptor = Descriptor::of("json", &JsonExporter::MAPPERS)
    .with_local()
    .with_all_limits(Limits { items: 2_048, bytes: 4 << 20 });

/// The most that the spare buffer keeps between batches.
const SPARE_BYTES: usize = 8 << 20;

/// Writes records as JSON Lines to standard output, a file, any writer or memory.
///
/// A batch is one write of whole lines, so that several processes may append to one file.
/// An error leaves undelivered exactly the records whose lines were not written whole; a line that broke off is ended
/// before the next is written.
#[derive(Debug)]
pub struct JsonExporter {
    descriptor: Descriptor,
    sync: bool,
    keeps_records: bool,
    /// None once it was shut down.
    sink: Mutex<Option<Sink>>,
    spare: Mutex<Vec<u8>>,
}

impl JsonExporter {
    const MAPPERS: Mappers<Self, Request> = Mappers::NONE
        .traces(traces::map)
        .metrics(metrics::map)
        .logs(logs::map)
        .scores(scores::map)
        .feedback(feedback::map);

    /// Writes where the configuration says.
    ///
    /// # Errors
    /// A configuration error that names the path and the reason when the file cannot be opened.
    pub fn new(config: JsonConfig) -> Result<Self, Error> {
        let JsonConfig { path, sync } = config;
        let sink = match path {
            None => Sink::Stdout(false),
            Some(path) => {
                let opened = FileSink::open(&path);
                Sink::File(
                    opened.map_err(|cause| Error::config("path", format!("{}: {cause}", path.display())))?,
                )
            }
        };
        Ok(Self { sync, ..Self::with(sink) })
    }

    /// Appends to this file; it is made with its folders if it is not there, readable by its owner only.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn file(path: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::new(JsonConfig::new(path))
    }

    /// Writes to standard output.
    pub fn stdout() -> Self {
        Self::with(Sink::Stdout(false))
    }

    /// Writes to this writer; wrap it in no buffer, since batches are written whole.
    pub fn writer(writer: impl Write + Send + 'static) -> Self {
        Self::with(Sink::Writer(Box::new(writer), false))
    }

    /// Keeps records in memory, for tests: the exporter, and the handle that finds them.
    pub fn memory() -> (Self, Memory) {
        let memory = Memory::default();
        (Self { keeps_records: true, ..Self::with(Sink::Memory(memory.clone())) }, memory)
    }

    fn with(sink: Sink) -> Self {
        let (sink, spare) = (Mutex::new(Some(sink)), Mutex::default());
        Self { descriptor: DESCRIPTOR, sync: false, keeps_records: false, sink, spare }
    }

    /// Whether records are kept as they are, so that nobody writes JSON.
    pub(crate) fn keeps_records(&self) -> bool {
        self.keeps_records
    }

    /// An empty buffer, that of the last batch if nobody else uses it.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        let mut buffer = std::mem::take(&mut *lock(&self.spare));
        buffer.clear();
        buffer
    }

    fn give_back(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= SPARE_BYTES {
            *lock(&self.spare) = buffer;
        }
    }

    /// Writes one request; an error says how many of its records were written before.
    pub(crate) fn send(&self, request: Request) -> Result<(), (usize, Error)> {
        let mut sink = lock(&self.sink);
        let Some(sink) = sink.as_mut() else {
            let closed = Error::closed(self.descriptor.kind(), &Batch::empty(obs_core::Signal::Traces));
            return Err((0, closed));
        };
        match (request, &mut *sink) {
            (Request::Records(batch), Sink::Memory(memory)) => memory.push(batch),
            (Request::Records(_), _) => {}
            (Request::Lines(lines), sink) => {
                let result = sink.write(&lines);
                let whole = |written: usize| memchr::memchr_iter(b'\n', &lines[..written]).count();
                let result = result.map_err(|Partial { written, cause }| (whole(written), io_error(cause)));
                self.give_back(lines);
                result?;
            }
        }
        Ok(())
    }

    /// Sends what was mapped; what is left when it fails is undelivered.
    fn settle(&self, batch: &Batch, mapped: Mapped<Request>) -> Result<Receipt, Error> {
        let mut receipt = Receipt::default();
        for refused in mapped.refused {
            receipt.rejected.push(Rejection::of(batch.select(&[refused.at]), refused.kind, refused.reason));
        }
        let mut calls = mapped.calls.into_iter();
        while let Some(Call { request, records }) = calls.next() {
            if let Err((written, error)) = self.send(request) {
                receipt.delivered += written;
                let mut left = records;
                left.drain(..written.min(left.len()));
                left.extend(calls.flat_map(|call| call.records));
                return Err(error.with_undelivered(batch.select(&left)).with_settled(receipt));
            }
            receipt.delivered += records.len();
        }
        Ok(receipt)
    }
}

#[async_trait]
impl Exporter for JsonExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if lock(&self.sink).is_none() {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        match Self::MAPPERS.map(self, batch) {
            Some(mapped) => self.settle(batch, mapped),
            None => Err(Error::unsupported(self.descriptor.kind(), batch)),
        }
    }

    async fn check(&self) -> Health {
        match lock(&self.sink).as_mut().map(Sink::trouble) {
            Some(None) => Health::Healthy,
            Some(Some(trouble)) => Health::Unhealthy(trouble.into()),
            None => Health::Unhealthy("it was shut down; make a new exporter".into()),
        }
    }

    async fn flush(&self) -> Result<(), Error> {
        match lock(&self.sink).as_mut() {
            Some(sink) => sink.flush(self.sync).map_err(io_error),
            None => Ok(()),
        }
    }

    async fn shutdown(&self) -> Result<(), Error> {
        match lock(&self.sink).take() {
            Some(mut sink) => sink.flush(self.sync).map_err(io_error),
            None => Ok(()),
        }
    }
}

/// An error of the place that lines go to: it may pass, as when a full disk is cleared.
fn io_error(cause: std::io::Error) -> Error {
    let message = format!("lines cannot be written: {cause}");
    Error::without_records(ErrorKind::Io, message).with_retry(Retry::Backoff).with_source(cause)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
