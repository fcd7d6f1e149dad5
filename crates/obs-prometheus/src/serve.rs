//! The page over HTTP.

use std::io::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::negotiate;
use crate::shown::Shown;

/// The page under its path, for GET and HEAD; other methods are answered with 405.
pub(crate) fn router(path: &str, shown: Arc<Shown>) -> Router {
    Router::new().route(path, get(scrape)).with_state(shown)
}

async fn scrape(State(shown): State<Arc<Shown>>, headers: HeaderMap) -> Response {
    let format = negotiate::format(&joined(&headers, &ACCEPT));
    let gzip = negotiate::takes_gzip(&joined(&headers, &ACCEPT_ENCODING));
    // Large pages take milliseconds, which the application's own tasks shall not wait for.
    let made = tokio::task::spawn_blocking(move || {
        let text = shown.text(format).into_bytes();
        if gzip { zipped(text) } else { (text, false) }
    });
    let Ok((body, gzip)) = made.await else {
        let mut response = Response::new(Body::from("the page could not be made\n"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    if let Ok(content_type) = HeaderValue::try_from(format.content_type()) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
    if gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// All values of a header as one list.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",")
}

/// The text in gzip, and whether it is.
fn zipped(text: Vec<u8>) -> (Vec<u8>, bool) {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 8), Compression::fast());
    match encoder.write_all(&text).and_then(|()| encoder.finish()) {
        Ok(zipped) => (zipped, true),
        // Writing to memory does not fail; the text is right in any case.
        Err(_) => (text, false),
    }
}
