//! New ids.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

use obs_core::{SpanId, Timestamp, TraceId};
use rand::rngs::{SmallRng, SysRng};
use rand::{Rng, SeedableRng};
use uuid::{NoContext, Uuid};

thread_local! {
    /// Seeded by the operating system, one a thread: 256 bits of state, so that no two threads or processes meet.
    static RANDOM: RefCell<SmallRng> = RefCell::new(seeded());
}

/// A generator of this thread's own.
///
/// Where the operating system gives no randomness, the standard library's hash keys stand in: recording never fails.
fn seeded() -> SmallRng {
    SmallRng::try_from_rng(&mut SysRng)
        .unwrap_or_else(|_| SmallRng::seed_from_u64(RandomState::new().hash_one(std::thread::current().id())))
}

/// Lends the thread's generator.
#[inline]
fn with<T>(draw: impl Fn(&mut SmallRng) -> T) -> T {
    // During the destruction of a thread's locals a fresh generator serves the last few spans.
    RANDOM.try_with(|random| draw(&mut random.borrow_mut())).unwrap_or_else(|_| draw(&mut seeded()))
}

#[inline]
fn draw_trace_id(random: &mut SmallRng) -> TraceId {
    loop {
        if let Some(id) = TraceId::new(u128::from(random.next_u64()) << 64 | u128::from(random.next_u64())) {
            return id;
        }
    }
}

#[inline]
fn draw_span_id(random: &mut SmallRng) -> SpanId {
    loop {
        if let Some(id) = SpanId::new(random.next_u64()) {
            return id;
        }
    }
}

/// Random ids for a new trace and its root.
#[inline]
pub(crate) fn root() -> (TraceId, SpanId) {
    with(|random| (draw_trace_id(random), draw_span_id(random)))
}

/// A random span id.
#[inline]
pub(crate) fn span_id() -> SpanId {
    with(draw_span_id)
}

/// An id of version 7: the time it is given, then random bits.
pub(crate) fn record_id(time: Timestamp) -> Uuid {
    let nanos = time.as_nanos();
    let time = uuid::Timestamp::from_unix(NoContext, nanos / 1_000_000_000, (nanos % 1_000_000_000) as u32);
    Uuid::new_v7(time)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn threads_do_not_repeat_each_other() {
        let threads: Vec<_> =
            (0..4).map(|_| std::thread::spawn(|| (0..1000).map(|_| root().0).collect::<Vec<_>>())).collect();
        let ids: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ids.len(), 4000);
    }

    #[test]
    fn record_ids_sort_by_time() {
        let early = record_id(Timestamp::from_nanos(1_700_000_000_000_000_000));
        let late = record_id(Timestamp::from_nanos(1_700_000_000_001_000_000));
        assert!(early < late);
        assert_eq!(early.get_version_num(), 7);
    }
}
