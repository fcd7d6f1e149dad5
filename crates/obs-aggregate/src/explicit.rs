//! Histograms with explicit bounds: samples go in, two become one, and later ones less earlier ones.

use std::sync::Arc;

use obs_core::Histogram;

use crate::Refusal;
use crate::bounds::are_valid;

/// A histogram of nothing.
pub(crate) fn empty(bounds: &Arc<[f64]>) -> Histogram {
    Histogram { bounds: Arc::clone(bounds), counts: vec![0; bounds.len() + 1], ..Histogram::default() }
}

/// Counts a finite sample.
pub(crate) fn observe(histogram: &mut Histogram, value: f64) {
    (histogram.min, histogram.max) = match histogram.count {
        0 => (Some(value), Some(value)),
        _ => (histogram.min.map(|known| known.min(value)), histogram.max.map(|known| known.max(value))),
    };
    histogram.count += 1;
    histogram.sum += value;
    histogram.counts[bucket(&histogram.bounds, value)] += 1;
}

/// The bucket of a value: the first whose upper bound is not below it.
pub(crate) fn bucket(bounds: &[f64], value: f64) -> usize {
    bounds.partition_point(|bound| *bound < value)
}

/// Checks what came from elsewhere; one of count and sum alone gets its one bucket.
pub(crate) fn well_formed(histogram: &Histogram) -> Result<Histogram, Refusal> {
    let mut histogram = Histogram { exemplars: Vec::new(), ..histogram.clone() };
    if !histogram.sum.is_finite() {
        return Err(Refusal::NotFinite);
    }
    if histogram.counts.is_empty() && histogram.bounds.is_empty() {
        histogram.counts.push(histogram.count);
    }
    let total = histogram.counts.iter().try_fold(0u64, |total, count| total.checked_add(*count));
    let fits = histogram.counts.len() == histogram.bounds.len() + 1 && total == Some(histogram.count);
    if fits && are_valid(&histogram.bounds) { Ok(histogram) } else { Err(Refusal::Malformed) }
}

/// Folds `more` into a histogram; of different bounds, those are left that both have.
pub(crate) fn merge(histogram: &mut Histogram, more: &Histogram) {
    (histogram.min, histogram.max) =
        extremes((histogram.count, histogram.min, histogram.max), (more.count, more.min, more.max));
    histogram.count += more.count;
    histogram.sum += more.sum;
    if histogram.bounds == more.bounds {
        add(&mut histogram.counts, &more.counts);
        return;
    }
    let common: Arc<[f64]> =
        histogram.bounds.iter().filter(|bound| more.bounds.contains(bound)).copied().collect();
    histogram.counts = coarser(&histogram.bounds, &histogram.counts, &common);
    histogram.bounds = common;
    add(&mut histogram.counts, &coarser(&more.bounds, &more.counts, &histogram.bounds));
}

/// What came between two cumulative histograms; `None` if the later one began anew.
pub(crate) fn difference(before: &Histogram, after: &Histogram) -> Option<Histogram> {
    if before.bounds != after.bounds {
        return None;
    }
    let counts: Option<Vec<u64>> =
        before.counts.iter().zip(&after.counts).map(|(before, after)| after.checked_sub(*before)).collect();
    Some(Histogram {
        count: after.count.checked_sub(before.count)?,
        sum: after.sum - before.sum,
        bounds: Arc::clone(&after.bounds),
        counts: counts?,
        ..Histogram::default()
    })
}

/// Count, least and greatest of some samples.
type Extremes = (u64, Option<f64>, Option<f64>);

/// The least and the greatest of two histograms' samples: unknown where one does not know, unless it has none.
pub(crate) fn extremes(a: Extremes, b: Extremes) -> (Option<f64>, Option<f64>) {
    match (a.0 > 0, b.0 > 0) {
        (true, true) => (both(a.1, b.1, f64::min), both(a.2, b.2, f64::max)),
        (false, true) => (b.1, b.2),
        (_, false) => (a.1, a.2),
    }
}

fn both(a: Option<f64>, b: Option<f64>, choose: fn(f64, f64) -> f64) -> Option<f64> {
    Some(choose(a?, b?))
}

fn add(counts: &mut [u64], more: &[u64]) {
    for (count, more) in counts.iter_mut().zip(more) {
        *count += more;
    }
}

/// Counts in buckets of which some bounds are gone: exact, since a bucket only ever joins its neighbour above.
fn coarser(bounds: &[f64], counts: &[u64], kept: &[f64]) -> Vec<u64> {
    let mut out = vec![0; kept.len() + 1];
    for (at, count) in counts.iter().enumerate() {
        let bucket = bounds.get(at).map_or(kept.len(), |upper| bucket(kept, *upper));
        out[bucket] += count;
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_samples(values: &[i32], bounds: &[f64]) -> Histogram {
        let mut all = empty(&bounds.into());
        for value in values {
            observe(&mut all, (*value).into());
        }
        all
    }

    proptest! {
        #[test]
        fn histograms_of_other_bounds_merge_to_what_the_common_bounds_would_have_counted(
            a in prop::collection::vec(-5i32..15, 0..20), b in prop::collection::vec(-5i32..15, 0..20),
        ) {
            let mut merged = of_samples(&a, &[0.0, 2.0, 5.0, 10.0]);
            merge(&mut merged, &of_samples(&b, &[0.0, 3.0, 5.0]));
            let all: Vec<i32> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(merged, of_samples(&all, &[0.0, 5.0]));
        }
    }

    #[test]
    fn a_value_on_a_bound_belongs_below_it() {
        assert_eq!(of_samples(&[5, 6, 10, 11], &[5.0, 10.0]).counts, [1, 2, 1]);
    }
}
