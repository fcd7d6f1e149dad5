//! How a destination is, as far as its last calls tell.

use obs_core::{Health, Receipt};

use super::notice::{because, fate, first_rejection};
use crate::LastError;
use crate::outcome::Outcome;

/// What is known of a destination's health.
#[derive(Debug, Clone, Default)]
pub(super) struct Status {
    /// Failures in a row, and what the last one said.
    failures: u32,
    failure: Box<str>,
    /// Whether it is held: nothing leaves for it.
    held: bool,
    /// Something that is not as it should be although records arrive.
    complaint: Option<Box<str>>,
    /// Why it will never take anything again.
    dead: Option<Box<str>>,
}

impl Status {
    /// What a batch came to; `cause` is why its records are elsewhere, if they are, as far as is known.
    pub(super) fn settled(&mut self, outcome: &Outcome, cause: Option<&LastError>) {
        if let Some(trouble) = &outcome.trouble {
            self.held = trouble.is_hold();
            self.failed(format!("{}: {}", trouble.kind, trouble.message));
            return;
        }
        (self.failures, self.held) = (0, false);
        self.took(&outcome.receipt, cause);
    }

    /// What became of records that it took.
    pub(super) fn took(&mut self, receipt: &Receipt, cause: Option<&LastError>) {
        let rejected = first_rejection(receipt);
        self.complaint = if let Some((kind, reason)) = rejected {
            Some(format!("records were {} ({kind}): {reason}", fate(kind)).into())
        } else if receipt.dead_lettered > 0 {
            Some(format!("records were rejected and are with the dead letters{}", because(cause)).into())
        } else {
            let names: Vec<_> = receipt.diverted.iter().map(|diverted| &*diverted.to).collect();
            let told = || format!("it is out, and {} has its records{}", names.join(", "), because(cause));
            (!names.is_empty()).then(|| told().into())
        };
    }

    /// A call failed, whatever for.
    fn failed(&mut self, message: String) {
        self.failures = self.failures.saturating_add(1);
        self.failure = message.into();
    }

    /// What the exporter says when it is asked.
    pub(super) fn checked(&mut self, health: Health) {
        match health {
            // An answer to a question is no delivery: what holds it knows better.
            Health::Healthy | Health::Degraded(_) if self.held => {}
            Health::Healthy => (self.failures, self.complaint) = (0, None),
            Health::Degraded(reason) => (self.failures, self.complaint) = (0, Some(reason)),
            Health::Unhealthy(reason) => self.failed(reason.into()),
        }
    }

    /// Something is not as it should be.
    pub(super) fn complain(&mut self, message: impl Into<Box<str>>) {
        self.complaint = Some(message.into());
    }

    /// It will never take anything again.
    pub(super) fn died(&mut self, message: impl Into<Box<str>>) {
        self.dead = Some(message.into());
    }

    /// The health, where it takes so many failures in a row to be unhealthy; a destination that is held is so at once.
    pub(super) fn health(&self, threshold: u32) -> Health {
        if let Some(reason) = &self.dead {
            return Health::Unhealthy(reason.clone());
        }
        match (self.failures, &self.complaint) {
            (0, None) => Health::Healthy,
            (0, Some(reason)) => Health::Degraded(reason.clone()),
            (failures, _) if self.held || failures >= threshold => Health::Unhealthy(self.failure.clone()),
            _ => Health::Degraded(self.failure.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_make_it_unhealthy_and_one_success_heals() {
        let mut status = Status::default();
        let failed = || Health::Unhealthy("no route".into());
        assert_eq!(status.health(3), Health::Healthy);
        status.checked(failed());
        status.checked(failed());
        assert_eq!(status.health(3), Health::Degraded("no route".into()));
        status.checked(failed());
        assert_eq!(status.health(3), Health::Unhealthy("no route".into()));
        status.checked(Health::Healthy);
        assert_eq!(status.health(3), Health::Healthy);
        status.died("its thread panicked");
        assert_eq!(status.health(3), Health::Unhealthy("its thread panicked".into()));
    }
}
