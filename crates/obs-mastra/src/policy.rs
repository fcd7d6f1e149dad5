//! What the platform's statuses mean for the records that were sent.

use obs_http::Policy;

/// Every route: 408, 429 and 5xx are tried again, 401 and 403 hold.
///
/// Before it [`crate::quota`] reads the headers, and with 402 they say how long to wait.
pub(crate) const PUBLISH: Policy = Policy::DEFAULT;

#[cfg(test)]
mod tests {
    use obs_http::HOLD;

    use super::*;

    obs_testkit::policy_table!(what_a_route_answers, &PUBLISH, {
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
}
