//! The instances that run, by number: a span that is not recorded holds a number, since counting references would cost
//! it more than all the rest.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::instance::Instance;

/// The number that the next one gets.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Those that run, in the order of their numbers.
static RUNNING: RwLock<Vec<(u64, Weak<Instance>)>> = RwLock::new(Vec::new());

/// Makes an instance of a number that none had before, and makes it known; those that are gone are forgotten.
pub(crate) fn register(make: impl FnOnce(u64) -> Instance) -> Arc<Instance> {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Outside of the lock, which spans of other instances wait for.
    let instance = Arc::new(make(number));
    let mut running = RUNNING.write().unwrap_or_else(PoisonError::into_inner);
    running.retain(|(_, instance)| instance.strong_count() > 0);
    // Another thread may have been faster with a later number.
    let at = running.partition_point(|(other, _)| *other < number);
    running.insert(at, (number, Arc::downgrade(&instance)));
    drop(running);
    instance
}

/// The instance of this number, if anything holds it.
pub(crate) fn find(number: u64) -> Option<Arc<Instance>> {
    let running = RUNNING.read().unwrap_or_else(PoisonError::into_inner);
    let at = running.binary_search_by_key(&number, |(number, _)| *number).ok()?;
    running.get(at)?.1.upgrade()
}
