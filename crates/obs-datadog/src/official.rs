//! Logs, series and distributions through Datadog's own client.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use datadog_api_client::datadog::{APIKey, Configuration, Error as ClientError, ResponseContent};
use datadog_api_client::{datadogV1, datadogV2};
use datadogV1::api_metrics::SubmitDistributionPointsOptionalParams;
use datadogV1::model::DistributionPointsContentEncoding;
use datadogV2::api_logs::SubmitLogOptionalParams;
use datadogV2::api_metrics::SubmitMetricsOptionalParams;
use datadogV2::model::{ContentEncoding, MetricContentEncoding};
use obs_core::{Error, ErrorKind, Failure, Retry, Secret};
use obs_http::{Compression, HOLD, Trouble};
use reqwest::redirect::{self, Attempt};
use serde::de::DeserializeOwned;

use crate::complaints::Taken;
use crate::config::KEY;
use crate::sites::Site;
use crate::wire::Place;
use crate::{Address, DatadogConfig, complaints};

/// How much of an answer a message quotes.
const QUOTED: usize = 500;

/// How long a connection waits for its next request, as ours does.
const IDLE: Duration = Duration::from_secs(30);

/// Datadog's own client.
///
/// Its own retries are off, because the delivery has them.
pub(crate) struct Official {
    logs: datadogV2::api_logs::LogsAPI,
    series: datadogV2::api_metrics::MetricsAPI,
    distributions: datadogV1::api_metrics::MetricsAPI,
    timeout: Duration,
    compression: Option<Compression>,
    key: Secret,
}

impl fmt::Debug for Official {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Official").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Official {
    /// The client for the addresses of the configuration, which are checked before.
    ///
    /// # Errors
    /// A configuration error that names an option which this client does not heed.
    pub(crate) fn new(config: &DatadogConfig, site: &Site) -> Result<Self, Error> {
        if let Some(option) = unheeded(config) {
            let message = format!("Datadog's own client does not heed `{option}`; leave one of the two out");
            return Err(Error::config("official_client", message));
        }
        let given = Some(config.http.endpoint.as_str()).filter(|endpoint| !endpoint.is_empty());
        let or =
            |host: &str| given.map_or_else(|| format!("https://{host}.{}", site.name), ToOwned::to_owned);
        let api = or("api");
        let logs = config.logs_endpoint.as_ref().map(Address::as_str).map(ToOwned::to_owned);
        let logs = logs.unwrap_or_else(|| or("http-intake.logs"));
        let key = config.api_key.expose().trim();
        let below = below(config)?;
        let below = || below.clone().into();
        let (logs, api) = (configuration(&logs, key), configuration(&api, key));
        Ok(Self {
            logs: datadogV2::api_logs::LogsAPI::with_client_and_config(logs, below()),
            series: datadogV2::api_metrics::MetricsAPI::with_client_and_config(api.clone(), below()),
            distributions: datadogV1::api_metrics::MetricsAPI::with_client_and_config(api, below()),
            timeout: config.http.timeout,
            compression: config.http.compression,
            key: Secret::new(key),
        })
    }

    /// Sends what it has a call for; `None` for what it lacks.
    pub(crate) async fn send(&self, place: Place, body: &[u8]) -> Option<Result<Taken, Failure>> {
        let outcome = async {
            match place {
                Place::Logs => self.logs(body).await,
                Place::Series => self.series(body).await,
                _ => self.distributions(body).await,
            }
        };
        match place {
            Place::Logs | Place::Series | Place::Distributions => Some(outcome.await),
            Place::LlmobsSpans | Place::Evaluations | Place::OtlpTraces => None,
        }
    }

    async fn logs(&self, body: &[u8]) -> Result<Taken, Failure> {
        let items = read(body)?;
        let encoding = match Place::Logs.facts().compression(self.compression) {
            Compression::Gzip => ContentEncoding::GZIP,
            Compression::Deflate => ContentEncoding::DEFLATE,
            Compression::None | Compression::Zstd => ContentEncoding::IDENTITY,
        };
        let params = SubmitLogOptionalParams::default().content_encoding(encoding);
        self.within(Place::Logs, self.logs.submit_log_with_http_info(items, params)).await
    }

    async fn series(&self, body: &[u8]) -> Result<Taken, Failure> {
        let payload = read(body)?;
        let params = SubmitMetricsOptionalParams::default();
        let params = match Place::Series.facts().compression(self.compression) {
            Compression::Gzip => params.content_encoding(MetricContentEncoding::GZIP),
            Compression::Deflate => params.content_encoding(MetricContentEncoding::DEFLATE),
            Compression::None | Compression::Zstd => params,
        };
        self.within(Place::Series, self.series.submit_metrics_with_http_info(payload, params)).await
    }

    async fn distributions(&self, body: &[u8]) -> Result<Taken, Failure> {
        let payload = read(body)?;
        let params = SubmitDistributionPointsOptionalParams::default();
        let params = match Place::Distributions.facts().compression(self.compression) {
            Compression::Deflate => params.content_encoding(DistributionPointsContentEncoding::DEFLATE),
            Compression::None | Compression::Gzip | Compression::Zstd => params,
        };
        let sent = self.distributions.submit_distribution_points_with_http_info(payload, params);
        self.within(Place::Distributions, sent).await
    }

    /// Waits for the answer as long as the timeout allows, and says what it means, as the other client would.
    async fn within<T, E: fmt::Debug>(
        &self,
        place: Place,
        sent: impl Future<Output = Result<ResponseContent<T>, ClientError<E>>>,
    ) -> Result<Taken, Failure> {
        let name = place.facts().name;
        match tokio::time::timeout(self.timeout, sent).await {
            Ok(Ok(answer)) => {
                let complaint = complaints::read(answer.content.as_bytes()).map(|said| self.quoted(&said));
                Ok(Taken { complaint, ..Taken::default() })
            }
            Ok(Err(error)) => self.failed(place, error),
            Err(_) => Err(failure(ErrorKind::Timeout, Retry::Backoff, format!("{name}: no answer in time"))),
        }
    }

    fn failed<E>(&self, place: Place, error: ClientError<E>) -> Result<Taken, Failure> {
        let facts = place.facts();
        let told = |said: String| format!("{}: {said}", facts.name);
        let out = |(kind, retry): (ErrorKind, Retry), said: String| Err(failure(kind, retry, told(said)));
        match error {
            ClientError::ResponseError(answer) => {
                let status = answer.status.as_u16();
                // This client does not tell what an answer says of when to try again.
                let Some((kind, retry)) = facts.policy.classify(status, None) else {
                    return Ok(Taken::default());
                };
                let mut message = told(format!("HTTP {status}: {}", self.quoted(&answer.content)));
                if kind == ErrorKind::Auth {
                    message = format!("{message}; check {KEY}");
                }
                Err(Failure { status: Some(status), ..failure(kind, retry, message) })
            }
            // An answer of success whose body is no JSON: an empty one is as good, a web page is someone else's.
            ClientError::Serde(cause) if cause.is_eof() => Ok(Taken::default()),
            ClientError::Serde(cause) => {
                let said = told(format!("an answer that is not Datadog's ({cause}); check `endpoint`"));
                Err(failure(ErrorKind::Config, Retry::Hold(HOLD), said))
            }
            ClientError::Reqwest(cause) => {
                out(trouble(&cause, cause.is_timeout(), cause.is_redirect()), causes(&cause))
            }
            ClientError::ReqwestMiddleware(cause) => {
                out(trouble(&cause, cause.is_timeout(), cause.is_redirect()), causes(&cause))
            }
            ClientError::Io(cause) => Err(failure(ErrorKind::Encode, Retry::Never, told(cause.to_string()))),
            ClientError::UnstableOperationDisabledError(cause) => {
                Err(failure(ErrorKind::Config, Retry::Hold(HOLD), told(cause.msg)))
            }
        }
    }

    /// The beginning of an answer, in one line and without the key.
    fn quoted(&self, content: &str) -> String {
        let content = content.replace(self.key.expose(), "[redacted]").replace(char::is_control, " ");
        content[..content.floor_char_boundary(QUOTED)].trim().to_owned()
    }
}

/// What carries the requests: like ours it follows no redirect, which would carry the key along, and repeats nothing.
fn below(config: &DatadogConfig) -> Result<reqwest::Client, Error> {
    // It is an error, because an answer that redirects and is empty would be taken for a success.
    let refused =
        |attempt: Attempt<'_>| attempt.error("it redirects, which is not followed; check `endpoint`");
    let builder = reqwest::Client::builder()
        .redirect(redirect::Policy::custom(refused))
        .retry(reqwest::retry::never())
        .connect_timeout(config.http.connect_timeout)
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true);
    builder.build().map_err(|cause| {
        let message = format!("TLS cannot be set up: {}; check the system's certificates", causes(&cause));
        Error::config("official_client", message)
    })
}

/// What it means that no answer came, as ours would say.
fn trouble(cause: &(dyn StdError + 'static), timed_out: bool, redirects: bool) -> (ErrorKind, Retry) {
    if redirects {
        return (ErrorKind::Config, Retry::Hold(HOLD));
    }
    // The way to the error of TLS itself leads through crates that are nobody's contract; its words are enough.
    let untrusted = sources(cause).any(|cause| cause.to_string().contains("invalid peer certificate"));
    match (untrusted, timed_out) {
        (true, _) => Trouble::Certificate.classify(),
        (false, true) => Trouble::TimedOut.classify(),
        (false, false) => Trouble::NoConnection.classify(),
    }
}

fn sources<'e>(cause: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(cause), |cause| (**cause).source())
}

/// An error with what caused it, in one line.
fn causes(cause: &(dyn StdError + 'static)) -> String {
    sources(cause).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A configuration for one address; the client reads variables of the environment for all else, which this replaces.
fn configuration(address: &str, key: &str) -> Configuration {
    let (protocol, name) = address.split_once("://").unwrap_or(("https", address));
    let mut configuration = Configuration::new();
    // The second of its servers takes any address; the first panics where it does not know the site.
    configuration.server_index = 1;
    let variables = [("protocol", protocol), ("name", name.trim_end_matches('/'))];
    configuration.server_variables =
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    configuration.set_auth_key("apiKeyAuth", APIKey { key: key.to_owned(), prefix: String::new() });
    configuration.set_retry(false, 0);
    configuration
}

/// An option that is set and that this client does not heed.
fn unheeded(config: &DatadogConfig) -> Option<&'static str> {
    let http = &config.http;
    let options = [
        ("headers", !http.headers.is_empty()),
        ("ca_file", http.ca_file.is_some()),
        ("client_certificate", http.client_certificate.is_some()),
        ("proxy", http.proxy.is_some()),
        ("user_agent", http.user_agent.is_some()),
    ];
    options.into_iter().find(|(_, is_set)| *is_set).map(|(option, _)| option)
}

/// A body as the client's own type.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|cause| {
        failure(ErrorKind::Encode, Retry::Never, format!("Datadog's own client cannot take it: {cause}"))
    })
}

fn failure(kind: ErrorKind, retry: Retry, message: String) -> Failure {
    Failure { kind, retry, status: None, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As rustls words it, below what stands over it.
    #[derive(Debug)]
    struct Cause(&'static str, Option<Box<Self>>);

    impl fmt::Display for Cause {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for Cause {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn what_no_retry_mends_holds_the_destination() {
        let of = |cause| Cause("error sending request", Some(Box::new(Cause(cause, None))));
        let (untrusted, refused) = (of("invalid peer certificate: UnknownIssuer"), of("connection refused"));
        for (cause, timed_out, redirects, expected) in [
            (&untrusted, false, false, (ErrorKind::Unavailable, Retry::Hold(HOLD))),
            (&refused, false, false, (ErrorKind::Unavailable, Retry::Backoff)),
            (&refused, true, false, (ErrorKind::Timeout, Retry::Backoff)),
            (&refused, false, true, (ErrorKind::Config, Retry::Hold(HOLD))),
        ] {
            assert_eq!(trouble(cause, timed_out, redirects), expected, "{cause:?}");
        }
        assert_eq!(causes(&refused), "error sending request: connection refused");
    }
}
