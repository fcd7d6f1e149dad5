//! Whether there is time left to wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Tells decorators that a pipeline is being emptied, so that nobody waits longer than a backend asks for.
///
/// Cloning shares it; what has begun does not end.
#[derive(Debug, Clone, Default)]
pub struct Haste(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    begun: AtomicBool,
    woken: Notify,
}

impl Haste {
    /// There is time.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on there is none; wakes whoever waits.
    pub fn begin(&self) {
        self.0.begun.store(true, Ordering::Release);
        self.0.woken.notify_waiters();
    }

    /// Whether it has begun.
    pub fn is_begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }

    /// Waits until it has begun.
    pub async fn begun(&self) {
        let woken = self.0.woken.notified();
        if !self.is_begun() {
            woken.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn whoever_waits_is_woken_and_whoever_comes_later_does_not_wait() {
        let haste = Haste::new();
        let shared = haste.clone();
        let mut waiting = std::pin::pin!(shared.begun());
        assert!(waiting.as_mut().now_or_never().is_none());
        haste.begin();
        assert!(waiting.now_or_never().is_some());
        assert!(shared.begun().now_or_never().is_some());
    }
}
