//! The measurements that stand for a point, with the spans they were made under.

use obs_core::{Exemplar, Metric, MetricValue, Timestamp};

use crate::point::Point;

/// The exemplars of a point, each with its value and time, in the order of their values.
///
/// A sum and a gauge keep the last, a histogram the last of each bucket, an exponential one of those the last 20.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Exemplars(Vec<Exemplar>);

impl Exemplars {
    /// Those of a record made after `since`, for a point that it was folded into.
    ///
    /// What the exemplar leaves to the record is filled in. One without a finite value stands for nothing.
    pub(crate) fn add_of(&mut self, metric: &Metric, since: Option<Timestamp>, point: &Point) {
        let own: &[Exemplar] = match &metric.value {
            MetricValue::Histogram(histogram) => &histogram.exemplars,
            MetricValue::ExpHistogram(histogram) => &histogram.exemplars,
            _ => &[],
        };
        for exemplar in metric.exemplar.iter().chain(own) {
            let Some(value) =
                exemplar.value.or_else(|| number(&metric.value)).filter(|value| value.is_finite())
            else {
                continue;
            };
            let time = exemplar.time.unwrap_or(metric.time);
            if since.is_none_or(|since| time > since) {
                self.add(Exemplar { span: exemplar.span, value: Some(value), time: Some(time) }, point);
            }
        }
    }

    /// Those of both, for the point that both became.
    pub(crate) fn merge(&mut self, more: &Self, point: &Point) {
        for exemplar in &more.0 {
            self.add(exemplar.clone(), point);
        }
    }

    /// Leaves one a bucket after the point's buckets got wider.
    pub(crate) fn thin(&mut self, point: &Point) {
        for exemplar in std::mem::take(&mut self.0) {
            self.add(exemplar, point);
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Exemplar> {
        self.0
    }

    /// Adds one in the place of an older one that stands for the same; of equal times the one added last stays.
    ///
    /// Values of one bucket are neighbours.
    fn add(&mut self, exemplar: Exemplar, point: &Point) {
        let value = value_of(&exemplar);
        let at = self.0.partition_point(|known| value_of(known) < value);
        let is_same = |known: &Exemplar| point.is_same_bucket(value_of(known), value);
        let before = at.checked_sub(1).filter(|before| is_same(&self.0[*before]));
        match before.or_else(|| self.0.get(at).filter(|next| is_same(next)).map(|_| at)) {
            Some(same) if self.0[same].time <= exemplar.time => self.0[same] = exemplar,
            Some(_) => {}
            None => {
                self.0.insert(at, exemplar);
                self.limit(point.most_exemplars());
            }
        }
    }

    fn limit(&mut self, most: usize) {
        if self.0.len() > most
            && let Some((oldest, _)) = self.0.iter().enumerate().min_by_key(|(_, known)| known.time)
        {
            self.0.remove(oldest);
        }
    }
}

fn value_of(exemplar: &Exemplar) -> f64 {
    exemplar.value.unwrap_or_default()
}

/// The value of a record that has but one.
fn number(value: &MetricValue) -> Option<f64> {
    match value {
        MetricValue::Add(value)
        | MetricValue::UpDown(value)
        | MetricValue::Gauge(value)
        | MetricValue::Sample(value)
        | MetricValue::Sum { value, .. } => Some(*value),
        MetricValue::Histogram(_) | MetricValue::ExpHistogram(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{SpanId, SpanRef, TraceId};
    use proptest::prelude::*;

    use super::*;
    use crate::bounds::Shape;

    fn exemplar(value: f64, time: u64) -> Exemplar {
        let span = SpanRef { trace_id: TraceId::new(1).unwrap(), span_id: SpanId::new(time + 1) };
        Exemplar { span, value: Some(value), time: Some(Timestamp::from_nanos(time)) }
    }

    fn of_samples(values: &[f64], shape: &Shape) -> (Point, Exemplars) {
        let mut point = shape.empty();
        let mut kept = Exemplars::default();
        for (time, value) in values.iter().enumerate() {
            if point.observe(*value) {
                kept.thin(&point);
            }
            kept.add(exemplar(*value, time as u64), &point);
        }
        (point, kept)
    }

    /// The last of every bucket, by value.
    fn last_of_each(values: &[f64], point: &Point) -> Vec<f64> {
        let is_last =
            |at: usize| values[at + 1..].iter().all(|later| !point.is_same_bucket(values[at], *later));
        let mut last: Vec<f64> = (0..values.len()).filter(|at| is_last(*at)).map(|at| values[at]).collect();
        last.sort_by(f64::total_cmp);
        last
    }

    proptest! {
        #[test]
        fn a_histogram_keeps_the_last_of_each_bucket(values in prop::collection::vec(-5.0f64..20.0, 0..60)) {
            let (point, kept) = of_samples(&values, &Shape::Explicit([0.0, 1.0, 5.0, 10.0].into()));
            let kept: Vec<f64> = kept.into_vec().iter().map(value_of).collect();
            prop_assert_eq!(kept, last_of_each(&values, &point));
        }

        #[test]
        fn an_exponential_histogram_keeps_few_and_one_of_a_bucket_at_most(
            values in prop::collection::vec(-1e3f64..1e6, 1..60),
        ) {
            let (point, kept) = of_samples(&values, &Shape::Exponential);
            let kept = kept.into_vec();
            prop_assert!(kept.len() <= 20);
            prop_assert!(kept.iter().any(|kept| value_of(kept) == values[values.len() - 1]), "the last is kept");
            for pair in kept.windows(2) {
                prop_assert!(value_of(&pair[0]) < value_of(&pair[1]));
                prop_assert!(!point.is_same_bucket(value_of(&pair[0]), value_of(&pair[1])));
            }
            if last_of_each(&values, &point).len() <= 20 && values.len() <= 20 {
                prop_assert_eq!(kept.iter().map(value_of).collect::<Vec<_>>(), last_of_each(&values, &point));
            }
        }
    }
}
