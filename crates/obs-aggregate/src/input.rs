//! Points that something else had aggregated, as increments.

use obs_core::Timestamp;

use crate::point::Point;

/// The last cumulative point that a series was given.
#[derive(Debug, Clone)]
pub(crate) struct LastInput {
    start: Option<Timestamp>,
    time: Timestamp,
    point: Point,
}

impl LastInput {
    /// When it was made: what it told is not told again by the next one.
    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }
}

/// What a cumulative point adds to the one before it.
///
/// The first point and one after a reset count whole, from their own start; a point older than the last adds nothing.
/// One writer a series is assumed, as OpenTelemetry has it.
pub(crate) fn increment(
    last: &mut Option<LastInput>,
    start: Option<Timestamp>,
    time: Timestamp,
    point: Point,
    monotonic: bool,
) -> Point {
    let increment = match last {
        Some(last) if start < last.start || (start == last.start && time < last.time) => {
            return point.nothing();
        }
        Some(last) if start == last.start => {
            Point::difference(&last.point, &point, monotonic).unwrap_or_else(|| point.clone())
        }
        _ => point.clone(),
    };
    *last = Some(LastInput { start, time, point });
    increment
}

#[cfg(test)]
mod tests {
    use obs_core::Histogram;

    use super::*;

    #[test]
    fn a_cumulative_sum_becomes_increments_through_resets_and_old_points() {
        let mut last = None;
        let mut step = |start: u64, time: u64, value: f64, monotonic| {
            let (start, time) = (Some(Timestamp::from_nanos(start)), Timestamp::from_nanos(time));
            match increment(&mut last, start, time, Point::Sum(value), monotonic) {
                Point::Sum(value) => value,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(step(1, 10, 7.0, true), 7.0);
        assert_eq!(step(1, 12, 9.0, true), 2.0);
        assert_eq!(step(1, 11, 8.0, true), 0.0, "older than the last");
        assert_eq!(step(1, 13, 4.0, true), 4.0, "fell, so it began anew");
        assert_eq!(step(14, 15, 9.0, true), 9.0, "a new start");
        assert_eq!(step(1, 16, 99.0, true), 0.0, "of the run before");
        assert_eq!(step(14, 17, 3.0, false), -6.0, "an up-down sum may fall");
    }

    #[test]
    fn a_cumulative_histogram_becomes_increments() {
        let point = |counts: [u64; 2], sum| {
            let (count, bounds) = (counts.iter().sum(), [1.0].into());
            Point::Histogram(Histogram {
                count,
                sum,
                min: None,
                max: None,
                bounds,
                counts: counts.into(),
                exemplars: Vec::new(),
            })
        };
        let (mut last, time) = (None, Timestamp::default());
        assert_eq!(increment(&mut last, None, time, point([1, 2], 9.0), true), point([1, 2], 9.0));
        assert_eq!(increment(&mut last, None, time, point([3, 2], 10.0), true), point([2, 0], 1.0));
        assert_eq!(increment(&mut last, None, time, point([1, 0], 0.5), true), point([1, 0], 0.5));
    }
}
