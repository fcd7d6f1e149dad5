//! Base-2 exponential histograms: samples go in, two become one, and later ones less earlier ones.

mod buckets;
mod index;

use obs_core::{ExpBuckets, ExpHistogram};

use crate::Refusal;
use index::{MAX_SCALE, MIN_SCALE};

/// A histogram of nothing, as fine as can be.
pub(crate) fn empty() -> ExpHistogram {
    ExpHistogram { scale: MAX_SCALE, ..ExpHistogram::default() }
}

/// Counts a finite sample; the scale falls as far as it must for its bucket to fit.
pub(crate) fn observe(histogram: &mut ExpHistogram, value: f64) {
    (histogram.min, histogram.max) = match histogram.count {
        0 => (Some(value), Some(value)),
        _ => (histogram.min.map(|known| known.min(value)), histogram.max.map(|known| known.max(value))),
    };
    histogram.count += 1;
    histogram.sum += value;
    let magnitude = value.abs();
    if magnitude <= histogram.zero_threshold {
        histogram.zero_count += 1;
        return;
    }
    let mut at = index::index(magnitude, histogram.scale);
    if let Some((first, last)) = buckets::range(side(histogram, value)) {
        let by = buckets::excess(first.min(at), last.max(at));
        rescale(histogram, histogram.scale - by);
        at = index::coarser(at, by);
    }
    buckets::add(side(histogram, value), at, 1);
}

/// The bucket of a value, as something that is equal for all values of a bucket.
pub(crate) fn bucket(histogram: &ExpHistogram, value: f64) -> (i8, i32) {
    match value.abs() {
        zero if zero <= histogram.zero_threshold => (0, 0),
        magnitude if value < 0.0 => (-1, index::index(magnitude, histogram.scale)),
        magnitude => (1, index::index(magnitude, histogram.scale)),
    }
}

fn side(histogram: &mut ExpHistogram, value: f64) -> &mut ExpBuckets {
    if value < 0.0 { &mut histogram.negative } else { &mut histogram.positive }
}

/// Checks what came from elsewhere, and brings it to no more buckets and no finer a scale than ours.
pub(crate) fn well_formed(histogram: &ExpHistogram) -> Result<ExpHistogram, Refusal> {
    if !histogram.sum.is_finite() {
        return Err(Refusal::NotFinite);
    }
    let counts = histogram.positive.counts.iter().chain(&histogram.negative.counts);
    let total = counts.copied().try_fold(histogram.zero_count, u64::checked_add);
    let fits = |side: &ExpBuckets| side.counts.is_empty() || buckets::range(side).is_some();
    let is_sound = total == Some(histogram.count)
        && histogram.scale >= MIN_SCALE
        && histogram.zero_threshold.is_finite()
        && histogram.zero_threshold >= 0.0
        && fits(&histogram.positive)
        && fits(&histogram.negative);
    if !is_sound {
        return Err(Refusal::Malformed);
    }
    let mut own = ExpHistogram { exemplars: Vec::new(), ..histogram.clone() };
    buckets::trim(&mut own.positive);
    buckets::trim(&mut own.negative);
    let both = [&own.positive, &own.negative];
    let by = both.map(|side| buckets::range(side).map_or(0, |(first, last)| buckets::excess(first, last)));
    let scale = own.scale.saturating_sub(by[0].max(by[1])).min(MAX_SCALE);
    rescale(&mut own, scale);
    Ok(own)
}

/// Folds `more` into a histogram: exact, since buckets only ever join.
pub(crate) fn merge(histogram: &mut ExpHistogram, more: &ExpHistogram) {
    (histogram.min, histogram.max) = crate::explicit::extremes(
        (histogram.count, histogram.min, histogram.max),
        (more.count, more.min, more.max),
    );
    let mut more = more.clone();
    align(histogram, &mut more);
    let by = buckets::excess_of_both(&histogram.positive, &more.positive)
        .max(buckets::excess_of_both(&histogram.negative, &more.negative));
    let scale = histogram.scale - by;
    rescale(histogram, scale);
    rescale(&mut more, scale);
    histogram.count += more.count;
    histogram.sum += more.sum;
    histogram.zero_count += more.zero_count;
    buckets::add_all(&mut histogram.positive, &more.positive);
    buckets::add_all(&mut histogram.negative, &more.negative);
}

/// What came between two cumulative histograms; `None` if the later one began anew.
pub(crate) fn difference(before: &ExpHistogram, after: &ExpHistogram) -> Option<ExpHistogram> {
    let (mut before, mut after) = (before.clone(), after.clone());
    align(&mut before, &mut after);
    Some(ExpHistogram {
        count: after.count.checked_sub(before.count)?,
        sum: after.sum - before.sum,
        min: None,
        max: None,
        scale: after.scale,
        zero_count: after.zero_count.checked_sub(before.zero_count)?,
        zero_threshold: after.zero_threshold,
        positive: buckets::difference(&before.positive, &after.positive)?,
        negative: buckets::difference(&before.negative, &after.negative)?,
        exemplars: Vec::new(),
    })
}

/// Brings two histograms to one scale and one notion of zero.
fn align(a: &mut ExpHistogram, b: &mut ExpHistogram) {
    let scale = match (has_buckets(a), has_buckets(b)) {
        (true, false) => a.scale,
        (false, true) => b.scale,
        _ => a.scale.min(b.scale),
    };
    rescale(a, scale);
    rescale(b, scale);
    while a.zero_threshold < b.zero_threshold || b.zero_threshold < a.zero_threshold {
        let widest = a.zero_threshold.max(b.zero_threshold);
        widen_zero(a, widest);
        widen_zero(b, widest);
    }
}

fn has_buckets(histogram: &ExpHistogram) -> bool {
    !(histogram.positive.counts.is_empty() && histogram.negative.counts.is_empty())
}

/// Brings a histogram to a lower scale; one without buckets has any scale already.
fn rescale(histogram: &mut ExpHistogram, scale: i32) {
    let by = histogram.scale.saturating_sub(scale);
    buckets::shift(&mut histogram.positive, by);
    buckets::shift(&mut histogram.negative, by);
    histogram.scale = scale;
}

/// Takes all up to `threshold` as zero, and with it the whole of a bucket that the threshold falls into.
fn widen_zero(histogram: &mut ExpHistogram, threshold: f64) {
    let mut widest = threshold;
    for side in [&mut histogram.positive, &mut histogram.negative] {
        for (at, count) in (side.offset..).zip(&mut side.counts) {
            if *count > 0 && index::lower_bound(at, histogram.scale) < threshold {
                widest = widest.max(index::lower_bound(at.saturating_add(1), histogram.scale)).min(f64::MAX);
                histogram.zero_count += std::mem::take(count);
            }
        }
        buckets::trim(side);
    }
    histogram.zero_threshold = widest;
    if widest > threshold {
        widen_zero(histogram, widest);
    }
}

#[cfg(test)]
mod tests;
