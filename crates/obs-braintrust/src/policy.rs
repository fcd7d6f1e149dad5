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
