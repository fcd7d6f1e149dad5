//! OpenInference's names for what no record has a field for.

/// The attribute of the kind of a span.
pub use super::types::OPEN_INFERENCE as KIND;

/// The id of the node that called the one that the span runs.
pub const NODE_PARENT_ID: &str = "graph.node.parent_id";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conventions::lookup;

    #[test]
    fn none_of_them_stands_for_a_field() {
        assert_eq!([KIND, NODE_PARENT_ID].map(lookup), [None, None]);
    }
}
