//! How requests reach Datadog: a client for each host.

use obs_core::{Error, ErrorKind, Failure, Reply, Retry};
use obs_http::{Answer, Auth, Body, Client, Compression, Request as HttpRequest};

use crate::config::KEY;
use crate::policies::VALIDATE;
use crate::sites::Site;
use crate::wire::{Place, Request};
use crate::{Address, DatadogConfig, Mode};

/// The header that the key stands in.
const KEY_HEADER: &str = "dd-api-key";

/// Where an Agent sends what it passes on.
const SUBDOMAIN: &str = "x-datadog-evp-subdomain";

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
    otlp: Option<Client>,
}

impl Ways {
    pub(crate) fn new(config: &DatadogConfig, site: &Site) -> Result<Self, Error> {
        let key = config.api_key.expose().trim();
        let keyed = |endpoint: String| {
            let http = config.http.clone().with_endpoint(endpoint);
            let http = http.with_auth(Auth::header(KEY_HEADER, key));
            Client::new(&http).map(|client| client.with_credential_name(KEY))
        };
        let has_key = !key.is_empty();
        let endpoint = config.http.endpoint.as_str();
        let or_endpoint = |host: &str| match endpoint {
            "" => format!("https://{host}.{}", site.name),
            given => given.to_owned(),
        };
        let logs = match &config.logs_endpoint {
            Some(given) => given.as_str().to_owned(),
            None => or_endpoint("http-intake.logs"),
        };
        let plain = |address: &str| {
            let http = config.http.clone().with_endpoint(address);
            Client::new(&http)
        };
        Ok(Self {
            compression: config.http.compression,
            api: has_key.then(|| keyed(or_endpoint("api"))).transpose()?,
            logs: has_key.then(|| keyed(logs)).transpose()?,
            agent: config.agent_url.as_ref().map(|url| plain(url.as_str())).transpose()?,
            otlp: (config.mode != Mode::Llmobs)
                .then(|| {
                    plain(config.otlp_endpoint.as_ref().map_or("http://localhost:4318", Address::as_str))
                })
                .transpose()?,
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

    /// Whether there is a way for it.
    pub(crate) fn leads_to(&self, place: Place) -> bool {
        self.client(place).is_some()
    }

    /// Sends one request, and says what became of its records.
    pub(crate) async fn send(&self, Request { place, body }: Request) -> Result<Reply, Failure> {
        let facts = place.facts();
        let client = self.client(place).ok_or_else(|| closed("no way"))?;
        let body = Body::compressed(body, facts.compression(self.compression));
        let request = match facts.by_agent.filter(|_| self.by_agent()) {
            Some((path, subdomain)) => HttpRequest::post(path).with_header(SUBDOMAIN, subdomain),
            None => HttpRequest::post(facts.path),
        };
        let content_type =
            if place == Place::OtlpTraces { "application/x-protobuf" } else { "application/json" };
        let request = request.with_content_type(content_type).with_body(body);
        client.send(&request, facts.policy).await.map(|_: Answer| Reply::default())
    }

    /// Asks whether the key is good.
    pub(crate) async fn ask(&self) -> Result<(), Failure> {
        if let Some(api) = &self.api {
            api.send(&HttpRequest::get("/api/v1/validate"), &VALIDATE).await?;
        }
        Ok(())
    }
}

fn closed(why: &str) -> Failure {
    let message = format!("Datadog: {why}").into();
    Failure { kind: ErrorKind::Closed, retry: Retry::Never, status: None, message }
}
