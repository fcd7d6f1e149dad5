//! What Langfuse's answers mean.

use obs_http::Policy;

/// The OTLP endpoint: what OTLP has retried, and what the server answers when it fails or is slow.
pub(crate) const TRACES: Policy = Policy::OTLP.retry(&[408, 500]);

/// The endpoint for scores: their ids are ours, so that a conflict of two writes passes in another try.
pub(crate) const SCORES: Policy = Policy::DEFAULT.retry(&[409]);

/// The endpoint for batches; what becomes of each event stands in a 207.
pub(crate) const INGESTION: Policy = Policy::DEFAULT.retry(&[409]);

/// The endpoint that checks the keys.
pub(crate) const PROJECTS: Policy = Policy::DEFAULT;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const REST: Duration = Duration::from_mins(1);

    obs_testkit::policy_table!(traces, &TRACES, {
        [200, 201, 202, 204, 207] ANY => Success;
        [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(REST));
        [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(REST));
        [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(REST));
        [400, 406, 409, 411, 412, 415] ANY => Fails(ErrorKind::Rejected, Retry::Never);
        [422, 423, 424, 425, 426, 428, 451] ANY => Fails(ErrorKind::Rejected, Retry::Never);
        [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
        [429] ANY => Waits(ErrorKind::RateLimited);
        [408, 500, 503] ANY => Waits(ErrorKind::Unavailable);
        [502, 504] ANY => Fails(ErrorKind::Unavailable, Retry::Backoff);
        [501, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    });

    macro_rules! of_the_api {
        ($name:ident, $policy:expr, conflict: $conflict:expr) => {
            obs_testkit::policy_table!($name, $policy, {
                [200, 201, 202, 204, 207] ANY => Success;
                [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(REST));
                [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(REST));
                [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(REST));
                [400, 406, 411, 412, 415] ANY => Fails(ErrorKind::Rejected, Retry::Never);
                [422, 423, 424, 426, 428, 451, 501] ANY => Fails(ErrorKind::Rejected, Retry::Never);
                [409] ANY => $conflict;
                [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
                [429] ANY => Waits(ErrorKind::RateLimited);
                [408, 425] ANY => Waits(ErrorKind::Unavailable);
                [500, 502, 503, 504, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Waits(ErrorKind::Unavailable);
            });
        };
    }

    of_the_api!(scores, &SCORES, conflict: Waits(ErrorKind::Unavailable));
    of_the_api!(ingestion, &INGESTION, conflict: Waits(ErrorKind::Unavailable));
    of_the_api!(projects, &PROJECTS, conflict: Fails(ErrorKind::Rejected, Retry::Never));
}
