//! The numbers of a destination at one moment.

use std::time::Duration;

use obs_core::Signal;
use serde::Serialize;

use crate::breaker::BreakerState;
use crate::monitored::ExportStats;
use crate::{Counts, LaneConfig, Terms};

/// The numbers of a destination at one moment, over all its signals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DestinationStats {
    /// Its name.
    pub name: Box<str>,
    /// Records that wait, those on their way included.
    pub queue_records: usize,
    /// Memory that they take.
    pub queue_bytes: usize,
    /// How much of what may wait does, in percent: of the bytes or of the records, whichever is more.
    pub usage_percent: f64,
    /// How long an export takes on average.
    #[serde(serialize_with = "seconds")]
    pub average_flush_time: Duration,
    /// Records that it was not meant to get, by reason.
    pub filtered: Counts,
    /// Records that were lost, by reason.
    pub dropped: Counts,
    /// Whether it is left alone at the moment.
    pub breaker: BreakerState,
    /// Its exports.
    pub export: ExportStats,
}

/// Writes a duration in seconds.
pub(crate) fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl DestinationStats {
    pub(crate) fn new(
        name: Box<str>,
        config: &LaneConfig,
        (queue_records, queue_bytes): (usize, usize),
        signals: &[Terms; Signal::COUNT],
        export: ExportStats,
        breaker: BreakerState,
    ) -> Self {
        let share = |of: usize, most: u64| 100.0 * of as f64 / most.max(1) as f64;
        let of_bytes = share(queue_bytes, config.max_memory_usage.get());
        let of_records = config.buffer_size.map_or(0.0, |most| share(queue_records, most as u64));
        let sum = |counts: fn(&Terms) -> &Counts| {
            let mut all = Counts::default();
            signals.iter().flat_map(|terms| counts(terms).iter()).for_each(|(reason, count)| {
                all.add(reason.to_owned(), count);
            });
            all
        };
        Self {
            name,
            queue_records,
            queue_bytes,
            usage_percent: of_bytes.max(of_records),
            average_flush_time: export.latency.average,
            filtered: sum(|terms| &terms.filtered),
            dropped: sum(|terms| &terms.dropped),
            breaker,
            export,
        }
    }
}
