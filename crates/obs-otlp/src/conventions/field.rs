//! What an attribute can stand for.

/// A place in a record that an attribute can stand for.
///
/// Which of them a span has depends on its type; an attribute whose field the span lacks stays an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The span's input.
    Input,
    /// The media type of the input: JSON or plain text.
    InputMime,
    /// The span's input as messages.
    InputMessages,
    /// The span's output.
    Output,
    /// The media type of the output.
    OutputMime,
    /// The span's output as messages.
    OutputMessages,
    /// An agent's instructions; for a model call, the system message before the others.
    Instructions,
    /// The model asked for.
    Model,
    /// The provider.
    Provider,
    /// The model that answered.
    ResponseModel,
    /// The provider's id of the answer.
    ResponseId,
    /// Why the model stopped.
    FinishReason,
    /// The kind of answer.
    ResultType,
    /// Whether the answer was streamed.
    Streaming,
    /// Time to the first token, in seconds since the span began.
    TimeToFirstToken,
    /// Time of the first token, as a point in time.
    FirstTokenTime,
    /// Sampling temperature.
    Temperature,
    /// Nucleus sampling.
    TopP,
    /// The most tokens to answer with.
    MaxTokens,
    /// Any other sampling parameter, named by what follows the prefix.
    Parameter,
    /// All parameters in one JSON object.
    Parameters,
    /// The tools offered; for an agent, their names.
    Tools,
    /// The managed prompt's name.
    PromptName,
    /// The managed prompt's version.
    PromptVersion,
    /// All input tokens.
    InputTokens,
    /// All output tokens.
    OutputTokens,
    /// Input and output tokens together.
    TotalTokens,
    /// Input read from the prompt cache.
    CacheReadTokens,
    /// Input written to the prompt cache, of whatever lifetime.
    CacheWriteTokens,
    /// Input written to the prompt cache for five minutes.
    CacheWrite5mTokens,
    /// Input written to the prompt cache for an hour.
    CacheWrite1hTokens,
    /// Audio input.
    InputAudioTokens,
    /// Image input.
    InputImageTokens,
    /// Output thought, not said.
    ReasoningTokens,
    /// Audio output.
    OutputAudioTokens,
    /// Image output.
    OutputImageTokens,
    /// All counts in one JSON object, as buckets that exclude each other.
    UsageDetails,
    /// The whole cost in US dollars.
    Cost,
    /// The cost of the input in US dollars.
    InputCost,
    /// The cost of the output in US dollars.
    OutputCost,
    /// All amounts in one JSON object, in US dollars.
    CostDetails,
    /// The agent's id.
    AgentId,
    /// The agent's name.
    AgentName,
    /// The most steps an agent may take.
    MaxSteps,
    /// The workflow's id.
    WorkflowId,
    /// The id of the workflow's run.
    RunId,
    /// The step's id.
    StepId,
    /// The id of whatever the span runs as a node of a graph: an agent, a workflow or a step.
    NodeId,
    /// Where a workflow run or step stands.
    WorkflowStatus,
    /// How many conditions a conditional step asks.
    Conditions,
    /// The steps that a conditional step chose.
    SelectedSteps,
    /// How many branches a parallel step runs.
    Branches,
    /// How a loop step repeats.
    LoopKind,
    /// The iteration of a loop step.
    Iteration,
    /// How many iterations a loop step has.
    Iterations,
    /// How long a sleep step waits, in milliseconds.
    SleepMillis,
    /// Until when a sleep step waits.
    SleepUntil,
    /// The event that a step waits for.
    AwaitedEvent,
    /// How long a step waits for its event at most, in milliseconds.
    AwaitMillis,
    /// Whether the awaited event came.
    EventReceived,
    /// The name of whatever the span runs: an agent, a workflow, a step or a tool.
    EntityName,
    /// The tool's name.
    ToolName,
    /// The id that the model gave the call.
    ToolCallId,
    /// What kind of tool.
    ToolKind,
    /// What the tool is said to do.
    ToolDescription,
    /// Whether the tool did it.
    ToolSuccess,
    /// The MCP server's name.
    McpServer,
    /// The MCP server's version.
    McpServerVersion,
    /// The MCP method.
    McpMethod,
    /// The memory or document store.
    Store,
    /// What was asked of a memory or store.
    Query,
    /// The most documents wanted.
    TopK,
    /// What was found: a JSON list, or flattened by index.
    Documents,
    /// How many memories were touched.
    MemoryCount,
    /// What was done to a memory.
    MemoryOperation,
    /// The texts that were embedded, flattened by index.
    EmbeddedTexts,
    /// The length of an embedding's vector.
    Dimensions,
    /// How many embeddings were made.
    EmbeddingCount,
    /// The scorer.
    ScorerName,
    /// Where the scorer ran.
    ScorerSource,
    /// The trace's name.
    TraceName,
    /// The end user.
    UserId,
    /// The session.
    SessionId,
    /// The conversation.
    ThreadId,
    /// The request.
    RequestId,
    /// The tenant.
    OrganizationId,
    /// Labels: a list, a JSON list or a single one.
    Tags,
    /// The deployment environment.
    Environment,
    /// The release of the application.
    Release,
    /// The version of the traced thing.
    Version,
    /// The service, where it differs from the resource's.
    Service,
    /// The experiment.
    ExperimentId,
    /// Free metadata in one JSON object.
    Metadata,
    /// One key of the free metadata, named by what follows the prefix.
    MetadataKey,
    /// One of the span's own attributes, named by what follows the prefix.
    OwnAttribute,
    /// How bad it is: whether the span failed.
    Level,
    /// What is said of the status; of a span that failed, the error's message.
    StatusMessage,
    /// The error's type.
    ErrorType,
    /// The error's message.
    ErrorMessage,
    /// The error's stack.
    ErrorStack,
    /// The error's code.
    ErrorCode,
    /// A log's own field, named by what follows the prefix.
    LogAttribute,
    /// The trace a log belongs to, said again.
    LogTraceId,
    /// The span a log belongs to, said again.
    LogSpanId,
    /// The name of an event.
    EventName,
    /// What an evaluation measured.
    EvaluationName,
    /// An evaluation's number.
    EvaluationScore,
    /// An evaluation's word.
    EvaluationLabel,
    /// Why an evaluation came out so.
    EvaluationExplanation,
}
