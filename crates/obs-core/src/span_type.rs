//! What a span stands for in an AI application.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::json::{nanos, optional_float};
use crate::{Cost, LlmGeneration, Payload, Str, Timestamp, Usage, payload};

/// What a span stands for, with the fields that only such a span has.
///
/// A tool's arguments and result, a query and its answer are the span's `input` and `output`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanType {
    /// One run of an agent.
    AgentRun(AgentRun),
    /// One run of a workflow.
    WorkflowRun(WorkflowRun),
    /// One step of a workflow.
    WorkflowStep(WorkflowStep),
    /// A call of a language model.
    LlmGeneration(LlmGeneration),
    /// A call of a tool.
    ToolCall(ToolCall),
    /// A call of a tool of an MCP server.
    McpToolCall(McpToolCall),
    /// Reading from memory.
    MemoryLookup(MemoryLookup),
    /// Writing to memory.
    MemoryUpdate(MemoryUpdate),
    /// Retrieval.
    RagQuery(RagQuery),
    /// Making embeddings.
    Embedding(Embedding),
    /// Running a scorer.
    EvalExecution(EvalExecution),
    /// Anything else.
    #[default]
    Generic,
}

impl SpanType {
    /// Every name that [`SpanType::name`] returns, in the order of the variants.
    pub const NAMES: [&'static str; 12] = [
        "agent_run",
        "workflow_run",
        "workflow_step",
        "llm_generation",
        "tool_call",
        "mcp_tool_call",
        "memory_lookup",
        "memory_update",
        "rag_query",
        "embedding",
        "eval_execution",
        "generic",
    ];

    /// The name in files, labels and options.
    pub const fn name(&self) -> &'static str {
        Self::NAMES[match self {
            Self::AgentRun(_) => 0,
            Self::WorkflowRun(_) => 1,
            Self::WorkflowStep(_) => 2,
            Self::LlmGeneration(_) => 3,
            Self::ToolCall(_) => 4,
            Self::McpToolCall(_) => 5,
            Self::MemoryLookup(_) => 6,
            Self::MemoryUpdate(_) => 7,
            Self::RagQuery(_) => 8,
            Self::Embedding(_) => 9,
            Self::EvalExecution(_) => 10,
            Self::Generic => 11,
        }]
    }

    /// The model call, if it is one.
    pub fn as_generation(&self) -> Option<&LlmGeneration> {
        match self {
            Self::LlmGeneration(generation) => Some(generation),
            _ => None,
        }
    }

    /// The model, provider and tokens of a generation or an embedding.
    pub fn model(&self) -> Option<(Option<&Str>, Option<&Str>, &Usage)> {
        match self {
            Self::LlmGeneration(g) => Some((g.model.as_ref(), g.provider.as_ref(), &g.usage)),
            Self::Embedding(e) => Some((e.model.as_ref(), e.provider.as_ref(), &e.usage)),
            _ => None,
        }
    }

    /// What a generation or an embedding cost, if known.
    pub fn cost(&self) -> Option<&Cost> {
        match self {
            Self::LlmGeneration(generation) => generation.cost.as_deref(),
            Self::Embedding(embedding) => embedding.cost.as_deref(),
            _ => None,
        }
    }
}

/// One run of an agent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentRun {
    /// The agent's stable id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Str>,
    /// The agent's name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<Str>,
    /// Its system instructions.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "payload::present")]
    pub instructions: Option<Payload>,
    /// The names of the tools it may call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Str>,
    /// The most steps it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u32>,
    /// What it decided, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
}

/// A choice that an agent made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    pub time: Timestamp,
    /// What it chose to do.
    pub action: Str,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Str>,
    /// What else it could have done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Str>,
}

/// Where a workflow run or step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowStatus {
    /// At work.
    Running,
    /// Done.
    Completed,
    /// Ended by an error.
    Failed,
    /// Put aside, to be resumed by its ids, maybe in another process.
    Suspended,
    /// Not taken.
    Skipped,
}

impl WorkflowStatus {
    /// The name in files and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Suspended => "suspended",
            Self::Skipped => "skipped",
        }
    }
}

/// One run of a workflow.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkflowRun {
    /// The workflow's stable id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<Str>,
    /// The id of this run, the same after a suspension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Str>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<WorkflowStatus>,
}

/// One step of a workflow.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkflowStep {
    /// The step's id in its workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_id: Option<Str>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<WorkflowStatus>,
    /// What kind of step it is.
    #[serde(skip_serializing_if = "StepFlavour::is_plain")]
    pub flavour: StepFlavour,
}

/// What kind of step a workflow step is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepFlavour {
    /// It does one thing.
    #[default]
    Plain,
    /// It chooses branches.
    Conditional {
        /// How many conditions were asked.
        conditions: u32,
        /// The steps chosen.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        selected: Vec<Str>,
    },
    /// It runs branches side by side.
    Parallel {
        /// How many.
        branches: u32,
    },
    /// It repeats.
    Loop {
        /// What kind of loop.
        kind: LoopKind,
        /// The iteration this span stands for, from 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        iteration: Option<u32>,
        /// How many there are, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<u32>,
    },
    /// It waits for a time.
    Sleep {
        /// How long; nanoseconds in JSON.
        #[serde(default, with = "nanos", skip_serializing_if = "Option::is_none")]
        duration: Option<Duration>,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// It waits for an event.
    WaitEvent {
        /// The event's name.
        event: Str,
        /// How long it waits at most; nanoseconds in JSON.
        #[serde(default, with = "nanos", skip_serializing_if = "Option::is_none")]
        timeout: Option<Duration>,
        /// Whether it came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        received: Option<bool>,
    },
}

impl StepFlavour {
    /// Whether it is [`StepFlavour::Plain`].
    pub fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// How a loop step repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoopKind {
    /// Once for each item.
    ForEach,
    /// While a condition holds.
    While,
    /// Until a condition holds.
    Until,
}

impl LoopKind {
    /// The name in files and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ForEach => "for_each",
            Self::While => "while",
            Self::Until => "until",
        }
    }
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ToolCall {
    /// The tool's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<Str>,
    /// The agent that called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Str>,
    /// The id that the model gave the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<Str>,
    /// What kind of tool: `function`, `extension`, `datastore`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Str>,
    /// What the tool is said to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Str>,
    /// Whether it did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<bool>,
}

/// A call of a tool of an MCP server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct McpToolCall {
    /// What it shares with every tool call.
    pub call: ToolCall,
    /// The server's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Str>,
    /// The server's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_version: Option<Str>,
    /// The JSON-RPC method, usually `tools/call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Str>,
}

/// Reading from memory; what was asked is also the span's input.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryLookup {
    /// Which memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Str>,
    /// What was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Str>,
    /// What was found, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<MemoryHit>,
}

/// One memory found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryHit {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Str>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "payload::present")]
    pub content: Option<Payload>,
    /// How near it is to the query, by the memory's own measure.
    #[serde(with = "optional_float", skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f64>,
}

/// Writing to memory; what was written is the span's input.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryUpdate {
    /// Which memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Str>,
    /// What was done: `save`, `update`, `delete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Str>,
    /// How many memories it touched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Retrieval.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RagQuery {
    /// What was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Str>,
    /// The store or index asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<Str>,
    /// How many chunks were wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    /// What came, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chunks: Vec<Chunk>,
}

/// One retrieved piece of a document.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Chunk {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Str>,
    /// The document it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Str>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "payload::present")]
    pub content: Option<Payload>,
    /// How relevant it is, by the store's own measure.
    #[serde(with = "optional_float", skip_serializing_if = "Option::is_none")]
    pub relevance: Option<f64>,
}

/// Making embeddings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Embedding {
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Str>,
    /// Who serves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Str>,
    /// The length of a vector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u32>,
    /// How many were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Tokens used.
    #[serde(skip_serializing_if = "Usage::is_empty")]
    pub usage: Usage,
    /// What it cost, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Box<Cost>>,
}

/// Running a scorer; its result is a [`crate::Score`] of its own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EvalExecution {
    /// The scorer's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scorer: Option<Str>,
    /// Where it ran: `live`, `trace`, `experiment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_tag_in_json() {
        let all = [
            SpanType::AgentRun(AgentRun::default()),
            SpanType::WorkflowRun(WorkflowRun::default()),
            SpanType::WorkflowStep(WorkflowStep::default()),
            SpanType::LlmGeneration(LlmGeneration::default()),
            SpanType::ToolCall(ToolCall::default()),
            SpanType::McpToolCall(McpToolCall::default()),
            SpanType::MemoryLookup(MemoryLookup::default()),
            SpanType::MemoryUpdate(MemoryUpdate::default()),
            SpanType::RagQuery(RagQuery::default()),
            SpanType::Embedding(Embedding::default()),
            SpanType::EvalExecution(EvalExecution::default()),
            SpanType::Generic,
        ];
        for (span_type, name) in all.iter().zip(SpanType::NAMES) {
            assert_eq!(span_type.name(), name);
            let json = serde_json::to_string(span_type).unwrap();
            assert!(json.contains(&format!("\"{name}\"")), "{json}");
            assert_eq!(serde_json::from_str::<SpanType>(&json).unwrap(), *span_type);
        }
    }
}
