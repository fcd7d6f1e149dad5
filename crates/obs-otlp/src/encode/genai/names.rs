//! The names that the fields go out under, from the one table.

use crate::conventions::Convention::{GenAi, General, Langfuse, Mastra, OpenInference};
use crate::conventions::{Field, name, name_within, type_value};

pub(crate) const OPERATION: &str = "gen_ai.operation.name";
pub(crate) const TYPE: &str = "mastra.span.type";

/// The operation of a type, as GenAI has it.
const fn operation(span_type: &str) -> &'static str {
    match type_value(OPERATION, span_type) {
        Some(value) => value,
        None => panic!("GenAI has no operation for this type"),
    }
}

pub(crate) const INVOKE_AGENT: &str = operation("agent_run");
pub(crate) const INVOKE_WORKFLOW: &str = operation("workflow_run");
pub(crate) const CHAT: &str = operation("llm_generation");
pub(crate) const EXECUTE_TOOL: &str = operation("tool_call");
pub(crate) const SEARCH_MEMORY: &str = operation("memory_lookup");
pub(crate) const RETRIEVAL: &str = operation("rag_query");
pub(crate) const EMBEDDINGS: &str = operation("embedding");

/// A name of Mastra's with the type's own name in it, put together at compile time.
macro_rules! mastra {
    ($field:expr, $type:literal) => {{
        const NAME: &str = name(Mastra, $field);
        const LEN: usize = NAME.len() - "{type}".len() + $type.len();
        const BYTES: [u8; LEN] = with_type(NAME, $type);
        match str::from_utf8(&BYTES) {
            Ok(name) => name,
            Err(_) => panic!("a name is text"),
        }
    }};
}

/// The name with the type where it says `{type}`.
const fn with_type<const LEN: usize>(name: &str, of_type: &str) -> [u8; LEN] {
    let (name, of_type) = (name.as_bytes(), of_type.as_bytes());
    let mut out = [0; LEN];
    let (mut from, mut to) = (0, 0);
    while from < name.len() {
        if name[from] == b'{' {
            let mut at = 0;
            while at < of_type.len() {
                out[to] = of_type[at];
                (to, at) = (to + 1, at + 1);
            }
            from += "{type}".len();
        } else {
            out[to] = name[from];
            (to, from) = (to + 1, from + 1);
        }
    }
    out
}

// Documents.
pub(crate) const INPUT: &str = name_within("input.", Field::Input);
pub(crate) const INPUT_MIME: &str = name(OpenInference, Field::InputMime);
pub(crate) const INPUT_MESSAGES: &str = name(GenAi, Field::InputMessages);
pub(crate) const OUTPUT: &str = name_within("output.", Field::Output);
pub(crate) const OUTPUT_MIME: &str = name(OpenInference, Field::OutputMime);
pub(crate) const OUTPUT_MESSAGES: &str = name(GenAi, Field::OutputMessages);
pub(crate) const TOOL_ARGUMENTS: &str = name_within("gen_ai.tool.", Field::Input);
pub(crate) const TOOL_RESULT: &str = name_within("gen_ai.tool.", Field::Output);
pub(crate) const INSTRUCTIONS: &str = name(GenAi, Field::Instructions);

// Model calls.
pub(crate) const MODEL: &str = name(GenAi, Field::Model);
pub(crate) const PROVIDER: &str = name(GenAi, Field::Provider);
pub(crate) const RESPONSE_MODEL: &str = name(GenAi, Field::ResponseModel);
pub(crate) const RESPONSE_ID: &str = name(GenAi, Field::ResponseId);
pub(crate) const FINISH_REASONS: &str = name(GenAi, Field::FinishReason);
pub(crate) const RESULT_TYPE: &str = mastra!(Field::ResultType, "model_generation");
pub(crate) const STREAMING: &str = name(GenAi, Field::Streaming);
pub(crate) const TIME_TO_FIRST_TOKEN: &str = name(GenAi, Field::TimeToFirstToken);
pub(crate) const TEMPERATURE: &str = name(GenAi, Field::Temperature);
pub(crate) const TOP_P: &str = name(GenAi, Field::TopP);
pub(crate) const MAX_TOKENS: &str = name(GenAi, Field::MaxTokens);
pub(crate) const TOOLS: &str = name(GenAi, Field::Tools);
pub(crate) const PROMPT_NAME: &str = name(GenAi, Field::PromptName);
pub(crate) const PROMPT_VERSION: &str = name(GenAi, Field::PromptVersion);
/// Ends in `*`, for which a parameter's own name stands.
pub(crate) const PARAMETER: &str = name(GenAi, Field::Parameter);

// Tokens and money.
pub(crate) const INPUT_TOKENS: &str = name(GenAi, Field::InputTokens);
pub(crate) const OUTPUT_TOKENS: &str = name(GenAi, Field::OutputTokens);
pub(crate) const CACHE_READ: &str = name(GenAi, Field::CacheReadTokens);
pub(crate) const CACHE_WRITE: &str = name(GenAi, Field::CacheWriteTokens);
pub(crate) const CACHE_WRITE_5M: &str = name(GenAi, Field::CacheWrite5mTokens);
pub(crate) const CACHE_WRITE_1H: &str = name(GenAi, Field::CacheWrite1hTokens);
pub(crate) const INPUT_AUDIO: &str = name(GenAi, Field::InputAudioTokens);
pub(crate) const INPUT_IMAGE: &str = name(GenAi, Field::InputImageTokens);
pub(crate) const REASONING: &str = name(GenAi, Field::ReasoningTokens);
pub(crate) const OUTPUT_AUDIO: &str = name(GenAi, Field::OutputAudioTokens);
pub(crate) const OUTPUT_IMAGE: &str = name(GenAi, Field::OutputImageTokens);
pub(crate) const COST: &str = name(GenAi, Field::Cost);
pub(crate) const INPUT_COST: &str = name(OpenInference, Field::InputCost);
pub(crate) const OUTPUT_COST: &str = name(OpenInference, Field::OutputCost);

// Agents, workflows, tools.
pub(crate) const AGENT_ID: &str = name(GenAi, Field::AgentId);
pub(crate) const AGENT_NAME: &str = name(GenAi, Field::AgentName);
pub(crate) const MAX_STEPS: &str = mastra!(Field::MaxSteps, "agent_run");
pub(crate) const WORKFLOW_ID: &str = name(GenAi, Field::WorkflowId);
pub(crate) const RUN_ID: &str = name(Mastra, Field::RunId);
pub(crate) const RUN_STATUS: &str = mastra!(Field::WorkflowStatus, "workflow_run");
pub(crate) const STEP_ID: &str = name_within("mastra.workflow.step.", Field::StepId);
pub(crate) const STEP_STATUS: &str = mastra!(Field::WorkflowStatus, "workflow_step");
pub(crate) const CONDITIONS: &str = mastra!(Field::Conditions, "workflow_conditional");
pub(crate) const SELECTED_STEPS: &str = mastra!(Field::SelectedSteps, "workflow_conditional");
pub(crate) const BRANCHES: &str = mastra!(Field::Branches, "workflow_parallel");
pub(crate) const LOOP_KIND: &str = mastra!(Field::LoopKind, "workflow_loop");
pub(crate) const ITERATION: &str = mastra!(Field::Iteration, "workflow_loop");
pub(crate) const ITERATIONS: &str = mastra!(Field::Iterations, "workflow_loop");
pub(crate) const SLEEP_MILLIS: &str = mastra!(Field::SleepMillis, "workflow_sleep");
pub(crate) const SLEEP_UNTIL: &str = mastra!(Field::SleepUntil, "workflow_sleep");
pub(crate) const AWAITED_EVENT: &str = mastra!(Field::AwaitedEvent, "workflow_wait_event");
pub(crate) const AWAIT_MILLIS: &str = mastra!(Field::AwaitMillis, "workflow_wait_event");
pub(crate) const EVENT_RECEIVED: &str = mastra!(Field::EventReceived, "workflow_wait_event");
pub(crate) const TOOL_NAME: &str = name(GenAi, Field::ToolName);
pub(crate) const TOOL_CALL_ID: &str = name(GenAi, Field::ToolCallId);
pub(crate) const TOOL_KIND: &str = name(GenAi, Field::ToolKind);
pub(crate) const TOOL_DESCRIPTION: &str = name(GenAi, Field::ToolDescription);
pub(crate) const TOOL_SUCCESS: &str = mastra!(Field::ToolSuccess, "tool_call");
pub(crate) const MCP_SERVER: &str = name(GenAi, Field::McpServer);
pub(crate) const MCP_SERVER_VERSION: &str = name(GenAi, Field::McpServerVersion);
pub(crate) const MCP_METHOD: &str = name(GenAi, Field::McpMethod);

// Memory, retrieval, embeddings, scorers.
pub(crate) const MEMORY_STORE: &str = name_within("gen_ai.memory.", Field::Store);
pub(crate) const MEMORY_QUERY: &str = name_within("gen_ai.memory.", Field::Query);
pub(crate) const MEMORY_RECORDS: &str = name_within("gen_ai.memory.", Field::Documents);
pub(crate) const MEMORY_COUNT: &str = name(GenAi, Field::MemoryCount);
pub(crate) const MEMORY_OPERATION: &str = mastra!(Field::MemoryOperation, "memory_operation");
pub(crate) const RAG_STORE: &str = name_within("gen_ai.data_source.", Field::Store);
pub(crate) const RAG_QUERY: &str = name_within("gen_ai.retrieval.", Field::Query);
pub(crate) const RAG_DOCUMENTS: &str = name_within("gen_ai.retrieval.", Field::Documents);
pub(crate) const TOP_K: &str = name(GenAi, Field::TopK);
pub(crate) const DIMENSIONS: &str = name(GenAi, Field::Dimensions);
pub(crate) const EMBEDDING_COUNT: &str = mastra!(Field::EmbeddingCount, "rag_embedding");
pub(crate) const SCORER_NAME: &str = mastra!(Field::ScorerName, "scorer_run");
pub(crate) const SCORER_SOURCE: &str = mastra!(Field::ScorerSource, "scorer_run");

// What is known of the trace.
pub(crate) const TRACE_NAME: &str = name(Langfuse, Field::TraceName);
pub(crate) const USER_ID: &str = name(General, Field::UserId);
pub(crate) const SESSION_ID: &str = name(General, Field::SessionId);
pub(crate) const THREAD_ID: &str = name(GenAi, Field::ThreadId);
pub(crate) const REQUEST_ID: &str = name(Mastra, Field::RequestId);
pub(crate) const ORGANIZATION_ID: &str = name(Mastra, Field::OrganizationId);
pub(crate) const TAGS: &str = name(OpenInference, Field::Tags);
pub(crate) const ENVIRONMENT: &str = name(General, Field::Environment);
pub(crate) const RELEASE: &str = name(General, Field::Release);
pub(crate) const VERSION: &str = name(Langfuse, Field::Version);
pub(crate) const SERVICE: &str = name(Mastra, Field::Service);
pub(crate) const EXPERIMENT_ID: &str = name(Mastra, Field::ExperimentId);
pub(crate) const METADATA: &str = name(OpenInference, Field::Metadata);

// Errors; what an exception event says has names of its own.
pub(crate) const ERROR_TYPE: &str = name_within("error.", Field::ErrorType);
pub(crate) const ERROR_MESSAGE: &str = name_within("error.", Field::ErrorMessage);
pub(crate) const ERROR_STACK: &str = name_within("error.", Field::ErrorStack);
pub(crate) const ERROR_CODE: &str = name_within("error.", Field::ErrorCode);

// Of a log; no convention has a document beside the message.
pub(crate) const LOG_DATA: &str = "obs.log.data";
pub(crate) const LOG_DATA_MIME: &str = "obs.log.data.mime_type";
