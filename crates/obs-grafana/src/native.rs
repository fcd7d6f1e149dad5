//! Exponential histograms as Prometheus's native ones.

use obs_core::{ExpBuckets, ExpHistogram};

use crate::series;

/// The finest resolution that Prometheus has; a finer one is made coarser, which loses nothing but resolution.
const FINEST: i32 = 8;
/// The coarsest.
const COARSEST: i32 = -4;
/// What counts as zero where the histogram says nothing of it, as Prometheus has it.
const ZERO_THRESHOLD: f64 = 1e-128;
/// The most empty buckets that are written rather than skipped.
const GAP: i64 = 2;

/// A native histogram with whole counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Native {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) schema: i32,
    pub(crate) zero_threshold: f64,
    pub(crate) zero_count: u64,
    pub(crate) positive: Buckets,
    pub(crate) negative: Buckets,
}

/// Buckets that are in use: runs of them, and each count as the difference to the one before.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Buckets {
    /// How far each run lies behind the one before, the first behind zero, and how long it is.
    pub(crate) spans: Vec<(i32, u32)>,
    pub(crate) deltas: Vec<i64>,
}

impl Native {
    /// The histogram at the finest resolution that Prometheus has for it.
    ///
    /// # Errors
    /// Why Prometheus has no form for it.
    pub(crate) fn of(from: &ExpHistogram) -> Result<Self, String> {
        if from.scale < COARSEST {
            let scale = from.scale;
            return Err(format!("a scale of {scale}, and native histograms have none below {COARSEST}"));
        }
        let buckets = from.positive.counts.iter().chain(&from.negative.counts);
        series::fits_total(from.count, buckets.chain([&from.zero_count]))?;
        let schema = from.scale.min(FINEST);
        let shift = u32::try_from(from.scale - schema).unwrap_or_default().min(31);
        let zero_threshold = if from.zero_threshold > 0.0 { from.zero_threshold } else { ZERO_THRESHOLD };
        Ok(Self {
            count: from.count,
            sum: from.sum,
            schema,
            zero_threshold,
            zero_count: from.zero_count,
            positive: Buckets::of(&from.positive, shift)?,
            negative: Buckets::of(&from.negative, shift)?,
        })
    }
}

impl Buckets {
    /// Runs and differences, of counts that have a sum.
    fn of(from: &ExpBuckets, shift: u32) -> Result<Self, String> {
        let mut buckets = Self::default();
        let (mut next, mut before) = (0i64, 0i64);
        for (index, count) in merged(from, shift) {
            let in_bucket = i64::try_from(count)
                .map_err(|_| format!("{count} samples in one bucket, and there are {} at most", i64::MAX))?;
            if i32::try_from(index).is_err() {
                return Err(format!("a bucket at {index}, and there are none beyond {}", i32::MAX));
            }
            let gap = index - next;
            match buckets.spans.last_mut() {
                Some((_, length)) if gap <= GAP => {
                    *length += gap as u32 + 1;
                    for _ in 0..gap {
                        buckets.deltas.push(-before);
                        before = 0;
                    }
                }
                _ => {
                    let gap = i32::try_from(gap).map_err(|_| {
                        format!("two buckets with {gap} between, and {} are the most", i32::MAX)
                    })?;
                    buckets.spans.push((gap, 1));
                }
            }
            buckets.deltas.push(in_bucket - before);
            before = in_bucket;
            next = index + 1;
        }
        Ok(buckets)
    }
}

/// Prometheus's indices of the buckets in use, and their counts.
fn merged(from: &ExpBuckets, shift: u32) -> Vec<(i64, u64)> {
    let mut merged: Vec<(i64, u64)> = Vec::new();
    for (nth, count) in from.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        // OTLP's bucket begins above a power of the base, Prometheus's ends with one, so that its index is one more.
        let index = ((i64::from(from.offset) + nth as i64) >> shift) + 1;
        match merged.last_mut() {
            Some((known, sum)) if *known == index => *sum += count,
            _ => merged.push((index, *count)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(scale: i32, offset: i32, counts: Vec<u64>) -> ExpHistogram {
        let count = counts.iter().sum();
        ExpHistogram { count, scale, positive: ExpBuckets { offset, counts }, ..ExpHistogram::default() }
    }

    /// Index and count of every bucket that is not empty, read as Prometheus reads spans and deltas.
    fn read(buckets: &Buckets) -> Vec<(i64, u64)> {
        let (mut read, mut index, mut count, mut deltas) = (Vec::new(), 0i64, 0i64, buckets.deltas.iter());
        for (offset, length) in &buckets.spans {
            index += i64::from(*offset);
            for _ in 0..*length {
                count += deltas.next().unwrap();
                if count > 0 {
                    read.push((index, u64::try_from(count).unwrap()));
                }
                index += 1;
            }
        }
        assert_eq!(deltas.next(), None);
        read
    }

    #[test]
    fn a_bucket_keeps_its_bounds() {
        // At scale 0, OTLP's bucket 0 is (1, 2], which is Prometheus's bucket 1.
        let native = Native::of(&histogram(0, 0, vec![3])).unwrap();
        assert_eq!((native.schema, read(&native.positive)), (0, vec![(1, 3)]));
        let native = Native::of(&histogram(2, -1, vec![2, 0, 3])).unwrap();
        assert_eq!(native.positive, Buckets { spans: vec![(0, 3)], deltas: vec![2, -2, 3] });
        let native = Native::of(&histogram(2, -20, vec![2, 0, 0, 0, 0, 3])).unwrap();
        assert_eq!(native.positive.spans, [(-19, 1), (4, 1)]);
    }

    #[test]
    fn a_finer_scale_than_prometheus_has_is_merged_and_a_coarser_one_refused() {
        let native = Native::of(&histogram(10, -3, vec![1, 1, 1, 1, 1])).unwrap();
        assert_eq!((native.schema, read(&native.positive)), (8, vec![(0, 3), (1, 2)]));
        assert!(Native::of(&histogram(-5, 0, vec![1])).unwrap_err().contains("scale of -5"));
        let mut wrong = histogram(0, 0, vec![1]);
        wrong.count = 2;
        assert!(Native::of(&wrong).unwrap_err().contains("count of 2"));
    }

    #[test]
    fn what_the_wire_has_no_numbers_for_is_refused() {
        let top = 1u64 << 63;
        let wrong = |offset, counts: &[u64], count| {
            let positive = ExpBuckets { offset, counts: counts.to_vec() };
            let of = ExpHistogram { count, positive: positive.clone(), ..ExpHistogram::default() };
            let mirrored = ExpHistogram { count, negative: positive, ..ExpHistogram::default() };
            [Native::of(&of).unwrap_err(), Native::of(&mirrored).unwrap_err()]
        };
        for told in wrong(0, &[1, top], top + 1) {
            assert!(told.contains("in one bucket"), "{told}");
        }
        for told in wrong(0, &[u64::MAX, 5], u64::MAX) {
            assert!(told.contains("count of"), "{told}");
        }
        for told in wrong(i32::MAX, &[1], 1).into_iter().chain(wrong(i32::MAX - 1, &[1, 1], 2)) {
            assert!(told.contains("2147483648"), "{told}");
        }
        // Each place has a number, and the way between them has none.
        let mut far = histogram(0, i32::MIN, vec![1]);
        assert_eq!(read(&Native::of(&far).unwrap().positive), [(i64::from(i32::MIN) + 1, 1)]);
        far.positive.offset = i32::MAX - 1;
        assert_eq!(read(&Native::of(&far).unwrap().positive), [(i64::from(i32::MAX), 1)]);
        // As finely as that there are no numbers; merged to what Prometheus has there are.
        let fine = Native::of(&histogram(9, i32::MAX, vec![i64::MAX as u64])).unwrap();
        assert_eq!(read(&fine.positive), [(1 << 30, i64::MAX as u64)]);
    }

    proptest! {
        #[test]
        fn any_numbers_are_written_whole_or_refused(
            scale in -4..32,
            offset in prop_oneof![Just(i32::MIN), Just(i32::MAX), i32::MAX - 70..i32::MAX, any::<i32>(), -400..400],
            counts in prop::collection::vec(prop_oneof![Just(0u64), 1..9u64, Just(i64::MAX as u64), any::<u64>()], 0..60),
        ) {
            let total = counts.iter().try_fold(0u64, |sum, count| sum.checked_add(*count));
            let positive = ExpBuckets { offset, counts };
            let count = total.unwrap_or(u64::MAX);
            let of = ExpHistogram { count, scale, positive, ..ExpHistogram::default() };
            if let Ok(native) = Native::of(&of) {
                let buckets = read(&native.positive);
                prop_assert_eq!(Some(buckets.iter().map(|(_, count)| count).sum::<u64>()), total);
                prop_assert!(buckets.iter().all(|(index, _)| i32::try_from(*index).is_ok()));
            }
        }

        #[test]
        fn no_sample_is_lost_in_any_shape(scale in -4..20, offset in -400..400, counts in prop::collection::vec(prop_oneof![Just(0u64), 1..9u64], 0..60)) {
            let total: u64 = counts.iter().sum();
            let native = Native::of(&histogram(scale, offset, counts)).unwrap();
            let buckets = read(&native.positive);
            prop_assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), total);
            prop_assert!(buckets.is_sorted_by(|a, b| a.0 < b.0));
        }
    }
}
