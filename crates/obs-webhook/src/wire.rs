//! The vendor's JSON, in the vendor's words; no logic.

use serde::Serialize;

/// A request: the spans of one batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Request {
    /// In the order of the batch.
    pub(crate) spans: Vec<SpanBody>,
}

/// A span.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SpanBody {
    /// The trace id in hex.
    pub(crate) trace: String,
    /// The span id in hex.
    pub(crate) id: String,
    /// What the span is called.
    pub(crate) name: String,
}
