//! A server that records what exporters send, and readers of what it recorded.

mod answer;
mod encoding;
mod multipart;
mod server;
mod snapshot;

pub use answer::Answer;
pub use multipart::Part;
pub use server::CaptureServer;

use wiremock::Request;

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
    /// The body without its gzip or zstd compression.
    ///
    /// It is as it arrived where the compression is another or broken, or where it grows beyond 64 MiB.
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
        let coding = headers.iter().find(|(name, _)| name == "content-encoding");
        let body = coding.and_then(|(_, coding)| encoding::decoded(coding, &request.body));
        Self {
            method: request.method.to_string(),
            path: request.url.path().to_owned(),
            query: request.url.query().map(ToOwned::to_owned),
            headers,
            body: body.unwrap_or_else(|| request.body.clone()),
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

    /// The parts of a multipart/form-data body, or `None` if it is none or breaks a rule; [`Captured::try_multipart`] says
    /// which.
    pub fn multipart(&self) -> Option<Vec<Part>> {
        self.try_multipart().ok()
    }

    /// The parts of a multipart/form-data body, read strictly.
    ///
    /// Every part must have a name, a `Content-Type`, and a length that is true, as `Content-Length` or as the parameter
    /// `length` of its type; the closing boundary must be there, and nothing behind it.
    ///
    /// # Errors
    /// What breaks which rule, and in which part.
    pub fn try_multipart(&self) -> Result<Vec<Part>, String> {
        multipart::parse(self.header("content-type").unwrap_or_default(), &self.body)
    }
}
