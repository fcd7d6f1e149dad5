//! A context that follows a closure to another thread, or an iterator.

use std::fmt;

use super::Context;

impl Context {
    /// The function, to be run under this context wherever that is.
    pub fn wrap<T, F: FnOnce() -> T>(self, run: F) -> impl FnOnce() -> T + use<T, F> {
        move || self.scope(run)
    }

    /// The function, to be run under the context that is current now: what threads, pools and `spawn_blocking` should be given.
    ///
    /// ```
    /// # use obs_instrument::Context;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # fn compress() {}
    /// let thread = std::thread::spawn(Context::wrap_current(compress));
    /// tokio::task::spawn_blocking(Context::wrap_current(compress)).await.unwrap();
    /// # thread.join().unwrap();
    /// # }
    /// ```
    ///
    /// A function that is called many times, in a parallel iterator for one, takes a clone of the context along and
    /// calls [`Self::scope`].
    pub fn wrap_current<T, F: FnOnce() -> T>(run: F) -> impl FnOnce() -> T + use<T, F> {
        Self::current().wrap(run)
    }

    /// The iterator, each step of which runs under this context: for one that does the work when it is asked.
    pub fn iter<I: IntoIterator>(self, iterator: I) -> ContextIter<I::IntoIter> {
        ContextIter { iterator: iterator.into_iter(), context: self }
    }
}

/// An iterator that is asked under a context.
#[must_use = "iterators do nothing unless consumed"]
pub struct ContextIter<I> {
    iterator: I,
    context: Context,
}

impl<I: Iterator> Iterator for ContextIter<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.context.scope(|| self.iterator.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.iterator.size_hint()
    }
}

impl<I> fmt::Debug for ContextIter<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextIter").field("context", &self.context).finish_non_exhaustive()
    }
}
