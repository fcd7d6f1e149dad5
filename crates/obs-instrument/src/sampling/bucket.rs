//! So many a second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use obs_core::Error;

/// A number of traces a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    per_second: f64,
}

impl Rate {
    pub(super) fn per_second(per_second: f64) -> Result<Self, Error> {
        if per_second.is_finite() && per_second > 0.0 {
            return Ok(Self { per_second });
        }
        let message =
            format!("{per_second} traces a second is no rate; give a number above zero, or `Never`");
        Err(Error::config("sampling", message))
    }
}

/// A bucket of a second's tokens, filled by the clock: one word, so that threads never wait for each other.
///
/// The word is the time at which the bucket would be full again had nobody taken since.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Nanoseconds that one token takes to come back.
    interval: u64,
    /// How far the word may be ahead of the clock with a token left.
    depth: u64,
    full_at: AtomicU64,
}

impl Bucket {
    pub(super) fn full(rate: Rate) -> Self {
        let interval = ((1e9 / rate.per_second).round() as u64).max(1);
        let more = (rate.per_second.floor() as u64).max(1) - 1;
        Self { interval, depth: more.saturating_mul(interval), full_at: AtomicU64::new(0) }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&self, now: Duration) -> bool {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let taken = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            let from = full_at.max(now);
            (from - now <= self.depth).then(|| from.saturating_add(self.interval))
        });
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bucket(per_second: f64) -> Bucket {
        Bucket::full(Rate::per_second(per_second).unwrap())
    }

    fn taken(bucket: &Bucket, millis: u64) -> usize {
        (0..1_000).filter(|_| bucket.take(Duration::from_millis(millis))).count()
    }

    #[test]
    fn a_second_s_worth_may_go_at_once_and_comes_back() {
        let ten = bucket(10.0);
        assert_eq!([0, 0, 100, 350, 10_000].map(|at| taken(&ten, at)), [10, 0, 1, 2, 10]);
        let rare = bucket(0.1);
        assert_eq!([0, 9_999, 10_000, 60_000].map(|at| taken(&rare, at)), [1, 0, 1, 1]);
    }

    #[test]
    fn threads_share_one_bucket() {
        let hundred = bucket(100.0);
        let total: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| taken(&hundred, 7))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(total, 100);
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Rate::per_second(rate).unwrap_err().message().contains("above zero"), "{rate}");
        }
    }

    proptest! {
        /// Over any time, no more than what the bucket held and what came back.
        #[test]
        fn the_rate_is_kept(rate in 0.5f64..1e5, mut at in prop::collection::vec(0u64..20_000, 1..300)) {
            at.sort_unstable();
            let bucket = bucket(rate);
            let taken = at.iter().filter(|at| bucket.take(Duration::from_millis(**at))).count();
            let most = rate.max(1.0) + rate * (at[at.len() - 1] - at[0]) as f64 / 1e3;
            prop_assert!(taken as f64 <= most + 1.0, "{taken} of at most {most}");
        }
    }
}
