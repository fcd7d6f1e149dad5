//! Spans that fail, and work that is done under a span to its end.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task;

use obs_core::{ErrorInfo, Status, Str};
use pin_project_lite::pin_project;

use crate::failure::{PANIC, PASSED, WORDLESS};
use crate::{ActiveSpan, ContextFuture, Kind, ids};

impl<T: Kind> ActiveSpan<T> {
    /// Records an error with its type, message and sources; the span goes on until it ends.
    ///
    /// Ancestors that fail with the same error share its `error_id`: with one of the same message, one that wraps it, or one
    /// made of it that keeps its message or its source.
    /// For a boxed error give what is in the box, `fail(&*error)`: an `anyhow::Error` is such a box, too.
    pub fn fail<E: Error + ?Sized>(&mut self, error: &E) -> &mut Self {
        self.fail_with(|| ErrorInfo::of(error))
    }

    /// Records an error described by hand; not called when not recording.
    ///
    /// Neither this nor any other way to fail panics where the description does, an error's `Display` for one.
    pub fn fail_with(&mut self, error: impl FnOnce() -> ErrorInfo) -> &mut Self {
        if let Some((span, open)) = self.kept_mut() {
            let mut error = guarded(error).unwrap_or_else(|| ErrorInfo::message(UNSAID));
            let id = error.error_id.or_else(|| open.known_error(&error));
            let id = id.unwrap_or_else(|| ids::record_id(open.now(span)));
            error.error_id = Some(id);
            open.tell_failure(&error, id);
            span.status = Status::Error;
            span.error = Some(Box::new(error));
        }
        self
    }

    /// Records a result: the error, if it is one.
    pub fn record<R, E: Error>(&mut self, result: &Result<R, E>) -> &mut Self {
        match result {
            Ok(_) => self,
            Err(error) => self.fail(error),
        }
    }

    /// Records that the code under the span panicked, with what `catch_unwind` caught.
    ///
    /// A span that is dropped by a panic notes by itself that there was one; only who catches it knows what it said.
    pub fn fail_panic(&mut self, payload: &(dyn Any + Send)) -> &mut Self {
        self.fail_with(|| {
            let text = payload.downcast_ref::<&'static str>().map(|text| Str::from_static(text));
            let text = text.or_else(|| payload.downcast_ref::<String>().map(Str::from));
            panicked(text.unwrap_or_else(|| WORDLESS.into()))
        })
    }

    /// Awaits a future with this as the current span, then ends it: failed if the result is an error, or if it panics.
    ///
    /// The error's type, message and sources are recorded.
    /// For a boxed error or an `anyhow::Error` use [`Self::run_with`], for a text [`Self::run_display`].
    /// Given up before its end, as by a timeout, the span ends then and has the attribute [`CANCELLED`](crate::CANCELLED).
    ///
    /// # Errors
    /// What the future returns.
    pub async fn run<R, E: Error>(self, future: impl Future<Output = Result<R, E>>) -> Result<R, E> {
        self.run_with(future, ErrorInfo::of).await
    }

    /// [`Self::run`] for errors that are only text.
    ///
    /// # Errors
    /// What the future returns.
    pub async fn run_display<R, E: fmt::Display>(
        self,
        future: impl Future<Output = Result<R, E>>,
    ) -> Result<R, E> {
        self.run_with(future, |error| ErrorInfo::message(error.to_string())).await
    }

    /// [`Self::run`] for errors that the function describes: `|error| ErrorInfo::of(&**error)` for a boxed one.
    ///
    /// # Errors
    /// What the future returns.
    pub async fn run_with<R, E>(
        mut self,
        future: impl Future<Output = Result<R, E>>,
        describe: impl FnOnce(&E) -> ErrorInfo,
    ) -> Result<R, E> {
        let outcome = Caught { future: ContextFuture::within(future, self.awaited()) }.await;
        self.settle(outcome, describe)
    }

    /// Calls a function with this as the current span, then ends it: failed if the result is an error, or if it panics.
    ///
    /// # Errors
    /// What the function returns.
    pub fn call<R, E: Error>(self, work: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
        self.call_with(work, ErrorInfo::of)
    }

    /// [`Self::call`] for errors that the function describes: `|error| ErrorInfo::of(&**error)` for a boxed one.
    ///
    /// # Errors
    /// What the function returns.
    pub fn call_with<R, E>(
        mut self,
        work: impl FnOnce() -> Result<R, E>,
        describe: impl FnOnce(&E) -> ErrorInfo,
    ) -> Result<R, E> {
        // The panic goes on as soon as it is recorded, so that nobody sees what it left behind.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.scope(work)));
        self.settle(outcome, describe)
    }

    fn settle<R, E>(
        &mut self,
        outcome: std::thread::Result<Result<R, E>>,
        describe: impl FnOnce(&E) -> ErrorInfo,
    ) -> Result<R, E> {
        match &outcome {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                self.fail_with(|| describe(error));
            }
            Err(panic) => {
                self.fail_panic(&**panic);
            }
        }
        self.finish(None);
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// What a span fails with that a panic drops.
pub(crate) fn dropped_by_panic() -> ErrorInfo {
    panicked(PASSED.into())
}

/// Stands for what an error says that panics when it is asked.
const UNSAID: &str = "[not captured: the error panicked when it was asked what it says]";

/// Runs code of the user's that only telemetry asked for: a panic of it is none of the host's.
pub(crate) fn guarded<R>(run: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(run)).ok()
}

fn panicked(message: Str) -> ErrorInfo {
    ErrorInfo { error_type: Some(PANIC.into()), ..ErrorInfo::message(message) }
}

pin_project! {
    /// A future whose panic is its result.
    struct Caught<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Caught<F> {
    type Output = std::thread::Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<Self::Output> {
        let future = self.project().future;
        // Whoever awaits this resumes the panic, and polls no more.
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => task::Poll::Ready(Err(panic)),
        }
    }
}
