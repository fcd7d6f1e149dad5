//! What a leaf sends.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::Body;
use crate::place::shown;

/// One request; it can be sent again as it is.
///
/// Credentials stand in the config, never here: what the config gives is kept out of messages.
///
/// ```
/// use obs_http::{Body, Request};
///
/// let request = Request::post("/v1/traces")
///     .with_content_type("application/x-protobuf")
///     .with_body(Body::plain(vec![0x0a]));
/// # drop(request);
/// ```
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    /// The first header that none can be.
    pub(crate) bad_header: Option<String>,
    pub(crate) body: Body,
    pub(crate) timeout: Option<Duration>,
}

impl Request {
    fn new(method: Method, target: impl Into<String>) -> Self {
        let (target, headers) = (target.into(), HeaderMap::new());
        Self { method, target, headers, bad_header: None, body: Body::default(), timeout: None }
    }

    /// A GET; the target is a path below the endpoint, nothing for the endpoint itself, or a whole address under the
    /// endpoint's scheme, host and port.
    pub fn get(target: impl Into<String>) -> Self {
        Self::new(Method::GET, target)
    }

    /// A HEAD; the target as with [`get`](Self::get).
    pub fn head(target: impl Into<String>) -> Self {
        Self::new(Method::HEAD, target)
    }

    /// An OPTIONS; the target as with [`get`](Self::get).
    pub fn options(target: impl Into<String>) -> Self {
        Self::new(Method::OPTIONS, target)
    }

    /// A POST; the target as with [`get`](Self::get).
    pub fn post(target: impl Into<String>) -> Self {
        Self::new(Method::POST, target)
    }

    /// A PUT; the target as with [`get`](Self::get).
    pub fn put(target: impl Into<String>) -> Self {
        Self::new(Method::PUT, target)
    }

    /// A PATCH; the target as with [`get`](Self::get).
    pub fn patch(target: impl Into<String>) -> Self {
        Self::new(Method::PATCH, target)
    }

    /// A DELETE; the target as with [`get`](Self::get).
    pub fn delete(target: impl Into<String>) -> Self {
        Self::new(Method::DELETE, target)
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(self, body: Body) -> Self {
        Self { body, ..self }
    }

    /// Sets what the body is, such as `application/json`.
    #[must_use]
    pub fn with_content_type(self, content_type: &str) -> Self {
        self.with_header("content-type", content_type)
    }

    /// Sets a header that is no credential; one of the same name in the config wins, since the user wrote it.
    /// A name or value that none can be makes the request fail when it is sent.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => drop(self.headers.insert(name, value)),
            _ => drop(self.bad_header.get_or_insert_with(|| name.escape_debug().to_string())),
        }
        self
    }

    /// Sets how long this request may take as a whole, in place of the config's timeout.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }
}

/// Shows no query, no values of headers, and no path that holds what looks like a key.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("target", &shown(&self.target))
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body", &self.body)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
