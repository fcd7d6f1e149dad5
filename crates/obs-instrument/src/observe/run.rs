//! Running a body under its span, and what becomes of it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{self, Poll, ready};
use std::thread;

use obs_core::{ErrorInfo, Payload};

use crate::fail::guarded;
use crate::{ActiveSpan, Context, Entered, Kind};

/// The context of a body that is awaited; none where nothing is recorded, since then the one outside goes on.
///
/// Where the body is given up, the span says so.
pub fn awaited<T: Kind>(span: &ActiveSpan<T>) -> Option<Context> {
    span.awaited()
}

/// Makes the span current for a body that never returns.
#[must_use = "the span is left when the guard is dropped"]
pub fn enter<T: Kind>(span: &ActiveSpan<T>) -> Entered {
    span.enter()
}

/// Runs the part of a function that makes its future.
pub fn scoped<R>(context: Option<&Context>, run: impl FnOnce() -> R) -> R {
    match context {
        Some(context) => context.scope(run),
        None => run(),
    }
}

/// Runs a body under its span, which ends with it.
///
/// The body is in a closure, which is as unsafe as the function:
///
/// ```
/// #[obs_instrument::observe]
/// unsafe fn trusted(bytes: &[u8]) -> &str {
///     unsafe { std::str::from_utf8_unchecked(bytes) }
/// }
/// // SAFETY: these are letters.
/// assert_eq!(unsafe { trusted(b"abc") }, "abc");
/// ```
pub fn call<T: Kind, R>(
    mut span: ActiveSpan<T>,
    body: impl FnOnce(&mut ActiveSpan<T>) -> R,
    finish: impl FnOnce(&R, &mut ActiveSpan<T>),
) -> R {
    let Some(context) = span.ambient() else { return body(&mut span) };
    // A panic goes on where it was; it is held only to read what it says.
    let result = context.scope(|| catch_unwind(AssertUnwindSafe(|| body(&mut span))));
    settle(span, result, finish)
}

/// Ends the span of a body that is done.
pub fn settle<T: Kind, R>(
    mut span: ActiveSpan<T>,
    result: thread::Result<R>,
    finish: impl FnOnce(&R, &mut ActiveSpan<T>),
) -> R {
    match result {
        Ok(result) => {
            if !span.is_off() {
                finish(&result, &mut span);
            }
            span.end();
            result
        }
        Err(panic) => {
            span.fail_panic(&*panic);
            span.end();
            resume_unwind(panic)
        }
    }
}

/// Records what a body gave.
pub fn output<T: Kind>(span: &mut ActiveSpan<T>, output: impl FnOnce() -> Option<Payload>) {
    if span.is_recording()
        && let Some(output) = guarded(output).flatten()
    {
        span.output(output);
    }
}

/// Records what a body failed with.
pub fn fail<T: Kind>(span: &mut ActiveSpan<T>, error: impl FnOnce() -> ErrorInfo) {
    span.fail_with(error);
}

pin_project_lite::pin_project! {
    /// A body that is polled, and dropped, under a context.
    ///
    /// It gives what the body gives, or the panic that ended it.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Within<F> {
        // It leaves when it is done, or with this.
        #[pin]
        future: Option<F>,
        context: Option<Context>,
    }

    impl<F> PinnedDrop for Within<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            scoped(this.context.as_ref(), || this.future.set(None));
        }
    }
}

/// The future, polled under the context, if there is one.
pub fn within<F: Future>(context: Option<Context>, future: F) -> Within<F> {
    Within { future: Some(future), context }
}

impl<F: Future> Future for Within<F> {
    type Output = thread::Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // It is there until this is dropped; polled again after its end, it says so itself.
        let Some(future) = this.future.as_pin_mut() else { return Poll::Pending };
        let Some(context) = this.context else { return future.poll(cx).map(Ok) };
        let polled = context.scope(|| catch_unwind(AssertUnwindSafe(|| future.poll(cx))));
        match polled {
            Ok(polled) => Poll::Ready(Ok(ready!(polled))),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

impl<F> fmt::Debug for Within<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Within").field("context", &self.context).finish_non_exhaustive()
    }
}
