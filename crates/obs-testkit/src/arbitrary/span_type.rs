//! Arbitrary types of spans.

use std::time::Duration;

use obs_core::{
    AgentRun, Chunk, Cost, Decision, Embedding, EvalExecution, InputTokens, LlmGeneration, LoopKind,
    McpToolCall, MemoryHit, MemoryLookup, MemoryUpdate, ModelParameters, OutputTokens, PromptLink, RagQuery,
    ResultType, SpanType, StepFlavour, ToolCall, Usage, WorkflowRun, WorkflowStatus, WorkflowStep,
};
use proptest::array::uniform9;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::shared::{attributes, number, optional_texts, payload, text, timestamp};

/// Any type of span.
pub fn span_type() -> BoxedStrategy<SpanType> {
    prop_oneof![
        agent_run().prop_map(SpanType::AgentRun).boxed(),
        workflow_run().prop_map(SpanType::WorkflowRun).boxed(),
        workflow_step().prop_map(SpanType::WorkflowStep).boxed(),
        generation().prop_map(SpanType::LlmGeneration).boxed(),
        tool_call().prop_map(SpanType::ToolCall).boxed(),
        mcp_tool_call().prop_map(SpanType::McpToolCall).boxed(),
        memory_lookup().prop_map(SpanType::MemoryLookup).boxed(),
        memory_update().prop_map(SpanType::MemoryUpdate).boxed(),
        rag_query().prop_map(SpanType::RagQuery).boxed(),
        embedding().prop_map(SpanType::Embedding).boxed(),
        optional_texts()
            .prop_map(|[scorer, source]| SpanType::EvalExecution(EvalExecution { scorer, source }))
            .boxed(),
        Just(SpanType::Generic).boxed(),
    ]
    .boxed()
}

prop_compose! {
    /// Any usage, also one whose buckets hold more than its totals.
    pub fn usage()(input in of(any::<u64>()), output in of(any::<u64>()), buckets in uniform9(tokens())) -> Usage {
        let [cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image, reasoning, out_audio, out_image] =
            buckets;
        Usage {
            input,
            output,
            input_details: InputTokens { cache_read, cache_write, cache_write_5m, cache_write_1h, audio, image },
            output_details: OutputTokens { reasoning, audio: out_audio, image: out_image },
        }
    }
}

fn tokens() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(0u64), 2 => 0u64..10_000, 1 => any::<u64>()]
}

/// Whole nanoseconds, which is what the canonical JSON keeps.
fn duration() -> impl Strategy<Value = Duration> {
    any::<u64>().prop_map(Duration::from_nanos)
}

prop_compose! {
    fn decision()(
        time in timestamp(), action in text(), reasoning in of(text()), alternatives in vec(text(), 0..3),
    ) -> Decision {
        Decision { time, action, reasoning, alternatives }
    }
}

prop_compose! {
    fn agent_run()(
        [agent_id, agent_name] in optional_texts::<2>(),
        instructions in of(payload()),
        tools in vec(text(), 0..3),
        max_steps in of(any::<u32>()),
        decisions in vec(decision(), 0..3),
    ) -> AgentRun {
        AgentRun { agent_id, agent_name, instructions, tools, max_steps, decisions }
    }
}

fn workflow_status() -> impl Strategy<Value = WorkflowStatus> {
    select(vec![
        WorkflowStatus::Running,
        WorkflowStatus::Completed,
        WorkflowStatus::Failed,
        WorkflowStatus::Suspended,
        WorkflowStatus::Skipped,
    ])
}

fn workflow_run() -> impl Strategy<Value = WorkflowRun> {
    (optional_texts(), of(workflow_status())).prop_map(|([workflow_id, run_id], status)| WorkflowRun {
        workflow_id,
        run_id,
        status,
    })
}

fn flavour() -> BoxedStrategy<StepFlavour> {
    let kinds = select(vec![LoopKind::ForEach, LoopKind::While, LoopKind::Until]);
    prop_oneof![
        Just(StepFlavour::Plain),
        (any::<u32>(), vec(text(), 0..3))
            .prop_map(|(conditions, selected)| StepFlavour::Conditional { conditions, selected }),
        any::<u32>().prop_map(|branches| StepFlavour::Parallel { branches }),
        (kinds, of(any::<u32>()), of(any::<u32>())).prop_map(|(kind, iteration, total)| StepFlavour::Loop {
            kind,
            iteration,
            total
        }),
        (of(duration()), of(timestamp()))
            .prop_map(|(duration, until)| StepFlavour::Sleep { duration, until }),
        (text(), of(duration()), of(any::<bool>()))
            .prop_map(|(event, timeout, received)| StepFlavour::WaitEvent { event, timeout, received }),
    ]
    .boxed()
}

fn workflow_step() -> impl Strategy<Value = WorkflowStep> {
    (of(text()), of(workflow_status()), flavour()).prop_map(|(step_id, status, flavour)| WorkflowStep {
        step_id,
        status,
        flavour,
    })
}

prop_compose! {
    fn parameters()(
        temperature in of(number()), top_p in of(number()), max_tokens in of(any::<u64>()), other in attributes(),
    ) -> ModelParameters {
        ModelParameters { temperature, top_p, max_tokens, other }
    }
}

prop_compose! {
    pub(super) fn cost()(
        total in number(), input in of(number()), output in of(number()), currency in text(), partial in any::<bool>(),
        estimated in any::<bool>(),
    ) -> Cost {
        Cost { total, input, output, currency, partial, estimated }
    }
}

prop_compose! {
    fn generation()(
        [model, provider, response_model, response_id, finish_reason] in optional_texts::<5>(),
        parameters in parameters(),
        tools in of(payload()),
        result_type in of(select(vec![
            ResultType::ToolSelection, ResultType::ResponseGeneration, ResultType::Reasoning, ResultType::Planning,
        ])),
        usage in usage(),
        cost in of(cost()),
        streaming in of(any::<bool>()),
        time_to_first_token in of(duration()),
        prompt in of((text(), of(text()))),
    ) -> LlmGeneration {
        let prompt = prompt.map(|(name, version)| Box::new(PromptLink { name, version }));
        LlmGeneration {
            model, provider, response_model, response_id, parameters, tools, result_type, usage,
            cost: cost.map(Box::new), finish_reason, streaming, time_to_first_token, prompt,
        }
    }
}

fn tool_call() -> impl Strategy<Value = ToolCall> {
    (optional_texts(), of(any::<bool>())).prop_map(|([tool, agent, call_id, kind, description], success)| {
        ToolCall { tool, agent, call_id, kind, description, success }
    })
}

fn mcp_tool_call() -> impl Strategy<Value = McpToolCall> {
    (tool_call(), optional_texts()).prop_map(|(call, [server, server_version, method])| McpToolCall {
        call,
        server,
        server_version,
        method,
    })
}

fn memory_lookup() -> impl Strategy<Value = MemoryLookup> {
    let hit = (of(text()), of(payload()), of(number())).prop_map(|(id, content, similarity)| MemoryHit {
        id,
        content,
        similarity,
    });
    (optional_texts(), vec(hit, 0..3)).prop_map(|([memory, query], results)| MemoryLookup {
        memory,
        query,
        results,
    })
}

fn memory_update() -> impl Strategy<Value = MemoryUpdate> {
    (optional_texts(), of(any::<u64>())).prop_map(|([memory, operation], count)| MemoryUpdate {
        memory,
        operation,
        count,
    })
}

fn rag_query() -> impl Strategy<Value = RagQuery> {
    let chunk = (optional_texts(), of(payload()), of(number()))
        .prop_map(|([id, source], content, relevance)| Chunk { id, source, content, relevance });
    (optional_texts(), of(any::<u32>()), vec(chunk, 0..3))
        .prop_map(|([query, store], top_k, chunks)| RagQuery { query, store, top_k, chunks })
}

fn embedding() -> impl Strategy<Value = Embedding> {
    (optional_texts(), of(any::<u32>()), of(any::<u64>()), usage(), of(cost())).prop_map(
        |([model, provider], dimensions, count, usage, cost)| Embedding {
            model,
            provider,
            dimensions,
            count,
            usage,
            cost: cost.map(Box::new),
        },
    )
}
