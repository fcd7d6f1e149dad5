//! The reading side of a vendor's API.

use anyhow::{Context, Result, anyhow};
use obs_http::{Auth, Client, HttpConfig, Policy, Request};
use serde_json::Value;

/// An address that answers in JSON.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
}

impl Api {
    /// Below this address, with this credential.
    pub(crate) fn new(base: &str, auth: Auth) -> Result<Self> {
        Self::of(&HttpConfig::new(base).with_auth(auth))
    }

    /// With all that is set here.
    pub(crate) fn of(config: &HttpConfig) -> Result<Self> {
        let client = Client::new(config);
        Ok(Self { client: client.map_err(|error| anyhow!("{error}"))? })
    }

    pub(crate) async fn get(&self, target: &str) -> Result<Value> {
        self.ask(target, Request::get(target)).await
    }

    pub(crate) async fn post(&self, target: &str, body: &Value) -> Result<Value> {
        let body = self.client.body(body.to_string());
        self.ask(target, Request::post(target).with_content_type("application/json").with_body(body)).await
    }

    async fn ask(&self, target: &str, request: Request) -> Result<Value> {
        let answer = self.client.send(&request, &Policy::DEFAULT).await;
        let answer = answer.map_err(|failure| anyhow!("{target}: {}", failure.message))?;
        let body = answer.whole().map_err(|failure| anyhow!("{target}: {}", failure.message))?;
        serde_json::from_slice(body).with_context(|| format!("{target}: the answer is no JSON"))
    }
}

/// The elements of a list that must be there.
pub(crate) fn list<'a>(answer: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    let found = if name.is_empty() { answer } else { &answer[name] };
    found.as_array().with_context(|| format!("the answer has no list `{name}`: {answer:.300}"))
}
