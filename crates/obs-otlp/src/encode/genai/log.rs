//! The attributes of a log.

use obs_core::{Form, Log, Payload};

use super::names as n;
use super::put::{Put, Taken};
use super::{Fields, context};

/// Puts a log's document, what is known of its trace, then the log's own attributes, which win over both.
///
/// OTLP has one body, which is the message; so the document goes out as text in `obs.log.data`, as it is.
/// Readers take text that is an object or a list for JSON; only where that is not so, `obs.log.data.mime_type` says what it is.
pub fn log_attributes(log: &Log, to: &mut Fields<'_>) {
    let mut put = Put { to, taken: Taken::by(&log.attributes, &[]) };
    if let Some(data) = &log.data {
        put.payload(n::LOG_DATA, data);
        if let Some(mime) = mime(data) {
            put.str(n::LOG_DATA_MIME, mime);
        }
    }
    context(&log.context, &mut put);
    put.to.attributes(&log.attributes);
}

/// What a document is, where it does not look like it; one that nobody looked at is what it looks like.
fn mime(document: &Payload) -> Option<&'static str> {
    let looks_like_json = matches!(document.as_str().trim_ascii_start().bytes().next(), Some(b'{' | b'['));
    match document.form() {
        Form::Json if !looks_like_json => Some("application/json"),
        Form::Text if looks_like_json => Some("text/plain"),
        Form::Json | Form::Text | Form::Unchecked => None,
    }
}
