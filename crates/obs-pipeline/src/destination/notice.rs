//! What a destination says of itself.

use std::io::Write;
use std::time::Duration;

use obs_core::{ErrorKind, Receipt};

use crate::outcome::Outcome;

/// Tells the operator of trouble: a `tracing` event under `obs::` each time, or, where nothing listens to those, at
/// most one line a minute on stderr.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    last_line: Option<Duration>,
}

const BETWEEN_LINES: Duration = Duration::from_mins(1);

impl Notices {
    /// Tells what is wrong with a batch, if something is.
    pub(super) fn tell(
        &mut self,
        destination: &str,
        signal: obs_core::Signal,
        outcome: &Outcome,
        now: Duration,
    ) {
        if let Some(trouble) = &outcome.trouble {
            let (kind, message, again) = (trouble.kind, &*trouble.message, trouble.again);
            tracing::warn!(target: "obs::delivery", destination, %signal, %kind, ?again, "not delivered yet: {message}");
            self.line(now, || format!("obs: {destination}: {signal} not delivered yet ({kind}): {message}"));
        }
        let Receipt { dead_lettered, diverted, .. } = &outcome.receipt;
        if *dead_lettered > 0 {
            tracing::warn!(target: "obs::delivery", destination, %signal, count = dead_lettered, "dead-lettered");
            self.line(now, || {
                format!("obs: {destination}: {dead_lettered} {signal} went to the dead letters")
            });
        }
        for diverted in diverted {
            let (to, count) = (&*diverted.to, diverted.receipt.settled());
            tracing::warn!(target: "obs::delivery", destination, %signal, to, count, "diverted");
            self.line(now, || format!("obs: {destination}: it is out, {count} {signal} went to {to}"));
        }
        if let Some((kind, reason)) = first_rejection(&outcome.receipt) {
            let count = outcome.receipt.rejected_count();
            let what = fate(kind);
            tracing::warn!(target: "obs::delivery", destination, %signal, %kind, count, "{what}: {reason}");
            self.line(now, || format!("obs: {destination}: {count} {signal} {what} ({kind}): {reason}"));
        }
    }

    /// Tells something that concerns no batch.
    pub(crate) fn say(&mut self, destination: &str, message: &str, now: Duration) {
        tracing::warn!(target: "obs::delivery", destination, "{message}");
        self.line(now, || format!("obs: {destination}: {message}"));
    }

    fn line(&mut self, now: Duration, line: impl FnOnce() -> String) {
        if !tracing::dispatcher::has_been_set() && self.may_print(now) {
            // Where stderr is gone, nobody is left to tell; `eprintln!` would panic.
            let _ = writeln!(std::io::stderr().lock(), "{}", line());
        }
    }

    fn may_print(&mut self, now: Duration) -> bool {
        let may = self.last_line.is_none_or(|last| now >= last + BETWEEN_LINES);
        if may {
            self.last_line = Some(now);
        }
        may
    }
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
        let printed = (0..300).filter(|second| notices.may_print(Duration::from_secs(*second)));
        assert_eq!(printed.collect::<Vec<_>>(), [0, 60, 120, 180, 240]);
    }
}
