//! Gives a destination only so much in a second.

use std::time::Duration;

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Error, Exporter, Health, Receipt};
use tokio::sync::Mutex;

use crate::{Clock, RateLimitConfig};

/// A decorator that gives its destination only so many records and bytes in a second.
///
/// A second's worth may leave at once. A batch that is larger waits for a full second's worth and goes into debt, which
/// the next one waits out, so that nothing waits for ever. Batches leave in the order they came; a cancelled wait takes
/// nothing. Without a limit it costs nothing, and a limit that is not above zero is none.
#[derive(Debug)]
pub struct RateLimit<E> {
    inner: E,
    clock: Clock,
    records: Option<f64>,
    bytes: Option<f64>,
    /// Whoever holds it waits at the head of the line, which is in order.
    buckets: Mutex<Buckets>,
}

#[derive(Debug)]
struct Buckets {
    records: Option<Bucket>,
    bytes: Option<Bucket>,
}

impl<E: Exporter> RateLimit<E> {
    /// Limits what `inner` is given, by this clock.
    pub fn new(inner: E, config: RateLimitConfig, clock: Clock) -> Self {
        let sound = |rate: &f64| rate.is_finite() && *rate > 0.0;
        let records = config.records_per_second.filter(sound);
        let bytes = config.bytes_per_second.map(|bytes| bytes.get() as f64).filter(sound);
        let now = clock.monotonic();
        let full = |rate: f64| Bucket::full(rate, now);
        let buckets = Mutex::new(Buckets { records: records.map(full), bytes: bytes.map(full) });
        Self { inner, clock, records, bytes, buckets }
    }

    /// Waits until the batch may leave, and takes its tokens.
    async fn admit(&self, batch: &Batch) {
        if batch.is_empty() || (self.records.is_none() && self.bytes.is_none()) {
            return;
        }
        let records = batch.len() as f64;
        let bytes = self.bytes.map_or(0.0, |_| batch.byte_size() as f64);
        let mut buckets = self.buckets.lock().await;
        let Buckets { records: of_records, bytes: of_bytes } = &mut *buckets;
        let mut wanted = [
            of_records.as_mut().map(|bucket| (bucket, records)),
            of_bytes.as_mut().map(|bucket| (bucket, bytes)),
        ];
        loop {
            let now = self.clock.monotonic();
            let waits = wanted.iter_mut().flatten().map(|(bucket, amount)| bucket.wait(*amount, now));
            let wait = waits.max().unwrap_or_default();
            if wait.is_zero() {
                break;
            }
            self.clock.sleep_until(now.saturating_add(wait)).await;
        }
        for (bucket, amount) in wanted.into_iter().flatten() {
            bucket.tokens -= amount;
        }
    }
}

/// Tokens that come evenly, up to a second's worth; negative where more was taken.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    rate: f64,
    tokens: f64,
    filled: Duration,
}

impl Bucket {
    /// Rounding must not cost another wait.
    const NEARLY: f64 = 1e-6;

    fn full(rate: f64, now: Duration) -> Self {
        Self { rate, tokens: Self::capacity(rate), filled: now }
    }

    /// A second's worth, but at least one: a rate below one a second would never let a whole record go without debt.
    fn capacity(rate: f64) -> f64 {
        rate.max(1.0)
    }

    /// Fills up, and says how long it takes until so much may be taken.
    fn wait(&mut self, amount: f64, now: Duration) -> Duration {
        let passed = now.saturating_sub(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate).min(Self::capacity(self.rate));
        self.filled = now;
        let missing = amount.min(Self::capacity(self.rate)) - self.tokens;
        if missing <= Self::NEARLY {
            return Duration::ZERO;
        }
        let wait = Duration::try_from_secs_f64(missing / self.rate).unwrap_or(Duration::MAX);
        wait.max(Duration::from_nanos(1))
    }
}

#[async_trait]
impl<E: Exporter> Exporter for RateLimit<E> {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        self.admit(batch).await;
        self.inner.export(batch).await
    }

    async fn check(&self) -> Health {
        self.inner.check().await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.inner.flush().await
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.inner.shutdown().await
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn over_any_time_no_more_leaves_than_the_rate_a_burst_and_the_last_batch(
            rate in 0.2f64..5_000.0,
            calls in prop::collection::vec((1u32..2_000, 0u64..3_000), 1..40),
        ) {
            let (mut bucket, mut now) = (Bucket::full(rate, Duration::ZERO), Duration::ZERO);
            let mut taken = Vec::new();
            for (amount, pause) in calls {
                now += Duration::from_millis(pause);
                let wait = bucket.wait(f64::from(amount), now);
                now += wait;
                prop_assert!(bucket.wait(f64::from(amount), now) <= Duration::from_nanos(1), "one wait is enough");
                bucket.tokens -= f64::from(amount);
                taken.push((now, f64::from(amount)));
            }
            for first in 0..taken.len() {
                for last in first..taken.len() {
                    let span = taken[last].0.saturating_sub(taken[first].0).as_secs_f64();
                    let before: f64 = taken[first..last].iter().map(|(_, amount)| amount).sum();
                    let most = rate * span + Bucket::capacity(rate) + 1e-3;
                    prop_assert!(before <= most, "{before} before the last one within {span} s at {rate} a second");
                }
            }
        }
    }
}
