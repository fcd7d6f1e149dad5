//! What a request is before it is compressed, signed and sent.

/// The request of some records.
#[derive(Debug, Clone, PartialEq, Eq)]
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
