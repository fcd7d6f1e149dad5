//! Langfuse's names for what no record has a field for.

pub use super::types::LANGFUSE as TYPE;
use super::types::type_value;

/// The type of an observation without length, which is what a log becomes.
pub const EVENT: &str = "event";

/// Whether a span is the topmost of the application, though it has a parent in another.
pub const IS_APP_ROOT: &str = "langfuse.internal.is_app_root";

/// The type of the observation that a span of this type is.
///
/// What [`TYPES`](super::TYPES) has no exact name for is the nearest that Langfuse has.
///
/// ```
/// use obs_otlp::conventions::langfuse::type_of;
///
/// assert_eq!(type_of("llm_generation"), "generation");
/// assert_eq!(type_of("memory_lookup"), "retriever");
/// ```
pub const fn type_of(span_type: &str) -> &'static str {
    if let Some(exact) = type_value(TYPE, span_type) {
        return exact;
    }
    match span_type.as_bytes() {
        b"workflow_run" | b"workflow_step" => "chain",
        b"mcp_tool_call" => "tool",
        b"memory_lookup" => "retriever",
        _ => "span",
    }
}

#[cfg(test)]
mod tests {
    use obs_core::SpanType;

    use super::*;
    use crate::conventions::TYPES;

    #[test]
    fn every_type_that_is_written_is_read() {
        let written = SpanType::NAMES.into_iter().map(type_of).chain([EVENT]);
        for value in written {
            assert!(TYPES.iter().any(|row| (row.attribute, row.value) == (TYPE, value)), "{value}");
        }
    }
}
