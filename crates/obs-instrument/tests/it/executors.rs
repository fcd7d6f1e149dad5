//! Ways to run a future: tokio's, and one of our own that knows nothing of tokio.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::Builder;
use tokio::task::LocalSet;

pub(crate) type Walk = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What runs a future, and what spawns from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    CurrentThread,
    MultiThread,
    LocalSet,
    /// No runtime at all.
    Plain,
}

impl Flavour {
    pub(crate) const ALL: [Self; 4] = [Self::CurrentThread, Self::MultiThread, Self::LocalSet, Self::Plain];

    /// Runs a future to its end, in a task where there are tasks.
    pub(crate) fn run(self, walk: Walk) {
        let current = || Builder::new_current_thread().build().unwrap();
        match self {
            Self::CurrentThread => current().block_on(async { tokio::spawn(walk).await.unwrap() }),
            Self::MultiThread => {
                let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
                runtime.block_on(async { tokio::spawn(walk).await.unwrap() });
            }
            Self::LocalSet => {
                LocalSet::new().block_on(&current(), async { tokio::task::spawn_local(walk).await.unwrap() });
            }
            Self::Plain => block_on(walk),
        }
    }

    /// Runs a future beside the caller's.
    pub(crate) async fn spawn(self, walk: impl Future<Output = ()> + Send + 'static) {
        match self {
            Self::CurrentThread | Self::MultiThread => tokio::spawn(walk).await.unwrap(),
            Self::LocalSet => tokio::task::spawn_local(walk).await.unwrap(),
            Self::Plain => thread::spawn(|| block_on(walk)).join().unwrap(),
        }
    }

    /// Runs a function where it may block.
    pub(crate) async fn blocking(self, run: impl FnOnce() + Send + 'static) {
        match self {
            Self::Plain => thread::spawn(run).join().unwrap(),
            _ => tokio::task::spawn_blocking(run).await.unwrap(),
        }
    }
}

/// A thread to wake, and whether somebody did: an executor within this one takes the thread's own note of it.
struct Unpark {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// The least of executors.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let unpark = Arc::new(Unpark { thread: thread::current(), woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&unpark));
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        while !unpark.woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

/// Lets others go first, once.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls all of them in turn until all are done, so that their contexts alternate on one thread.
pub(crate) async fn all(mut walks: Vec<Walk>) {
    poll_fn(|cx| {
        walks.retain_mut(|walk| walk.as_mut().poll(cx).is_pending());
        if walks.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
