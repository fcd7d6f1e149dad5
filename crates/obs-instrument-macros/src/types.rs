//! The types of spans and the fields that arguments of the attribute can fill.

/// A type of span.
pub(crate) struct SpanType {
    /// The name in the attribute, in files and in labels.
    pub(crate) name: &'static str,
    /// The type in obs-instrument, as a path from its root.
    pub(crate) kind: &'static str,
    pub(crate) fields: &'static [Field],
}

/// A typed field.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// Where it is in the type.
    pub(crate) place: &'static str,
    pub(crate) form: Form,
}

/// What a field holds, which is the name of what fills it.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// Text that comes again and again.
    Name,
    /// Text that is hardly ever the same.
    Text,
    /// A document.
    Payload,
    /// A whole number of 32 bits.
    Small,
    /// A whole number of 64 bits.
    Large,
    /// A number.
    Real,
    /// A truth value.
    Flag,
}

const fn field(name: &'static str, place: &'static str, form: Form) -> Field {
    Field { name, place, form }
}

/// A name that is called as its place.
const fn name(name: &'static str) -> Field {
    field(name, name, Form::Name)
}

/// A text that is called as its place.
const fn text(name: &'static str) -> Field {
    field(name, name, Form::Text)
}

impl SpanType {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        TYPES.iter().find(|known| known.name == name)
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        TYPES.iter().map(|known| known.name)
    }

    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The fields of all types.
    pub(crate) fn fields() -> impl Iterator<Item = &'static str> {
        TYPES.iter().flat_map(|known| known.fields).map(|field| field.name)
    }

    /// The types that have a field of this name.
    pub(crate) fn having(name: &str) -> impl Iterator<Item = &'static str> {
        TYPES.iter().filter(move |known| known.field(name).is_some()).map(|known| known.name)
    }
}

/// What a function is that says nothing of its type.
pub(crate) static GENERIC: SpanType = SpanType { name: "generic", kind: "Generic", fields: &[] };

static TYPES: [SpanType; 12] = [
    SpanType {
        name: "agent_run",
        kind: "core::AgentRun",
        fields: &[
            field("agent", "agent_name", Form::Name),
            name("agent_id"),
            field("instructions", "instructions", Form::Payload),
            field("max_steps", "max_steps", Form::Small),
        ],
    },
    SpanType {
        name: "workflow_run",
        kind: "core::WorkflowRun",
        fields: &[name("workflow_id"), text("run_id")],
    },
    SpanType { name: "workflow_step", kind: "core::WorkflowStep", fields: &[name("step_id")] },
    SpanType {
        name: "llm_generation",
        kind: "core::LlmGeneration",
        fields: &[
            name("model"),
            name("provider"),
            field("temperature", "parameters.temperature", Form::Real),
            field("top_p", "parameters.top_p", Form::Real),
            field("max_tokens", "parameters.max_tokens", Form::Large),
            field("tools", "tools", Form::Payload),
            field("streaming", "streaming", Form::Flag),
        ],
    },
    SpanType {
        name: "tool_call",
        kind: "core::ToolCall",
        fields: &[name("tool"), name("agent"), text("call_id"), name("kind"), name("description")],
    },
    SpanType {
        name: "mcp_tool_call",
        kind: "core::McpToolCall",
        fields: &[
            field("tool", "call.tool", Form::Name),
            field("agent", "call.agent", Form::Name),
            field("call_id", "call.call_id", Form::Text),
            field("kind", "call.kind", Form::Name),
            field("description", "call.description", Form::Name),
            name("server"),
            name("server_version"),
            name("method"),
        ],
    },
    SpanType { name: "memory_lookup", kind: "core::MemoryLookup", fields: &[name("memory"), text("query")] },
    SpanType {
        name: "memory_update",
        kind: "core::MemoryUpdate",
        fields: &[name("memory"), name("operation"), field("count", "count", Form::Large)],
    },
    SpanType {
        name: "rag_query",
        kind: "core::RagQuery",
        fields: &[text("query"), name("store"), field("top_k", "top_k", Form::Small)],
    },
    SpanType {
        name: "embedding",
        kind: "core::Embedding",
        fields: &[
            name("model"),
            name("provider"),
            field("dimensions", "dimensions", Form::Small),
            field("count", "count", Form::Large),
        ],
    },
    SpanType {
        name: "eval_execution",
        kind: "core::EvalExecution",
        fields: &[name("scorer"), name("source")],
    },
    SpanType { name: "generic", kind: "Generic", fields: &[] },
];
