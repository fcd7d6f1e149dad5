//! Delivering what waits without the application.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Batch, Error, Exporter, Limits, Receipt, Signal};
use obs_pipeline::{Clock, Log as _, Queue};
use serde::Serialize;
use tokio::sync::Notify;

use crate::DiskQueue;

/// How long a batch that was delivered waits for the disk to know.
const PATIENCE: Duration = Duration::from_secs(10);

/// What draining a lane did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct DrainReport {
    /// Records that were delivered; the lane is past them.
    pub delivered: u64,
    /// Records that went elsewhere: to dead letters, a fallback or a queue of the exporter's; the lane is past them, too.
    pub elsewhere: u64,
    /// Records that the exporter rejected; the lane is past them, too, and why the first of them was.
    pub rejected: u64,
    /// Records in rows that cannot be read; they are kept in the table `damaged`.
    pub damaged: u64,
    /// Records that still wait.
    pub left: u64,
    /// Why it stopped before the end, or what the first rejection or damage says.
    pub trouble: Option<String>,
}

impl DiskQueue {
    /// Delivers what waits for a destination, of one signal, to an exporter, and moves the lane's cursor.
    ///
    /// The destination's route is not known here: all records of the signal leave.
    /// If the process dies, at most one batch is delivered again.
    /// Not for a queue that a pipeline uses.
    ///
    /// # Errors
    /// [`obs_core::ErrorKind::Config`] where nothing is known of such a lane.
    pub async fn drain(
        &self,
        destination: &str,
        signal: Signal,
        exporter: &dyn Exporter,
    ) -> Result<DrainReport, Error> {
        if !self.knows(destination, signal) {
            let message =
                format!("nothing waits here for {destination:?}, of {signal}; list the lanes that there are");
            return Err(Error::config("destination", message));
        }
        let known = Arc::new(Notify::new());
        let wake = Arc::clone(&known);
        let mut queue = self.lane(destination, signal, &Clock::system(), Arc::new(move || wake.notify_one()));
        let limits = exporter.descriptor().limits(signal);
        let mut report = DrainReport::default();
        while queue.items() > 0 {
            if !read(&mut *queue, limits, signal, &mut report) {
                report.trouble.get_or_insert_with(|| "the disk cannot be read now; try again".to_owned());
                break;
            }
            let Some(batch) = queue.peek(limits) else { continue };
            match deliver(exporter, batch).await {
                (receipt, None) => {
                    note(&mut report, &receipt);
                    queue.commit(Batch::empty(signal));
                }
                (receipt, Some((left, message))) => {
                    note(&mut report, &receipt);
                    queue.commit(left);
                    report.trouble = Some(message);
                    break;
                }
            }
            while !queue.is_ready() {
                if tokio::time::timeout(PATIENCE, known.notified()).await.is_err() {
                    report.trouble = Some("the disk does not answer; try again".to_owned());
                    report.left = queue.items() as u64;
                    return Ok(report);
                }
            }
        }
        report.left = queue.items() as u64;
        Ok(report)
    }
}

/// Reads what the next batch needs; `false` where the disk does not let us.
fn read(queue: &mut dyn Queue, limits: Limits, signal: Signal, report: &mut DrainReport) -> bool {
    while let Some(load) = queue.load(limits) {
        let rows = load();
        if rows.is_empty() {
            return false;
        }
        for row in rows {
            let batch = match row.batch {
                Ok(batch) => {
                    let done = batch.len().saturating_sub(row.count);
                    batch.slice(done..batch.len())
                }
                Err(error) => {
                    report.damaged += row.count as u64;
                    report.trouble.get_or_insert_with(|| error.message().to_owned());
                    Batch::empty(signal)
                }
            };
            let bytes = batch.byte_size();
            queue.loaded(row.position, batch, bytes);
        }
    }
    true
}

/// Delivers a batch, and what the exporter took over is where it belongs.
async fn deliver(exporter: &dyn Exporter, batch: Batch) -> (Receipt, Option<(Batch, String)>) {
    let outcome = exporter.export(&batch).await;
    match (outcome, exporter.flush().await) {
        (Ok(receipt), Ok(())) => (receipt, None),
        (_, Err(error)) => (Receipt::default(), Some((batch, error.message().to_owned()))),
        (Err(error), Ok(())) => {
            let (left, message) = (error.undelivered().clone(), error.message().to_owned());
            (error.take_settled().0, Some((left, message)))
        }
    }
}

fn note(report: &mut DrainReport, receipt: &Receipt) {
    let rejected = receipt.rejected_count();
    report.delivered += receipt.delivered as u64;
    report.elsewhere += (receipt.settled() - rejected - receipt.delivered) as u64;
    report.rejected += rejected as u64;
    if let Some(first) = receipt.rejected.first() {
        report.trouble.get_or_insert_with(|| first.reason.to_string());
    }
}
