//! When somebody is told of a destination's numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ExportStats;
use crate::AlertThresholds;

/// Fewer exports than this say nothing about a rate or a percentile.
const ENOUGH: u64 = 20;

/// How far under its threshold a number must fall before it can raise another alert.
const GOOD_AGAIN: f64 = 0.9;

/// Which number crossed its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AlertKind {
    /// The 95th percentile of the time of the last exports, in seconds, is above.
    ExportLatencyP95,
    /// The share of the last exports that succeeded, in percent, is below.
    SuccessRatePercent,
    /// The number of records that wait is above.
    QueueDepth,
}

impl AlertKind {
    /// The name in options and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExportLatencyP95 => "export_latency_p95",
            Self::SuccessRatePercent => "success_rate_percent",
            Self::QueueDepth => "queue_depth",
        }
    }
}

/// A destination's number that crossed its threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// The destination's name; [`Alerts::look`] leaves it empty, since it does not know it.
    pub destination: Box<str>,
    /// Which number.
    pub kind: AlertKind,
    /// What it is, in the unit of its kind.
    pub value: f64,
    /// What it crossed.
    pub threshold: f64,
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { destination, value, threshold, .. } = self;
        if !destination.is_empty() {
            write!(f, "{destination}: ")?;
        }
        match self.kind {
            AlertKind::ExportLatencyP95 => {
                write!(f, "95 of 100 exports take up to {value:.3} s, more than {threshold:.3} s")
            }
            AlertKind::SuccessRatePercent => {
                write!(f, "{value:.1} % of the exports succeed, less than {threshold:.1} %")
            }
            AlertKind::QueueDepth => write!(f, "{value:.0} records wait, more than {threshold:.0}"),
        }
    }
}

/// Compares a destination's numbers with their thresholds, and tells each crossing once.
///
/// A number can raise another alert when it was good again: the success rate at its threshold, the latency and the
/// depth at nine tenths of theirs, so that one which hovers about the threshold does not flood its reader.
/// Latency and success rate are looked at from the 20th export on.
#[derive(Debug, Clone)]
pub struct Alerts {
    thresholds: AlertThresholds,
    latency: bool,
    success: bool,
    depth: bool,
}

impl Alerts {
    /// Nothing is raised yet.
    pub const fn new(thresholds: AlertThresholds) -> Self {
        Self { thresholds, latency: false, success: false, depth: false }
    }

    /// Compares with other thresholds from now on; what was raised stays raised.
    pub const fn set(&mut self, thresholds: AlertThresholds) {
        self.thresholds = thresholds;
    }

    /// The alerts that these numbers raise; `queue_depth` is the number of records that wait for the destination.
    pub fn look(&mut self, stats: &ExportStats, queue_depth: usize) -> Vec<Alert> {
        let mut alerts = Vec::new();
        let limit = self.thresholds.export_latency_p95.as_secs_f64();
        if stats.latency.count >= ENOUGH {
            let value = stats.latency.p95.as_secs_f64();
            let alert = Alert::of(AlertKind::ExportLatencyP95, value, limit);
            raise(&mut self.latency, value > limit, value <= limit * GOOD_AGAIN, alert, &mut alerts);
        }
        let limit = self.thresholds.success_rate_percent;
        if let Some(value) = stats.success_rate_percent.filter(|_| u64::from(stats.rated) >= ENOUGH) {
            let alert = Alert::of(AlertKind::SuccessRatePercent, value, limit);
            raise(&mut self.success, value < limit, value >= limit, alert, &mut alerts);
        }
        let (value, limit) = (queue_depth as f64, self.thresholds.queue_depth as f64);
        let alert = Alert::of(AlertKind::QueueDepth, value, limit);
        raise(&mut self.depth, value > limit, value <= limit * GOOD_AGAIN, alert, &mut alerts);
        alerts
    }
}

impl Alert {
    fn of(kind: AlertKind, value: f64, threshold: f64) -> Self {
        Self { destination: "".into(), kind, value, threshold }
    }
}

fn raise(raised: &mut bool, bad: bool, good: bool, alert: Alert, alerts: &mut Vec<Alert>) {
    if bad && !*raised {
        alerts.push(alert);
    }
    *raised = bad || (*raised && !good);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn stats(exports: u64, p95: u64, success: f64) -> ExportStats {
        let mut stats = ExportStats::default();
        stats.latency.count = exports;
        stats.latency.p95 = Duration::from_millis(p95);
        stats.rated = u32::try_from(exports).unwrap();
        stats.success_rate_percent = Some(success);
        stats
    }

    fn kinds(alerts: &[Alert]) -> Vec<AlertKind> {
        alerts.iter().map(|alert| alert.kind).collect()
    }

    #[test]
    fn each_crossing_is_told_once_until_the_number_is_good_again() {
        use AlertKind::{ExportLatencyP95, QueueDepth, SuccessRatePercent};
        let mut alerts = Alerts::new(AlertThresholds::DEFAULT);
        let mut look = |p95, success, depth| kinds(&alerts.look(&stats(20, p95, success), depth));
        assert_eq!(look(1_000, 95.0, 1_000), []);
        assert_eq!(look(1_001, 94.9, 1_001), [ExportLatencyP95, SuccessRatePercent, QueueDepth]);
        assert_eq!(look(2_000, 10.0, 9_999), []);
        assert_eq!(look(950, 94.9, 950), []);
        assert_eq!(look(1_100, 94.9, 1_100), [], "950 is not good again");
        assert_eq!(look(900, 95.0, 900), []);
        assert_eq!(look(1_100, 94.0, 1_100), [ExportLatencyP95, SuccessRatePercent, QueueDepth]);
    }

    #[test]
    fn a_few_exports_raise_nothing_and_words_say_what_is_wrong() {
        let mut alerts = Alerts::new(AlertThresholds::DEFAULT);
        assert_eq!(alerts.look(&stats(19, 9_000, 0.0), 0), []);
        let raised = alerts.look(&stats(20, 1_500, 12.5), 1_200);
        let named = raised.into_iter().map(|alert| Alert { destination: "langfuse".into(), ..alert });
        let lines: Vec<_> = named.map(|alert| alert.to_string()).collect();
        assert_eq!(
            lines,
            [
                "langfuse: 95 of 100 exports take up to 1.500 s, more than 1.000 s",
                "langfuse: 12.5 % of the exports succeed, less than 95.0 %",
                "langfuse: 1200 records wait, more than 1000",
            ]
        );
    }
}
