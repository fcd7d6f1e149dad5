//! The instances that run, by number: a span that is not recorded holds a number, since counting references would cost
//! it more than all the rest.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::observability::Instance;

/// The number that the next one gets, and those that run, by number.
struct Running {
    next: u64,
    instances: Vec<(u64, Weak<Instance>)>,
}

static RUNNING: RwLock<Running> = RwLock::new(Running { next: 0, instances: Vec::new() });

/// Makes an instance of a number that none had before, and makes it known; those that are gone are forgotten.
pub(crate) fn register(make: impl FnOnce(u64) -> Instance) -> Arc<Instance> {
    let mut running = RUNNING.write().unwrap_or_else(PoisonError::into_inner);
    running.instances.retain(|(_, instance)| instance.strong_count() > 0);
    let number = running.next;
    running.next += 1;
    let instance = Arc::new(make(number));
    running.instances.push((number, Arc::downgrade(&instance)));
    instance
}

/// The instance of this number, if anything holds it.
pub(crate) fn find(number: u64) -> Option<Arc<Instance>> {
    let running = RUNNING.read().unwrap_or_else(PoisonError::into_inner);
    let at = running.instances.binary_search_by_key(&number, |(number, _)| *number).ok()?;
    running.instances.get(at)?.1.upgrade()
}
