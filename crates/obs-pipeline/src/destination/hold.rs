//! Whether a destination as a whole is out.

use std::time::Duration;

use super::outbox::Due;

/// One for all lanes of a destination, since what is out is the backend and not a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Hold {
    /// Batches leave.
    #[default]
    No,
    /// Nothing leaves before this.
    Until(Duration),
    /// One batch is on its way to find out.
    Probing,
}

impl Hold {
    /// When a lane that is due may really send.
    pub(super) fn delays(self, due: Due, now: Duration) -> Due {
        match (self, due) {
            (Self::No, due) => due,
            (Self::Until(until), Due::Now) if now >= until => Due::Now,
            (Self::Until(until), Due::Now) => Due::At(until),
            (Self::Until(until), Due::At(at)) => Due::At(at.max(until)),
            (Self::Probing, _) | (_, Due::Never) => Due::Never,
        }
    }

    /// A batch leaves: after a hold it is a probe.
    pub(super) fn sent(&mut self) {
        if let Self::Until(_) = self {
            *self = Self::Probing;
        }
    }

    /// What a batch came to: the destination is out for so long, or it answered.
    pub(super) fn answered(&mut self, out: Option<Duration>, now: Duration) {
        match (out, *self) {
            (Some(wait), _) => *self = Self::Until(now.saturating_add(wait)),
            (None, Self::Probing) => *self = Self::No,
            (None, Self::No | Self::Until(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn one_probe_finds_out_for_all() {
        let mut hold = Hold::No;
        hold.answered(Some(S(60)), S(1));
        assert_eq!(hold.delays(Due::Now, S(2)), Due::At(S(61)));
        assert_eq!(hold.delays(Due::Now, S(61)), Due::Now);
        hold.sent();
        assert_eq!(hold.delays(Due::Now, S(62)), Due::Never);
        hold.answered(Some(S(60)), S(63));
        assert_eq!(hold, Hold::Until(S(123)));
        hold.sent();
        hold.answered(None, S(124));
        assert_eq!(hold.delays(Due::Now, S(124)), Due::Now);
    }

    #[test]
    fn a_batch_sent_before_the_hold_does_not_end_it() {
        let mut hold = Hold::Until(S(60));
        hold.answered(None, S(1));
        assert_eq!(hold, Hold::Until(S(60)));
    }
}
