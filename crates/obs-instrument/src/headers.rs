//! Contexts in and out of HTTP headers.

use std::borrow::Cow;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::propagation::joined;
use crate::{Carrier, Context};

/// Names come in any case; several headers of a name are joined by commas, those that are no text left out.
impl Carrier for HeaderMap {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        joined(self.get_all(name).iter().filter_map(|value| value.to_str().ok()))
    }

    fn set(&mut self, name: &'static str, value: String) {
        match HeaderValue::try_from(value) {
            Ok(value) => {
                self.insert(HeaderName::from_static(name), value);
            }
            Err(_) => {
                tracing::debug!(target: "obs::context", "{name} was not sent: it is no value of a header");
            }
        }
    }

    fn remove(&mut self, name: &str) {
        HeaderMap::remove(self, name);
    }
}

impl Context {
    /// [`Self::inject`] for the headers of a request about to be sent, with any client that knows the crate `http`.
    pub fn inject_headers(&self, headers: &mut HeaderMap) {
        self.inject(headers);
    }

    /// [`Self::extract`] for the headers of a request that came.
    pub fn extract_headers(headers: &HeaderMap) -> Self {
        Self::extract(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_headers_are_one_and_no_text_is_none() {
        let mut headers = HeaderMap::new();
        headers.append("Baggage", HeaderValue::from_static("a=1"));
        headers.append("baggage", HeaderValue::from_static("b=2"));
        headers.append("baggage", HeaderValue::from_bytes(b"c=\xff").unwrap());
        let context = Context::extract_headers(&headers);
        assert_eq!(context.baggage().iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
        let mut out = HeaderMap::new();
        out.append("baggage", HeaderValue::from_static("old=1"));
        context.inject_headers(&mut out);
        assert_eq!(out["baggage"], "a=1,b=2");
        assert_eq!(out.len(), 1);
    }
}
