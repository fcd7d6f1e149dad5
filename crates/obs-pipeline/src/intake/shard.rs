//! One thread's part of an intake.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use super::buffer::Buffers;

/// What one thread records into; only the collector ever competes for its lock, for a few nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    buffers: Mutex<Buffers>,
    orphaned: AtomicBool,
}

impl Shard {
    /// The buffers, or `None` where another holds them at the moment.
    #[inline]
    pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, Buffers>> {
        match self.buffers.try_lock() {
            Ok(buffers) => Some(buffers),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Buffers> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the thread is gone, so that nothing comes any more.
    pub(super) fn is_orphaned(&self) -> bool {
        self.orphaned.load(Ordering::Acquire)
    }
}

thread_local! {
    static LOCAL: Local = const { Local(RefCell::new(Vec::new())) };
}

/// The shards of this thread, each with the id of its intake; nearly always one.
struct Local(RefCell<Vec<(u64, Arc<Shard>)>>);

impl Drop for Local {
    fn drop(&mut self) {
        for (_, shard) in self.0.get_mut().drain(..) {
            shard.orphaned.store(true, Ordering::Release);
        }
    }
}

/// Gives this thread's shard of an intake to `with`; `None` if there is none, or the thread is about to end.
#[inline]
pub(super) fn with_local<R>(intake: u64, with: impl FnOnce(&Shard) -> R) -> Option<R> {
    LOCAL
        .try_with(|local| {
            let shards = local.0.try_borrow().ok()?;
            let (_, shard) = shards.iter().find(|(id, _)| *id == intake)?;
            Some(with(shard))
        })
        .ok()
        .flatten()
}

/// Makes a shard this thread's own; `false` if the thread is about to end.
pub(super) fn adopt(intake: u64, shard: &Arc<Shard>) -> bool {
    LOCAL
        .try_with(|local| {
            let Ok(mut shards) = local.0.try_borrow_mut() else { return false };
            shards.retain(|(_, shard)| !shard.lock().closed);
            shards.push((intake, Arc::clone(shard)));
            true
        })
        .unwrap_or(false)
}
