//! The types of spans, as types.

use obs_core::{
    AgentRun, Embedding, EvalExecution, LlmGeneration, McpToolCall, MemoryLookup, MemoryUpdate, RagQuery,
    SpanKind, SpanType, ToolCall, WorkflowRun, WorkflowStatus, WorkflowStep,
};

use crate::limits::cut_items;

/// A span of no special type.
#[derive(Debug, Clone, Copy, Default)]
pub struct Generic;

/// What a span can stand for: the structs of [`SpanType`], and [`Generic`].
pub trait Kind: Default + sealed::Sealed + 'static {
    /// The type's name, as [`SpanType::name`] has it.
    const NAME: &'static str;

    /// The role that such spans usually have in a call between services.
    const SPAN_KIND: SpanKind;

    /// The value as a span's type.
    fn into_type(self) -> SpanType;

    /// The value in a span's type, if it is of this kind.
    fn of(span_type: &mut SpanType) -> Option<&mut Self>;

    /// Its place among [`SpanType::NAMES`], as a bit.
    #[doc(hidden)]
    const BIT: u16 = 1 << place_of(Self::NAME);

    /// Fills in what is so from the start.
    #[doc(hidden)]
    fn begin(&mut self) {}

    /// Keeps the first so many of each list that grows while the span is open; gives how many more there were.
    #[doc(hidden)]
    #[inline]
    fn cap(&mut self, items: u32) -> u32 {
        let _ = items;
        0
    }

    /// Fills in, at the end, what follows from whether the span failed and was not said.
    fn settle(&mut self, failed: bool) {
        let _ = failed;
    }
}

/// Where a name stands among those of the types.
pub(crate) const fn place_of(name: &str) -> usize {
    let mut at = 0;
    while at < SpanType::NAMES.len() {
        let (known, name) = (SpanType::NAMES[at].as_bytes(), name.as_bytes());
        let mut same = 0;
        while same < known.len() && same < name.len() && known[same] == name[same] {
            same += 1;
        }
        if same == known.len() && same == name.len() {
            return at;
        }
        at += 1;
    }
    at
}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for Generic {}

impl Kind for Generic {
    const NAME: &'static str = "generic";
    const SPAN_KIND: SpanKind = SpanKind::Internal;

    fn into_type(self) -> SpanType {
        SpanType::Generic
    }

    fn of(_: &mut SpanType) -> Option<&mut Self> {
        None
    }
}

macro_rules! kinds {
    ($($kind:ident, $name:literal, $span_kind:ident $(, $hook:item)*;)*) => {
        $(
            impl sealed::Sealed for $kind {}

            impl Kind for $kind {
                const NAME: &'static str = $name;
                const SPAN_KIND: SpanKind = SpanKind::$span_kind;

                #[inline]
                fn into_type(self) -> SpanType {
                    SpanType::$kind(self)
                }

                #[inline]
                fn of(span_type: &mut SpanType) -> Option<&mut Self> {
                    match span_type {
                        SpanType::$kind(fields) => Some(fields),
                        _ => None,
                    }
                }

                $($hook)*
            }
        )*
    };
}

fn end_status(status: &mut Option<WorkflowStatus>, failed: bool) {
    if matches!(status, None | Some(WorkflowStatus::Running)) {
        *status = Some(if failed { WorkflowStatus::Failed } else { WorkflowStatus::Completed });
    }
}

kinds! {
    AgentRun, "agent_run", Internal,
        fn cap(&mut self, items: u32) -> u32 { cut_items(&mut self.decisions, items) };
    WorkflowRun, "workflow_run", Internal,
        fn begin(&mut self) { self.status.get_or_insert(WorkflowStatus::Running); },
        fn settle(&mut self, failed: bool) { end_status(&mut self.status, failed); };
    WorkflowStep, "workflow_step", Internal,
        fn begin(&mut self) { self.status.get_or_insert(WorkflowStatus::Running); },
        fn settle(&mut self, failed: bool) { end_status(&mut self.status, failed); };
    LlmGeneration, "llm_generation", Client;
    ToolCall, "tool_call", Internal, fn settle(&mut self, failed: bool) { self.success.get_or_insert(!failed); };
    McpToolCall, "mcp_tool_call", Client, fn settle(&mut self, failed: bool) { self.call.success.get_or_insert(!failed); };
    MemoryLookup, "memory_lookup", Internal,
        fn cap(&mut self, items: u32) -> u32 { cut_items(&mut self.results, items) };
    MemoryUpdate, "memory_update", Internal;
    RagQuery, "rag_query", Internal,
        fn cap(&mut self, items: u32) -> u32 { cut_items(&mut self.chunks, items) };
    Embedding, "embedding", Client;
    EvalExecution, "eval_execution", Internal;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Kind>() {
        let mut span_type = T::default().into_type();
        assert_eq!(span_type.name(), T::NAME);
        assert_eq!(T::of(&mut span_type).is_some(), T::NAME != "generic");
        assert_eq!(SpanType::NAMES[T::BIT.trailing_zeros() as usize], T::NAME);
    }

    #[test]
    fn a_kind_and_its_span_type_agree() {
        check::<Generic>();
        check::<AgentRun>();
        check::<WorkflowRun>();
        check::<WorkflowStep>();
        check::<LlmGeneration>();
        check::<ToolCall>();
        check::<McpToolCall>();
        check::<MemoryLookup>();
        check::<MemoryUpdate>();
        check::<RagQuery>();
        check::<Embedding>();
        check::<EvalExecution>();
    }
}
