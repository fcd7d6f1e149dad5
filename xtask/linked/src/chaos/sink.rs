//! A destination whose owner decides whether it hangs.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, ErrorKind, Exporter, Health, Mapped, Mappers, Receipt, Records, Retry,
};
use tokio::sync::watch;

/// Takes every record while it is open, and never answers while it is shut.
pub(crate) struct Sink {
    open: watch::Sender<bool>,
    taken: AtomicU64,
    delay: Duration,
    keep: Keep,
}

type Keep = Box<dyn Fn(&Batch) -> io::Result<()> + Send + Sync>;

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("open", &*self.open.borrow()).finish_non_exhaustive()
    }
}

impl Sink {
    const MAPPERS: Mappers<Self, ()> =
        Mappers::NONE.traces(whole).metrics(whole).logs(whole).scores(whole).feedback(whole);
    const DESCRIPTOR: Descriptor = Descriptor::of("sink", &Self::MAPPERS);

    /// One that counts.
    pub(crate) fn new(open: bool) -> Arc<Self> {
        Self::keeping(open, Duration::ZERO, |_| Ok(()))
    }

    /// One that takes its time for a batch and gives it to `keep` before it answers.
    pub(crate) fn keeping(
        open: bool,
        delay: Duration,
        keep: impl Fn(&Batch) -> io::Result<()> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (open, _) = watch::channel(open);
        Arc::new(Self { open, taken: AtomicU64::new(0), delay, keep: Box::new(keep) })
    }

    /// Whether it answers from now on; what hangs goes on.
    pub(crate) fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }

    /// How many records it took.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    async fn opened(&self) {
        // The sender is this very sink, so the gate cannot be gone.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }
}

fn whole<T>(_: &Sink, records: &Records<T>) -> Mapped<()> {
    Mapped::whole((), records.len())
}

#[async_trait]
impl Exporter for Sink {
    fn descriptor(&self) -> &Descriptor {
        static DESCRIPTOR: Descriptor = Sink::DESCRIPTOR;
        &DESCRIPTOR
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        self.opened().await;
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let kept = (self.keep)(batch);
        kept.map_err(|cause| {
            let message = format!("the batch was not kept: {cause}");
            Error::new(ErrorKind::Unavailable, Retry::Backoff, message, batch.clone())
        })?;
        self.taken.fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(Receipt::delivered(batch.len()))
    }

    async fn check(&self) -> Health {
        Health::Healthy
    }

    async fn flush(&self) -> Result<(), Error> {
        self.opened().await;
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.opened().await;
        Ok(())
    }
}
