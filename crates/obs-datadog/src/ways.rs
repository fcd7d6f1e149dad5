//! How requests reach Datadog: a client for each host.

use std::time::Duration;

use obs_core::{Error, ErrorKind, Failure, Reply, Retry, Signal};
use obs_http::{Answer, Auth, Body, Client, Compression, HttpConfig, Request as HttpRequest, retry_after};
use obs_otlp::answer::{PartialSuccess, partial_success};
use obs_otlp::encode::Encoding;
use serde::Deserialize;

use crate::addresses::Addresses;
use crate::complaints::Taken;
use crate::config::KEY;
use crate::places::Facts;
use crate::policies::{OTLP, VALIDATE};
use crate::sites::Site;
use crate::wire::Place;
use crate::{DatadogConfig, Mode, complaints};

/// The header that the key stands in.
const KEY_HEADER: &str = "dd-api-key";

/// The header that tells an Agent where to send what it passes on.
const SUBDOMAIN: &str = "x-datadog-evp-subdomain";

/// The header that tells the OTLP intake what spans are for.
const SOURCE: &str = "dd-otlp-source";

/// The clients that a configuration has.
#[derive(Debug)]
pub(crate) struct Ways {
    compression: Option<Compression>,
    /// `https://api.SITE`, where there is a key.
    api: Option<Client>,
    /// `https://http-intake.logs.SITE`, where there is a key.
    logs: Option<Client>,
    /// The Agent that passes LLM Observability on.
    agent: Option<Client>,
    /// Where OTLP goes, in its modes.
    otlp: Option<Client>,
}

impl Ways {
    pub(crate) fn new(config: &DatadogConfig, site: &Site) -> Result<Self, Error> {
        let addresses = Addresses::of(config, site);
        let key = config.api_key.expose().trim();
        let with_key = |http: HttpConfig| http.with_auth(Auth::header(KEY_HEADER, key));
        let keyed = |field: &str, endpoint: String| -> Result<Option<Client>, Error> {
            let http = with_key(config.http.clone()).with_endpoint(endpoint);
            (!key.is_empty()).then(|| client(field, &http)).transpose()
        };
        let plain = |field: &str, address: Option<String>| {
            let http = |address| client(field, &config.http.clone().with_endpoint(address));
            address.map(http).transpose()
        };
        let otlp = match config.mode {
            Mode::Llmobs => None,
            Mode::OtlpAgent => plain("otlp_endpoint", Some(addresses.otlp))?,
            Mode::OtlpIntake => {
                let http = with_key(config.http.clone()).with_endpoint(addresses.otlp);
                let http = match &config.otlp_source {
                    Some(source) => http.with_plain_header(SOURCE, source.clone()),
                    None => http,
                };
                Some(client("otlp_endpoint", &http)?)
            }
        };
        Ok(Self {
            compression: config.http.compression,
            api: keyed("endpoint", addresses.api)?,
            logs: keyed("logs_endpoint", addresses.logs)?,
            agent: plain("agent_url", config.agent_url.as_ref().map(|url| url.as_str().to_owned()))?,
            otlp,
        })
    }

    /// Whether LLM Observability goes through an Agent.
    pub(crate) fn by_agent(&self) -> bool {
        self.agent.is_some()
    }

    fn client(&self, place: Place) -> Option<&Client> {
        match place {
            Place::LlmobsSpans | Place::Evaluations => self.agent.as_ref().or(self.api.as_ref()),
            Place::Logs => self.logs.as_ref(),
            Place::Series | Place::Distributions => self.api.as_ref(),
            Place::OtlpTraces => self.otlp.as_ref(),
        }
    }

    /// Whether there is a way to it.
    pub(crate) fn leads_to(&self, place: Place) -> bool {
        self.client(place).is_some()
    }

    /// Sends one request, and says what became of its records.
    pub(crate) async fn send(&self, place: Place, body: Vec<u8>) -> Result<Taken, Failure> {
        let facts = place.facts();
        let Some(client) = self.client(place) else {
            let message = format!("Datadog: there is no way to its intake for {}", facts.name).into();
            return Err(Failure { kind: ErrorKind::Config, retry: Retry::Never, status: None, message });
        };
        let request = match facts.by_agent.filter(|_| self.by_agent()) {
            Some((path, subdomain)) => HttpRequest::post(path).with_header(SUBDOMAIN, subdomain),
            None => HttpRequest::post(facts.path),
        };
        let content_type = match place {
            Place::OtlpTraces => Encoding::Protobuf.content_type(),
            _ => "application/json",
        };
        let body = Body::compressed(body, facts.compression(self.compression));
        let request = request.with_content_type(content_type).with_body(body);
        let answer = asked(client, &request, facts).await?;
        Ok(if place == Place::OtlpTraces {
            Taken { reply: partly(client, &answer), complaint: None }
        } else {
            let complaint = complaints::read(answer.body()).and_then(|said| client.quote(&said));
            Taken { reply: Reply::default(), complaint }
        })
    }

    /// Asks whether the key is good, and the servers that take none whether they are there.
    pub(crate) async fn ask(&self) -> Result<(), Failure> {
        if let Some(api) = &self.api {
            let answer = api.send(&HttpRequest::get("/api/v1/validate"), &VALIDATE).await?;
            if serde_json::from_slice::<Validated>(answer.body()).is_ok_and(|said| !said.valid) {
                let message = format!("Datadog: the key is not valid; check {KEY} and the site").into();
                let (kind, retry) = (ErrorKind::Auth, Retry::Hold(obs_http::HOLD));
                return Err(Failure { kind, retry, status: Some(answer.status()), message });
            }
        }
        if let Some(agent) = &self.agent {
            agent.send(&HttpRequest::get("/info"), &VALIDATE).await?;
        }
        if let Some(otlp) = &self.otlp {
            let empty = HttpRequest::post("").with_content_type(Encoding::Protobuf.content_type());
            otlp.send(&empty.with_body(Body::plain(Vec::new())), &OTLP).await?;
        }
        Ok(())
    }
}

/// What the validation of a key says.
#[derive(Deserialize)]
struct Validated {
    valid: bool,
}

/// Sends, and reads from the answer to too many requests how long to wait: Datadog says it in a header of its own.
async fn asked(client: &Client, request: &HttpRequest, facts: &Facts) -> Result<Answer, Failure> {
    const TOO_MANY: u16 = 429;
    let limited = |wait: Option<Duration>, message: Box<str>| {
        let (kind, retry) = facts.policy.classify(TOO_MANY, wait)?;
        Some(Failure { kind, retry, status: Some(TOO_MANY), message })
    };
    // The answer is asked for as a success, because a failure has no headers.
    let answer = match client.send(request, &facts.policy.clone().success(&[TOO_MANY])).await {
        Ok(answer) => answer,
        Err(failure) if failure.status == Some(TOO_MANY) => {
            let message = failure.message.clone();
            return Err(limited(None, message).unwrap_or(failure));
        }
        Err(failure) => return Err(failure),
    };
    if answer.status() != TOO_MANY {
        return Ok(answer);
    }
    let read = |name| answer.header(name).and_then(|value| retry_after(value, answer.header("date"), None));
    let wait = read("retry-after").or_else(|| read("x-ratelimit-reset"));
    let said = client.quote(&String::from_utf8_lossy(answer.body())).map(|said| format!(": {said}"));
    let message = format!(
        "{} answered {TOO_MANY} to {}, which is too many requests{}",
        client.place(),
        facts.name,
        said.unwrap_or_default()
    );
    limited(wait, message.into()).map_or(Ok(answer), Err)
}

/// What a receiver of OTLP refused of a request that it took.
fn partly(client: &Client, answer: &Answer) -> Reply {
    match partial_success(Signal::Traces, answer.header("content-type"), answer.body()) {
        Ok(Some(PartialSuccess { rejected: 0, message })) => {
            let endpoint = client.place();
            tracing::warn!(target: "obs::datadog", %endpoint, "it took everything, and warns: {message}");
            Reply::default()
        }
        Ok(Some(PartialSuccess { rejected, message })) => {
            let count = usize::try_from(rejected).unwrap_or(usize::MAX);
            let reason = match message.trim() {
                "" => "the receiver refused some and said neither which nor why".into(),
                said => format!("the receiver refused some: {said}").into(),
            };
            Reply { lost: Some((count, reason)), ..Reply::default() }
        }
        Ok(None) => Reply::default(),
        Err(cause) => {
            tracing::debug!(target: "obs::datadog", endpoint = %client.place(), "{cause}");
            Reply::default()
        }
    }
}

fn client(field: &str, http: &HttpConfig) -> Result<Client, Error> {
    let client = Client::new(http).map_err(|error| match error.message().strip_prefix("endpoint: ") {
        Some(cause) if field != "endpoint" => Error::config(field, cause),
        _ => error,
    })?;
    Ok(client.with_credential_name(KEY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites;

    #[test]
    fn an_address_that_is_none_is_named_by_its_field() {
        let refused = |config: DatadogConfig| {
            Ways::new(&config, sites::of(&config.site).unwrap()).map(|_| ()).unwrap_err().to_string()
        };
        let key = || DatadogConfig::new("key-1");
        assert!(refused(key().with_agent_url("localhost")).starts_with("agent_url: "));
        assert!(refused(key().with_logs_endpoint("nonsense")).starts_with("logs_endpoint: "));
        assert!(refused(key().with_endpoint("http://api.example.com")).contains("allow_http"));
    }
}
