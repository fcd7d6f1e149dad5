//! What an `export` came to, held against the batch it was given.

use std::time::Duration;

use obs_core::{Batch, Error, ErrorKind, Receipt, Rejection, Retry};

/// What settled, what is left, and when to try that again.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) receipt: Receipt,
    pub(crate) left: Batch,
    pub(crate) trouble: Option<Trouble>,
}

/// Why something is left.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) kind: ErrorKind,
    pub(crate) message: Box<str>,
    pub(crate) again: Again,
}

/// When to try what is left again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// After the lane's own delay.
    Backoff,
    /// Not before this.
    After(Duration),
    /// Not before this, nor anything else for the destination.
    Hold(Duration),
}

impl Trouble {
    /// Whether the destination as a whole is out.
    pub(crate) fn is_hold(&self) -> bool {
        matches!(self.again, Again::Hold(_))
    }
}

impl Outcome {
    /// Reads a result; what will never pass becomes a rejection.
    ///
    /// An exporter that settles more or fewer records than it was given is corrected, so that a ledger stays exact
    /// whatever a stranger's exporter says.
    pub(crate) fn of(batch: &Batch, result: Result<Receipt, Error>) -> Self {
        let error = match result {
            Ok(receipt) => return Self::settled(batch, receipt),
            Err(error) => error,
        };
        let again = match error.retry() {
            Retry::Never => return Self::settled(batch, error.into_rejection(1)),
            Retry::Backoff => Again::Backoff,
            Retry::After(wait) => Again::After(wait),
            Retry::Hold(wait) => Again::Hold(wait),
        };
        let (receipt, error) = error.take_settled();
        let left = error.undelivered();
        if left.is_empty() || left.signal() != batch.signal() || receipt.settled() + left.len() != batch.len()
        {
            return Self::settled(batch, receipt);
        }
        let trouble = Trouble { kind: error.kind(), message: error.message().into(), again };
        Self { receipt, left: left.clone(), trouble: Some(trouble) }
    }

    fn settled(batch: &Batch, mut receipt: Receipt) -> Self {
        let (claimed, given) = (receipt.settled(), batch.len());
        if claimed < given {
            let reason = "the exporter did not say what became of some records";
            let empty = Batch::empty(batch.signal());
            let rejection = Rejection::of(empty, ErrorKind::Rejected, reason);
            receipt.rejected.push(Rejection { records: None, count: given - claimed, ..rejection });
        } else if claimed > given {
            let rejected = receipt.rejected_count().min(given);
            receipt.delivered = given - rejected;
            (receipt.queued, receipt.dead_lettered) = (0, 0);
            receipt.diverted.clear();
            let mut room = rejected;
            for rejection in &mut receipt.rejected {
                rejection.count = rejection.count.min(room);
                room -= rejection.count;
            }
        }
        Self { receipt, left: Batch::empty(batch.signal()), trouble: None }
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{Level, Log, Signal, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn logs(count: usize) -> Batch {
        Batch::Logs((0..count).map(|_| Log::new(Timestamp::default(), Level::Info, "m")).collect())
    }

    fn receipt(delivered: usize, queued: usize, rejected: &[usize]) -> Receipt {
        let rejection = |count: &usize| Rejection {
            count: *count,
            ..Rejection::of(Batch::empty(Signal::Logs), ErrorKind::Rejected, "no")
        };
        Receipt {
            delivered,
            queued,
            rejected: rejected.iter().map(rejection).collect(),
            ..Receipt::default()
        }
    }

    proptest! {
        #[test]
        fn law_1_accounting_whatever_an_exporter_claims(
            given in 0usize..20, delivered in 0usize..20, queued in 0usize..4,
            rejected in prop::collection::vec(0usize..9, 0..3), left in 0usize..20, error in 0u8..4,
        ) {
            let settled = receipt(delivered, queued, &rejected);
            let retry = [Retry::Never, Retry::Backoff, Retry::Hold(Duration::ZERO)];
            let result = match retry.get(usize::from(error)) {
                None => Ok(settled),
                Some(retry) => Err(Error::new(ErrorKind::Unavailable, *retry, "down", logs(left)).with_settled(settled)),
            };
            let outcome = Outcome::of(&logs(given), result);
            prop_assert_eq!(outcome.receipt.settled() + outcome.left.len(), given);
            prop_assert_eq!(outcome.trouble.is_some(), !outcome.left.is_empty());
        }
    }
}
