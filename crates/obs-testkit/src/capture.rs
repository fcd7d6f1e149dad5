//! A server that records what exporters send.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// What a [`CaptureServer`] answers to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delay: Duration,
}

impl Answer {
    /// An answer of this status with an empty body.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), delay: Duration::ZERO }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body and says that it is JSON.
    #[must_use]
    pub fn with_json(self, body: &serde_json::Value) -> Self {
        self.with_header("content-type", "application/json").with_body(body.to_string())
    }

    /// Keeps the client waiting for so long.
    #[must_use]
    pub fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn template(&self) -> ResponseTemplate {
        let template =
            ResponseTemplate::new(self.status).set_body_bytes(self.body.clone()).set_delay(self.delay);
        let headers = self.headers.iter();
        headers
            .fold(template, |template, (name, value)| template.append_header(name.as_str(), value.as_str()))
    }
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// `POST`, `GET`, and so on.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query without the question mark, if there was one.
    pub query: Option<String>,
    /// Names in lower case and values, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// The body, without its gzip compression if it had one.
    pub body: Vec<u8>,
}

impl Captured {
    fn of(request: &Request) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
            .collect();
        let gzip = headers.iter().any(|(name, value)| name == "content-encoding" && value == "gzip");
        let mut body = Vec::new();
        if !(gzip && MultiGzDecoder::new(&*request.body).read_to_end(&mut body).is_ok()) {
            body.clone_from(&request.body);
        }
        Self {
            method: request.method.to_string(),
            path: request.url.path().to_owned(),
            query: request.url.query().map(ToOwned::to_owned),
            headers,
            body,
        }
    }

    /// The first value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, or `None` if it is none.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// A stable text of the request, for a snapshot.
    ///
    /// Headers that change by machine or version are left out, the others sorted, and values of those that carry
    /// credentials replaced. A JSON body is laid out, other text stands as it is, and bytes are hexadecimal.
    pub fn redacted_snapshot(&self) -> String {
        let mut out = format!("{} {}", self.method, self.path);
        if let Some(query) = &self.query {
            let _ = write!(out, "?{query}");
        }
        out.push('\n');
        let mut headers: Vec<_> =
            self.headers.iter().filter(|(name, _)| !VOLATILE.contains(&name.as_str())).collect();
        headers.sort();
        for (name, value) in headers {
            let shown = if is_credential(name) { "[redacted]" } else { value };
            let _ = writeln!(out, "{name}: {shown}");
        }
        out.push('\n');
        out.push_str(&self.body_text());
        out
    }

    fn body_text(&self) -> String {
        if let Some(json) = self.json() {
            return format!("{json:#}");
        }
        match std::str::from_utf8(&self.body) {
            Ok(text) if !text.contains('\0') => text.to_owned(),
            _ => {
                let hex = self.body.chunks(32).map(|row| {
                    row.iter().fold(String::new(), |mut hex, byte| {
                        let _ = write!(hex, "{byte:02x}");
                        hex
                    })
                });
                format!("{} bytes\n{}", self.body.len(), hex.collect::<Vec<_>>().join("\n"))
            }
        }
    }
}

/// Headers that say nothing of the exporter.
const VOLATILE: [&str; 7] =
    ["accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"];

fn is_credential(name: &str) -> bool {
    ["authorization", "api-key", "apikey", "token", "secret", "cookie", "license-key", "password"]
        .iter()
        .any(|word| name.contains(word))
}

/// A server on this machine that records every request and answers by script.
///
/// Once the script is over it answers 200 with an empty body, or what [`CaptureServer::answer_always`] was given.
#[derive(Debug)]
pub struct CaptureServer {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    script: VecDeque<Answer>,
    then: Answer,
    requests: Vec<Captured>,
}

impl CaptureServer {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let state = State { script: VecDeque::new(), then: Answer::status(200), requests: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(Recorder(Arc::clone(&state))).mount(&server).await;
        Self { server, state }
    }

    /// Where it listens, without a slash at the end: `http://127.0.0.1:1234`.
    pub fn url(&self) -> String {
        self.server.uri()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        *self.server.address()
    }

    /// Adds answers for the next requests, one each.
    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        lock(&self.state).script.extend(answers);
    }

    /// What every request gets when the script is over.
    pub fn answer_always(&self, answer: Answer) {
        lock(&self.state).then = answer;
    }

    /// The requests so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Captured> {
        lock(&self.state).requests.clone()
    }

    /// The requests so far, which are then forgotten.
    pub fn take_requests(&self) -> Vec<Captured> {
        std::mem::take(&mut lock(&self.state).requests)
    }

    /// The requests so far as one text for a snapshot, in the order of arrival.
    pub fn redacted_snapshot(&self) -> String {
        let requests: Vec<_> = self.requests().iter().map(Captured::redacted_snapshot).collect();
        requests.join("\n\n---\n\n")
    }
}

#[derive(Debug)]
struct Recorder(Arc<Mutex<State>>);

impl Respond for Recorder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let captured = Captured::of(request);
        let mut state = lock(&self.0);
        state.requests.push(captured);
        let next = state.script.pop_front();
        next.as_ref().unwrap_or(&state.then).template()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
