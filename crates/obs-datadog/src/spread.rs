//! The samples of a histogram, as values of a distribution.

use obs_core::{ExpBuckets, ExpHistogram, Histogram};

/// A value, and how many times it stands there.
pub(crate) type Times = (f64, u64);

/// Samples within two bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bucket {
    low: f64,
    high: f64,
    count: u64,
}

/// What is known of all samples together.
#[derive(Debug, Clone, Copy)]
struct Whole {
    count: u64,
    sum: f64,
    min: Option<f64>,
    max: Option<f64>,
}

/// As many values as there were samples, ascending.
///
/// The least and the greatest are exact where they are known; all others stand at one place of their bucket, which is the
/// same part of each bucket's width and is chosen so that the sum is exact but for rounding. So no value leaves its bucket,
/// and a percentile is off by the width of one.
///
/// # Errors
/// Why no values can be made: no samples, counts that do not add up, or a sum that is no number.
pub(crate) fn explicit(histogram: &Histogram) -> Result<Vec<Times>, &'static str> {
    let Histogram { count, sum, min, max, bounds, counts, .. } = histogram;
    let whole = Whole { count: *count, sum: *sum, min: *min, max: *max };
    if bounds.is_empty() && counts.is_empty() {
        return values(vec![Bucket { low: f64::NEG_INFINITY, high: f64::INFINITY, count: *count }], whole);
    }
    if counts.len() != bounds.len() + 1 {
        return Err("there is not one count more than bounds");
    }
    let lows = std::iter::once(f64::NEG_INFINITY).chain(bounds.iter().copied());
    let highs = bounds.iter().copied().chain([f64::INFINITY]);
    let buckets = lows.zip(highs).zip(counts).map(|((low, high), count)| Bucket { low, high, count: *count });
    values(buckets.collect(), whole)
}

/// The same of an exponential histogram.
pub(crate) fn exponential(histogram: &ExpHistogram) -> Result<Vec<Times>, &'static str> {
    let ExpHistogram { count, sum, min, max, scale, zero_count, zero_threshold, positive, negative, .. } =
        histogram;
    let zero = zero_threshold.abs();
    let mut buckets: Vec<Bucket> = magnitudes(negative, *scale)
        .map(|Bucket { low, high, count }| Bucket { low: -high, high: -low, count })
        .collect();
    buckets.reverse();
    buckets.push(Bucket { low: -zero, high: zero, count: *zero_count });
    buckets.extend(magnitudes(positive, *scale));
    values(buckets, Whole { count: *count, sum: *sum, min: *min, max: *max })
}

fn magnitudes(buckets: &ExpBuckets, scale: i32) -> impl Iterator<Item = Bucket> {
    let bound =
        move |index: i64| (index as f64 * f64::from(scale.saturating_neg()).exp2()).exp2().min(f64::MAX);
    let indices = i64::from(buckets.offset)..;
    let filled = indices.zip(&buckets.counts).filter(|(_, count)| **count > 0);
    filled.map(move |(index, count)| Bucket { low: bound(index), high: bound(index + 1), count: *count })
}

fn values(mut buckets: Vec<Bucket>, whole: Whole) -> Result<Vec<Times>, &'static str> {
    buckets.retain(|bucket| bucket.count > 0);
    let counted = buckets.iter().try_fold(0u64, |sum, bucket| sum.checked_add(bucket.count));
    if counted != Some(whole.count) {
        return Err("the counts of the buckets are not its count");
    }
    if whole.count == 0 {
        return Err("there is no sample in it");
    }
    if !whole.sum.is_finite() {
        return Err("its sum is no number");
    }
    if whole.count == 1 {
        return Ok(vec![(whole.sum, 1)]);
    }
    let known = |extreme: Option<f64>| extreme.filter(|value| value.is_finite());
    let (min, max) = (known(whole.min), known(whole.max));
    let mean = whole.sum / whole.count as f64;
    for bucket in &mut buckets {
        *bucket = bucket.within(min, max, mean);
    }
    // The extremes stand for themselves, and not for their buckets.
    let first = min.map(|min| take(buckets.first_mut(), min));
    let last = max.map(|max| take(buckets.last_mut(), max));
    let mut out: Vec<Times> = first.into_iter().collect();
    let rest = whole.sum - min.unwrap_or_default() - max.unwrap_or_default();
    let part = part(&buckets, rest);
    out.extend(
        buckets.iter().filter(|bucket| bucket.count > 0).map(|bucket| (bucket.at(part), bucket.count)),
    );
    out.extend(last);
    Ok(out)
}

/// Takes one sample out of a bucket, to stand at its own value.
fn take(bucket: Option<&mut Bucket>, value: f64) -> Times {
    if let Some(bucket) = bucket {
        bucket.count = bucket.count.saturating_sub(1);
    }
    (value, 1)
}

/// Which part of its width each value is into its bucket, so that they add up to this.
fn part(buckets: &[Bucket], sum: f64) -> f64 {
    let total = |bound: fn(&Bucket) -> f64| buckets.iter().map(|b| bound(b) * b.count as f64).sum::<f64>();
    let (low, high) = (total(|bucket| bucket.low), total(|bucket| bucket.high));
    let part = (sum - low) / (high - low);
    if part.is_nan() { 0.5 } else { part.clamp(0.0, 1.0) }
}

impl Bucket {
    /// The bucket with finite bounds, within the extremes where they are known.
    fn within(self, min: Option<f64>, max: Option<f64>, mean: f64) -> Self {
        let Self { low, high, count } = self;
        let (low, high) = match (low.is_finite(), high.is_finite()) {
            (true, true) => (low, high),
            // What is known of the other end of an open bucket is an extreme, else nothing.
            (false, true) => (min.unwrap_or(high.min(0.0)), high),
            (true, false) => (low, max.unwrap_or(low)),
            (false, false) => (min.unwrap_or(mean), max.unwrap_or(mean)),
        };
        let inside = |value: f64| value.max(min.unwrap_or(value)).min(max.unwrap_or(value));
        let (low, high) = (inside(low), inside(high));
        Self { low: low.min(high), high, count }
    }

    fn at(&self, part: f64) -> f64 {
        // Written so that bounds of opposite signs do not overflow, and that both ends are met exactly.
        let value = self.low * (1.0 - part) + self.high * part;
        value.clamp(self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(samples: &[f64], bounds: &[f64]) -> Histogram {
        let mut counts = vec![0; bounds.len() + 1];
        for sample in samples {
            counts[bounds.iter().position(|bound| sample <= bound).unwrap_or(bounds.len())] += 1;
        }
        Histogram {
            count: samples.len() as u64,
            sum: samples.iter().sum(),
            min: samples.iter().copied().reduce(f64::min),
            max: samples.iter().copied().reduce(f64::max),
            bounds: bounds.into(),
            counts,
            exemplars: Vec::new(),
        }
    }

    #[test]
    fn values_stand_where_the_samples_may_have_been() {
        let samples = [0.05, 0.2, 0.4, 0.9, 0.7, 2.5];
        let values = explicit(&of(&samples, &[0.1, 0.5, 1.0])).unwrap();
        let flat: Vec<f64> = values.iter().flat_map(|(value, times)| vec![*value; *times as usize]).collect();
        assert_eq!((flat.len(), flat[0], flat[5]), (6, 0.05, 2.5));
        assert!((flat.iter().sum::<f64>() - 4.75).abs() < 1e-12);
        assert!(flat[1..3].iter().all(|value| (0.1..=0.5).contains(value)));
        assert!(flat[3..5].iter().all(|value| (0.5..=1.0).contains(value)));
    }

    #[test]
    fn what_cannot_be_spread_is_refused() {
        let two = Histogram { count: 2, sum: 3.0, ..Histogram::default() };
        assert_eq!(explicit(&two), Ok(vec![(1.5, 2)]), "no buckets and no extremes: the mean");
        assert!(explicit(&Histogram::default()).unwrap_err().contains("no sample"));
        assert!(
            explicit(&Histogram { counts: vec![1], ..two.clone() }).unwrap_err().contains("not its count")
        );
        assert!(explicit(&Histogram { sum: f64::NAN, ..two.clone() }).unwrap_err().contains("no number"));
        assert!(explicit(&Histogram { counts: vec![1, 1], ..two }).unwrap_err().contains("one count more"));
        let hollow = ExpHistogram { zero_count: u64::MAX, ..ExpHistogram::default() };
        assert!(exponential(&hollow).unwrap_err().contains("not its count"));
    }

    fn exp_of(samples: &[f64], scale: i32) -> ExpHistogram {
        let side = |sign: f64| {
            let base = f64::from(-scale).exp2();
            let index = |sample: f64| (sample.log2() / base).ceil() as i32 - 1;
            let own: Vec<i32> = samples.iter().filter(|s| **s * sign > 0.0).map(|s| index(s.abs())).collect();
            let Some(first) = own.iter().min() else { return ExpBuckets::default() };
            let mut counts = vec![0; (own.iter().max().unwrap() - first) as usize + 1];
            for index in &own {
                counts[(index - first) as usize] += 1;
            }
            ExpBuckets { offset: *first, counts }
        };
        let plain = of(samples, &[]);
        ExpHistogram {
            count: plain.count,
            sum: plain.sum,
            min: plain.min,
            max: plain.max,
            scale,
            zero_count: samples.iter().filter(|sample| **sample == 0.0).count() as u64,
            positive: side(1.0),
            negative: side(-1.0),
            ..ExpHistogram::default()
        }
    }

    proptest! {
        /// The law of expansion: count, extremes and sum, and each percentile within the width of a bucket.
        #[test]
        fn count_extremes_and_sum_stay_and_values_stay_in_their_buckets(
            mut samples in prop::collection::vec(prop_oneof![-1e4f64..1e4, 1e-3f64..10.0, Just(0.0)], 1..80),
            scale in 0i32..6,
        ) {
            samples.sort_by(f64::total_cmp);
            let bounds = [-100.0, 0.0, 0.5, 5.0, 1_000.0];
            let width = |scale: i32| f64::from(-scale).exp2().exp2() + 1e-9;
            for (values, exponential) in [
                (explicit(&of(&samples, &bounds)).unwrap(), false),
                (exponential(&exp_of(&samples, scale)).unwrap(), true),
            ] {
                let flat: Vec<f64> = values.iter().flat_map(|(value, times)| vec![*value; *times as usize]).collect();
                prop_assert_eq!(flat.len(), samples.len());
                prop_assert!(flat.is_sorted());
                prop_assert_eq!(flat.first(), samples.first());
                prop_assert_eq!(flat.last(), samples.last());
                let scale_of_sum = samples.iter().map(|sample| sample.abs()).sum::<f64>().max(1.0);
                let off = flat.iter().sum::<f64>() - samples.iter().sum::<f64>();
                prop_assert!(off.abs() <= 1e-9 * scale_of_sum, "the sum is off by {}", off);
                for (value, sample) in flat.iter().zip(&samples) {
                    if exponential {
                        let (value, sample) = (value.abs(), sample.abs());
                        prop_assert!(value <= sample * width(scale) && sample <= value * width(scale), "{} {}", value, sample);
                    } else {
                        let bucket = |value: f64| bounds.iter().filter(|bound| value > **bound).count();
                        let near = bucket(value - 1e-9).min(bucket(*value))..=bucket(value + 1e-9);
                        prop_assert!(near.contains(&bucket(*sample)), "{} {}", value, sample);
                    }
                }
            }
        }
    }
}
