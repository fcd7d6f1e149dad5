//! The terms of law 1.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Why records were dropped: the names under which [`Terms::dropped`] and [`IntakeTerms::dropped`] count.
pub mod dropped {
    /// The intake held as many bytes as it may.
    pub const INTAKE_FULL: &str = "intake_full";
    /// A bridge from another SDK could not read them.
    pub const UNREADABLE: &str = "unreadable";
    /// A processor panicked over them, or while it held them.
    pub const PANIC: &str = "panic";
    /// The queue of a destination held as many bytes as it may.
    pub const OVERFLOW: &str = "overflow";
    /// The records grew too old in a queue.
    pub const EXPIRED: &str = "expired";
    /// The pipeline was shut down before they could be delivered, or before a processor that held them let go of them.
    pub const SHUTDOWN: &str = "shutdown";
    /// What disk had of them cannot be read.
    pub const DAMAGED: &str = "damaged";
}

/// Why records were filtered: the names under which [`Terms::filtered`] and [`IntakeTerms::filtered`] count.
///
/// A processor's count is under `processor:` and its name, a route's under `route:` and its description.
pub mod filtered {
    /// The destination does not take the signal.
    pub const UNSUPPORTED: &str = "unsupported";
    /// The destination does not want starts of spans.
    pub const STARTED: &str = "started";
    /// Tail sampling decided against their trace.
    pub const TAIL_SAMPLED: &str = "tail_sampled";
    /// The destination's route does not let them through, and has no description.
    pub const ROUTE: &str = "route";
}

/// Numbers of records by reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<Cow<'static, str>, u64>);

impl Counts {
    /// Adds to a reason; nothing where the number is zero.
    pub fn add(&mut self, reason: impl Into<Cow<'static, str>>, count: u64) {
        if count > 0 {
            *self.0.entry(reason.into()).or_default() += count;
        }
    }

    /// The number under a reason.
    pub fn get(&self, reason: &str) -> u64 {
        self.0.get(reason).copied().unwrap_or_default()
    }

    /// The sum over all reasons.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The reasons in alphabetical order, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(reason, count)| (reason.as_ref(), *count))
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (reason, count)) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{reason} {count}")?;
        }
        Ok(())
    }
}

/// What became of the records of one signal at one destination.
///
/// `offered + recovered = delivered + rejected + dead_lettered + diverted + dropped + filtered + queued`, at any moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Terms {
    /// Records that the collector, a replay or another destination's fallback offered.
    pub offered: u64,
    /// Of those offered, records that did not pass the intake: replays and self-metrics.
    pub own: u64,
    /// Records found in a queue on disk at the start.
    pub recovered: u64,
    /// Records that the backend took.
    pub delivered: u64,
    /// Records that will never be delivered.
    pub rejected: u64,
    /// Records that went to the dead letters.
    pub dead_lettered: u64,
    /// Records that another destination took instead.
    pub diverted: u64,
    /// Records lost here, by reason; see [`dropped`].
    pub dropped: Counts,
    /// Records that the destination is not meant to get, by reason; see [`filtered`].
    pub filtered: Counts,
    /// Records that wait, those on their way included.
    pub queued: u64,
}

impl Terms {
    /// Whether the equation holds.
    pub fn is_balanced(&self) -> bool {
        self.offered + self.recovered
            == self.delivered
                + self.rejected
                + self.dead_lettered
                + self.diverted
                + self.dropped.total()
                + self.filtered.total()
                + self.queued
    }

    /// Whether nothing was ever counted.
    pub fn is_empty(&self) -> bool {
        self.offered == 0 && self.recovered == 0
    }
}

/// What became of the records of one signal before any destination.
///
/// `recorded = sealed + dropped + filtered + pending`, at any moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct IntakeTerms {
    /// Records that the application made, and those that processors added.
    pub recorded: u64,
    /// Records that were offered to every destination.
    pub sealed: u64,
    /// Records lost here, by reason; see [`dropped`].
    pub dropped: Counts,
    /// Records that processors took out, by processor.
    pub filtered: Counts,
    /// Records that the collector has yet to see through.
    pub pending: u64,
}

impl IntakeTerms {
    /// Whether the equation holds.
    pub fn is_balanced(&self) -> bool {
        self.recorded == self.sealed + self.dropped.total() + self.filtered.total() + self.pending
    }

    /// Whether nothing was ever counted.
    pub fn is_empty(&self) -> bool {
        self.recorded == 0
    }
}
