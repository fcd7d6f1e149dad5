//! Work beside delivery, such as reading a trace back, on a thread of its own.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use obs_core::{Error, ErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use crate::Clock;
use crate::deadline::Deadline;
use crate::suppress::{suppress_this_thread, unsuppressed};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How many pieces of work have their turn at a time.
const TURNS: usize = 8;

/// A thread with a runtime of its own, so that the work needs none of the caller's and delays nobody.
///
/// It starts with the first work and ends when this is dropped; what is under way then is dropped, too, after
/// [`Aside::settle`] had it finish.
/// The work itself records as any other does; tasks and blocking work that it starts are obs's own, and record nothing.
pub struct Aside {
    clock: Clock,
    queue: Mutex<Option<mpsc::UnboundedSender<Work>>>,
    under_way: Arc<UnderWay>,
    /// How often all work was told to make haste.
    haste: watch::Sender<u64>,
    turns: Arc<Semaphore>,
}

/// How many pieces of work are not done.
#[derive(Debug, Default)]
struct UnderWay {
    count: Mutex<usize>,
    changed: Condvar,
}

/// Counts one piece of work until it is done or dropped.
struct Counted(Arc<UnderWay>);

impl Counted {
    fn new(under_way: &Arc<UnderWay>) -> Self {
        *under_way.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Arc::clone(under_way))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.changed.notify_all();
    }
}

/// The pace of a piece of work: its pauses end early when all is told to make haste.
#[derive(Debug)]
pub struct Pace {
    clock: Clock,
    haste: watch::Receiver<u64>,
    turns: Arc<Semaphore>,
}

/// Leave to do what takes room, such as reading a trace, until it is dropped; see [`Pace::turn`].
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Pace {
    /// Waits on the clock; `false` if the work is to come to its end without waiting, now and from now on.
    pub async fn pause(&mut self, wait: Duration) -> bool {
        // What is told stays unseen here, so that the next pause ends at once, too.
        let mut told = self.haste.clone();
        if told.has_changed().unwrap_or(true) {
            return false;
        }
        if wait.is_zero() {
            return true;
        }
        tokio::select! {
            _ = told.changed() => false,
            () = self.clock.sleep(wait) => true,
        }
    }
}

impl Pace {
    /// Waits for a turn, in the order of asking: eight pieces of an [`Aside`]'s work have one at a time.
    ///
    /// `None` if the work was told to make haste and none came within the limit after that, by the clock.
    pub async fn turn(&self, limit: Duration) -> Option<Turn> {
        let mut told = self.haste.clone();
        let too_late = async {
            if told.changed().await.is_ok() {
                self.clock.sleep(limit).await;
            }
        };
        tokio::select! {
            biased;
            permit = Arc::clone(&self.turns).acquire_owned() => permit.ok().map(Turn),
            () = too_late => None,
        }
    }

    /// Does something that may take so long by the clock; `None` if it took longer, and was dropped.
    pub async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.clock.sleep(limit) => None,
        }
    }
}

impl Aside {
    /// For work that waits on this clock; nothing starts yet.
    pub fn new(clock: Clock) -> Self {
        let (haste, _) = watch::channel(0);
        let turns = Arc::new(Semaphore::new(TURNS));
        Self { clock, queue: Mutex::default(), under_way: Arc::default(), haste, turns }
    }

    /// Starts work.
    ///
    /// # Errors
    /// `Io` where the system refuses the thread; the work is then dropped.
    pub fn spawn<F>(&self, work: impl FnOnce(Pace) -> F) -> Result<(), Error>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let counted = Counted::new(&self.under_way);
        let turns = Arc::clone(&self.turns);
        let work = work(Pace { clock: self.clock.clone(), haste: self.haste.subscribe(), turns });
        let work: Work = Box::pin(unsuppressed(async move {
            let _counted = counted;
            work.await;
        }));
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = match &*queue {
            Some(sender) => sender,
            None => queue.insert(start()?),
        };
        if let Err(mpsc::error::SendError(work)) = sender.send(work) {
            // The thread is gone, as in the child of a fork: the next work starts another.
            let sender = queue.insert(start()?);
            sender.send(work).map_err(|_| refused(&"it has ended"))?;
        }
        Ok(())
    }

    /// Does work and hands back what it gives; needs no runtime.
    ///
    /// # Errors
    /// `Io` where the system refuses the thread, or the work has panicked or was given up.
    pub async fn run<T, F>(&self, work: impl FnOnce(Pace) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        self.spawn(|pace| {
            let work = work(pace);
            async move { drop(answer.send(work.await)) }
        })?;
        outcome.await.map_err(|_| refused(&"the work has panicked or was given up"))
    }

    /// Waits until all work is done, and has it make haste when half of the time is over; `false` if some is not done.
    pub fn settle(&self, deadline: Duration) -> bool {
        if self.is_idle() {
            return true;
        }
        let (half, whole) = (Deadline::after(deadline / 2), Deadline::after(deadline));
        if self.wait(half) {
            return true;
        }
        self.haste.send_modify(|times| *times += 1);
        self.wait(whole)
    }

    /// Drops what is under way, and ends the thread; waits for neither, and later work starts another thread.
    pub fn clear(&self) {
        *self.queue.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether no work is under way.
    pub fn is_idle(&self) -> bool {
        *self.under_way.count.lock().unwrap_or_else(PoisonError::into_inner) == 0
    }

    fn wait(&self, deadline: Deadline) -> bool {
        let count = self.under_way.count.lock().unwrap_or_else(PoisonError::into_inner);
        deadline.wait(count, &self.under_way.changed, |count| *count == 0)
    }
}

/// Starts the thread; it ends when the sender is dropped.
fn start() -> Result<mpsc::UnboundedSender<Work>, Error> {
    let (sender, mut works) = mpsc::unbounded_channel::<Work>();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_start(suppress_this_thread)
        .build()
        .map_err(|cause| refused(&cause))?;
    let run = move || {
        suppress_this_thread();
        runtime.block_on(async move {
            while let Some(work) = works.recv().await {
                // A task of its own, so that one that panics or waits holds up no other.
                tokio::spawn(work);
            }
        });
    };
    thread::Builder::new().name("obs-aside".into()).spawn(run).map_err(|cause| refused(&cause))?;
    Ok(sender)
}

fn refused(cause: &dyn fmt::Display) -> Error {
    Error::without_records(ErrorKind::Io, format!("the thread for work beside delivery has failed: {cause}"))
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aside").field("under_way", &self.under_way.count).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use obs_core::Timestamp;

    use super::*;
    use crate::suppress::is_suppressed;

    const DEADLINE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn work_is_done_beside_and_its_panic_is_its_own() {
        let aside = Aside::new(Clock::system());
        assert_eq!(aside.run(|_| async { 7 }).await.unwrap(), 7);
        let failed = aside.run(|_| async { panic!("planned") }).await;
        assert!(failed.is_err_and(|error: Error| error.to_string().contains("panicked")));
        assert_eq!(aside.run(|_| async { 8 }).await.unwrap(), 8);
        assert!(aside.settle(DEADLINE) && aside.is_idle());
    }

    #[tokio::test]
    async fn law_9_what_work_starts_records_nothing() {
        let aside = Aside::new(Clock::system());
        let seen = aside.run(|_| async {
            let task = tokio::spawn(async { is_suppressed() });
            let blocking = tokio::task::spawn_blocking(is_suppressed);
            (is_suppressed(), task.await.unwrap(), blocking.await.unwrap())
        });
        assert_eq!(seen.await.unwrap(), (false, true, true), "the work itself is the application's");
    }

    #[test]
    fn a_pause_ends_with_its_time_or_with_haste() {
        let (clock, hand) = Clock::manual(Timestamp::default());
        let aside = Aside::new(clock);
        let paused = Arc::new(AtomicUsize::new(0));
        let spawn = |wait: u64| {
            let paused = Arc::clone(&paused);
            let work = |mut pace: Pace| async move {
                for _ in 0..3 {
                    let in_time = pace.pause(Duration::from_secs(wait)).await;
                    paused.fetch_add(if in_time { 1 } else { 100 }, Ordering::SeqCst);
                }
            };
            aside.spawn(work).unwrap();
        };
        spawn(0);
        assert!(aside.settle(DEADLINE));
        assert_eq!(paused.load(Ordering::SeqCst), 3, "no time passes in no time");
        spawn(10);
        while !aside.is_idle() {
            hand.advance(Duration::from_secs(1));
            thread::yield_now();
        }
        assert_eq!(paused.load(Ordering::SeqCst), 6, "the clock alone ends a pause");
        spawn(10);
        aside.settle(Duration::ZERO);
        assert!(aside.settle(DEADLINE));
        assert_eq!(paused.load(Ordering::SeqCst), 306, "haste ends this pause and the next ones");
    }

    #[test]
    fn turns_are_few_and_nobody_waits_for_one_for_ever_once_there_is_haste() {
        let (clock, hand) = Clock::manual(Timestamp::default());
        let aside = Aside::new(clock);
        let limit = Duration::from_secs(10);
        let [had, missed] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        for _ in 0..3 * TURNS {
            let (had, missed) = (Arc::clone(&had), Arc::clone(&missed));
            let work = |pace: Pace| async move {
                let Some(_turn) = pace.turn(limit).await else {
                    missed.fetch_add(1, Ordering::SeqCst);
                    return;
                };
                had.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<()>().await;
            };
            aside.spawn(work).unwrap();
        }
        let told = |of: &AtomicUsize| of.load(Ordering::SeqCst);
        while told(&had) < TURNS {
            hand.advance(limit);
            thread::yield_now();
        }
        assert!(!aside.settle(Duration::ZERO), "all are told to make haste");
        while told(&missed) < 2 * TURNS {
            hand.advance(Duration::from_secs(1));
            thread::yield_now();
        }
        assert_eq!(told(&had), TURNS, "no more at a time");
        aside.clear();
        assert!(aside.settle(DEADLINE));
        let turn = aside.spawn(|pace| async move { assert!(pace.turn(limit).await.is_some()) });
        turn.unwrap();
        assert!(aside.settle(DEADLINE), "a turn ends with the work that had it");
    }

    #[test]
    fn work_that_hangs_is_ended_by_its_limit_or_with_all_the_rest() {
        let (clock, hand) = Clock::manual(Timestamp::default());
        let aside = Aside::new(clock);
        let (tell, told) = std::sync::mpsc::channel();
        let hang = |pace: Pace| async move {
            let limit = Duration::from_secs(10);
            tell.send(pace.within(limit, std::future::pending::<()>()).await).unwrap();
        };
        aside.spawn(hang).unwrap();
        while !aside.is_idle() {
            hand.advance(Duration::from_secs(1));
            thread::yield_now();
        }
        assert_eq!(told.recv().unwrap(), None);
        aside.spawn(|_| std::future::pending()).unwrap();
        aside.clear();
        assert!(aside.settle(DEADLINE), "it was dropped");
        aside.spawn(|_| async {}).unwrap();
        assert!(aside.settle(DEADLINE), "later work is done");
    }
}
