//! Law 9: what runs inside obs records nothing.

use std::cell::Cell;

thread_local! {
    static SUPPRESSED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread's records are ignored: it is one of obs's own, or one that an exporter started.
#[inline]
pub fn is_suppressed() -> bool {
    SUPPRESSED.get()
}

/// From now on this thread records nothing: for the threads of obs itself, and those that an exporter starts.
///
/// Records made on such a thread are ignored and not counted.
pub fn suppress_this_thread() {
    SUPPRESSED.set(true);
    crate::intake::leave();
}

/// Runs a future during whose polls the thread records nothing: for work of obs's own on a thread that records, too.
pub async fn suppressed<F: Future>(future: F) -> F::Output {
    polled(true, future).await
}

/// Runs a future during whose polls a thread of obs's own records as others do: for what the application asked for.
pub(crate) async fn unsuppressed<F: Future>(future: F) -> F::Output {
    polled(false, future).await
}

async fn polled<F: Future>(suppressed: bool, future: F) -> F::Output {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            SUPPRESSED.set(self.0);
        }
    }
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        let _before = Before(SUPPRESSED.replace(suppressed));
        future.as_mut().poll(cx)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_suppressed_future_leaves_its_thread_as_it_was() {
        let inside = suppressed(async {
            tokio::task::yield_now().await;
            is_suppressed()
        });
        let beside = async {
            tokio::task::yield_now().await;
            is_suppressed()
        };
        assert_eq!(tokio::join!(inside, beside), (true, false));
        assert!(!is_suppressed());
    }
}
