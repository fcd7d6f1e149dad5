//! How long a destination rests whose credentials are not accepted.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The first rest, which doubles with each refusal.
const FIRST: Duration = Duration::from_mins(1);
/// The longest, before chance is added.
const LONGEST: Duration = Duration::from_mins(15);
/// Which part of a rest chance adds or takes.
const JITTER: f64 = 0.1;

/// Counts refusals in a row.
pub(crate) struct CoolDown {
    refusals: AtomicU32,
    chance: Box<dyn Fn() -> f64 + Send + Sync>,
}

impl CoolDown {
    /// With chances that differ between processes, so that many do not come back at once.
    pub(crate) fn new() -> Self {
        Self::with_chance(|| {
            let bits = RandomState::new().hash_one(0);
            (bits >> 11) as f64 / (1u64 << 53) as f64
        })
    }

    /// With chances of this source, each in `0.0..1.0`.
    pub(crate) fn with_chance(chance: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self { refusals: AtomicU32::new(0), chance: Box::new(chance) }
    }

    /// How many there were: to be asked before a request goes out.
    pub(crate) fn seen(&self) -> u32 {
        self.refusals.load(Ordering::Acquire)
    }

    /// A request that went out when there were so many was refused.
    ///
    /// Requests of several signals that were under way together count as one.
    pub(crate) fn refused(&self, seen: u32) -> Duration {
        let next = seen.saturating_add(1);
        let counted = self.refusals.compare_exchange(seen, next, Ordering::AcqRel, Ordering::Acquire);
        // Where another was faster, it counted the same refusal; after a success this is the first one.
        let nth = match counted {
            Ok(_) => next,
            Err(0) => self.refusals.fetch_max(1, Ordering::AcqRel).max(1),
            Err(known) => known,
        };
        rest(nth, (self.chance)())
    }

    /// A request was taken.
    pub(crate) fn accepted(&self) {
        self.refusals.store(0, Ordering::Release);
    }
}

impl fmt::Debug for CoolDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoolDown").field("refusals", &self.refusals).finish_non_exhaustive()
    }
}

/// The rest after the n-th refusal in a row, with a chance in `0.0..1.0`.
fn rest(nth: u32, chance: f64) -> Duration {
    let doublings = nth.saturating_sub(1).min(8);
    let rest = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let chance = if chance.is_finite() { chance.clamp(0.0, 1.0) } else { 0.5 };
    rest.mul_f64(1.0 + JITTER * (2.0 * chance - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_doubles_up_to_a_quarter_of_an_hour_and_chance_moves_it_by_a_tenth() {
        let minutes: Vec<_> = (1..=7).map(|nth| rest(nth, 0.5).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(rest(u32::MAX, 0.5), LONGEST);
        for (chance, seconds) in [(0.0, 54), (1.0, 66), (f64::NAN, 60), (f64::INFINITY, 60), (9.0, 66)] {
            assert_eq!(rest(1, chance).as_secs_f64().round() as u64, seconds, "{chance}");
        }
    }

    #[test]
    fn refusals_that_were_under_way_together_count_once_and_success_forgets_them() {
        let cool_down = CoolDown::with_chance(|| 0.5);
        let seen = cool_down.seen();
        for _ in 0..5 {
            assert_eq!(cool_down.refused(seen), FIRST);
        }
        assert_eq!(cool_down.refused(cool_down.seen()), FIRST * 2);
        cool_down.accepted();
        assert_eq!(cool_down.refused(cool_down.seen()), FIRST);
    }

    #[test]
    fn a_refusal_that_was_long_under_way_is_the_first_after_a_success() {
        let cool_down = CoolDown::with_chance(|| 0.5);
        for _ in 0..4 {
            cool_down.refused(cool_down.seen());
        }
        let seen = cool_down.seen();
        cool_down.accepted();
        assert_eq!(cool_down.refused(seen), FIRST);
        assert_eq!(cool_down.refused(cool_down.seen()), FIRST * 2);
    }

    #[test]
    fn chances_of_its_own_differ() {
        let cool_down = CoolDown::new();
        let rests: Vec<_> = (0..20).map(|_| cool_down.refused(0)).collect();
        assert!(rests.iter().any(|rest| *rest != rests[0]));
        assert!(rests.iter().all(|rest| (54..=66).contains(&rest.as_secs())));
    }
}
