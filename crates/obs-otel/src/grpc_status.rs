//! What a status of gRPC means for the records.

use std::error::Error as StdError;
use std::time::Duration;

use obs_core::{ErrorKind, Failure, Retry};
use obs_http::{HOLD, MAX_WAIT};
use tonic::{Code, Status, TimeoutExpired};
use tonic_types::StatusExt;

/// What OTLP's specification says of a status, with the wait that its `RetryInfo` asks for.
///
/// Unknown services and refused credentials are a matter of the destination as a whole, as over HTTP.
pub(crate) fn classify(code: Code, wait: Option<Duration>) -> (ErrorKind, Retry) {
    let asked = match wait.filter(|wait| !wait.is_zero()) {
        Some(wait) => Retry::After(wait.min(MAX_WAIT)),
        None => Retry::Backoff,
    };
    match code {
        Code::Cancelled | Code::Aborted | Code::OutOfRange | Code::Unavailable | Code::DataLoss => {
            (ErrorKind::Unavailable, asked)
        }
        Code::DeadlineExceeded => (ErrorKind::Timeout, asked),
        Code::ResourceExhausted if wait.is_some() => (ErrorKind::RateLimited, asked),
        Code::ResourceExhausted => (ErrorKind::TooLarge, Retry::Never),
        Code::Unauthenticated | Code::PermissionDenied => (ErrorKind::Auth, Retry::Hold(HOLD)),
        Code::Unimplemented => (ErrorKind::Config, Retry::Hold(HOLD)),
        Code::Ok
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Internal => (ErrorKind::Rejected, Retry::Never),
    }
}

/// Whether the status was made on this side, because there was no connection or it broke.
pub(crate) fn is_local(status: &Status) -> bool {
    status.source().is_some()
}

/// Whether the status was made on this side, because the time of the call was over.
pub(crate) fn is_timeout(status: &Status) -> bool {
    let mut next = status.source();
    while let Some(cause) = next {
        if cause.is::<TimeoutExpired>() {
            return true;
        }
        next = cause.source();
    }
    false
}

/// No answer in time.
pub(crate) fn timed_out(place: &str, timeout: Duration) -> Failure {
    let message = format!(
        "{place}: no answer within {timeout:?}; it may have arrived all the same: sent again, its records keep their ids"
    );
    Failure { kind: ErrorKind::Timeout, retry: Retry::Backoff, status: None, message: message.into() }
}

/// The failure that a status is; `quote` takes credentials out of what the receiver said.
pub(crate) fn failure(place: &str, status: &Status, quote: impl Fn(&str) -> Option<String>) -> Failure {
    if is_local(status) {
        return no_answer(place, status, quote);
    }
    let wait = status.get_details_retry_info().map(|info| info.retry_delay.unwrap_or_default());
    let (kind, retry) = classify(status.code(), wait);
    let hint = match (kind, retry) {
        (ErrorKind::Auth, _) => Some("the credential is not accepted; check `auth` or `headers`".to_owned()),
        (ErrorKind::Config, _) => Some(
            "it has no such service, or does not take this compression; check `endpoint` and `compression`"
                .to_owned(),
        ),
        (ErrorKind::TooLarge, _) => Some("the request is larger than it takes".to_owned()),
        (_, Retry::After(wait)) => Some(format!("it asks to wait {wait:?}")),
        _ => None,
    };
    let said = quote(status.message()).map(|said| format!("it said: {said}"));
    let why = [hint, said].into_iter().flatten().collect::<Vec<_>>().join("; ");
    let (code, between) = (status.code(), if why.is_empty() { "" } else { ": " });
    Failure { kind, retry, status: None, message: format!("{place} answered {code:?}{between}{why}").into() }
}

/// No connection, or one that broke.
fn no_answer(place: &str, status: &Status, quote: impl Fn(&str) -> Option<String>) -> Failure {
    let mut causes: Vec<String> = Vec::new();
    let mut next = status.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !causes.iter().any(|before| before.contains(&text)) {
            causes.push(text);
        }
        next = cause.source();
    }
    let causes = quote(&causes.join(": ")).unwrap_or_default();
    let unknown = causes.contains("failed to lookup address")
        && !["Temporary failure", "Try again"].iter().any(|passes| causes.contains(passes));
    let (retry, step) = if causes.contains("invalid peer certificate") {
        (Retry::Hold(HOLD), "; check `endpoint`, or name its authority in `ca_file`")
    } else if unknown {
        (Retry::Hold(HOLD), "; check `endpoint` and the name service")
    } else {
        (Retry::Backoff, "; what may have arrived all the same keeps its ids when it is sent again")
    };
    let message = format!("{place}: no connection, or it broke ({causes}){step}").into();
    Failure { kind: ErrorKind::Unavailable, retry, status: None, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Option<Duration> = Some(Duration::from_secs(7));

    #[test]
    fn every_status_means_what_the_specification_says() {
        let after = Retry::After(Duration::from_secs(7));
        for code in (0..=16).map(Code::from_i32) {
            let retried = matches!(
                code,
                Code::Cancelled
                    | Code::DeadlineExceeded
                    | Code::Aborted
                    | Code::OutOfRange
                    | Code::Unavailable
                    | Code::DataLoss
            );
            let (kind, retry) = classify(code, None);
            assert_eq!(retry == Retry::Backoff, retried, "{code:?}");
            assert_eq!(kind.is_content(), !retried && !matches!(retry, Retry::Hold(_)), "{code:?}");
            let waits = retried || code == Code::ResourceExhausted;
            assert_eq!(classify(code, WAIT).1 == after, waits, "{code:?} with RetryInfo");
        }
        assert_eq!(classify(Code::ResourceExhausted, None), (ErrorKind::TooLarge, Retry::Never));
        assert_eq!(
            classify(Code::ResourceExhausted, Some(Duration::ZERO)),
            (ErrorKind::RateLimited, Retry::Backoff)
        );
        assert_eq!(classify(Code::Unauthenticated, None), (ErrorKind::Auth, Retry::Hold(HOLD)));
        assert_eq!(classify(Code::Unimplemented, None), (ErrorKind::Config, Retry::Hold(HOLD)));
        let long = classify(Code::Unavailable, Some(Duration::from_hours(9))).1;
        assert_eq!(long, Retry::After(MAX_WAIT));
    }
}
