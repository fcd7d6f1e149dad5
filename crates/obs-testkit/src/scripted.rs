//! An exporter that answers by script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, ErrorKind, Exporter, Health, Mapped, Mappers, Receipt, Record, Records,
    Rejection, Retry, Signal,
};
use tokio::sync::Notify;

mod fate;

use fate::Fates;

pub use fate::Fate;

/// What a [`Scripted`] exporter does with one `export`.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Delivers every record.
    Deliver,
    /// Takes every record over, as a queue does.
    Queue,
    /// Rejects the records at these positions and delivers the others; positions beyond the batch are ignored.
    Reject(Vec<usize>),
    /// Delivers all but this many, and does not say which.
    Lose(usize),
    /// Fails.
    Fail(Fail),
    /// Waits, then does the other step.
    After(Duration, Box<Step>),
    /// Never answers, until [`Scripted::release`]; then delivers.
    Hang,
    /// Panics.
    Panic,
}

/// How a [`Step::Fail`] fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Fail {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The advice.
    pub retry: Retry,
    /// The HTTP status.
    pub status: Option<u16>,
    /// How many records from the front were delivered before; at most the batch.
    pub delivered: usize,
    /// How many records behind those were rejected before; at most what is left.
    pub rejected: usize,
}

impl Step {
    /// Fails with nothing settled.
    pub fn fail(kind: ErrorKind, retry: Retry) -> Self {
        Self::Fail(Fail { kind, retry, status: None, delivered: 0, rejected: 0 })
    }

    /// Fails after so many records from the front were delivered.
    pub fn fail_after(delivered: usize, kind: ErrorKind, retry: Retry) -> Self {
        Self::Fail(Fail { kind, retry, status: None, delivered, rejected: 0 })
    }

    /// The backend is away, and may be back later.
    pub fn unavailable() -> Self {
        Self::fail(ErrorKind::Unavailable, Retry::Backoff)
    }

    /// The backend wants fewer requests for so long.
    pub fn rate_limited(after: Duration) -> Self {
        Self::fail(ErrorKind::RateLimited, Retry::After(after))
    }

    /// The backend refuses the content of the batch as a whole.
    pub fn refused() -> Self {
        Self::fail(ErrorKind::Rejected, Retry::Never)
    }
}

/// How often a [`Scripted`] exporter was asked for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    /// Calls of `export` that arrived, whatever became of them.
    pub exports: usize,
    /// Calls of `check`.
    pub checks: usize,
    /// Calls of `flush`.
    pub flushes: usize,
    /// Calls of `shutdown`.
    pub shutdowns: usize,
    /// The most `export`s that were under way at once.
    pub most_at_once: usize,
}

/// An exporter that answers by script: one step for each `export`, then [`Step::Deliver`] or what
/// [`Scripted::and_then`] says.
///
/// It keeps every batch that it was given and every record that it delivered or queued; clone the `Arc` to ask it while
/// a decorator holds it.
///
/// ```
/// use obs_core::{Exporter, Signal};
/// use obs_testkit::{fixtures, Scripted, Step};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let exporter = Scripted::new([Step::unavailable()]);
/// let batch = fixtures::batch(Signal::Logs);
/// assert!(exporter.export(&batch).await.is_err());
/// assert_eq!(exporter.export(&batch).await.unwrap().delivered, batch.len());
/// assert_eq!(exporter.delivered(Signal::Logs), batch.len());
/// # });
/// ```
#[derive(Debug)]
pub struct Scripted {
    descriptor: Descriptor,
    fates: Fates,
    release: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    script: VecDeque<Step>,
    then: Step,
    health: Health,
    flush: Option<ErrorKind>,
    closed: bool,
    calls: Calls,
    under_way: usize,
    batches: Vec<Batch>,
    arrived: Vec<Batch>,
}

impl Scripted {
    const MAPPERS: Mappers<Self, ()> =
        Mappers::NONE.traces(whole).metrics(whole).logs(whole).scores(whole).feedback(whole);

    /// What it is and takes by default: all five signals as what they are.
    pub const DESCRIPTOR: Descriptor = Descriptor::of("scripted", &Self::MAPPERS);

    /// An exporter that does these steps, then delivers.
    pub fn new(script: impl IntoIterator<Item = Step>) -> Arc<Self> {
        Arc::new(Self::builder(script))
    }

    /// As [`Self::new`], for the methods that change what it is before it is shared.
    pub fn builder(script: impl IntoIterator<Item = Step>) -> Self {
        let state = State {
            script: script.into_iter().collect(),
            then: Step::Deliver,
            health: Health::Healthy,
            flush: None,
            closed: false,
            calls: Calls::default(),
            under_way: 0,
            batches: Vec::new(),
            arrived: Vec::new(),
        };
        Self {
            descriptor: Self::DESCRIPTOR,
            fates: Fates::default(),
            release: Notify::new(),
            state: Mutex::new(state),
        }
    }

    /// Says what it is and takes.
    #[must_use]
    pub fn with_descriptor(mut self, descriptor: Descriptor) -> Self {
        self.descriptor = descriptor;
        self
    }

    /// Refuses, with an error of this kind and before any step, every batch that holds such a record.
    ///
    /// It is [`Self::with_fates`] with one poison, and replaces what that was given.
    #[must_use]
    pub fn with_poison(self, kind: ErrorKind, poison: fn(&Record) -> bool) -> Self {
        self.with_fates(move |record| if poison(record) { Fate::Poison(kind) } else { Fate::Deliver })
    }

    /// Gives each record a fate of its own, which holds wherever a step delivers the record.
    ///
    /// ```
    /// use obs_core::{Batch, ErrorKind, Exporter, Record, Signal};
    /// use obs_testkit::{fixtures, Fate, Scripted};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let unwanted = |record: &Record| match record {
    ///     Record::Log(log) if log.message.is_empty() => Fate::Reject(ErrorKind::Rejected),
    ///     _ => Fate::Deliver,
    /// };
    /// let exporter = Scripted::builder([]).with_fates(unwanted).shared();
    /// let receipt = exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap();
    /// assert_eq!(receipt.rejected_count(), fixtures::batch(Signal::Logs).len() - receipt.delivered);
    /// # });
    /// ```
    #[must_use]
    pub fn with_fates(mut self, judge: impl Fn(&Record) -> Fate + Send + Sync + 'static) -> Self {
        self.fates = Fates::new(judge);
        self
    }

    /// What it does when the script is over.
    #[must_use]
    pub fn and_then(self, step: Step) -> Self {
        self.state().then = step;
        self
    }

    /// Shares it.
    pub fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }

    /// Adds a step behind those left.
    pub fn push(&self, step: Step) {
        self.state().script.push_back(step);
    }

    /// Does this from now on, once the script is over.
    pub fn set_then(&self, step: Step) {
        self.state().then = step;
    }

    /// What `check` answers from now on.
    pub fn set_health(&self, health: Health) {
        self.state().health = health;
    }

    /// The error that `flush` and the first `shutdown` return from now on.
    pub fn set_flush_error(&self, kind: Option<ErrorKind>) {
        self.state().flush = kind;
    }

    /// Lets every `export` go on that hangs now.
    pub fn release(&self) {
        self.release.notify_waiters();
    }

    /// How often it was asked for what.
    pub fn calls(&self) -> Calls {
        self.state().calls
    }

    /// How many `export`s are under way; a hanging one whose future was dropped is not.
    pub fn under_way(&self) -> usize {
        self.state().under_way
    }

    /// Every batch that it was given, in order.
    pub fn batches(&self) -> Vec<Batch> {
        self.state().batches.clone()
    }

    /// Every record that it delivered or queued, in order.
    pub fn records(&self) -> Vec<Record> {
        let arrived = self.state().arrived.clone();
        arrived.iter().flat_map(Batch::to_records).collect()
    }

    /// How many records of a signal it delivered or queued.
    pub fn delivered(&self, signal: Signal) -> usize {
        let state = self.state();
        state.arrived.iter().filter(|batch| batch.signal() == signal).map(Batch::len).sum()
    }

    /// Whether it was shut down.
    pub fn is_closed(&self) -> bool {
        self.state().closed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next step, unless the batch is refused whatever the script says.
    fn begin(&self, batch: &Batch) -> Result<(Step, UnderWay<'_>), Error> {
        let mut state = self.state();
        state.calls.exports += 1;
        state.batches.push(batch.clone());
        if state.closed {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        if !self.descriptor.support(batch.signal()).is_some() {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        }
        if let Some(kind) = self.fates.poison(batch) {
            return Err(Error::new(kind, Retry::Never, "the batch holds a poisoned record", batch.clone()));
        }
        state.under_way += 1;
        state.calls.most_at_once = state.calls.most_at_once.max(state.under_way);
        let step = if batch.is_empty() { None } else { state.script.pop_front() };
        let step = step.unwrap_or_else(|| if batch.is_empty() { Step::Deliver } else { state.then.clone() });
        Ok((step, UnderWay(self)))
    }

    fn arrived(&self, batch: Batch) {
        self.state().arrived.push(batch);
    }

    /// Delivers these, each by its fate.
    fn deliver(&self, batch: Batch) -> Receipt {
        let (arrived, receipt) = self.fates.settle(batch);
        self.arrived(arrived);
        receipt
    }

    fn settle(&self, step: Step, batch: &Batch) -> Result<Receipt, Error> {
        let len = batch.len();
        match step {
            Step::Deliver | Step::Hang | Step::After(..) => Ok(self.deliver(batch.clone())),
            Step::Queue => {
                self.arrived(batch.clone());
                Ok(Receipt { queued: len, ..Receipt::default() })
            }
            Step::Reject(positions) => Ok(self.reject(&positions, batch)),
            Step::Lose(count) => Ok(self.lose(count.min(len), batch)),
            Step::Fail(fail) => Err(self.fail(&fail, batch)),
            Step::Panic => panic!("the script says so"),
        }
    }

    fn reject(&self, positions: &[usize], batch: &Batch) -> Receipt {
        let (refused, passed): (Vec<_>, Vec<_>) = (0..batch.len()).partition(|at| positions.contains(at));
        let mut receipt = self.deliver(batch.select(&passed));
        let refused = refused.iter().map(|at| batch.select(&[*at]));
        let rejected = refused.map(|one| Rejection::of(one, ErrorKind::Rejected, "the script says so"));
        receipt.rejected.extend(rejected);
        receipt
    }

    fn lose(&self, count: usize, batch: &Batch) -> Receipt {
        let delivered = batch.len() - count;
        let mut receipt = self.deliver(batch.slice(0..delivered));
        if count > 0 {
            let lost =
                Rejection::of(batch.slice(delivered..batch.len()), ErrorKind::Rejected, "some were refused");
            receipt.rejected.push(Rejection { records: None, ..lost });
        }
        receipt
    }

    fn fail(&self, fail: &Fail, batch: &Batch) -> Error {
        let delivered = fail.delivered.min(batch.len());
        let rejected = (delivered + fail.rejected).min(batch.len());
        let mut settled = self.deliver(batch.slice(0..delivered));
        if rejected > delivered {
            let refused = batch.slice(delivered..rejected);
            settled.rejected.push(Rejection::of(refused, ErrorKind::Rejected, "the script says so"));
        }
        Error::new(fail.kind, fail.retry, "the script says so", batch.slice(rejected..batch.len()))
            .with_status(fail.status)
            .with_settled(settled)
    }

    fn flushed(state: &State) -> Result<(), Error> {
        match state.flush {
            Some(kind) => Err(Error::without_records(kind, "the script says so")),
            None => Ok(()),
        }
    }
}

/// Counts an `export` as under way until it ends or its future is dropped.
#[derive(Debug)]
struct UnderWay<'a>(&'a Scripted);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
    }
}

fn whole<T>(_: &Scripted, records: &Records<T>) -> Mapped<()> {
    Mapped::whole((), records.len())
}

#[async_trait]
impl Exporter for Scripted {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        let (mut step, _under_way) = self.begin(batch)?;
        while let Step::After(delay, next) = step {
            tokio::time::sleep(delay).await;
            step = *next;
        }
        if step == Step::Hang {
            self.release.notified().await;
        }
        self.settle(step, batch)
    }

    async fn check(&self) -> Health {
        let mut state = self.state();
        state.calls.checks += 1;
        state.health.clone()
    }

    async fn flush(&self) -> Result<(), Error> {
        let mut state = self.state();
        state.calls.flushes += 1;
        Self::flushed(&state)
    }

    async fn shutdown(&self) -> Result<(), Error> {
        let mut state = self.state();
        state.calls.shutdowns += 1;
        if std::mem::replace(&mut state.closed, true) { Ok(()) } else { Self::flushed(&state) }
    }
}
