//! What Braintrust's statuses mean for the records that were sent.

use obs_core::{ErrorKind, Failure, Retry};
use obs_http::{HOLD, Policy};

/// Requests to the project or experiment of the configuration: 408, 429 and 5xx are tried again, 401 and 403 hold.
pub(crate) const ROWS: Policy = Policy::DEFAULT;

/// Requests to an experiment that a record names: where Braintrust does not know it, or the key may not write there, the
/// record is wrong and not the destination.
pub(crate) const NAMED: Policy = Policy::DEFAULT.reject(&[403, 404]);

/// Looking something up that every request needs: what would refuse one record there concerns them all.
pub(crate) const LOOKUP: Policy = Policy::DEFAULT;

/// A failed look-up, which leaves every record where it is.
pub(crate) fn of_lookup(failure: &Failure, what: &str) -> Failure {
    let content = failure.kind.is_content();
    let (kind, retry) =
        if content { (ErrorKind::Config, Retry::Hold(HOLD)) } else { (failure.kind, failure.retry) };
    let message = format!("{what}: {}", failure.message).into();
    Failure { kind, retry, status: failure.status, message }
}

/// An answer that is not what the API says.
pub(crate) fn not_braintrust(what: &str) -> Failure {
    let message = format!("{what}; check that `endpoint` is the API of Braintrust's data plane").into();
    Failure { kind: ErrorKind::Config, retry: Retry::Hold(HOLD), status: None, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    obs_testkit::policy_table!(what_the_configured_place_answers, &ROWS, {
        [200, 201, 202, 204, 207] ANY => Success;
        [408, 500, 502, 503, 504] ANY => Waits(ErrorKind::Unavailable);
        [429] ANY => Waits(ErrorKind::RateLimited);
        [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(HOLD));
        [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
        [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
        [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
        [400, 406, 409, 411, 412, 415, 422] ANY => Fails(ErrorKind::Rejected, Retry::Never);
        [423, 424, 426, 428, 451, 501] ANY => Fails(ErrorKind::Rejected, Retry::Never);
        [425, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Waits(ErrorKind::Unavailable);
    });

    obs_testkit::policy_table!(what_an_experiment_that_a_record_names_answers, &NAMED, {
        [200, 201, 202, 204, 207] ANY => Success;
        [408, 500, 502, 503, 504] ANY => Waits(ErrorKind::Unavailable);
        [429] ANY => Waits(ErrorKind::RateLimited);
        [401, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(HOLD));
        [402, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
        [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
        [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
        [400, 403, 404, 406, 409, 411, 412, 415, 422] ANY => Fails(ErrorKind::Rejected, Retry::Never);
        [423, 424, 426, 428, 451, 501] ANY => Fails(ErrorKind::Rejected, Retry::Never);
        [425, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Waits(ErrorKind::Unavailable);
    });
}
