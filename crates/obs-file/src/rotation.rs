//! When a file is closed.

use std::time::Duration;

use obs_core::Timestamp;

use crate::clock::Moment;
use crate::{FileConfig, RotationPolicy};

/// An hour, as in the names of most log files.
pub(crate) const DEFAULT_INTERVAL: Duration = Duration::from_hours(1);

/// 100 MB.
pub(crate) const DEFAULT_SIZE: u64 = 100_000_000;

/// After which time, and before which size, a file is closed; whichever is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rotation {
    pub(crate) interval: Option<Duration>,
    pub(crate) size: Option<u64>,
}

impl Rotation {
    pub(crate) fn of(config: &FileConfig) -> Self {
        use RotationPolicy::{Both, Size, Time};
        let (interval, size) = (config.rotation_interval, config.max_file_size);
        let policy = match config.rotation_policy {
            None if interval.is_none() && size.is_none() => Some(Both),
            policy => policy,
        };
        let by_time = matches!(policy, Some(Time | Both));
        let by_size = matches!(policy, Some(Size | Both));
        Self {
            interval: interval.or(by_time.then_some(DEFAULT_INTERVAL)),
            size: size.map(obs_core::units::Bytes::get).or(by_size.then_some(DEFAULT_SIZE)),
        }
    }

    /// Whether a file that was begun then is due now.
    ///
    /// Files end at whole multiples of the interval; where the time of day was set back, after the interval itself.
    pub(crate) fn is_due(&self, begun: Moment, now: Moment) -> bool {
        self.interval.is_some_and(|interval| {
            window(now.wall, interval) > window(begun.wall, interval)
                || now.elapsed.saturating_sub(begun.elapsed) >= interval
        })
    }

    /// Whether a file that has so many bytes would outgrow its size with more; one that has none takes anything.
    pub(crate) fn is_full(&self, bytes: u64, more: u64) -> bool {
        bytes > 0 && self.size.is_some_and(|size| bytes.saturating_add(more) > size)
    }
}

/// The number of the interval that a time lies in.
fn window(at: Timestamp, interval: Duration) -> u128 {
    u128::from(at.as_nanos()) / interval.as_nanos().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn moment(wall: u64, elapsed: u64) -> Moment {
        let wall = Timestamp::from_nanos(wall * 1_000_000_000);
        Moment { wall, elapsed: Duration::from_secs(elapsed) }
    }

    #[test]
    fn files_end_at_the_full_hour() {
        let hourly = Rotation { interval: Some(HOUR), size: None };
        for (begun, now, due) in [
            ((7_199, 0), (7_199, 0), false),
            ((7_199, 0), (7_200, 1), true),
            ((7_200, 0), (10_799, 3_599), false),
            ((7_200, 0), (10_800, 3_600), true),
            ((7_200, 0), (20, 3_599), false),
            ((7_200, 0), (20, 3_600), true),
            ((7_200, 0), (1_000_000, 1), true),
        ] {
            let (begun, now) = (moment(begun.0, begun.1), moment(now.0, now.1));
            assert_eq!(hourly.is_due(begun, now), due, "{begun:?} {now:?}");
        }
        assert!(!Rotation { interval: None, size: None }.is_due(moment(0, 0), moment(u32::MAX.into(), 9)));
    }

    #[test]
    fn a_file_is_full_before_it_outgrows_its_size_and_one_batch_may_be_larger() {
        let small = Rotation { interval: None, size: Some(100) };
        for (bytes, more, full) in [(0, 1_000, false), (40, 60, false), (40, 61, true), (100, 1, true)] {
            assert_eq!(small.is_full(bytes, more), full, "{bytes} {more}");
        }
    }

    #[test]
    fn the_policy_says_what_must_be_and_what_is_given_counts_anyway() {
        let of = |config: FileConfig| {
            let Rotation { interval, size } = Rotation::of(&config);
            (interval.map(|interval| interval.as_secs() / 60), size)
        };
        let config = || FileConfig::new("a");
        let minutes = |minutes| Duration::from_mins(minutes);
        for (config, expected) in [
            (config(), (Some(60), Some(DEFAULT_SIZE))),
            (config().with_rotation_interval(minutes(5)), (Some(5), None)),
            (config().with_max_file_size(7u64), (None, Some(7))),
            (config().with_rotation_policy(RotationPolicy::Time), (Some(60), None)),
            (
                config().with_rotation_policy(RotationPolicy::Time).with_max_file_size(7u64),
                (Some(60), Some(7)),
            ),
            (config().with_rotation_policy(RotationPolicy::Size), (None, Some(DEFAULT_SIZE))),
            (config().with_rotation_policy(RotationPolicy::Both), (Some(60), Some(DEFAULT_SIZE))),
            (config().with_rotation_policy(RotationPolicy::Never), (None, None)),
        ] {
            assert_eq!(of(config.clone()), expected, "{config:?}");
        }
    }
}
