//! Every metric that is made of spans and judgements: one table for the code, the documentation and the tests.

/// A metric that obs makes of spans, scores and feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AutomaticMetric {
    /// Its name; those of [`AUTOMATIC_METRICS`] have [`DEFAULT_PREFIX`] in front, which an option replaces.
    pub name: &'static str,
    /// `counter` or `histogram`.
    pub kind: &'static str,
    /// Its unit, in UCUM as OpenTelemetry has it.
    pub unit: &'static str,
    /// Its labels, in order.
    pub labels: &'static [&'static str],
    /// What it measures.
    pub description: &'static str,
    /// When it is made.
    pub when: &'static str,
}

/// What stands before the names of [`AUTOMATIC_METRICS`]: that of the catalogue they come from.
pub const DEFAULT_PREFIX: &str = "mastra_";

/// The labels that several metrics have in common: their sets are counted, limited and remembered together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Agent,
    AgentEnded,
    Model,
    ModelEnded,
    ModelCost,
    Tool,
    ToolEnded,
    Workflow,
    WorkflowEnded,
    Error,
    Score,
    Feedback,
    GenAiTokens,
    GenAiDuration,
}

impl Shape {
    pub(crate) const COUNT: usize = 14;

    const fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Agent => &["agent", "env", "service"],
            Self::AgentEnded => &["agent", "status", "env", "service"],
            Self::Model => &["model", "provider", "agent"],
            Self::ModelEnded => &["model", "provider", "agent", "status"],
            Self::ModelCost => &["model", "provider", "agent", "currency"],
            Self::Tool => &["tool", "agent", "env"],
            Self::ToolEnded => &["tool", "agent", "status", "env"],
            Self::Workflow => &["workflow", "env"],
            Self::WorkflowEnded => &["workflow", "status", "env"],
            Self::Error => &["error_type", "span_type", "agent", "env"],
            Self::Score => &["scorer", "entity_type", "experiment"],
            Self::Feedback => &["feedback_type", "source", "entity_type", "experiment"],
            Self::GenAiTokens => &[
                "gen_ai.operation.name",
                "gen_ai.provider.name",
                "gen_ai.request.model",
                "gen_ai.response.model",
                "gen_ai.token.type",
            ],
            Self::GenAiDuration => &[
                "gen_ai.operation.name",
                "gen_ai.provider.name",
                "gen_ai.request.model",
                "gen_ai.response.model",
                "error.type",
            ],
        }
    }
}

macro_rules! catalogue {
    ($(#[$doc:meta])* $table:ident, $ids:ident; $($id:ident: $name:expr, $kind:literal, $unit:literal, $shape:ident, $when:expr, $description:literal;)*) => {
        /// The places in the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $ids {
            $($id,)*
        }

        impl $ids {
            pub(crate) const COUNT: usize = [$(Self::$id),*].len();

            pub(crate) const fn shape(self) -> Shape {
                match self {
                    $(Self::$id => Shape::$shape,)*
                }
            }

            pub(crate) const fn metric(self) -> &'static AutomaticMetric {
                &$table[self as usize]
            }
        }

        $(#[$doc])*
        pub const $table: [AutomaticMetric; $ids::COUNT] = [
            $(AutomaticMetric {
                name: $name,
                kind: $kind,
                unit: $unit,
                labels: Shape::$shape.labels(),
                description: $description,
                when: $when,
            },)*
        ];
    };
}

const START: &str = "once the span has children, or is entered or awaited; else at its end";
const END: &str = "at the end of the span";
const REPORTED: &str = "at the end of the span, where the provider told it";

catalogue! {
    /// The metrics that are made unless they are switched off, under their names with [`DEFAULT_PREFIX`].
    AUTOMATIC_METRICS, Of;
    AgentStarted: "mastra_agent_runs_started", "counter", "{run}", Agent, START, "Runs of agents that began.";
    AgentEnded: "mastra_agent_runs_ended", "counter", "{run}", AgentEnded, END, "Runs of agents that ended.";
    AgentDuration: "mastra_agent_duration_ms", "histogram", "ms", AgentEnded, END, "How long runs of agents took.";
    ModelStarted: "mastra_model_requests_started", "counter", "{request}", Model, START, "Calls of models that began.";
    ModelEnded: "mastra_model_requests_ended", "counter", "{request}", ModelEnded, END, "Calls of models that ended.";
    ModelDuration: "mastra_model_duration_ms", "histogram", "ms", Model, END, "How long calls of models took.";
    InputTokens: "mastra_model_input_tokens", "counter", "{token}", Model, REPORTED, "Input tokens, those of the prompt cache included.";
    OutputTokens: "mastra_model_output_tokens", "counter", "{token}", Model, REPORTED, "Output tokens, those of reasoning included.";
    CacheReadTokens: "mastra_model_cache_read_tokens", "counter", "{token}", Model, REPORTED, "Input tokens that were read from the prompt cache.";
    CacheWriteTokens: "mastra_model_cache_write_tokens", "counter", "{token}", Model, REPORTED, "Input tokens that were written to the prompt cache.";
    FirstToken: "mastra_model_time_to_first_token_ms", "histogram", "ms", Model, "at the end of the span, where it was measured", "How long the first token of an answer took.";
    Cost: "mastra_model_cost", "counter", "1", ModelCost, "at the end of the span, where it is known", "What calls of models and embeddings cost, in the currency of the label.";
    ToolStarted: "mastra_tool_calls_started", "counter", "{call}", Tool, START, "Calls of tools that began, those of MCP servers included.";
    ToolEnded: "mastra_tool_calls_ended", "counter", "{call}", ToolEnded, END, "Calls of tools that ended.";
    ToolDuration: "mastra_tool_duration_ms", "histogram", "ms", Tool, END, "How long calls of tools took.";
    WorkflowStarted: "mastra_workflow_runs_started", "counter", "{run}", Workflow, START, "Runs of workflows that began; one that is resumed begins again.";
    WorkflowEnded: "mastra_workflow_runs_ended", "counter", "{run}", WorkflowEnded, END, "Runs of workflows that ended or were suspended.";
    WorkflowDuration: "mastra_workflow_duration_ms", "histogram", "ms", WorkflowEnded, END, "How long runs of workflows took.";
    Errors: "mastra_errors_total", "counter", "{error}", Error, "at the end of the first span that failed with it", "Errors of spans, each counted once however many ancestors failed with it.";
    Scores: "mastra_scores_total", "counter", "{score}", Score, "with the score", "Scores that were given.";
    Feedback: "mastra_feedback_total", "counter", "{feedback}", Feedback, "with the feedback", "Feedback that was given.";
}

catalogue! {
    /// The metrics of OpenTelemetry's conventions for generative AI, which are made where they are asked for.
    GEN_AI_METRICS, GenAi;
    Tokens: "gen_ai.client.token.usage", "histogram", "{token}", GenAiTokens, REPORTED, "Input and output tokens of a call.";
    Duration: "gen_ai.client.operation.duration", "histogram", "s", GenAiDuration, END, "How long a call took.";
}

/// Upper bounds for durations in milliseconds: 10 ms to 11 minutes, doubling, since agents run longer than requests do.
pub(crate) const DURATION_BOUNDS: [f64; 17] = {
    let mut bounds = [10.0; 17];
    let mut at = 1;
    while at < bounds.len() {
        bounds[at] = bounds[at - 1] * 2.0;
        at += 1;
    }
    bounds
};

/// Upper bounds for the time to a first token in milliseconds: OpenTelemetry's advice, which is in seconds.
pub(crate) const FIRST_TOKEN_BOUNDS: [f64; 16] = [
    1.0, 5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0, 250.0, 500.0, 750.0, 1_000.0, 2_500.0, 5_000.0, 7_500.0,
    10_000.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_table_is_its_own() {
        assert_eq!(Of::Feedback.metric().name, "mastra_feedback_total");
        assert_eq!(GenAi::Duration.metric().unit, "s");
        assert!(AUTOMATIC_METRICS.iter().all(|metric| metric.name.starts_with(DEFAULT_PREFIX)));
        assert_eq!(Shape::GenAiDuration as usize + 1, Shape::COUNT);
        assert_eq!(DURATION_BOUNDS.last(), Some(&655_360.0));
    }
}
