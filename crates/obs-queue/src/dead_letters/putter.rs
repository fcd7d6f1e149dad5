//! The thread that writes letters, so that a slow disk holds up nobody who delivers.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use obs_core::{Error, ErrorKind, Rejection};
use tokio::sync::{mpsc, oneshot};

use super::letters::Letters;

/// How many rejections may wait for the disk; more wait with whoever puts them.
const WAITING: usize = 16;

/// A rejection on its way to the disk.
#[derive(Debug)]
struct Job {
    letters: Arc<Letters>,
    destination: Box<str>,
    rejection: Rejection,
    answer: oneshot::Sender<Result<(), Error>>,
}

/// The way to the thread, which starts with the first rejection and ends with the store.
#[derive(Debug, Default)]
pub(super) struct Putter(Mutex<Option<mpsc::Sender<Job>>>);

impl Putter {
    /// Has the thread write a rejection, and waits for it; what is dropped before its turn is not written.
    pub(super) async fn put(
        &self,
        letters: &Arc<Letters>,
        destination: &str,
        rejection: &Rejection,
    ) -> Result<(), Error> {
        let (answer, outcome) = oneshot::channel();
        let (letters, rejection) = (Arc::clone(letters), rejection.clone());
        let ended = || {
            let message = format!(
                "{}: the thread that writes it has ended; it starts again with the next, and please report it",
                letters.path().display()
            );
            Error::without_records(ErrorKind::Io, message)
        };
        let job = Job { letters: Arc::clone(&letters), destination: destination.into(), rejection, answer };
        self.jobs(&letters)?.send(job).await.map_err(|_| ended())?;
        outcome.await.unwrap_or_else(|_| Err(ended()))
    }

    fn jobs(&self, letters: &Letters) -> Result<mpsc::Sender<Job>, Error> {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = jobs.as_ref().filter(|known| !known.is_closed()) {
            return Ok(known.clone());
        }
        let (sender, inbox) = mpsc::channel(WAITING);
        let run = move || run(inbox);
        thread::Builder::new().name("obs-dead-letters".into()).spawn(run).map_err(|cause| {
            let path = letters.path();
            let message = format!("{}: the thread that writes it cannot start: {cause}", path.display());
            Error::without_records(ErrorKind::Io, message)
        })?;
        Ok(jobs.insert(sender).clone())
    }
}

fn run(mut inbox: mpsc::Receiver<Job>) {
    while let Some(Job { letters, destination, rejection, answer }) = inbox.blocking_recv() {
        // Whoever gave up waiting counts the records as lost.
        if answer.is_closed() {
            continue;
        }
        let outcome = letters.put(&destination, &rejection);
        // Whoever has the answer may drop the store, and the file is closed by then.
        drop(letters);
        answer.send(outcome).ok();
    }
}
