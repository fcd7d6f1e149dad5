//! Decorators on a clock that moves only while they wait.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, ErrorKind, Exporter, Health, Level, Log, Receipt, Record, Retry, Timestamp,
};
use obs_pipeline::{Clock, ManualClock};
use obs_testkit::{Fail, Scripted, Step};
use proptest::prelude::*;

/// How exactly times are told.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// A clock at its start.
pub(crate) fn clock() -> (Clock, ManualClock) {
    Clock::manual(Timestamp::from_nanos(1))
}

/// Does the work, and moves the clock on by a tick whenever it waits.
#[track_caller]
pub(crate) fn drive<F: Future>(hand: &ManualClock, work: F) -> F::Output {
    let mut work = pin!(work);
    for _ in 0..10_000_000 {
        if let Poll::Ready(output) = poll(work.as_mut()) {
            return output;
        }
        hand.advance(TICK);
    }
    panic!("it waits for ever");
}

/// Looks at the work once.
pub(crate) fn poll<F: Future>(work: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    work.poll(&mut Context::from_waker(Waker::noop()))
}

/// Does work that does not wait.
#[track_caller]
pub(crate) fn at_once<F: Future>(work: F) -> F::Output {
    match poll(pin!(work)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Logs whose time is their number.
pub(crate) fn logs(count: u64) -> Batch {
    Batch::Logs((0..count).map(|at| Log::new(Timestamp::from_nanos(at), Level::Info, "m")).collect())
}

pub(crate) fn number(record: &Record) -> u64 {
    match record {
        Record::Log(log) => log.time.as_nanos(),
        _ => unreachable!("the batches are of logs"),
    }
}

/// The times between one call and the next.
pub(crate) fn waits(calls: &[Duration]) -> Vec<Duration> {
    calls.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect()
}

/// Notes when it was called.
#[derive(Debug)]
pub(crate) struct Stamped {
    inner: Arc<Scripted>,
    clock: Clock,
    calls: Mutex<Vec<Duration>>,
}

impl Stamped {
    pub(crate) fn new(inner: &Arc<Scripted>, clock: &Clock) -> Arc<Self> {
        let calls = Mutex::default();
        Arc::new(Self { inner: Arc::clone(inner), clock: clock.clone(), calls })
    }

    pub(crate) fn calls(&self) -> Vec<Duration> {
        self.calls.lock().unwrap().clone()
    }

    /// The times between one call and the next.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        waits(&self.calls())
    }
}

#[async_trait]
impl Exporter for Stamped {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        self.calls.lock().unwrap().push(self.clock.monotonic());
        self.inner.export(batch).await
    }

    async fn check(&self) -> Health {
        self.inner.check().await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.inner.flush().await
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.inner.shutdown().await
    }
}

/// Any answer of a backend that tells the truth.
pub(crate) fn answer() -> impl Strategy<Value = Step> {
    let seconds = Duration::from_secs;
    let trouble = prop::sample::select(vec![
        (ErrorKind::Unavailable, Retry::Backoff, Some(503)),
        (ErrorKind::Unavailable, Retry::After(seconds(3)), Some(503)),
        (ErrorKind::Timeout, Retry::Backoff, None),
        (ErrorKind::Io, Retry::Backoff, None),
        (ErrorKind::RateLimited, Retry::After(seconds(2)), Some(429)),
        (ErrorKind::RateLimited, Retry::Backoff, Some(429)),
        (ErrorKind::Auth, Retry::Hold(seconds(60)), Some(401)),
        (ErrorKind::Unavailable, Retry::Hold(seconds(60)), Some(404)),
        (ErrorKind::Rejected, Retry::Never, Some(400)),
        (ErrorKind::TooLarge, Retry::Never, Some(413)),
    ]);
    let fail = (trouble, 0usize..6, 0usize..3).prop_map(|((kind, retry, status), delivered, rejected)| {
        Step::Fail(Fail { kind, retry, status, delivered, rejected })
    });
    prop_oneof![
        2 => Just(Step::Deliver),
        1 => Just(Step::Queue),
        1 => prop::collection::vec(0usize..12, 0..3).prop_map(Step::Reject),
        1 => (0usize..4).prop_map(Step::Lose),
        8 => fail,
    ]
}

/// What settled, whether the rest failed or not.
pub(crate) fn settled(result: &Result<Receipt, Error>) -> &Receipt {
    match result {
        Ok(receipt) => receipt,
        Err(error) => error.settled(),
    }
}

/// Fails where a record arrived twice, or arrived and is called undelivered.
pub(crate) fn assert_once(arrived: &[Record], result: &Result<Receipt, Error>) {
    let mut seen: Vec<u64> = arrived.iter().map(number).collect();
    if let Err(error) = result {
        seen.extend(error.undelivered().to_records().iter().map(number));
    }
    seen.extend(settled(result).rejected.iter().filter_map(|r| r.records.as_ref()).flat_map(|records| {
        let records = records.to_records();
        records.iter().map(number).collect::<Vec<_>>()
    }));
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(all, seen.len(), "a record is in two places: {result:?}");
}
