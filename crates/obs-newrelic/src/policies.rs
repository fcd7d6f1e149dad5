//! What the answers of New Relic's three APIs mean.

use obs_http::Policy;

/// OTLP, of which New Relic asks for 408 and 500 to be tried again, too, besides those of the specification (429, 502, 503 and
/// 504).
pub(crate) const OTLP: Policy = Policy::OTLP.retry(&[408, 500]);

/// The Metric API: it asks for every 5xx to be tried again, and for 408 and 429.
pub(crate) const METRICS: Policy = Policy::DEFAULT.retry(&[501]);

/// The Event API: 408, 429 and 503 are tried again, and other 5xx with them.
pub(crate) const EVENTS: Policy = Policy::DEFAULT;

/// A request without content, which shows whether the key is good: one that is not is answered with 403 everywhere, and
/// what refuses the content has let the key pass.
pub(crate) const CHECK: Policy = Policy::DEFAULT.success(&[400, 411, 415, 422]);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const REST: Duration = Duration::from_mins(1);

    macro_rules! shared {
        ($name:ident, $policy:expr, $content:expr, $timeout:expr, $unknown:expr) => {
            obs_testkit::policy_table!($name, $policy, {
                [200, 201, 202, 204, 207] ANY => Success;
                [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(REST));
                [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(REST));
                [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(REST));
                [406, 409, 412, 423, 424, 426, 428, 451] ANY => Fails(ErrorKind::Rejected, Retry::Never);
                [400, 411, 415, 422] ANY => $content;
                [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
                [429] ANY => Waits(ErrorKind::RateLimited);
                [408, 425] ANY => $timeout;
                [500, 502, 503, 504, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Waits(ErrorKind::Unavailable);
                [501] ANY => $unknown;
            });
        };
    }

    shared!(
        metrics,
        &METRICS,
        Fails(ErrorKind::Rejected, Retry::Never),
        Waits(ErrorKind::Unavailable),
        Waits(ErrorKind::Unavailable)
    );
    shared!(
        events,
        &EVENTS,
        Fails(ErrorKind::Rejected, Retry::Never),
        Waits(ErrorKind::Unavailable),
        Fails(ErrorKind::Rejected, Retry::Never)
    );
    shared!(check, &CHECK, Success, Waits(ErrorKind::Unavailable), Fails(ErrorKind::Rejected, Retry::Never));

    obs_testkit::policy_table!(otlp, &OTLP, {
        [200, 201, 202, 204, 207] ANY => Success;
        [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(REST));
        [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(REST));
        [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(REST));
        [400, 406, 409, 411, 412, 415, 422, 423, 424, 425, 426, 428, 451] ANY => Fails(ErrorKind::Rejected, Retry::Never);
        [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
        [429] ANY => Waits(ErrorKind::RateLimited);
        [502, 504] ANY => Fails(ErrorKind::Unavailable, Retry::Backoff);
        [408, 500, 503] ANY => Waits(ErrorKind::Unavailable);
        [501, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    });
}
