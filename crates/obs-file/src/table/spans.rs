//! Spans.

use obs_core::{
    Ancestor, Cost, ErrorInfo, LlmGeneration, Span, SpanId, SpanKind, SpanRecord, SpanType, Status,
    Timestamp, ToolCall, Usage,
};
use serde::Serialize;

use super::rest::{self, Rest};
use super::{
    Column, Json, Tabular, count, document, is_json, json, json_list, json_of, nanos, printed, some, text,
};

impl Tabular for SpanRecord {
    const TABLE: &'static [&'static [Column<Self>]] =
        &[PLACE, TIME, MODEL, TOKENS, MONEY, TYPE, ERROR, Column::WHO, DOCUMENTS, W3C, Column::CONTEXT, REST];
}

const PLACE: &[Column<SpanRecord>] = &[
    Column::text("trace_id", "The trace, 32 hex digits.", |at| printed(Some(at.span().trace_id))),
    Column::text("span_id", "The span, 16 hex digits.", |at| printed(Some(at.span().span_id))),
    Column::text("parent_span_id", "The span it is a child of; empty on a root.", |at| {
        printed(at.span().parent_span_id)
    }),
    Column::text("root_span_id", "The trace's root, where it is known in the process.", |at| {
        printed(at.span().root_span_id())
    }),
    Column::text("name", "What it is called.", |at| text(&at.span().name)),
    Column::text("type", "What it stands for: `llm_generation`, `tool_call`, `generic` and so on.", |at| {
        Some(at.span().span_type.name().into())
    }),
    Column::text("kind", "`internal`, `client`, `server`, `producer` or `consumer`.", |at| {
        Some(kind(at.span().kind).into())
    }),
    Column::text("status", "How it ended: `unset`, `ok` or `error`.", |at| {
        Some(status(at.span().status).into())
    }),
    Column::text("record", "`ended`, or `started` of a span that still runs.", |at| {
        Some(if at.ended().is_some() { "ended" } else { "started" }.into())
    }),
];

const TIME: &[Column<SpanRecord>] = &[
    Column::time("start_time", "When it began.", |at| Some(at.span().start)),
    Column::integer("start_ns", "The same in nanoseconds since 1970.", |at| Some(nanos(at.span().start))),
    Column::time("end_time", "When it ended.", |at| at.span().end),
    Column::integer("end_ns", "The same in nanoseconds since 1970.", |at| at.span().end.map(nanos)),
    Column::integer(
        "duration_ns",
        "How long it took, in nanoseconds; zero where it ends before it begins.",
        |at| {
            let span = at.span();
            span.end.map(|end| count(end.as_nanos().saturating_sub(span.start.as_nanos())))
        },
    ),
];

const MODEL: &[Column<SpanRecord>] = &[
    Column::text("model", "The model asked for, of a generation or an embedding.", |at| {
        some(at.span().span_type.model().and_then(|(model, _, _)| model))
    }),
    Column::text("provider", "Who serves the model.", |at| {
        some(at.span().span_type.model().and_then(|(_, provider, _)| provider))
    }),
    Column::text("response_model", "The model that answered.", |at| {
        some(generation(at).and_then(|of| of.response_model.as_ref()))
    }),
    Column::text("response_id", "The provider's id of the answer.", |at| {
        some(generation(at).and_then(|of| of.response_id.as_ref()))
    }),
    Column::text("finish_reason", "Why the model stopped, in the provider's word.", |at| {
        some(generation(at).and_then(|of| of.finish_reason.as_ref()))
    }),
    Column::boolean("streaming", "Whether the answer was streamed.", |at| {
        generation(at).and_then(|of| of.streaming)
    }),
    Column::integer("time_to_first_token_ns", "From the start to the first token, in nanoseconds.", |at| {
        let duration = generation(at).and_then(|of| of.time_to_first_token)?;
        Some(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }),
    Column::text("prompt_name", "The managed prompt it was made from.", |at| {
        generation(at).and_then(|of| of.prompt.as_deref()).and_then(|prompt| text(&prompt.name))
    }),
    Column::text("prompt_version", "The version of that prompt.", |at| {
        some(generation(at).and_then(|of| of.prompt.as_deref()).and_then(|prompt| prompt.version.as_ref()))
    }),
];

/// Totals include their buckets; a bucket that was not reported is zero.
const TOKENS: &[Column<SpanRecord>] = &[
    Column::integer("input_tokens", "All input tokens, cached ones too.", |at| {
        usage(at).and_then(|of| of.input).map(count)
    }),
    Column::integer("output_tokens", "All output tokens, reasoning too.", |at| {
        usage(at).and_then(|of| of.output).map(count)
    }),
    Column::integer("cache_read_tokens", "Of the input: read from the prompt cache.", |at| {
        usage(at).map(|of| count(of.input_details.cache_read))
    }),
    Column::integer(
        "cache_write_tokens",
        "Of the input: written to the prompt cache, lifetime not stated.",
        |at| usage(at).map(|of| count(of.input_details.cache_write)),
    ),
    Column::integer(
        "cache_write_5m_tokens",
        "Of the input: written to the prompt cache for five minutes.",
        |at| usage(at).map(|of| count(of.input_details.cache_write_5m)),
    ),
    Column::integer(
        "cache_write_1h_tokens",
        "Of the input: written to the prompt cache for an hour.",
        |at| usage(at).map(|of| count(of.input_details.cache_write_1h)),
    ),
    Column::integer("input_audio_tokens", "Of the input: audio.", |at| {
        usage(at).map(|of| count(of.input_details.audio))
    }),
    Column::integer("input_image_tokens", "Of the input: images.", |at| {
        usage(at).map(|of| count(of.input_details.image))
    }),
    Column::integer("reasoning_tokens", "Of the output: thought, not said.", |at| {
        usage(at).map(|of| count(of.output_details.reasoning))
    }),
    Column::integer("output_audio_tokens", "Of the output: audio.", |at| {
        usage(at).map(|of| count(of.output_details.audio))
    }),
    Column::integer("output_image_tokens", "Of the output: images.", |at| {
        usage(at).map(|of| count(of.output_details.image))
    }),
];

const MONEY: &[Column<SpanRecord>] = &[
    Column::float("cost", "What the call of a model cost, if known.", |at| cost(at).map(|cost| cost.total)),
    Column::float("cost_input", "Its part for input, if known.", |at| cost(at).and_then(|cost| cost.input)),
    Column::float("cost_output", "Its part for output, if known.", |at| {
        cost(at).and_then(|cost| cost.output)
    }),
    Column::text("cost_currency", "Its currency, in ISO 4217.", |at| {
        cost(at).and_then(|cost| text(&cost.currency))
    }),
    Column::boolean(
        "cost_partial",
        "Whether a price or a count was missing, so that the cost is not exact.",
        |at| cost(at).map(|cost| cost.partial),
    ),
    Column::boolean(
        "cost_estimated",
        "Whether a table of prices says it; else the provider or the application does.",
        |at| cost(at).map(|cost| cost.estimated),
    ),
];

const TYPE: &[Column<SpanRecord>] = &[
    Column::text("agent_id", "The agent's id, of an agent run.", |at| match &at.span().span_type {
        SpanType::AgentRun(run) => some(run.agent_id.as_ref()),
        _ => None,
    }),
    Column::text("agent_name", "The agent's name, of an agent run or of a call that an agent made.", |at| {
        match &at.span().span_type {
            SpanType::AgentRun(run) => some(run.agent_name.as_ref()),
            _ => some(tool(at).and_then(|call| call.agent.as_ref())),
        }
    }),
    Column::text("workflow_id", "The workflow's id, of a workflow run.", |at| match &at.span().span_type {
        SpanType::WorkflowRun(run) => some(run.workflow_id.as_ref()),
        _ => None,
    }),
    Column::text("workflow_run_id", "The id of a workflow run.", |at| match &at.span().span_type {
        SpanType::WorkflowRun(run) => some(run.run_id.as_ref()),
        _ => None,
    }),
    Column::text("tool_name", "The tool's name, of a call of a tool.", |at| {
        some(tool(at).and_then(|call| call.tool.as_ref()))
    }),
    Column::text("tool_call_id", "The id that the model gave the call.", |at| {
        some(tool(at).and_then(|call| call.call_id.as_ref()))
    }),
    Column::boolean("tool_success", "Whether the tool did it.", |at| tool(at).and_then(|call| call.success)),
    Column::json("type_fields", "The fields of the span's type in full, as canonical JSON has them.", |at| {
        type_fields(&at.span().span_type)
    }),
];

const ERROR: &[Column<SpanRecord>] = &[
    Column::text("error_type", "The type of what went wrong.", |at| {
        some(error(at).and_then(|error| error.error_type.as_ref()))
    }),
    Column::text("error_message", "What it says.", |at| error(at).and_then(|error| text(&error.message))),
    Column::json(
        "error",
        "What went wrong in full: `error_id`, `stack`, `sources`, `code`, `details` and so on.",
        |at| json_of(error(at)),
    ),
];

const DOCUMENTS: &[Column<SpanRecord>] = &[
    Column::text("input", "What it was given.", |at| document(at.span().input.as_ref())),
    Column::boolean("input_is_json", "Whether `input` is JSON and no plain text.", |at| {
        is_json(at.span().input.as_ref())
    }),
    Column::text("output", "What it gave back.", |at| document(at.span().output.as_ref())),
    Column::boolean("output_is_json", "Whether `output` is JSON and no plain text.", |at| {
        is_json(at.span().output.as_ref())
    }),
    Column::json("attributes", "Anything else.", |at| {
        let attributes = &at.span().attributes;
        if attributes.is_empty() { Ok(None) } else { json(attributes) }
    }),
    Column::json("events", "What happened during it, a list of `time`, `name` and `attributes`.", |at| {
        json_list(&at.span().events)
    }),
    Column::json("links", "Other spans it is related to, a list.", |at| json_list(&at.span().links)),
    Column::json(
        "ancestors",
        "The spans above it in the process, the parent first: `span_id`, `start`, `is_root`.",
        |at| ancestors(at.span()),
    ),
    Column::boolean("judged", "Whether a score or feedback was given to it while it was open.", |at| {
        Some(at.span().judged)
    }),
];

const W3C: &[Column<SpanRecord>] = &[
    Column::boolean("remote_parent", "Whether the parent is in another process.", |at| {
        Some(at.span().remote_parent)
    }),
    Column::integer("trace_flags", "W3C trace flags; bit 0 is `sampled`.", |at| {
        Some(at.span().trace_flags.into())
    }),
    Column::text("trace_state", "W3C `tracestate`.", |at| some(at.span().trace_state.as_ref())),
];

const REST: &[Column<SpanRecord>] = &[Column::json("rest", rest::DOC, |at| {
    Rest::default().start(Some(at.span().start)).end(at.span().end).cell()
})];

fn generation(at: &SpanRecord) -> Option<&LlmGeneration> {
    at.span().span_type.as_generation()
}

/// The usage of a span that has one; none where nothing was reported.
fn usage(at: &SpanRecord) -> Option<&Usage> {
    at.span().span_type.model().map(|(_, _, usage)| usage).filter(|usage| !usage.is_empty())
}

fn cost(at: &SpanRecord) -> Option<&Cost> {
    match &at.span().span_type {
        SpanType::LlmGeneration(call) => call.cost.as_deref(),
        SpanType::Embedding(call) => call.cost.as_deref(),
        _ => None,
    }
}

fn error(at: &SpanRecord) -> Option<&ErrorInfo> {
    at.span().error.as_deref()
}

fn tool(at: &SpanRecord) -> Option<&ToolCall> {
    match &at.span().span_type {
        SpanType::ToolCall(call) => Some(call),
        SpanType::McpToolCall(mcp) => Some(&mcp.call),
        _ => None,
    }
}

fn type_fields(span_type: &SpanType) -> Json {
    match span_type {
        SpanType::AgentRun(of) => json(of),
        SpanType::WorkflowRun(of) => json(of),
        SpanType::WorkflowStep(of) => json(of),
        SpanType::LlmGeneration(of) => json(of),
        SpanType::ToolCall(of) => json(of),
        SpanType::McpToolCall(of) => json(of),
        SpanType::MemoryLookup(of) => json(of),
        SpanType::MemoryUpdate(of) => json(of),
        SpanType::RagQuery(of) => json(of),
        SpanType::Embedding(of) => json(of),
        SpanType::EvalExecution(of) => json(of),
        SpanType::Generic => Ok(None),
    }
}

/// The ancestors as canonical JSON has them.
fn ancestors(span: &Span) -> Json {
    #[derive(Serialize)]
    struct Item {
        span_id: SpanId,
        start: Timestamp,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_root: bool,
    }
    let item = |at: &Ancestor| Item { span_id: at.span_id, start: at.start, is_root: at.is_root };
    json_list(&span.ancestors().map(item).collect::<Vec<_>>())
}

const fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "internal",
        SpanKind::Client => "client",
        SpanKind::Server => "server",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Unset => "unset",
        Status::Ok => "ok",
        Status::Error => "error",
    }
}
