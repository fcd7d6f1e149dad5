//! What was measured of a destination's exports.

use std::fmt;
use std::time::Duration;

use obs_core::{ErrorKind, Signal, Timestamp};
use serde::{Serialize, Serializer};

use crate::stats::seconds;
use crate::{Counts, PerSignal};

/// What was measured of a destination's exports; parts that are not tracked stay at zero or absent.
///
/// Exports of empty batches are not counted.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct ExportStats {
    /// Exports that ended, those included whose future was dropped.
    pub exports: u64,
    /// Exports that settled every record and rejected none.
    pub successes: u64,
    /// Exports whose future was dropped before they ended: a timeout above, or a shutdown.
    pub cancelled: u64,
    /// Exports in a row, up to the last one, that failed for another reason than their content.
    pub failures_in_a_row: u32,
    /// Records that they were given.
    pub records: u64,
    /// Bytes of memory of those records, about.
    pub bytes: u64,
    /// The share of the last exports that succeeded, in percent; absent before the first.
    pub success_rate_percent: Option<f64>,
    /// How many exports that share is of: at most 100.
    pub rated: u32,
    /// How long exports took lately.
    pub latency: LatencyStats,
    /// How many errors and rejections came, by the kind's name.
    pub errors: Counts,
    /// The sums since the start, by signal.
    pub signals: PerSignal<SignalStats>,
}

/// How long the exports of the last five minutes took, a cancelled one up to when it was.
///
/// Percentiles are within 1/32 or half a microsecond; everything is zero where there were no exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct LatencyStats {
    /// How many exports.
    pub count: u64,
    /// The average.
    #[serde(rename = "average_seconds", serialize_with = "seconds")]
    pub average: Duration,
    /// What half of them did not exceed.
    #[serde(rename = "p50_seconds", serialize_with = "seconds")]
    pub p50: Duration,
    /// What 95 of a hundred did not exceed.
    #[serde(rename = "p95_seconds", serialize_with = "seconds")]
    pub p95: Duration,
    /// What 99 of a hundred did not exceed.
    #[serde(rename = "p99_seconds", serialize_with = "seconds")]
    pub p99: Duration,
}

/// The sums of one signal since the start.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct SignalStats {
    /// Exports that ended.
    pub exports: u64,
    /// Exports that settled every record and rejected none.
    pub successes: u64,
    /// Records that they were given.
    pub records: u64,
    /// Bytes of memory of those records, about.
    pub bytes: u64,
    /// How long they took together.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub time: Duration,
    /// How many took at most as long as each of [`SignalStats::BOUNDARIES`] and longer than the one before; the last
    /// number is of those that took longer than all.
    pub buckets: [u64; SignalStats::BOUNDARIES.len() + 1],
}

impl SignalStats {
    /// The upper ends of the buckets, in seconds: what is quick, what is slow, and the usual timeouts.
    pub const BOUNDARIES: [f64; 13] =
        [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

    pub(super) fn add_time(&mut self, took: Duration) {
        let longer = |boundary: &f64| took.as_secs_f64() > *boundary;
        self.buckets[Self::BOUNDARIES.partition_point(longer)] += 1;
        self.time = self.time.saturating_add(took);
    }
}

/// What the last export came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LastResult {
    /// When it ended.
    pub at: Timestamp,
    /// The signal of the batch.
    pub signal: Signal,
    /// Records that the backend took.
    pub delivered: usize,
    /// Records that will never be delivered.
    pub rejected: usize,
    /// How long it took.
    #[serde(rename = "took_seconds", serialize_with = "seconds")]
    pub took: Duration,
    /// Why not everything was settled, or the first rejection.
    pub error: Option<LastError>,
}

impl LastResult {
    /// Whether every record was settled and none rejected.
    pub fn is_success(&self) -> bool {
        self.error.is_none()
    }
}

/// What went wrong with an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastError {
    /// What kind of trouble; absent where the export was given up from above.
    #[serde(serialize_with = "kind")]
    pub kind: Option<ErrorKind>,
    /// What it says.
    pub message: Box<str>,
}

impl fmt::Display for LastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(kind) => write!(f, "{kind}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde's `serialize_with` asks for"
)]
fn kind<S: Serializer>(kind: &Option<ErrorKind>, serializer: S) -> Result<S::Ok, S::Error> {
    kind.map(ErrorKind::as_str).serialize(serializer)
}
