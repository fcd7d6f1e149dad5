//! Names of our own, for what no convention has a name for.

/// A span's own name, where the conventions give it another on the wire.
pub const SPAN_NAME: &str = "obs.span.name";
