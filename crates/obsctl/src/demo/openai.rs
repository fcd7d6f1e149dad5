//! Any server that speaks OpenAI's chat completions, streamed.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use obs_core::Secret;
use reqwest::{Client, Response, Url};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::model::{Generation, Model, ModelError, OnText, Prompt, Tokens};
use super::sse::Decoder;

/// The most bytes of an answer, and of one event of its stream.
const MAX_ANSWER: usize = 1 << 20;

/// How much of a server's error is quoted, in characters.
const QUOTE: usize = 400;

/// A whole answer has this long.
const DEADLINE: Duration = Duration::from_mins(2);

/// A model behind an OpenAI-compatible server.
#[derive(Debug)]
pub(crate) struct OpenAiCompatible {
    client: Client,
    url: Url,
    provider: String,
    model: String,
    key: Option<Secret>,
    deadline: Duration,
}

impl OpenAiCompatible {
    /// `base_url` is the part before `/chat/completions`, with the version if the server has one.
    pub(crate) fn new(base_url: &str, model: &str, key: Option<Secret>) -> Result<Self, ModelError> {
        let config = |why: String| ModelError::Config(format!("--base-url: {why}"));
        let url = format!("{}/chat/completions", base_url.trim_end_matches('/'));
        let url = Url::parse(&url).map_err(|error| config(format!("{error}; use http://HOST:PORT/v1")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(config("only http and https are possible".to_owned()));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        if key.is_some() && url.scheme() == "http" && !is_loopback(&host) {
            let why = "OPENAI_API_KEY would cross the network readable; use https, or unset the variable";
            return Err(config(why.to_owned()));
        }
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("obsctl/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| config(chain(&error)))?;
        Ok(Self { client, url, provider: provider(&host), model: model.to_owned(), key, deadline: DEADLINE })
    }

    async fn ask(
        &self,
        prompt: &Prompt,
        begun: Instant,
        on_text: &mut OnText<'_>,
    ) -> Result<Generation, ModelError> {
        let mut request = self.client.post(self.url.clone()).json(&json!({
            "model": self.model,
            "messages": [
                { "role": "system", "content": prompt.instructions() },
                { "role": "user", "content": prompt.message() },
            ],
            "max_tokens": prompt.max_tokens,
            "temperature": 0,
            "stream": true,
            "stream_options": { "include_usage": true },
        }));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose());
        }
        let response = request.send().await.map_err(transport)?;
        if !response.status().is_success() {
            let status = response.status().as_u16();
            return Err(ModelError::Status { status, body: quote(response).await });
        }
        let mut answer = Answer { written: Generation::default(), begun, on_text };
        let mut decoder = Decoder::default();
        let mut body = response.bytes_stream();
        while let Some(chunk) = body.next().await {
            for event in decoder.feed(&chunk.map_err(transport)?) {
                answer.event(&event)?;
            }
            if decoder.pending() > MAX_ANSWER {
                return Err(ModelError::TooLarge(MAX_ANSWER));
            }
        }
        if let Some(event) = decoder.finish() {
            answer.event(&event)?;
        }
        answer.complete()
    }
}

#[async_trait]
impl Model for OpenAiCompatible {
    fn name(&self) -> &str {
        &self.model
    }

    fn provider(&self) -> &str {
        &self.provider
    }

    async fn generate(&self, prompt: &Prompt, on_text: &mut OnText<'_>) -> Result<Generation, ModelError> {
        let begun = Instant::now();
        tokio::time::timeout(self.deadline, self.ask(prompt, begun, on_text))
            .await
            .unwrap_or(Err(ModelError::Deadline(self.deadline)))
    }
}

/// An answer while it is being written.
struct Answer<'a> {
    written: Generation,
    begun: Instant,
    on_text: &'a mut OnText<'a>,
}

impl Answer<'_> {
    fn event(&mut self, data: &str) -> Result<(), ModelError> {
        if data.trim() == "[DONE]" {
            return Ok(());
        }
        let chunk: Chunk = serde_json::from_str(data).map_err(|error| {
            ModelError::Protocol(format!(
                "an event of the stream is not a completion: {error}: {}",
                cut(data)
            ))
        })?;
        if let Some(error) = chunk.error {
            return Err(ModelError::Protocol(format!("the server broke off: {}", cut(&error.to_string()))));
        }
        self.written.response_id = chunk.id.or(self.written.response_id.take());
        self.written.response_model = chunk.model.or(self.written.response_model.take());
        if let Some(usage) = chunk.usage {
            self.written.tokens = Some(usage.into());
        }
        for choice in chunk.choices {
            self.written.finish = choice.finish_reason.or(self.written.finish.take());
            if let Some(text) = choice.delta.content.filter(|text| !text.is_empty()) {
                let begun = self.begun;
                self.written.first_token.get_or_insert_with(|| begun.elapsed());
                self.written.text.push_str(&text);
                (self.on_text)(&text);
            }
        }
        if self.written.text.len() > MAX_ANSWER { Err(ModelError::TooLarge(MAX_ANSWER)) } else { Ok(()) }
    }

    /// A stream that ended without a reason and without a word is no answer.
    fn complete(self) -> Result<Generation, ModelError> {
        if self.written.finish.is_none() && self.written.text.is_empty() {
            let why = "the answer is not a stream of completions; is this the base URL of an OpenAI-compatible server?";
            return Err(ModelError::Protocol(why.to_owned()));
        }
        Ok(self.written)
    }
}

#[derive(Deserialize)]
struct Chunk {
    id: Option<String>,
    model: Option<String>,
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<WireUsage>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Delta {
    content: Option<String>,
}

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl From<WireUsage> for Tokens {
    fn from(wire: WireUsage) -> Self {
        Self {
            input: wire.prompt_tokens,
            output: wire.completion_tokens,
            cached: wire.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0),
            reasoning: wire
                .completion_tokens_details
                .and_then(|details| details.reasoning_tokens)
                .unwrap_or(0),
        }
    }
}

/// Who runs the server, as far as its address tells.
fn provider(host: &str) -> String {
    if host == "api.openai.com" { "openai".to_owned() } else { host.to_owned() }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The start of a refusal's body; never more than `QUOTE` characters are kept, nor much more read.
async fn quote(response: Response) -> String {
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(Ok(chunk)) = stream.next().await {
        body.extend_from_slice(&chunk);
        if body.len() > 4 * QUOTE {
            break;
        }
    }
    cut(String::from_utf8_lossy(&body).trim())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(QUOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// An error of the client without the address, which may hold a password.
fn transport(error: reqwest::Error) -> ModelError {
    ModelError::Transport(format!("the model server: {}", chain(&error.without_url())))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut causes = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    causes.join(": ")
}

#[cfg(test)]
#[path = "openai_tests.rs"]
mod tests;
