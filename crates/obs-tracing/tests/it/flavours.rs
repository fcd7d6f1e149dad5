//! Ways to run a program: on no runtime, on tokio's, and on one inside another.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::LocalSet;
use tracing::Dispatch;
use tracing::dispatcher::{get_default, set_default, with_default};

pub(crate) type Program = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// An executor that knows nothing of tokio.
    NoRuntime,
    CurrentThread,
    /// So many workers.
    MultiThread(usize),
    LocalSet,
    /// On a thread of a runtime's pool for what blocks.
    InsideBlocking,
    /// On a runtime within such a thread.
    Nested,
}

impl Flavour {
    pub(crate) const ALL: [Self; 7] = [
        Self::NoRuntime,
        Self::CurrentThread,
        Self::MultiThread(1),
        Self::MultiThread(4),
        Self::LocalSet,
        Self::InsideBlocking,
        Self::Nested,
    ];

    /// Runs a program to its end; every thread that it reaches has this subscriber.
    pub(crate) fn run(self, dispatch: &Dispatch, program: Program) {
        let current = || build(Builder::new_current_thread(), dispatch);
        let workers = |count| build(Builder::new_multi_thread().worker_threads(count), dispatch);
        with_default(dispatch, || match self {
            Self::NoRuntime => block_on(program),
            Self::CurrentThread => current().block_on(async { tokio::spawn(program).await.unwrap() }),
            Self::MultiThread(count) => {
                workers(count).block_on(async { tokio::spawn(program).await.unwrap() });
            }
            Self::LocalSet => {
                let local = async { tokio::task::spawn_local(program).await.unwrap() };
                LocalSet::new().block_on(&current(), local);
            }
            Self::InsideBlocking => workers(2).block_on(async {
                tokio::task::spawn_blocking(|| block_on(program)).await.unwrap();
            }),
            Self::Nested => current().block_on(async {
                let inner = current();
                tokio::task::spawn_blocking(move || inner.block_on(program)).await.unwrap();
            }),
        });
    }
}

/// A runtime whose threads have the subscriber for good: a registry closes parents through the one that is current.
fn build(mut builder: impl std::borrow::BorrowMut<Builder>, dispatch: &Dispatch) -> Runtime {
    let dispatch = dispatch.clone();
    let builder = builder.borrow_mut();
    builder.on_thread_start(move || std::mem::forget(set_default(&dispatch))).build().unwrap()
}

/// Runs a future beside the caller's: a task where there are tasks, else a thread.
pub(crate) async fn spawn(flavour: Flavour, work: impl Future<Output = ()> + Send + 'static) {
    match Handle::try_current() {
        Ok(_) if flavour == Flavour::LocalSet => tokio::task::spawn_local(work).await.unwrap(),
        Ok(handle) => handle.spawn(work).await.unwrap(),
        Err(_) => on_thread(move || block_on(work)),
    }
}

/// Runs a function where it may block.
pub(crate) async fn blocking(work: impl FnOnce() + Send + 'static) {
    match Handle::try_current() {
        Ok(handle) => handle.spawn_blocking(work).await.unwrap(),
        Err(_) => on_thread(work),
    }
}

fn on_thread(work: impl FnOnce() + Send + 'static) {
    let dispatch = get_default(Clone::clone);
    thread::spawn(move || with_default(&dispatch, work)).join().unwrap();
}

/// The least of executors.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        // A wake may be lost to somebody else's park on this thread.
        thread::park_timeout(Duration::from_millis(10));
    }
}
