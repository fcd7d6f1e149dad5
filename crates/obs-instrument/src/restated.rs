//! Calls of models that say once more what a call directly below them has said, as frameworks have it.
//!
//! Sums count such a call's tokens and cost by the innermost that says them, as
//! [`Trace::usage`](obs_core::Trace::usage) does.

use obs_core::{LlmGeneration, Span, SpanType};

use crate::cost;

/// A call directly below has said how many tokens it used.
///
/// Both bits stand in the memory of an open span, and between its end and the collector in its trace flags: only where
/// automatic metrics are made, which take them off before anybody else sees the record.
pub(crate) const TOKENS: u8 = 1 << 4;
/// A call directly below has said what it cost, or the tokens that tell it.
pub(crate) const COST: u8 = 1 << 5;
pub(crate) const BOTH: u8 = TOKENS | COST;

/// What is said, to whatever is directly above, by a span that ends and what is directly below it.
#[inline]
pub(crate) fn said(span: &Span, below: u8) -> u8 {
    match &span.span_type {
        SpanType::LlmGeneration(call) => below | own(span, call),
        SpanType::Generic => below,
        _ => 0,
    }
}

fn own(span: &Span, call: &LlmGeneration) -> u8 {
    if !call.usage.is_empty() {
        BOTH
    } else if call.cost.is_some() || cost::is_reported(span) {
        COST
    } else {
        0
    }
}
