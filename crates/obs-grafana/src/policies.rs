//! What the answers of Loki and of remote write mean.

use obs_http::Policy;

/// Loki's push API; 260 is its answer while an operator has blocked what comes in, which is then thrown away.
pub(crate) const LOKI: Policy = Policy::DEFAULT.reject(&[260]);

/// Remote write: its specification has every 5xx and 429 tried again, and no other.
pub(crate) const REMOTE_WRITE: Policy = Policy::DEFAULT.retry(&[501]).reject(&[408, 425]);

/// A request without content, which shows whether the credential is good: a server that refuses the content has looked
/// at the credential before.
pub(crate) const CHECK: Policy = Policy::DEFAULT.success(&[400, 415, 422]);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const REST: Duration = Duration::from_mins(1);

    macro_rules! shared {
        ($name:ident, $policy:expr, $gateway:expr, $content:expr, $unknown:expr) => {
            obs_testkit::policy_table!($name, $policy, {
                [200, 201, 202, 204, 207] ANY => Success;
                [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(REST));
                [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(REST));
                [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(REST));
                [406, 409, 411, 412, 423, 424, 426, 428, 451] ANY => Fails(ErrorKind::Rejected, Retry::Never);
                [400, 415, 422] ANY => $content;
                [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
                [429] ANY => Waits(ErrorKind::RateLimited);
                [408, 425] ANY => $gateway;
                [500, 502, 503, 504, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Waits(ErrorKind::Unavailable);
                [501] ANY => $unknown;
            });
        };
    }

    shared!(
        loki,
        &LOKI,
        Waits(ErrorKind::Unavailable),
        Fails(ErrorKind::Rejected, Retry::Never),
        Fails(ErrorKind::Rejected, Retry::Never)
    );
    shared!(
        remote_write,
        &REMOTE_WRITE,
        Fails(ErrorKind::Rejected, Retry::Never),
        Fails(ErrorKind::Rejected, Retry::Never),
        Waits(ErrorKind::Unavailable)
    );
    shared!(check, &CHECK, Waits(ErrorKind::Unavailable), Success, Fails(ErrorKind::Rejected, Retry::Never));

    #[test]
    fn lokis_answer_while_it_is_blocked_is_no_success() {
        assert_eq!(LOKI.classify(260, None).map(|(kind, _)| kind), Some(obs_core::ErrorKind::Rejected));
    }
}
