//! What the server answers.

use std::time::Duration;

use wiremock::ResponseTemplate;

/// What a [`CaptureServer`](crate::CaptureServer) answers to one request.
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

    /// An answer of status 200 with this JSON.
    pub fn json(body: &serde_json::Value) -> Self {
        Self::status(200).with_json(body)
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

    pub(super) fn template(&self) -> ResponseTemplate {
        let template =
            ResponseTemplate::new(self.status).set_body_bytes(self.body.clone()).set_delay(self.delay);
        let headers = self.headers.iter();
        headers
            .fold(template, |template, (name, value)| template.append_header(name.as_str(), value.as_str()))
    }
}
