//! One thread's part of an intake.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;
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
    static LOCAL: RefCell<Vec<(u64, Rc<Own>)>> = const { RefCell::new(Vec::new()) };
}

/// A thread's hold on its shard; the thread's end tells the collector that nothing comes any more.
#[derive(Debug)]
pub(super) struct Own(Arc<Shard>);

impl Deref for Own {
    type Target = Shard;

    #[inline]
    fn deref(&self) -> &Shard {
        &self.0
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.0.orphaned.store(true, Ordering::Release);
    }
}

/// This thread's shard of an intake; `None` if it has none yet, or is about to end.
///
/// It is handed out by count, so that the record moves in a straight line and is copied once.
#[inline]
pub(super) fn own(intake: u64) -> Option<Rc<Own>> {
    LOCAL
        .try_with(|local| {
            let shards = local.try_borrow().ok()?;
            shards.iter().find(|(id, _)| *id == intake).map(|(_, own)| Rc::clone(own))
        })
        .ok()
        .flatten()
}

/// Gives this thread's shards up: what they hold is collected, and nothing more comes.
pub(crate) fn leave() {
    let _ = LOCAL.try_with(|local| local.try_borrow_mut().map(|mut shards| shards.clear()));
}

/// Makes a shard this thread's own; `false` if the thread is about to end.
pub(super) fn adopt(intake: u64, shard: &Arc<Shard>) -> bool {
    LOCAL
        .try_with(|local| {
            let Ok(mut shards) = local.try_borrow_mut() else { return false };
            // A lock that is taken belongs to a pipeline at work, or stayed taken at a fork: neither is waited for.
            shards.retain(|(_, own)| own.try_lock().is_none_or(|buffers| !buffers.closed));
            shards.push((intake, Rc::new(Own(Arc::clone(shard)))));
            true
        })
        .unwrap_or(false)
}
