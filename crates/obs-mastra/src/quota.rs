//! When the platform's quota is used up.

use std::time::Duration;

use obs_core::{ErrorKind, Failure, Retry};
use obs_http::{Head, retry_after};

/// What every request says this client can do: to keep its data while the quota is used up.
pub(crate) const CAPABILITIES: (&str, &str) = ("x-mastra-observability-capabilities", "quota-pause-v1");

/// What an answer says where nothing is taken.
const STATUS: (&str, &str) = ("x-mastra-observability", "disabled");
/// How long to wait then, in seconds.
const RETRY_AFTER: &str = "x-mastra-observability-retry-after";

/// How long to wait where the platform does not say.
const WAIT: Duration = Duration::from_mins(5);
/// The longest wait that is believed, since records grow old meanwhile.
const LONGEST: Duration = Duration::from_hours(1);

/// The status that says so.
const USED_UP: u16 = 402;

/// A rest that the platform asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    status: u16,
    wait: Duration,
}

/// How long nothing may be sent, if the answer says so, whatever its status means otherwise.
pub(crate) fn pause(answer: &Head<'_>) -> Option<Pause> {
    let is_disabled = answer.header(STATUS.0).is_some_and(|status| status.trim() == STATUS.1);
    let wait = || own_wait(answer.header(RETRY_AFTER)).or_else(|| usual_wait(answer)).unwrap_or(WAIT);
    let is_out = is_disabled || answer.status() == USED_UP;
    is_out.then(|| Pause { status: answer.status(), wait: wait() })
}

/// Whole seconds, more than none.
fn own_wait(said: Option<&str>) -> Option<Duration> {
    let said = said?.trim();
    let digits = !said.is_empty() && said.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = digits.then(|| said.parse().unwrap_or(u64::MAX)).filter(|seconds| *seconds > 0)?;
    Some(Duration::from_secs(seconds).min(LONGEST))
}

fn usual_wait(answer: &Head<'_>) -> Option<Duration> {
    retry_after(answer.header("retry-after")?, answer.header("date"), None).filter(|wait| !wait.is_zero())
}

/// What it means for the records: the destination as a whole is out, and they stay.
pub(crate) fn failure(Pause { status, wait }: Pause, said: Option<&str>) -> Failure {
    let said = said.map(|said| format!("; it said: {said}")).unwrap_or_default();
    let message = format!(
        "the platform answered {status}: the organisation's quota is used up; check the plan and the usage; records are \
         kept, and it is asked again in {wait:?}{said}"
    );
    Failure {
        kind: ErrorKind::Config,
        retry: Retry::Hold(wait),
        status: Some(status),
        message: message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_whole_seconds_and_no_more_than_an_hour() {
        let hour = Some(LONGEST);
        for (said, wait) in [
            (Some("7"), Some(Duration::from_secs(7))),
            (Some(" 600 "), Some(Duration::from_mins(10))),
            (Some("99999999999999999999999"), hour),
            (Some("86400"), hour),
            (Some("0"), None),
            (Some("-1"), None),
            (Some("1.5"), None),
            (Some(""), None),
            (None, None),
        ] {
            assert_eq!(own_wait(said), wait, "{said:?}");
        }
    }
}
