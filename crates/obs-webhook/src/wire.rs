//! What a request is before it is compressed, signed and sent.

use std::fmt;

/// The request of some records.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// Which of the exporter's destinations it goes to.
    pub(crate) route: usize,
    /// What it adds to the destination's address.
    pub(crate) target: String,
    /// The body, uncompressed.
    pub(crate) body: Vec<u8>,
    /// The value of `Content-Type`, where it is not the format's.
    pub(crate) content_type: Option<String>,
    /// The id of its records, where the configuration has a use for it.
    pub(crate) id: Option<String>,
}

/// Shows no body, which may hold the fields of a form, and no address.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("route", &self.route)
            .field("bytes", &self.body.len())
            .field("content_type", &self.content_type)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
