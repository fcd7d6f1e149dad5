//! The Pushgateway.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use obs_core::{Error, Failure};
use obs_http::{Client, Policy, Request};

use crate::wire::Format;
use crate::{PrometheusConfig, PushMethod};

/// What the Pushgateway's answers mean: 200 and 202 are success, 400 says that the text is wrong and will stay so.
pub(crate) const PUSH: Policy = Policy::DEFAULT;

/// Where a user sets the credential.
const CREDENTIAL: &str = "`auth` (PROMETHEUS_PUSHGATEWAY_PASSWORD, PROMETHEUS_PUSHGATEWAY_TOKEN)";

/// One group at a Pushgateway.
#[derive(Debug)]
pub(crate) struct Gateway {
    client: Client,
    path: String,
    method: PushMethod,
    /// Held by whoever changes and pushes the table, so that pushes stand in the order of their changes.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Gateway {
    pub(crate) fn new(config: &PrometheusConfig) -> Result<Self, Error> {
        let mut http = config.http.clone();
        if let Some(url) = &config.pushgateway_url {
            http.endpoint.clone_from(url);
        }
        let client =
            Client::new(&http).map_err(|error| match error.message().strip_prefix("endpoint: ") {
                Some(said) if config.pushgateway_url.is_some() => Error::config("pushgateway_url", said),
                _ => error,
            })?;
        let client = client.with_credential_name(CREDENTIAL);
        let path = path(config);
        Ok(Self { client, path, method: config.method, turn: tokio::sync::Mutex::default() })
    }

    /// Pushes the group's text.
    pub(crate) async fn push(&self, text: String) -> Result<(), Failure> {
        let request = match self.method {
            PushMethod::Put => Request::put(&self.path),
            PushMethod::Post => Request::post(&self.path),
        };
        let request =
            request.with_content_type(&Format::TEXT.content_type()).with_body(self.client.body(text));
        self.client.send(&request, &PUSH).await.map(drop)
    }

    /// Deletes the group.
    pub(crate) async fn delete(&self) -> Result<(), Failure> {
        self.client.send(&Request::delete(&self.path), &PUSH).await.map(drop)
    }

    /// Asks whether it takes data.
    pub(crate) async fn ready(&self) -> Result<(), Failure> {
        self.client.send(&Request::get("/-/ready"), &PUSH).await.map(drop)
    }
}

/// The path of a group: the job first, then the other labels.
fn path(config: &PrometheusConfig) -> String {
    let mut groups = config.groups();
    let job = groups.remove("job").unwrap_or_default();
    let mut path = "/metrics".to_owned();
    for (name, value) in std::iter::once(("job".to_owned(), job)).chain(groups) {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        // A value that is no plain segment of a path goes in base64: slashes would end it, dots alone would climb.
        if value.chars().all(plain) && !value.chars().all(|c| c == '.') {
            path.extend(["/", &name, "/", &value]);
        } else if value.is_empty() {
            path.extend(["/", &name, "@base64/="]);
        } else {
            path.extend(["/", &name, "@base64/", &URL_SAFE_NO_PAD.encode(value)]);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_no_segment_of_a_path_go_in_base64() {
        let config = |job: &str| PrometheusConfig::push("http://127.0.0.1:9091", job);
        for (config, expected) in [
            (config("shop"), "/metrics/job/shop"),
            (config("a/b"), "/metrics/job@base64/YS9i"),
            (config(".."), "/metrics/job@base64/Li4"),
            (config("é"), "/metrics/job@base64/w6k"),
            (
                config("shop").with_instance_label("10.0.0.1:80").with_grouping("zone", ""),
                "/metrics/job/shop/instance@base64/MTAuMC4wLjE6ODA/zone@base64/=",
            ),
        ] {
            assert_eq!(path(&config), expected);
        }
    }
}
