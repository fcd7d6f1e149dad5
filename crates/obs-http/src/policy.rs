//! What a status means for the records that were sent.

use std::time::Duration;

use obs_core::{ErrorKind, Retry};

/// How long a destination that is out as a whole rests before it is looked at again.
pub const HOLD: Duration = Duration::from_mins(1);

/// What to make of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The backend has the records.
    Success,
    /// The backend cannot take them now: try again, not before what `Retry-After` says.
    Retry,
    /// The same, but `Retry-After` is not read.
    Backoff,
    /// The backend wants fewer requests: try again, not before what `Retry-After` says.
    RateLimit,
    /// The backend does not accept the credentials: the destination rests for [`HOLD`], its records stay.
    Auth,
    /// The endpoint is not the backend's, or the account may not use it: the destination rests for [`HOLD`], its records
    /// stay.
    Hold,
    /// The request is larger than the backend takes: never again as it is, but halved.
    TooLarge,
    /// The backend refuses the content: never again as it is.
    Reject,
}

impl Action {
    /// What it means for the records, with the wait that the backend asked for; `None` is success.
    pub(crate) const fn trouble(self, wait: Option<Duration>) -> Option<(ErrorKind, Retry)> {
        let asked = match wait {
            Some(wait) => Retry::After(wait),
            None => Retry::Backoff,
        };
        Some(match self {
            Self::Success => return None,
            Self::Retry => (ErrorKind::Unavailable, asked),
            Self::Backoff => (ErrorKind::Unavailable, Retry::Backoff),
            Self::RateLimit => (ErrorKind::RateLimited, asked),
            Self::Auth => (ErrorKind::Auth, Retry::Hold(HOLD)),
            Self::Hold => (ErrorKind::Config, Retry::Hold(HOLD)),
            Self::TooLarge => (ErrorKind::TooLarge, Retry::Never),
            Self::Reject => (ErrorKind::Rejected, Retry::Never),
        })
    }
}

/// The first and the last status of the table.
const FIRST: u16 = 100;
const LAST: u16 = 599;
const COUNT: usize = (LAST - FIRST + 1) as usize;

/// What each status of an endpoint means: a table that a leaf owns as a constant.
///
/// ```
/// use obs_http::{Action, Policy};
///
/// /// Scores have ids of the caller's, so that a conflict says: the backend has it.
/// const SCORES: Policy = Policy::DEFAULT.success(&[409]).reject(&[404]);
///
/// assert_eq!(SCORES.action(409), Action::Success);
/// assert_eq!(Policy::DEFAULT.action(409), Action::Reject);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    actions: [Action; COUNT],
}

impl Policy {
    /// What most backends mean.
    ///
    /// - 2xx is success.
    /// - 408, 425, every 5xx but 501, and 1xx as a last word are retried; 429 is a rate limit.
    /// - 401, 403 and 407 are a matter of credentials, 3xx, 404, 405 and 410 one of the endpoint, 402 one of the
    ///   account; the destination rests.
    /// - 413, 414 and 431 are too large.
    /// - 501 and every other 4xx is a rejection.
    ///
    /// 404 and 410 are a matter of the endpoint where one request names no object of the backend's; where it does, the
    /// leaf's constant says [`reject`](Self::reject), as it does where 402 or 405 speaks of one record.
    pub const DEFAULT: Self = Self::filled(Action::Retry)
        .class(2, Action::Success)
        .class(3, Action::Hold)
        .class(4, Action::Reject)
        .retry(&[408, 425])
        .with(&[429], Action::RateLimit)
        .with(&[401, 403, 407], Action::Auth)
        .hold(&[402, 404, 405, 410])
        .with(&[413, 414, 431], Action::TooLarge)
        .reject(&[501]);

    /// What the OTLP specification says: of all errors only 429, 502, 503 and 504 are retried, and `Retry-After` is
    /// read with 429 and 503.
    ///
    /// What concerns the destination as a whole (401 to 405, 407, 410, 3xx) holds it as with [`DEFAULT`](Self::DEFAULT).
    pub const OTLP: Self = Self::DEFAULT
        .class(5, Action::Reject)
        .reject(&[408, 425])
        .retry(&[503])
        .with(&[502, 504], Action::Backoff);

    const fn filled(action: Action) -> Self {
        Self { actions: [action; COUNT] }
    }

    /// Sets all statuses of a class, such as 4 for 400 to 499.
    const fn class(mut self, class: u16, action: Action) -> Self {
        let mut at = (class * 100 - FIRST) as usize;
        let end = at + 100;
        while at < end {
            self.actions[at] = action;
            at += 1;
        }
        self
    }

    /// Sets what these statuses mean.
    ///
    /// A number that is no status (below 100 or above 599) does not compile in a constant, which is where policies
    /// belong; elsewhere it panics.
    #[must_use]
    pub const fn with(mut self, statuses: &[u16], action: Action) -> Self {
        let mut at = 0;
        while at < statuses.len() {
            assert!(statuses[at] >= FIRST && statuses[at] <= LAST, "a status is 100 to 599");
            self.actions[(statuses[at] - FIRST) as usize] = action;
            at += 1;
        }
        self
    }

    /// These statuses mean that the backend has the records.
    #[must_use]
    pub const fn success(self, statuses: &[u16]) -> Self {
        self.with(statuses, Action::Success)
    }

    /// These statuses mean that the same request may pass later.
    #[must_use]
    pub const fn retry(self, statuses: &[u16]) -> Self {
        self.with(statuses, Action::Retry)
    }

    /// These statuses mean that the backend refuses the content.
    #[must_use]
    pub const fn reject(self, statuses: &[u16]) -> Self {
        self.with(statuses, Action::Reject)
    }

    /// These statuses mean that the endpoint is not the backend's, or that the account may not use it.
    #[must_use]
    pub const fn hold(self, statuses: &[u16]) -> Self {
        self.with(statuses, Action::Hold)
    }

    /// What this status means; above 599, what 599 does.
    pub const fn action(&self, status: u16) -> Action {
        let at = if status > LAST { COUNT - 1 } else { status.saturating_sub(FIRST) as usize };
        self.actions[at]
    }

    /// What this status means for the records, with the wait that `Retry-After` asks for; `None` is success.
    ///
    /// Pure, so that a table of it can be held against a backend's documentation.
    pub const fn classify(&self, status: u16, wait: Option<Duration>) -> Option<(ErrorKind, Retry)> {
        self.action(status).trouble(wait)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same rules once more, as conditions instead of a table.
    fn expected(status: u16, otlp: bool) -> Action {
        match status {
            429 => Action::RateLimit,
            401 | 403 | 407 => Action::Auth,
            413 | 414 | 431 => Action::TooLarge,
            408 | 425 if !otlp => Action::Retry,
            502 | 504 if otlp => Action::Backoff,
            200..=299 => Action::Success,
            402 | 404 | 405 | 410 | 300..=399 => Action::Hold,
            501 | 400..=499 => Action::Reject,
            500 | 505..=599 if otlp => Action::Reject,
            _ => Action::Retry,
        }
    }

    #[test]
    fn every_status_has_its_action() {
        for status in FIRST..=LAST {
            assert_eq!(Policy::DEFAULT.action(status), expected(status, false), "{status}");
            assert_eq!(Policy::OTLP.action(status), expected(status, true), "OTLP {status}");
        }
    }

    #[test]
    fn a_number_beyond_the_table_means_what_its_end_does() {
        assert_eq!(Policy::DEFAULT.action(999), Action::Retry);
        assert_eq!(Policy::OTLP.action(600), Action::Reject);
        assert_eq!(Policy::DEFAULT.action(0), Action::Retry);
    }

    #[test]
    fn only_statuses_that_are_retried_read_the_wait() {
        let wait = Some(Duration::from_secs(7));
        let after = Retry::After(Duration::from_secs(7));
        assert_eq!(Policy::DEFAULT.classify(503, wait), Some((ErrorKind::Unavailable, after)));
        assert_eq!(Policy::DEFAULT.classify(429, wait), Some((ErrorKind::RateLimited, after)));
        assert_eq!(Policy::OTLP.classify(502, wait), Some((ErrorKind::Unavailable, Retry::Backoff)));
        assert_eq!(Policy::DEFAULT.classify(401, wait), Some((ErrorKind::Auth, Retry::Hold(HOLD))));
        assert_eq!(Policy::DEFAULT.classify(400, wait), Some((ErrorKind::Rejected, Retry::Never)));
        assert_eq!(Policy::DEFAULT.classify(204, wait), None);
    }
}
