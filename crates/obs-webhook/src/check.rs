//! What a check asks, and what may be said of the answer.

use obs_core::{Failure, Health};
use obs_http::{Answer, Client, Request};

use crate::policy::CHECK;
use crate::{CheckMethod, WebhookConfig};

/// What a check asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    method: CheckMethod,
    path: Option<String>,
}

impl Check {
    pub(crate) fn of(config: &WebhookConfig) -> Self {
        Self { method: config.check_method, path: config.check_path.clone() }
    }

    /// Asks one destination; `base` is its address.
    pub(crate) async fn ask(&self, client: &Client, base: &str) -> Health {
        let target = self.path.as_ref().map(|path| format!("{}{path}", origin(base))).unwrap_or_default();
        let request = match self.method {
            CheckMethod::Options => Request::options(target),
            CheckMethod::Head => Request::head(target),
            CheckMethod::Get => Request::get(target),
            CheckMethod::None => {
                return Health::Degraded(
                    "nothing was asked, since check_method is \"none\"; set it to \"options\"".into(),
                );
            }
        };
        self.judge(client.send(&request, &CHECK).await)
    }

    /// What the answer says of whether records would be taken.
    ///
    /// Addresses of webhooks answer nothing but a POST as if it was theirs: that they answer shows that somebody is there, and
    /// 405 that the address is known. A path that was given for it must be a success.
    fn judge(&self, outcome: Result<Answer, Failure>) -> Health {
        match outcome {
            Err(failure) if self.path.is_none() => match failure.status {
                Some(405 | 501) => Health::Healthy,
                Some(status @ (400 | 403 | 404 | 406 | 409 | 411..=499)) if status != 429 => Health::Degraded(
                    format!(
                        "it answers {} with {status}: somebody is there, and whether records are taken was not asked; set \
                         check_path to an address that tells",
                        self.method
                    )
                    .into(),
                ),
                _ => Health::of::<()>(Err(failure)),
            },
            outcome => Health::of(outcome),
        }
    }
}

/// Scheme, host and port.
fn origin(base: &str) -> &str {
    let host = base.find("://").map_or(0, |at| at + 3);
    let end = base[host..].find(['/', '?']).map_or(base.len(), |at| host + at);
    &base[..end]
}

/// The worse of two.
pub(crate) fn worse(one: Health, other: Health) -> Health {
    match (&one, &other) {
        (Health::Unhealthy(_), _) | (Health::Degraded(_), Health::Healthy) => one,
        (_, Health::Unhealthy(_) | Health::Degraded(_)) | (Health::Healthy, Health::Healthy) => other,
    }
}
