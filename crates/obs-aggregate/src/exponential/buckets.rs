//! Consecutive buckets that shift, grow and add up.

use obs_core::ExpBuckets;

use super::index::coarser;

/// The most buckets of a side, as OpenTelemetry has it.
pub(crate) const MAX_BUCKETS: i64 = 160;

/// The first and the last index with a bucket; `None` without buckets.
pub(crate) fn range(buckets: &ExpBuckets) -> Option<(i32, i32)> {
    let last = i32::try_from(buckets.counts.len()).ok()?.checked_sub(1)?;
    Some((buckets.offset, buckets.offset.checked_add(last).filter(|_| last >= 0)?))
}

/// By how much the scale must fall for all from `low` to `high` to be within [`MAX_BUCKETS`].
pub(crate) fn excess(low: i32, high: i32) -> i32 {
    let fits = |by: &i32| i64::from(coarser(high, *by)) - i64::from(coarser(low, *by)) < MAX_BUCKETS;
    (0..32).find(fits).unwrap_or(31)
}

/// By how much the scale must fall for both to be within [`MAX_BUCKETS`] together.
pub(crate) fn excess_of_both(a: &ExpBuckets, b: &ExpBuckets) -> i32 {
    match (range(a), range(b)) {
        (Some(a), Some(b)) => excess(a.0.min(b.0), a.1.max(b.1)),
        (Some(one), None) | (None, Some(one)) => excess(one.0, one.1),
        (None, None) => 0,
    }
}

/// Joins buckets as a scale lower by `by` has them.
pub(crate) fn shift(buckets: &mut ExpBuckets, by: i32) {
    let Some((first, last)) = range(buckets).filter(|_| by > 0) else { return };
    let offset = coarser(first, by);
    let mut counts = vec![0; width(offset, coarser(last, by))];
    for (at, count) in (first..=last).zip(&buckets.counts) {
        counts[place(offset, coarser(at, by))] += count;
    }
    *buckets = ExpBuckets { offset, counts };
}

/// Adds to a bucket, with as many between as it takes.
pub(crate) fn add(buckets: &mut ExpBuckets, index: i32, count: u64) {
    match range(buckets) {
        None => *buckets = ExpBuckets { offset: index, counts: vec![count] },
        Some((first, last)) => {
            if index < first {
                let more = width(index, first) - 1;
                buckets.counts.splice(0..0, std::iter::repeat_n(0, more));
                buckets.offset = index;
            } else if index > last {
                buckets.counts.resize(width(first, index), 0);
            }
            buckets.counts[place(buckets.offset, index)] += count;
        }
    }
}

/// Adds all of `more`, which has the same scale.
pub(crate) fn add_all(buckets: &mut ExpBuckets, more: &ExpBuckets) {
    for (at, count) in (more.offset..).zip(&more.counts).filter(|(_, count)| **count > 0) {
        add(buckets, at, *count);
    }
}

/// What `after` has more than `before`, of the same scale; `None` if a bucket has less.
pub(crate) fn difference(before: &ExpBuckets, after: &ExpBuckets) -> Option<ExpBuckets> {
    let mut grown = after.clone();
    for (at, count) in (before.offset..).zip(&before.counts).filter(|(_, count)| **count > 0) {
        let place = usize::try_from(i64::from(at) - i64::from(grown.offset)).ok()?;
        let known = grown.counts.get_mut(place)?;
        *known = known.checked_sub(*count)?;
    }
    trim(&mut grown);
    Some(grown)
}

/// Drops empty buckets at both ends.
pub(crate) fn trim(buckets: &mut ExpBuckets) {
    let Some(first) = buckets.counts.iter().position(|count| *count > 0) else {
        *buckets = ExpBuckets::default();
        return;
    };
    let last = buckets.counts.iter().rposition(|count| *count > 0).unwrap_or(first);
    buckets.counts.truncate(last + 1);
    buckets.counts.drain(..first);
    buckets.offset = buckets.offset.saturating_add(i32::try_from(first).unwrap_or(i32::MAX));
}

/// How many buckets `first` to `last` are.
fn width(first: i32, last: i32) -> usize {
    place(first, last) + 1
}

/// The place of a bucket in a list that begins with `first`.
fn place(first: i32, index: i32) -> usize {
    usize::try_from(i64::from(index) - i64::from(first)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(offset: i32, counts: &[u64]) -> ExpBuckets {
        ExpBuckets { offset, counts: counts.to_vec() }
    }

    #[test]
    fn a_lower_scale_joins_pairs_on_both_sides_of_one() {
        let mut buckets = of(-3, &[1, 2, 4, 8, 16]);
        shift(&mut buckets, 1);
        assert_eq!(buckets, of(-2, &[1, 6, 24]));
        shift(&mut buckets, 31);
        assert_eq!(buckets, of(-1, &[7, 24]));
        shift(&mut buckets, 0);
        assert_eq!(buckets, of(-1, &[7, 24]));
    }

    #[test]
    fn buckets_grow_to_both_sides() {
        let mut buckets = ExpBuckets::default();
        for (index, count) in [(5, 1), (3, 2), (7, 3), (5, 1)] {
            add(&mut buckets, index, count);
        }
        assert_eq!(buckets, of(3, &[2, 0, 2, 0, 3]));
        assert_eq!(difference(&of(5, &[1]), &buckets), Some(of(3, &[2, 0, 1, 0, 3])));
        assert_eq!(difference(&of(5, &[3]), &buckets), None, "fewer than before");
        assert_eq!(difference(&of(2, &[1]), &buckets), None, "a bucket is gone");
        assert_eq!(difference(&buckets, &buckets), Some(ExpBuckets::default()));
    }

    #[test]
    fn the_scale_falls_by_no_more_than_it_must() {
        assert_eq!((excess(0, 159), excess(0, 160), excess(1, 161), excess(-1, 159)), (0, 1, 1, 1));
        assert_eq!(excess(i32::MIN, i32::MAX), 25);
    }
}
