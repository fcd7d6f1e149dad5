//! Records into OTLP requests: protobuf or JSON, written straight to bytes.
//!
//! [`TraceRequests`], [`LogRequests`] and [`MetricRequests`] take records one by one and give bodies that are ready to send.
//! What an attribute is called is the caller's: [`Fields`] takes what it is given, and [`genai`] and [`openinference`] give what these conventions have names for.
//! The bytes are those that `opentelemetry-proto` would encode.

pub mod evaluation;
mod exception;
mod fields;
pub mod genai;
mod group;
mod json;
mod log;
mod logs;
mod metrics;
pub mod openinference;
mod requests;
mod span;
mod traces;
mod value;
mod wire;

pub use fields::Fields;
pub use log::LogParts;
pub use logs::LogRequests;
pub use metrics::{InvalidMetric, MetricRequests};
pub use requests::Chunk;
pub use span::{AddedEvent, SpanParts};
pub use traces::TraceRequests;
pub use value::MAX_DEPTH;

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// Protobuf: smaller and quicker.
    #[default]
    Protobuf,
    /// OTLP's JSON: ids in hex, integers of 64 bits in quotes, enums as numbers, defaults left out.
    Json,
}

impl Encoding {
    /// The `Content-Type` of a request.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}
