//! How long records gather.

use std::time::Duration;

use crate::LaneConfig;

/// The interval of a lane, which may follow the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    interval: Duration,
    adapts: Option<(Duration, Duration)>,
}

impl Pace {
    /// The interval that a lane's options ask for, `fixed` where it does not follow the load.
    pub(super) fn new(config: &LaneConfig, fixed: Duration) -> Self {
        let (least, greatest) = (config.min_flush_interval, config.max_flush_interval);
        let greatest = greatest.max(least);
        if config.adaptive_flushing {
            Self { interval: fixed.clamp(least, greatest), adapts: Some((least, greatest)) }
        } else {
            Self { interval: fixed, adapts: None }
        }
    }

    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// A batch left of its own accord with this share of what it may hold.
    pub(super) fn left(&mut self, share: f64) {
        let Some((least, greatest)) = self.adapts else { return };
        if share >= 1.0 {
            self.interval = (self.interval / 2).max(least);
        } else if share < 0.5 {
            self.interval = self.interval.saturating_mul(2).min(greatest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn the_interval_follows_the_load_between_its_bounds() {
        let adaptive = LaneConfig { adaptive_flushing: true, ..LaneConfig::DEFAULT };
        let mut pace = Pace::new(&adaptive, S(1));
        assert_eq!(pace.interval(), S(5), "never more often than every 5 s");
        let quiet: Vec<_> = (0..7)
            .map(|_| {
                pace.left(0.1);
                pace.interval().as_secs()
            })
            .collect();
        assert_eq!(quiet, [10, 20, 40, 80, 160, 300, 300]);
        pace.left(0.7);
        assert_eq!(pace.interval(), S(300), "a batch that is half full is what the interval is for");
        for _ in 0..10 {
            pace.left(1.0);
        }
        assert_eq!(pace.interval(), S(5));
    }

    #[test]
    fn off_by_default() {
        let mut pace = Pace::new(&LaneConfig::DEFAULT, S(1));
        pace.left(0.1);
        assert_eq!(pace.interval(), S(1));
    }
}
