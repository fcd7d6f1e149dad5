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
    pub(crate) fn new(start: Option<Timestamp>, time: Timestamp, point: Point) -> Self {
        Self { start, time, point }
    }

    /// When it was made: what it told is not told again by the next one.
    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    /// Whether it counts from the time of an earlier point or later, and so nothing of that.
    fn began_after(&self, last: &Self) -> bool {
        match (last.start, self.start) {
            (Some(known), Some(start)) => start > known && start >= last.time,
            (None, Some(start)) => start > last.time,
            (_, None) => false,
        }
    }
}

/// What a cumulative point adds to the one before it, and what is to be remembered of it, if anything.
///
/// The first point and one after a reset count whole, from their own start; a point older than the last adds nothing.
/// One writer a series is assumed, as OpenTelemetry has it: what begins before the last point was made is of the same run,
/// whatever it says of its start, since some writers learn their start late or set it anew.
pub(crate) fn increment(
    last: Option<&LastInput>,
    input: LastInput,
    monotonic: bool,
) -> (Point, Option<LastInput>) {
    let Some(last) = last else { return (input.point.clone(), Some(input)) };
    if input.time < last.time {
        return (input.point.nothing(), None);
    }
    if input.began_after(last) {
        return (input.point.clone(), Some(input));
    }
    let grown =
        Point::difference(&last.point, &input.point, monotonic).unwrap_or_else(|| input.point.clone());
    (grown, Some(LastInput { start: input.start.or(last.start), ..input }))
}

#[cfg(test)]
mod tests {
    use obs_core::Histogram;

    use super::*;

    fn take(last: &mut Option<LastInput>, input: LastInput, monotonic: bool) -> Point {
        let (grown, new) = increment(last.as_ref(), input, monotonic);
        *last = new.or(last.take());
        grown
    }

    /// What each sum adds, of points that are start, time and value.
    fn grown(points: &[(Option<u64>, u64, f64)], monotonic: bool) -> Vec<f64> {
        let mut last = None;
        let mut step = |(start, time, value): &(Option<u64>, u64, f64)| {
            let (start, time) = (start.map(Timestamp::from_nanos), Timestamp::from_nanos(*time));
            match take(&mut last, LastInput::new(start, time, Point::Sum(*value)), monotonic) {
                Point::Sum(value) => value,
                other => panic!("{other:?}"),
            }
        };
        points.iter().map(&mut step).collect()
    }

    #[test]
    fn a_cumulative_sum_becomes_increments_through_resets_and_old_points() {
        let points = [
            (Some(1), 10, 7.0),
            (Some(1), 12, 9.0),
            (Some(1), 11, 8.0),
            (Some(1), 13, 4.0),
            (Some(14), 15, 9.0),
            (Some(1), 13, 99.0),
            (Some(14), 17, 9.5),
            (Some(17), 18, 9.5),
        ];
        let expected = [7.0, 2.0, 0.0, 4.0, 9.0, 0.0, 0.5, 9.5];
        assert_eq!(
            grown(&points, true),
            expected,
            "first, grown, late, fell, a new start, late, grown, anew at the last time"
        );
        assert_eq!(grown(&[(Some(1), 1, 9.0), (Some(1), 2, 3.0)], false), [9.0, -6.0], "it may fall");
    }

    #[test]
    fn a_start_that_becomes_known_or_moves_within_the_run_counts_nothing_twice() {
        let learnt = [(None, 10, 100.0), (Some(1), 20, 100.0), (Some(1), 30, 101.0)];
        assert_eq!(grown(&learnt, true), [100.0, 0.0, 1.0]);
        let at_the_first = [(None, 10, 100.0), (Some(10), 20, 103.0)];
        assert_eq!(grown(&at_the_first, true), [100.0, 3.0], "some set the first point's time as the start");
        let forgotten = [(Some(1), 10, 100.0), (None, 20, 100.0), (Some(1), 30, 102.0)];
        assert_eq!(grown(&forgotten, true), [100.0, 0.0, 2.0]);
        let moves = [(Some(5), 10, 100.0), (Some(7), 20, 101.0), (Some(4), 30, 102.0), (Some(6), 40, 102.0)];
        assert_eq!(grown(&moves, true), [100.0, 1.0, 1.0, 0.0]);
        let anew = [(None, 10, 100.0), (Some(15), 20, 120.0), (Some(25), 30, 130.0)];
        assert_eq!(
            grown(&anew, true),
            [100.0, 120.0, 130.0],
            "what begins after the last point is a new run"
        );
        let fell = [(None, 10, 100.0), (Some(1), 20, 40.0)];
        assert_eq!(grown(&fell, true), [100.0, 40.0]);
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
        let mut last = None;
        let input = |point| LastInput::new(None, Timestamp::default(), point);
        assert_eq!(take(&mut last, input(point([1, 2], 9.0)), true), point([1, 2], 9.0));
        assert_eq!(take(&mut last, input(point([3, 2], 10.0)), true), point([2, 0], 1.0));
        assert_eq!(take(&mut last, input(point([1, 0], 0.5)), true), point([1, 0], 0.5));
    }
}
