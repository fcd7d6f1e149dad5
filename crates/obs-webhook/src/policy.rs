//! What statuses mean for the records that were sent.

use obs_core::Error;
use obs_http::{Action, Policy};

use crate::WebhookConfig;

/// What statuses mean where the user says nothing: 2xx is success, 408, 425, 429 and most from 500 on are tried again.
pub(crate) const BY_DEFAULT: Policy = Policy::DEFAULT;

/// What an answer to a check means; [`crate::check`] makes words of it.
pub(crate) const CHECK: Policy = Policy::DEFAULT;

/// The policy that a configuration asks for.
///
/// # Errors
/// A configuration error: a number that is no status, or one that is to be both success and tried again.
pub(crate) fn of(config: &WebhookConfig) -> Result<Policy, Error> {
    let mut policy = BY_DEFAULT;
    let field = "retry_config.retry_on_status_codes";
    if let Some(retried) = &config.retry_config.retry_on_status_codes {
        are_statuses(field, retried)?;
        for status in 100..=599 {
            if matches!(policy.action(status), Action::Retry | Action::RateLimit) {
                policy = policy.reject(&[status]);
            }
        }
        for status in retried {
            let action = if *status == 429 { Action::RateLimit } else { Action::Retry };
            policy = policy.with(&[*status], action);
        }
    }
    are_statuses("success_status_codes", &config.success_status_codes)?;
    let retried = config.retry_config.retry_on_status_codes.iter().flatten();
    if let Some(both) = retried.copied().find(|status| is_success(config, *status)) {
        let message = format!("{both} is a success, too; remove it from one of them");
        return Err(Error::config(field, message));
    }
    Ok(policy.success(&config.success_status_codes))
}

fn is_success(config: &WebhookConfig, status: u16) -> bool {
    BY_DEFAULT.action(status) == Action::Success || config.success_status_codes.contains(&status)
}

fn are_statuses(field: &str, statuses: &[u16]) -> Result<(), Error> {
    match statuses.iter().find(|status| !(100..=599).contains(*status)) {
        Some(other) => {
            Err(Error::config(field, format!("{other} is no status; write numbers from 100 to 599")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use obs_http::HOLD;

    use super::*;
    use crate::RetryConfig;

    static SEED: LazyLock<Policy> = LazyLock::new(|| {
        let retried = RetryConfig::new([429, 500, 502, 503, 504]);
        let config = WebhookConfig::new("https://h").with_retry_config(retried);
        of(&config.with_success_status_codes([409])).unwrap()
    });

    obs_testkit::policy_table!(what_is_answered_by_default, &BY_DEFAULT, {
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

    obs_testkit::policy_table!(what_is_answered_with_lists_of_statuses, &SEED, {
        [200, 201, 202, 204, 207, 409] ANY => Success;
        [500, 502, 503, 504] ANY => Waits(ErrorKind::Unavailable);
        [429] ANY => Waits(ErrorKind::RateLimited);
        [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(HOLD));
        [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
        [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
        [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
        [400, 406, 408, 411, 412, 415, 422, 425] ANY => Fails(ErrorKind::Rejected, Retry::Never);
        [423, 424, 426, 428, 451, 501] ANY => Fails(ErrorKind::Rejected, Retry::Never);
        [505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    });

    #[test]
    fn what_is_no_status_or_both_is_refused() {
        let config = || WebhookConfig::new("https://h");
        let said = |config: &WebhookConfig| of(config).unwrap_err().to_string();
        let retried = |statuses: &[u16]| config().with_retry_config(RetryConfig::new(statuses));
        assert!(said(&retried(&[42])).starts_with("retry_config.retry_on_status_codes: 42"));
        assert!(said(&retried(&[200])).contains("200 is a success, too"));
        assert!(said(&retried(&[409]).with_success_status_codes([409])).contains("409 is a success"));
        assert!(said(&config().with_success_status_codes([600])).starts_with("success_status_codes: 600"));
    }
}
