//! What a backend answered to a request that passed.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use obs_core::{ErrorKind, Failure, Retry};

/// Where reading an answer's body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It was all there.
    Whole,
    /// It went on behind the limit.
    Cut,
    /// The connection broke.
    Broken,
    /// The deadline came first.
    TimedOut,
}

/// An answer that the policy counts as success: the backend has the records, whatever became of the answer's body.
#[derive(Clone)]
pub struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) end: End,
    /// Method and address, for messages.
    pub(crate) place: String,
}

impl Answer {
    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header's value, if it is there and text; the first if it is there more than once.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as far as it was read: no more than the config's `max_answer`, and less where it broke off.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body, for a caller that needs all of it.
    ///
    /// # Errors
    /// The answer was longer than `max_answer`, broke off, did not end by the deadline, or is compressed, which nobody
    /// asked for. The backend has the records all the same; a caller that can do without its words ignores the error.
    pub fn whole(&self) -> Result<&Bytes, Failure> {
        let (kind, retry, cause) = match self.end {
            End::Whole if is_encoded(&self.headers) => (
                ErrorKind::Unavailable,
                Retry::Backoff,
                "the answer is compressed though nobody asked for it",
            ),
            End::Whole => return Ok(&self.body),
            // With fewer records in a request its answer is shorter.
            End::Cut => (ErrorKind::TooLarge, Retry::Never, "the answer is longer than max_answer; raise it"),
            End::Broken => (ErrorKind::Unavailable, Retry::Backoff, "the answer broke off"),
            End::TimedOut => (ErrorKind::Timeout, Retry::Backoff, "the answer did not end by the deadline"),
        };
        let message = format!("{} answered {}: {cause}", self.place, self.status).into();
        Err(Failure { kind, retry, status: Some(self.status), message })
    }
}

/// Whether a body is compressed, though no request asks for it.
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Status and headers of an answer, before a policy says what they mean.
pub struct Head<'a> {
    pub(crate) status: u16,
    pub(crate) headers: &'a HeaderMap,
}

impl Head<'_> {
    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header's value, if it is there and text; the first if it is there more than once.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Shows the status, since headers may be private.
impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Shows the status and the body's length, since the words may be private.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body", &self.body.len())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
