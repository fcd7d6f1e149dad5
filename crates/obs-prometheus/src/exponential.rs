//! Exponential histograms under explicit bounds, since the text formats have no other.

use std::sync::Arc;

use obs_core::{ExpBuckets, ExpHistogram};

/// The most buckets of each sign; finer ones are joined in pairs until they are no more.
const MOST: i64 = 40;

/// The upper bounds and the counts of a histogram that aggregation has checked.
///
/// Positive buckets keep their exact bounds; a negative one, whose values may lie on the upper bound of its magnitude, ends
/// where its magnitude begins.
pub(crate) fn explicit(histogram: &ExpHistogram) -> (Arc<[f64]>, Vec<u64>) {
    let ExpHistogram { scale, zero_count, zero_threshold, positive, negative, .. } = histogram;
    let mut pairs: Vec<(f64, u64)> = Vec::new();
    let (shift, buckets) = joined(negative);
    pairs.extend(buckets.into_iter().rev().map(|(at, count)| (-boundary(at, *scale, shift), count)));
    if *zero_count > 0 || !pairs.is_empty() {
        pairs.push((*zero_threshold, *zero_count));
    }
    let (shift, buckets) = joined(positive);
    pairs.extend(buckets.into_iter().map(|(at, count)| (boundary(at + 1, *scale, shift), count)));
    ascending(pairs)
}

/// By how many halvings of the scale the buckets were joined, and the buckets by their index.
fn joined(buckets: &ExpBuckets) -> (i32, Vec<(i64, u64)>) {
    let filled = buckets.counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let filled: Vec<(i64, u64)> =
        filled.map(|(at, count)| (i64::from(buckets.offset) + at as i64, *count)).collect();
    let (Some((first, _)), Some((last, _))) = (filled.first(), filled.last()) else { return (0, Vec::new()) };
    let shift =
        (0..i32::BITS.cast_signed()).find(|shift| (last >> shift) - (first >> shift) < MOST).unwrap_or(0);
    let mut out: Vec<(i64, u64)> = ((first >> shift)..=(last >> shift)).map(|at| (at, 0)).collect();
    let first = first >> shift;
    for (at, count) in filled {
        // Their sum is at most the total, which fits.
        out[((at >> shift) - first) as usize].1 += count;
    }
    (shift, out)
}

/// The magnitude where a bucket begins.
fn boundary(at: i64, scale: i32, shift: i32) -> f64 {
    (at as f64 * f64::from(shift - scale).exp2()).exp2()
}

/// Bounds that ascend: what does not goes with the bucket before it, and what has no finite bound into the last.
pub(crate) fn ascending(pairs: impl IntoIterator<Item = (f64, u64)>) -> (Arc<[f64]>, Vec<u64>) {
    let (mut bounds, mut counts, mut beyond) = (Vec::<f64>::new(), Vec::<u64>::new(), 0);
    for (upper, count) in pairs {
        match (bounds.last(), counts.last_mut()) {
            (Some(last), Some(known)) if upper <= *last => *known = known.saturating_add(count),
            // The lowest bucket of all may have no bound that is finite: it goes with the next.
            _ if upper == f64::NEG_INFINITY => {
                bounds.push(f64::MIN);
                counts.push(count);
            }
            _ if upper == f64::INFINITY => beyond = count.saturating_add(beyond),
            _ => {
                bounds.push(upper);
                counts.push(count);
            }
        }
    }
    counts.push(beyond);
    (bounds.into(), counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(offset: i32, counts: &[u64]) -> ExpBuckets {
        ExpBuckets { offset, counts: counts.to_vec() }
    }

    #[test]
    fn buckets_keep_their_bounds() {
        let histogram = ExpHistogram {
            count: 10,
            scale: 0,
            zero_count: 1,
            positive: buckets(-1, &[2, 0, 4]),
            negative: buckets(1, &[3]),
            ..ExpHistogram::default()
        };
        let (bounds, counts) = explicit(&histogram);
        assert_eq!(*bounds, [-2.0, 0.0, 1.0, 2.0, 4.0]);
        assert_eq!(counts, [3, 1, 2, 0, 4, 0]);
    }

    #[test]
    fn fine_buckets_are_joined_and_no_count_is_lost() {
        let positive = buckets(0, &[1; 160]);
        let histogram = ExpHistogram { count: 160, scale: 20, positive, ..ExpHistogram::default() };
        let (bounds, counts) = explicit(&histogram);
        assert_eq!((bounds.len(), counts.iter().sum::<u64>()), (40, 160));
        assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn bounds_beyond_every_number_go_into_the_last_bucket() {
        for offset in [i32::MAX, i32::MIN] {
            let positive = buckets(offset, &[1, 1]);
            let negative = buckets(offset, &[1]);
            let histogram =
                ExpHistogram { count: 3, scale: 0, positive, negative, ..ExpHistogram::default() };
            let (bounds, counts) = explicit(&histogram);
            assert!(bounds.iter().all(|bound| bound.is_finite()), "{bounds:?}");
            assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]), "{bounds:?}");
            assert_eq!((counts.len(), counts.iter().sum::<u64>()), (bounds.len() + 1, 3));
        }
    }
}
