//! The line of a span: what it is, how long it took, how it ended.

use obs_core::{
    LlmGeneration, LoopKind, Node, Span, SpanType, Status, StepFlavour, Str, ToolCall, WorkflowStatus,
    WorkflowStep,
};

use super::Page;
use super::line::Style;
use super::tree::margin;
use super::units::{cost, count, counted, duration, usage};

/// The columns that a name leaves to the facts behind it, if they want so many.
const ROOM: usize = 32;

/// The columns that a name leaves to how the span ended.
const STATUS: usize = 10;

/// Writes the line.
pub(crate) fn write(page: &mut Page<'_>, node: &Node<'_>, guides: &str) {
    let span = node.span;
    let ids = page.options.ids;
    page.line(|line| {
        margin(line, &span.duration().map_or("…".to_owned(), duration), guides);
        let (word, style) = kind(&span.span_type);
        let failed = span.status == Status::Error;
        line.own(style, word).own(Style::Plain, " ");
        let facts = facts(span);
        let wanted: usize = facts.iter().map(|fact| fact.chars().count() + 2).sum();
        let id = if ids { 18 } else { 0 };
        let room = line.left().saturating_sub(wanted.min(ROOM) + STATUS + id).max(12);
        line.bounded(if failed { Style::Bad } else { Style::Bold }, &span.name, room);
        if ids {
            line.gap().own(Style::Dim, &span.span_id.to_string());
        }
        if failed {
            line.gap().own(Style::Bad, "✗ failed");
        } else if span.end.is_none() {
            line.gap().own(Style::Warn, "running");
        }
        for fact in facts {
            line.gap().text(Style::Plain, &fact);
        }
    });
}

/// The word for a type of span, and how it looks.
fn kind(span_type: &SpanType) -> (&'static str, Style) {
    match span_type {
        SpanType::AgentRun(_) => ("agent", Style::Agent),
        SpanType::WorkflowRun(_) => ("workflow", Style::Flow),
        SpanType::WorkflowStep(_) => ("step", Style::Flow),
        SpanType::LlmGeneration(_) => ("generation", Style::Model),
        SpanType::ToolCall(_) => ("tool", Style::Tool),
        SpanType::McpToolCall(_) => ("mcp tool", Style::Tool),
        SpanType::MemoryLookup(_) => ("memory lookup", Style::Knowledge),
        SpanType::MemoryUpdate(_) => ("memory update", Style::Knowledge),
        SpanType::RagQuery(_) => ("retrieval", Style::Knowledge),
        SpanType::Embedding(_) => ("embedding", Style::Model),
        SpanType::EvalExecution(_) => ("evaluation", Style::Good),
        SpanType::Generic => ("span", Style::Dim),
    }
}

/// What is worth a look at once, by the type of the span.
fn facts(span: &Span) -> Vec<String> {
    let mut facts = Vec::new();
    match &span.span_type {
        SpanType::AgentRun(agent) => {
            facts.extend(agent.agent_name.iter().filter(|name| **name != span.name).map(ToString::to_string));
            facts.extend(agent.max_steps.map(|max| format!("at most {}", counted(max as usize, "step"))));
        }
        SpanType::WorkflowRun(run) => facts.extend(state(run.status)),
        SpanType::WorkflowStep(step) => workflow_step(step, &mut facts),
        SpanType::LlmGeneration(generation) => model_call(generation, &mut facts),
        SpanType::ToolCall(call) => tool_call(call, span, &mut facts),
        SpanType::McpToolCall(mcp) => {
            tool_call(&mcp.call, span, &mut facts);
            let version = mcp.server_version.as_deref().unwrap_or_default();
            facts.extend(mcp.server.iter().map(|server| format!("on {server} {version}")));
        }
        SpanType::MemoryLookup(lookup) => {
            facts.extend(lookup.memory.iter().map(|memory| format!("in {memory}")));
            facts.push(format!("{} found", lookup.results.len()));
        }
        SpanType::MemoryUpdate(update) => {
            facts.extend(update.operation.iter().map(ToString::to_string));
            facts.extend(update.count.map(count));
            facts.extend(update.memory.iter().map(|memory| format!("in {memory}")));
        }
        SpanType::RagQuery(query) => {
            facts.extend(query.store.iter().map(|store| format!("in {store}")));
            let of = query.top_k.map_or(String::new(), |top| format!(" of the top {top}"));
            facts.push(format!("{}{of}", counted(query.chunks.len(), "chunk")));
        }
        SpanType::Embedding(embedding) => {
            facts.extend(served(embedding.model.as_deref(), embedding.provider.as_deref()));
            facts.extend(embedding.count.map(|vectors| counted(vectors as usize, "vector")));
            facts.extend(embedding.dimensions.map(|length| format!("of {length}")));
            facts.extend(usage(&embedding.usage));
        }
        SpanType::EvalExecution(eval) => {
            facts.extend(eval.scorer.iter().filter(|scorer| **scorer != span.name).map(ToString::to_string));
            facts.extend(eval.source.iter().map(ToString::to_string));
        }
        SpanType::Generic => {}
    }
    facts
}

fn served(model: Option<&str>, provider: Option<&str>) -> Option<String> {
    match (model, provider) {
        (Some(model), Some(provider)) => Some(format!("{model} ({provider})")),
        (model, provider) => model.or(provider).map(str::to_owned),
    }
}

fn model_call(generation: &LlmGeneration, facts: &mut Vec<String>) {
    facts.extend(served(generation.model.as_deref(), generation.provider.as_deref()));
    facts.extend(usage(&generation.usage));
    facts.extend(generation.cost.as_deref().map(cost));
    let odd = |reason: &&Str| !matches!(reason.as_str(), "stop" | "end_turn" | "STOP");
    facts.extend(generation.finish_reason.iter().filter(odd).map(ToString::to_string));
    facts.extend(generation.time_to_first_token.map(|time| format!("first token {}", duration(time))));
}

fn tool_call(call: &ToolCall, span: &Span, facts: &mut Vec<String>) {
    facts.extend(call.tool.iter().filter(|tool| **tool != span.name).map(ToString::to_string));
    facts.extend(call.agent.iter().map(|agent| format!("by {agent}")));
    if call.success == Some(false) && span.status != Status::Error {
        facts.push("without success".to_owned());
    }
}

/// Where a workflow stands, unless it is where one is expected to end.
fn state(status: Option<WorkflowStatus>) -> Option<String> {
    let odd = |status: &WorkflowStatus| {
        !matches!(status, WorkflowStatus::Completed | WorkflowStatus::Failed | WorkflowStatus::Running)
    };
    status.filter(odd).map(|status| status.as_str().to_owned())
}

fn workflow_step(step: &WorkflowStep, facts: &mut Vec<String>) {
    facts.extend(state(step.status));
    match &step.flavour {
        StepFlavour::Plain => {}
        StepFlavour::Conditional { conditions, selected } => {
            let chosen = if selected.is_empty() { "nothing".to_owned() } else { selected.join(", ") };
            facts.push(format!("{} → {chosen}", counted(*conditions as usize, "condition")));
        }
        StepFlavour::Parallel { branches } => facts.push(format!("{branches} in parallel")),
        StepFlavour::Loop { kind, iteration, total } => {
            let word = match kind {
                LoopKind::ForEach => "for each",
                LoopKind::While => "while",
                LoopKind::Until => "until",
            };
            let nth = iteration.map_or(String::new(), |nth| format!(" {}", nth + 1));
            let of = total.map_or(String::new(), |total| format!(" of {total}"));
            facts.push(format!("{word}{nth}{of}"));
        }
        StepFlavour::Sleep { duration: asked, .. } => {
            facts.push(asked.map_or("sleeps".to_owned(), |asked| format!("sleeps {}", duration(asked))));
        }
        StepFlavour::WaitEvent { event, received, .. } => facts.push(match received {
            Some(true) => format!("{event} came"),
            Some(false) => format!("{event} did not come"),
            None => format!("waits for {event}"),
        }),
    }
}
