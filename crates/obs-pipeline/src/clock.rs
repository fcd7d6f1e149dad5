//! The injected time: the wall clock for stamps, a monotonic one for durations and waits.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use obs_core::Timestamp;
use tokio::sync::Notify;

/// The clock of a pipeline; cloning shares it.
///
/// A system clock reads the processor's counter, about 10 ns, and adds an anchor of wall time.
/// A manual clock stands still until its handle advances it.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System(Arc<System>),
    Manual(Arc<Manual>),
}

struct System {
    counter: quanta::Clock,
    origin: u64,
    /// Wall time at the origin, in nanoseconds since the epoch.
    anchor: AtomicU64,
}

struct Manual {
    origin: Timestamp,
    elapsed: AtomicU64,
    advanced: Notify,
}

impl Clock {
    /// The system's time.
    ///
    /// The first call in a process calibrates the counter, which takes some 10 ms.
    pub fn system() -> Self {
        let counter = quanta::Clock::new();
        let origin = counter.raw();
        let clock = Self(Source::System(Arc::new(System { counter, origin, anchor: AtomicU64::new(0) })));
        clock.anchor();
        clock
    }

    /// A clock that stands at `start`, and the handle that moves it.
    pub fn manual(start: Timestamp) -> (Self, ManualClock) {
        let manual = Arc::new(Manual { origin: start, elapsed: AtomicU64::new(0), advanced: Notify::new() });
        (Self(Source::Manual(Arc::clone(&manual))), ManualClock(manual))
    }

    /// The wall time.
    #[inline]
    pub fn now(&self) -> Timestamp {
        self.at(self.monotonic())
    }

    /// The time since the clock was made; never goes back on one thread.
    #[inline]
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            Source::System(system) => {
                Duration::from_nanos(system.counter.delta_as_nanos(system.origin, system.counter.raw()))
            }
            Source::Manual(manual) => Duration::from_nanos(manual.elapsed.load(Ordering::Acquire)),
        }
    }

    /// The wall time that belongs to a reading of [`Clock::monotonic`].
    ///
    /// With one reading at the start and one at the end, a duration is exact even if the wall clock was set in between.
    #[inline]
    pub fn at(&self, monotonic: Duration) -> Timestamp {
        match &self.0 {
            Source::System(system) => {
                Timestamp::from_nanos(system.anchor.load(Ordering::Relaxed)).saturating_add(monotonic)
            }
            Source::Manual(manual) => manual.origin.saturating_add(monotonic),
        }
    }

    /// Waits for a time to pass on this clock; a system clock uses tokio's timer, which tests can pause.
    pub async fn sleep(&self, wait: Duration) {
        match &self.0 {
            Source::System(_) => tokio::time::sleep(wait).await,
            Source::Manual(_) => self.sleep_until(self.monotonic().saturating_add(wait)).await,
        }
    }

    /// Waits until [`Clock::monotonic`] reads this.
    pub async fn sleep_until(&self, at: Duration) {
        match &self.0 {
            Source::System(_) => tokio::time::sleep(at.saturating_sub(self.monotonic())).await,
            Source::Manual(manual) => loop {
                let advanced = manual.advanced.notified();
                if self.monotonic() >= at {
                    return;
                }
                advanced.await;
            },
        }
    }

    /// Sets the anchor to the wall clock anew: the collector does so now and then, since the counter drifts and the wall
    /// clock is corrected.
    pub(crate) fn anchor(&self) {
        if let Source::System(system) = &self.0 {
            let wall = u64::try_from(wall_clock().as_nanos()).unwrap_or(u64::MAX);
            let elapsed = u64::try_from(self.monotonic().as_nanos()).unwrap_or(u64::MAX);
            system.anchor.store(wall.saturating_sub(elapsed), Ordering::Relaxed);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn wall_clock() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Source::System(_) => "system",
            Source::Manual(_) => "manual",
        };
        f.debug_struct("Clock").field("kind", &kind).field("now", &self.now()).finish()
    }
}

/// The handle of a manual clock.
#[derive(Clone)]
pub struct ManualClock(Arc<Manual>);

impl ManualClock {
    /// Moves the clock on and wakes whoever waits on it.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.0.elapsed.fetch_add(nanos, Ordering::AcqRel);
        self.0.advanced.notify_waiters();
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock").field("elapsed", &self.0.elapsed).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_8_time_is_injected() {
        let (clock, hand) = Clock::manual(Timestamp::from_nanos(1_000));
        assert_eq!((clock.now(), clock.monotonic()), (Timestamp::from_nanos(1_000), Duration::ZERO));
        hand.advance(Duration::from_nanos(5));
        assert_eq!((clock.now(), clock.monotonic()), (Timestamp::from_nanos(1_005), Duration::from_nanos(5)));
        assert_eq!(clock.clone().now(), clock.now());
    }

    #[test]
    fn the_system_clock_tells_wall_time_and_never_goes_back() {
        let clock = Clock::system();
        let wall = Timestamp::from_nanos(u64::try_from(wall_clock().as_nanos()).unwrap());
        let apart = clock.now().since(wall).max(wall.since(clock.now()));
        assert!(apart < Duration::from_secs(1), "{apart:?}");
        let mut last = clock.monotonic();
        for _ in 0..1_000 {
            let next = clock.monotonic();
            assert!(next >= last);
            last = next;
        }
    }

    #[tokio::test]
    async fn a_manual_clock_wakes_sleepers() {
        let (clock, hand) = Clock::manual(Timestamp::default());
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(10)).await }
        });
        tokio::task::yield_now().await;
        hand.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        hand.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
    }
}
