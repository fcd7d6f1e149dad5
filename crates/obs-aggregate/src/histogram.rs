//! Histograms that become one, as they do within a series: for whoever adds up points without an aggregator.

use obs_core::{ExpHistogram, Histogram};

use crate::point::Totals;
use crate::{Refusal, explicit, exponential};

/// Folds `more` into `histogram`: of different bounds, those are left that both have, which is exact.
///
/// The exemplars of `more` are left out, those of `histogram` stay.
/// A histogram of count and sum alone gets its one bucket, and a `min` or `max` that is not finite becomes unknown.
///
/// ```
/// use obs_aggregate::histogram;
/// use obs_core::Histogram;
///
/// let of = |bounds: &[f64], counts: &[u64]| Histogram {
///     count: counts.iter().sum(),
///     bounds: bounds.into(),
///     counts: counts.into(),
///     ..Histogram::default()
/// };
/// let mut all = of(&[1.0, 5.0, 10.0], &[1, 2, 3, 4]);
/// histogram::merge(&mut all, &of(&[5.0, 8.0], &[1, 0, 1]))?;
/// assert_eq!((&*all.bounds, &*all.counts), ([5.0].as_slice(), [4, 8].as_slice()));
/// # Ok::<(), obs_aggregate::Refusal>(())
/// ```
///
/// # Errors
/// [`Refusal::Malformed`] where the counts of either do not fit its bounds or its total, [`Refusal::NotFinite`] where a sum
/// is not finite or both together are not, and [`Refusal::TooLarge`] where the counts are more than can be counted; then
/// `histogram` is as it was.
pub fn merge(histogram: &mut Histogram, more: &Histogram) -> Result<(), Refusal> {
    let (mut all, more) = (explicit::well_formed(histogram)?, explicit::well_formed(more)?);
    fit((all.count, all.sum), (more.count, more.sum))?;
    explicit::merge(&mut all, &more);
    all.exemplars = std::mem::take(&mut histogram.exemplars);
    *histogram = all;
    Ok(())
}

/// Folds `more` into `histogram`, at the coarser scale and the wider notion of zero, which is exact.
///
/// Exemplars, `min` and `max` are as in [`merge`]; there are at most 160 buckets for positive and as many for negative
/// samples.
///
/// # Errors
/// As in [`merge`]; an index that no number has, and a scale below -10, are [`Refusal::Malformed`], too.
pub fn merge_exponential(histogram: &mut ExpHistogram, more: &ExpHistogram) -> Result<(), Refusal> {
    let (mut all, more) = (exponential::well_formed(histogram)?, exponential::well_formed(more)?);
    fit((all.count, all.sum), (more.count, more.sum))?;
    exponential::merge(&mut all, &more);
    all.exemplars = std::mem::take(&mut histogram.exemplars);
    *histogram = all;
    Ok(())
}

/// The counts under fewer bounds, of which each must be among `bounds`; both ascend, and there is one count more than there
/// are bounds.
///
/// It is exact, since a bucket only ever joins its neighbour above; the result has one count more than `kept` has bounds.
pub fn coarser(bounds: &[f64], counts: &[u64], kept: &[f64]) -> Vec<u64> {
    explicit::coarser(bounds, counts, kept)
}

/// The place of the bucket of a value: the first whose upper bound is not below it; `bounds` ascend.
pub fn bucket(bounds: &[f64], value: f64) -> usize {
    explicit::bucket(bounds, value)
}

fn fit(a: (u64, f64), b: (u64, f64)) -> Result<Totals, Refusal> {
    let [a, b] = [a, b].map(|(count, sum)| Totals { count, sum });
    a.plus(b)
}

#[cfg(test)]
mod tests {
    use obs_core::{Exemplar, ExpBuckets, SpanId, SpanRef, TraceId};

    use super::*;

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let of = |count| Histogram { count, counts: vec![count], ..Histogram::default() };
        let mut all = of(u64::MAX);
        assert_eq!(merge(&mut all, &of(1)), Err(Refusal::TooLarge));
        assert_eq!(merge(&mut all, &Histogram { count: 2, ..of(1) }), Err(Refusal::Malformed));
        assert_eq!(merge(&mut all, &Histogram { sum: f64::NAN, ..of(0) }), Err(Refusal::NotFinite));
        assert_eq!(all, of(u64::MAX));
        let of = |count, sum| ExpHistogram {
            count,
            sum,
            positive: ExpBuckets { offset: 3, counts: vec![count] },
            ..ExpHistogram::default()
        };
        let mut all = of(5, f64::MAX);
        assert_eq!(merge_exponential(&mut all, &of(1, f64::MAX)), Err(Refusal::NotFinite));
        assert_eq!(merge_exponential(&mut all, &of(u64::MAX, 0.0)), Err(Refusal::TooLarge));
        assert_eq!(all, of(5, f64::MAX));
        merge_exponential(&mut all, &of(2, 0.0)).unwrap();
        assert_eq!(all, of(7, f64::MAX));
    }

    #[test]
    fn exemplars_stay() {
        let span = SpanRef { trace_id: TraceId::new(1).unwrap(), span_id: SpanId::new(2) };
        let exemplars = vec![Exemplar { span, value: Some(1.0), time: None }];
        let mut all = Histogram { exemplars: exemplars.clone(), ..Histogram::default() };
        merge(&mut all, &Histogram { count: 2, ..Histogram::default() }).unwrap();
        assert_eq!((all.exemplars, all.count, &*all.counts), (exemplars, 2, [2].as_slice()));
    }
}
