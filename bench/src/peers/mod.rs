//! The libraries that obs is measured against, each used as its documentation says.

pub(crate) mod fastrace;
pub(crate) mod otel;
pub(crate) mod prometheus;
pub(crate) mod tracing;
