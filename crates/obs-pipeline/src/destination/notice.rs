//! What a destination says of itself.

use std::io::Write;
use std::time::Duration;

use obs_core::{ErrorKind, Receipt};

use crate::LastError;
use crate::outcome::Outcome;

/// Tells the operator of trouble: a `tracing` event under `obs::` each time, or, where nothing listens to those, at
/// most one line a minute on stderr.
///
/// Within the minute only what weighs more than what was told is told, so that a record that nobody wants does not hide a
/// key that is wrong.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    /// When the last line was printed, and what it weighed.
    last_line: Option<(Duration, Weight)>,
}

/// How much a line matters to whoever runs the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// Some records, and no others.
    Records,
    /// The destination is out, or asks for a rest.
    Outage,
    /// Nothing arrives until somebody does something.
    Broken,
    /// The program ends, and takes records with it.
    End,
}

impl Weight {
    const fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Auth | ErrorKind::Config | ErrorKind::Closed => Self::Broken,
            kind if kind.is_content() => Self::Records,
            _ => Self::Outage,
        }
    }
}

const BETWEEN_LINES: Duration = Duration::from_mins(1);

impl Notices {
    /// Tells what is wrong with a batch, if something is; `cause` is why records are elsewhere, as far as is known.
    pub(super) fn tell(
        &mut self,
        destination: &str,
        signal: obs_core::Signal,
        outcome: &Outcome,
        cause: Option<&LastError>,
        now: Duration,
    ) {
        if let Some(trouble) = &outcome.trouble {
            let (kind, message, again) = (trouble.kind, &*trouble.message, trouble.again);
            tracing::warn!(target: "obs::delivery", destination, %signal, %kind, ?again, "not delivered yet: {message}");
            let line = || format!("obs: {destination}: {signal} not delivered yet ({kind}): {message}");
            self.line(now, Weight::of(kind), line);
        }
        let Receipt { dead_lettered, diverted, .. } = &outcome.receipt;
        let why = because(cause);
        if *dead_lettered > 0 {
            tracing::warn!(target: "obs::delivery", destination, %signal, count = dead_lettered, "dead-lettered{why}");
            let line =
                || format!("obs: {destination}: {dead_lettered} {signal} went to the dead letters{why}");
            self.line(now, Weight::Records, line);
        }
        for diverted in diverted {
            let (to, count) = (&*diverted.to, diverted.receipt.settled());
            tracing::warn!(target: "obs::delivery", destination, %signal, to, count, "diverted{why}");
            let line = || format!("obs: {destination}: it is out, {count} {signal} went to {to}{why}");
            self.line(now, Weight::Outage, line);
        }
        if let Some((kind, reason)) = first_rejection(&outcome.receipt) {
            let count = outcome.receipt.rejected_count();
            let what = fate(kind);
            tracing::warn!(target: "obs::delivery", destination, %signal, %kind, count, "{what}: {reason}");
            let line = || format!("obs: {destination}: {count} {signal} {what} ({kind}): {reason}");
            self.line(now, Weight::Records, line);
        }
    }

    /// Tells something that concerns no batch.
    pub(crate) fn say(&mut self, destination: &str, message: &str, now: Duration) {
        tracing::warn!(target: "obs::delivery", destination, "{message}");
        self.line(now, Weight::Outage, || format!("obs: {destination}: {message}"));
    }

    /// Tells that the destination ends with records that it did not deliver, and why as far as is known.
    pub(super) fn lost(&mut self, destination: &str, count: u64, why: Option<&str>, now: Duration) {
        let why = why.unwrap_or("the deadline was over");
        tracing::error!(target: "obs::delivery", destination, count, "lost at the end: {why}");
        let line = || format!("obs: {destination}: {count} records lost at the end of the program: {why}");
        self.line(now, Weight::End, line);
    }

    fn line(&mut self, now: Duration, weight: Weight, line: impl FnOnce() -> String) {
        if !tracing::dispatcher::has_been_set() && self.may_print(now, weight) {
            // Where stderr is gone, nobody is left to tell; `eprintln!` would panic.
            let _ = writeln!(std::io::stderr().lock(), "{}", line());
        }
    }

    fn may_print(&mut self, now: Duration, weight: Weight) -> bool {
        let told = |(last, told): (Duration, Weight)| now < last + BETWEEN_LINES && weight <= told;
        let may = !self.last_line.is_some_and(told);
        if may {
            self.last_line = Some((now, weight));
        }
        may
    }
}

/// Why records are elsewhere, to be said behind where they are.
pub(super) fn because(cause: Option<&LastError>) -> String {
    cause.map_or_else(String::new, |cause| format!(" ({cause})"))
}

/// What is said of records that no backend was asked about, and of those that one refused.
pub(super) fn fate(kind: ErrorKind) -> &'static str {
    let lost = matches!(kind, ErrorKind::Overflow | ErrorKind::Expired | ErrorKind::Closed);
    if lost { "lost" } else { "rejected" }
}

/// Why records were rejected, as far as one line can tell.
pub(super) fn first_rejection(receipt: &Receipt) -> Option<(ErrorKind, &str)> {
    receipt
        .rejected
        .iter()
        .find(|rejection| rejection.count > 0)
        .map(|rejection| (rejection.kind, &*rejection.reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_9_at_most_one_line_a_minute_without_a_subscriber() {
        let mut notices = Notices::default();
        let printed =
            (0..300).filter(|second| notices.may_print(Duration::from_secs(*second), Weight::Outage));
        assert_eq!(printed.collect::<Vec<_>>(), [0, 60, 120, 180, 240]);
    }

    #[test]
    fn within_the_minute_only_what_weighs_more_is_told() {
        let mut notices = Notices::default();
        let mut told = |second, kind| notices.may_print(Duration::from_secs(second), Weight::of(kind));
        assert!(told(0, ErrorKind::Encode));
        assert!(!told(1, ErrorKind::Rejected));
        assert!(told(2, ErrorKind::Unavailable));
        assert!(told(3, ErrorKind::Auth));
        assert!(!told(4, ErrorKind::Encode) && !told(5, ErrorKind::Unavailable));
        assert!(told(63, ErrorKind::Encode));
        assert!(notices.may_print(Duration::from_secs(64), Weight::End));
    }
}
