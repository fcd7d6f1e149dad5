//! What happened lately, as a route's condition sees it.

use std::time::Duration;

use obs_core::{Batch, Span, Status};

use crate::rolling::Rolling;

/// A rolling window over the spans that pass the pipeline.
///
/// It is forgotten in sixtieths, and takes at most 128 KiB whatever the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    span: Duration,
    roots_only: bool,
}

impl Window {
    /// Over the spans that ended within the last `span` of time, at least 60 ms.
    pub const fn over(span: Duration) -> Self {
        Self { span, roots_only: false }
    }

    /// Counts the roots of traces only; by default every span that ended counts.
    #[must_use]
    pub const fn roots_only(self) -> Self {
        Self { roots_only: true, ..self }
    }
}

/// What a [`Window`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct WindowStats {
    /// How many spans ended.
    pub count: u64,
    /// How many ended a second, over the whole window: it rises from zero while the first window fills.
    pub rate: f64,
    /// How long they took on average; zero for none.
    pub average: Duration,
    /// What 95 of a hundred did not exceed, within 1/32 or half a microsecond; zero for none.
    pub p95: Duration,
    /// What 99 of a hundred did not exceed, within 1/32 or half a microsecond; zero for none.
    pub p99: Duration,
    /// The share that failed, 0 to 1; zero for none.
    pub error_rate: f64,
}

/// A window with what it has seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) window: Window,
    rolling: Rolling,
}

impl Seen {
    pub(super) fn new(window: Window) -> Self {
        Self { window, rolling: Rolling::over(window.span) }
    }

    pub(super) fn observe(&mut self, batch: &Batch, now: Duration) {
        let Batch::Traces(records) = batch else { return };
        for span in records.iter().filter_map(|record| record.ended()) {
            if !self.window.roots_only || span.is_root() {
                self.rolling.add(span.duration().unwrap_or_default(), failed(span), now);
            }
        }
    }

    pub(super) fn stats(&self, now: Duration) -> WindowStats {
        let tally = self.rolling.tally(now);
        WindowStats {
            count: tally.count,
            rate: tally.count as f64 / self.window.span.max(Rolling::LEAST).as_secs_f64(),
            average: tally.average(),
            p95: tally.percentile(95),
            p99: tally.percentile(99),
            error_rate: tally.failed_share(),
        }
    }
}

fn failed(span: &Span) -> bool {
    span.status == Status::Error || span.error.is_some()
}
