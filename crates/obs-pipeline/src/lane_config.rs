//! How a destination's lanes work.

use std::time::Duration;

use crate::Backoff;

/// How a destination's lanes work; one for all its signals.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneConfig {
    /// How long the oldest record waits before a batch leaves that is not full.
    ///
    /// Default: none, which means 1 s, or 200 ms for a destination that writes to this machine.
    pub flush_interval: Option<Duration>,
    /// How often a lane that aggregates metrics offers its series.
    ///
    /// Default: none, which means 10 s, or 1 s for a destination that writes to this machine.
    pub metric_interval: Option<Duration>,
    /// The most bytes that may wait for the destination, over all signals; shared segments count in full.
    ///
    /// Default: 64 MiB, room for about 30,000 spans with payloads of 2 KiB.
    pub queue_bytes: usize,
    /// What happens to a segment for which there is no room.
    ///
    /// Default: [`Overflow::DropOldest`], since fresh data says more about what goes on.
    pub overflow: Overflow,
    /// How long a record may wait; what is older is dropped and counted as `expired`.
    ///
    /// Default: one hour.
    pub max_age: Duration,
    /// The longest that one `export` may take before it is given up as [`obs_core::ErrorKind::Timeout`].
    ///
    /// Default: 60 s, longer than any deadline of a single request.
    pub export_timeout: Duration,
    /// The waits between attempts.
    pub backoff: Backoff,
    /// The most requests that may be spent on splitting one batch.
    ///
    /// Default: 256, enough to isolate ten poisoned records among a thousand.
    pub split_budget: usize,
}

/// What happens to a segment for which there is no room in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// The oldest segments that are not on their way are dropped for it.
    #[default]
    DropOldest,
    /// It is dropped.
    DropNewest,
    /// It waits before this lane alone, at most so long; then it is dropped.
    ///
    /// What waits counts against the intake's bytes.
    Block(Duration),
}

impl LaneConfig {
    /// The default, as a constant.
    pub const DEFAULT: Self = Self {
        flush_interval: None,
        metric_interval: None,
        queue_bytes: 64 << 20,
        overflow: Overflow::DropOldest,
        max_age: Duration::from_hours(1),
        export_timeout: Duration::from_mins(1),
        backoff: Backoff::DEFAULT,
        split_budget: 256,
    };

    /// How long the oldest record waits, for a destination that is local or not.
    pub(crate) fn flush_interval_for(&self, local: bool) -> Duration {
        let default = if local { Duration::from_millis(200) } else { Duration::from_secs(1) };
        self.flush_interval.unwrap_or(default)
    }

    /// How often series are offered, for a destination that is local or not.
    pub(crate) fn metric_interval_for(&self, local: bool) -> Duration {
        let default = if local { Duration::from_secs(1) } else { Duration::from_secs(10) };
        self.metric_interval.unwrap_or(default)
    }
}

impl Default for LaneConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}
