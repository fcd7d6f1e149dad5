//! Durations and failures over a rolling span of time, in memory that no rate can grow.

use std::time::Duration;

/// How finely a span of time is forgotten.
const SLOTS: u64 = 60;

/// Each power of two is cut into this many buckets of one width.
const STEPS: u64 = 16;

/// The highest power of two, in microseconds, that has buckets: longer durations count as some 71 minutes.
const HIGHEST: u32 = 31;

const BUCKETS: usize = (STEPS * (HIGHEST as u64 - STEPS.ilog2() as u64 + 2)) as usize;

/// A log-linear histogram of durations.
///
/// A bucket is at most 1/16 as wide as its lower end, and a quantile is told as the middle of its bucket: so it is
/// within 1/32 of the true one, or within half a microsecond where that is more.
#[derive(Debug, Clone)]
struct Buckets(Box<[u32; BUCKETS]>);

impl Buckets {
    fn new() -> Self {
        Self(Box::new([0; BUCKETS]))
    }

    fn add(&mut self, took: Duration) {
        let count = &mut self.0[position(took)];
        *count = count.saturating_add(1);
    }

    fn absorb(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0.iter()) {
            *count = count.saturating_add(*more);
        }
    }
}

fn position(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).min((1 << (HIGHEST + 1)) - 1);
    if micros < STEPS {
        return micros as usize;
    }
    let shift = micros.ilog2() - STEPS.ilog2();
    (STEPS * (u64::from(shift) + 1) + (micros >> shift) - STEPS) as usize
}

fn middle(position: usize) -> Duration {
    let position = position as u64;
    let (lower, width) = if position < STEPS {
        (position, 1)
    } else {
        let shift = position / STEPS - 1;
        ((STEPS + position % STEPS) << shift, 1 << shift)
    };
    Duration::from_nanos(lower * 1_000 + width * 500)
}

/// What a span of time came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) failed: u64,
    sum: Duration,
    buckets: Option<Buckets>,
}

impl Tally {
    fn add(&mut self, took: Duration, failed: bool) {
        self.count += 1;
        self.failed += u64::from(failed);
        self.sum = self.sum.saturating_add(took);
        self.buckets.get_or_insert_with(Buckets::new).add(took);
    }

    fn absorb(&mut self, other: &Self) {
        self.count += other.count;
        self.failed += other.failed;
        self.sum = self.sum.saturating_add(other.sum);
        match (&mut self.buckets, &other.buckets) {
            (Some(buckets), Some(more)) => buckets.absorb(more),
            (None, Some(more)) => self.buckets = Some(more.clone()),
            (_, None) => {}
        }
    }

    /// Zero for none, exact otherwise.
    pub(crate) fn average(&self) -> Duration {
        let nanos = self.sum.as_nanos().checked_div(u128::from(self.count)).unwrap_or_default();
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The share that failed, zero for none.
    pub(crate) fn failed_share(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.failed as f64 / self.count as f64 }
    }

    /// The least duration that so many percent of all do not exceed, within 1/32 or half a microsecond; zero for none.
    pub(crate) fn percentile(&self, percent: u64) -> Duration {
        let rank = self.count.saturating_mul(percent).div_ceil(100).max(1);
        let mut seen = 0;
        let counts = self.buckets.iter().flat_map(|buckets| buckets.0.iter());
        for (position, count) in counts.enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                return middle(position);
            }
        }
        Duration::ZERO
    }
}

/// What the last span of time came to, forgotten in sixtieths.
#[derive(Debug)]
pub(crate) struct Rolling {
    slot: Duration,
    newest: u64,
    slots: Vec<Tally>,
}

impl Rolling {
    /// The least span: shorter ones count as this.
    pub(crate) const LEAST: Duration = Duration::from_millis(SLOTS);

    pub(crate) fn over(span: Duration) -> Self {
        let slot = span.max(Self::LEAST) / SLOTS as u32;
        Self { slot, newest: 0, slots: (0..SLOTS).map(|_| Tally::default()).collect() }
    }

    /// Adds one thing that ended now; a `now` before an earlier one counts as that.
    pub(crate) fn add(&mut self, took: Duration, failed: bool, now: Duration) {
        let number = self.number(now);
        for passed in (self.newest + 1..=number).rev().take(SLOTS as usize) {
            self.slots[(passed % SLOTS) as usize] = Tally::default();
        }
        self.newest = number;
        self.slots[(number % SLOTS) as usize].add(took, failed);
    }

    /// What the span up to now came to: the sixtieth that is under way and the 59 before it.
    pub(crate) fn tally(&self, now: Duration) -> Tally {
        let number = self.number(now);
        let mut total = Tally::default();
        for kept in number.saturating_sub(SLOTS - 1)..=self.newest {
            total.absorb(&self.slots[(kept % SLOTS) as usize]);
        }
        total
    }

    fn number(&self, now: Duration) -> u64 {
        let number = u64::try_from(now.as_nanos() / self.slot.as_nanos()).unwrap_or(u64::MAX);
        number.min(u64::MAX - 1).max(self.newest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    proptest! {
        #[test]
        fn a_percentile_is_within_a_thirty_second_of_the_true_one(
            mut nanos in prop::collection::vec((0u32..42, any::<u64>()).prop_map(|(bits, v)| v & ((1 << bits) - 1)), 1..400),
            percent in 1u64..=100,
        ) {
            let mut rolling = Rolling::over(MINUTE);
            for took in &nanos {
                rolling.add(Duration::from_nanos(*took), false, Duration::ZERO);
            }
            nanos.sort_unstable();
            let rank = (nanos.len() as u64 * percent).div_ceil(100).max(1);
            let exact = nanos[rank as usize - 1];
            let told = rolling.tally(Duration::ZERO).percentile(percent).as_nanos() as u64;
            prop_assert!(told.abs_diff(exact) <= (exact / 32).max(500), "{told} for {exact}");
        }

        #[test]
        fn a_tally_is_of_the_last_sixty_slots(
            steps in prop::collection::vec((0u64..40, 0u64..5_000, any::<bool>()), 0..60),
            later in 0u64..90,
        ) {
            let (mut rolling, mut model, mut now) = (Rolling::over(MINUTE), Vec::new(), 0);
            for (step, millis, failed) in steps {
                now += step;
                rolling.add(Duration::from_millis(millis), failed, at(now));
                model.push((now, millis, failed));
            }
            now += later;
            model.retain(|(then, ..)| now - then < 60);
            let tally = rolling.tally(at(now));
            let sum: u64 = model.iter().map(|(_, millis, _)| millis).sum();
            prop_assert_eq!(tally.count, model.len() as u64);
            prop_assert_eq!(tally.failed, model.iter().filter(|(.., failed)| *failed).count() as u64);
            prop_assert_eq!(tally.sum, Duration::from_millis(sum));
        }
    }

    #[test]
    fn buckets_are_in_order_and_cover_everything() {
        let ends = [0, 1, 15, 16, 17, 31, 32, 33, 1_000, 1_000_000, u64::from(u32::MAX), u64::MAX];
        let positions: Vec<_> = ends.iter().map(|micros| position(Duration::from_micros(*micros))).collect();
        assert!(positions.is_sorted());
        assert_eq!(positions.last(), Some(&(BUCKETS - 1)));
        assert!((0..BUCKETS).all(|bucket| position(middle(bucket)) == bucket));
    }

    #[test]
    fn nothing_is_zero_and_a_clock_that_goes_back_loses_nothing() {
        let mut rolling = Rolling::over(Duration::ZERO);
        let none = rolling.tally(at(5));
        assert_eq!((none.average(), none.percentile(99), none.count), (Duration::ZERO, Duration::ZERO, 0));
        assert!(none.failed_share().abs() < f64::EPSILON);
        rolling.add(at(1), true, at(9));
        rolling.add(at(3), false, at(8));
        let tally = rolling.tally(at(7));
        assert_eq!((tally.count, tally.failed, tally.average()), (2, 1, at(2)));
    }
}
