//! What the answers of Datadog's intakes mean for the records that were sent.

use obs_http::Policy;

/// Spans of LLM Observability.
pub(crate) const LLMOBS: Policy = Policy::DEFAULT;

/// Evaluations of LLM Observability.
pub(crate) const EVALUATIONS: Policy = Policy::DEFAULT;

/// Logs: 408, 429 and 5xx are tried again, 413 is halved, 400 is a rejection.
pub(crate) const LOGS: Policy = Policy::DEFAULT;

/// Series: the same as logs.
pub(crate) const SERIES: Policy = Policy::DEFAULT;

/// Points of distributions: the same as series.
pub(crate) const DISTRIBUTIONS: Policy = Policy::DEFAULT;

/// OTLP, of which the specification says what is tried again.
pub(crate) const OTLP: Policy = Policy::OTLP;

/// Whether a key is good: nothing but the answer 200 says so.
pub(crate) const VALIDATE: Policy = Policy::DEFAULT;

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! intake {
        ($name:ident, $policy:expr) => {
            obs_testkit::policy_table!($name, $policy, {
                [200, 201, 202, 204, 207] ANY => Success;
                [408, 425, 500, 502, 503, 504] ANY => Waits(ErrorKind::Unavailable);
                [429] ANY => Waits(ErrorKind::RateLimited);
                [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(obs_http::HOLD));
                [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(obs_http::HOLD));
                [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(obs_http::HOLD));
                [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
                [400, 406, 409, 411, 412, 415, 422] ANY => Fails(ErrorKind::Rejected, Retry::Never);
                [423, 424, 426, 428, 451, 501] ANY => Fails(ErrorKind::Rejected, Retry::Never);
                [505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Waits(ErrorKind::Unavailable);
            });
        };
    }

    intake!(spans, &LLMOBS);
    intake!(evaluations, &EVALUATIONS);
    intake!(logs, &LOGS);
    intake!(series, &SERIES);
    intake!(distributions, &DISTRIBUTIONS);
    intake!(the_validation_of_a_key, &VALIDATE);
}
