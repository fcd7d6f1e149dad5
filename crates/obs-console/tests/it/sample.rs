//! A run of an agent with one of everything, its times and ids fixed.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    AgentRun, Chunk, Cost, Decision, ErrorInfo, EvalExecution, Event, Feedback, Level, LlmGeneration, Log,
    MemoryHit, MemoryLookup, MemoryUpdate, Payload, RagQuery, Resource, Score, ScoreValue, Scorer, Span,
    SpanId, SpanRef, SpanType, Status, Str, Target, Timestamp, ToolCall, Trace, TraceContext, TraceId, Usage,
    WorkflowRun, WorkflowStatus, WorkflowStep,
};
use uuid::Uuid;

/// 2026-11-21 09:58:33 UTC.
pub(crate) const START: u64 = 1_795_255_113_000_000_000;

pub(crate) fn trace_id() -> TraceId {
    "0af7651916cd43dd8448eb211c80319c".parse().unwrap()
}

pub(crate) fn id(n: u64) -> SpanId {
    SpanId::new(n).unwrap()
}

pub(crate) fn at(micros: u64) -> Timestamp {
    Timestamp::from_nanos(START + micros * 1_000)
}

/// A span from and to these microseconds of the run.
fn span(n: u64, parent: Option<u64>, name: &'static str, from: u64, to: u64, span_type: SpanType) -> Span {
    let mut span = Span::new(trace_id(), id(n), name, at(from));
    span.parent_span_id = parent.map(id);
    span.end = Some(at(to));
    span.span_type = span_type;
    span.context = Arc::new(TraceContext {
        session_id: Some("s-17".into()),
        user_id: Some("ada".into()),
        tags: vec!["demo".into()],
        ..TraceContext::default()
    });
    span.resource = Arc::new(Resource::service("docs-qa"));
    span
}

fn step(n: u64, parent: u64, name: &'static str, from: u64, to: u64) -> Span {
    let step = WorkflowStep { status: Some(WorkflowStatus::Completed), ..WorkflowStep::default() };
    span(n, Some(parent), name, from, to, SpanType::WorkflowStep(step))
}

fn generation(input: u64, output: u64, cost: f64) -> SpanType {
    let mut usage = Usage::new(input, output);
    usage.input_details.cache_read = input / 2;
    let mut generation = LlmGeneration {
        model: Some("gpt-4o-mini".into()),
        provider: Some("openai".into()),
        usage,
        cost: Some(Box::new(Cost::usd(cost))),
        finish_reason: Some("stop".into()),
        time_to_first_token: Some(Duration::from_millis(212)),
        ..LlmGeneration::default()
    };
    generation.parameters.temperature = Some(0.2);
    SpanType::LlmGeneration(generation)
}

pub(crate) fn trace() -> Trace {
    let mut trace = Trace::new(trace_id());
    let run = WorkflowRun { workflow_id: Some("docs-qa".into()), ..WorkflowRun::default() };
    let mut root = span(1, None, "answer-question", 0, 4_210_000, SpanType::WorkflowRun(run));
    root.input = Some("What does the ledger count?".into());
    root.output = Some("The ledger counts every record: offered, delivered, rejected and dropped.".into());
    trace.spans = vec![root];
    trace.spans.extend(knowledge());
    trace.spans.extend(agent());
    trace.spans.push(step(20, 1, "evaluate", 4_100_000, 4_200_000));
    let eval = EvalExecution { scorer: Some("overlap".into()), source: Some("live".into()) };
    trace.spans.push(span(21, Some(20), "overlap", 4_110_000, 4_190_000, SpanType::EvalExecution(eval)));
    attach(&mut trace);
    trace
}

fn knowledge() -> Vec<Span> {
    let chunk = |relevance, source: &'static str, content: &'static str| Chunk {
        source: Some(source.into()),
        content: Some(Payload::text(content)),
        relevance: Some(relevance),
        ..Chunk::default()
    };
    let query = RagQuery {
        query: Some("ledger count".into()),
        store: Some("lexical".into()),
        top_k: Some(5),
        chunks: vec![
            chunk(0.912, "docs/architecture.md#laws", "Accounting. Per destination\nand signal, one Ledger"),
            chunk(0.4, "docs/decisions/0004-delivery.md", "What settles a record"),
        ],
    };
    let hit = MemoryHit {
        id: Some("m-3".into()),
        content: Some("prefers short answers".into()),
        similarity: Some(0.7),
    };
    let lookup = MemoryLookup { memory: Some("users".into()), query: Some("ada".into()), results: vec![hit] };
    let update =
        MemoryUpdate { memory: Some("users".into()), operation: Some("save".into()), count: Some(1) };
    vec![
        step(2, 1, "retrieve", 1_000, 14_000),
        span(3, Some(2), "search docs", 2_000, 13_350, SpanType::RagQuery(query)),
        step(4, 1, "remember", 15_000, 16_800),
        span(5, Some(4), "recall", 15_100, 15_812, SpanType::MemoryLookup(lookup)),
        span(6, Some(4), "note", 15_900, 16_700, SpanType::MemoryUpdate(update)),
    ]
}

fn agent() -> Vec<Span> {
    let decision = Decision {
        time: at(20_000),
        action: "read_file".into(),
        reasoning: Some("the laws stand in the architecture page".into()),
        alternatives: vec!["search again".into(), "answer".into()],
    };
    let agent = AgentRun {
        agent_name: Some("Librarian".into()),
        instructions: Some("Answer from the documents only.".into()),
        tools: vec!["read_file".into(), "list_dir".into()],
        max_steps: Some(6),
        decisions: vec![decision],
        ..AgentRun::default()
    };
    let tool =
        |tool: &'static str| SpanType::ToolCall(ToolCall { tool: Some(tool.into()), ..ToolCall::default() });
    let mut failed = span(12, Some(10), "read_file", 1_300_000, 1_300_870, tool("read_file"));
    failed.status = Status::Error;
    failed.input = Some(Payload::from(r#"{"path":"docs/old.md"}"#));
    let mut error = ErrorInfo::message("cannot read docs/old.md");
    error.error_type = Some("std::io::Error".into());
    error.sources = vec!["No such file or directory (os error 2)".into()];
    failed.error = Some(Box::new(error));
    let mut plan = span(11, Some(10), "chat", 20_000, 1_290_000, generation(1_204, 88, 0.0021));
    plan.input = Some(Payload::from(
        r#"[{"role":"system","content":"x"},{"role":"user","content":"What does\nit count?"}]"#,
    ));
    plan.output = Some("I will read the page.".into());
    let mut answer = span(13, Some(10), "chat", 1_310_000, 4_090_000, generation(2_880, 344, 0.0079));
    answer.output = Some("\x1b[31mThe ledger\x1b[0m counts every record\u{202e}.".into());
    answer.events.push(Event {
        time: at(1_522_000),
        name: "first chunk".into(),
        attributes: [("bytes", 12)].into_iter().collect(),
    });
    vec![span(10, Some(1), "librarian", 18_000, 4_095_000, SpanType::AgentRun(agent)), plan, failed, answer]
}

pub(crate) fn log(level: Level, micros: u64, message: &'static str, span: Option<u64>) -> Log {
    let mut log = Log::new(at(micros), level, message);
    log.span = span.map(|span| SpanRef { trace_id: trace_id(), span_id: Some(id(span)) });
    log
}

pub(crate) fn score(span: u64) -> Score {
    let target = Target::Span { trace_id: trace_id(), span_id: id(span), root_span_id: Some(id(1)) };
    let mut score =
        Score::new(Uuid::from_u128(1), at(4_150_000), target, "overlap", ScoreValue::ratio(0.834));
    score.comment = Some("5 of 6 facts are in the sources".into());
    score.scorer = Some(Scorer { name: Some("lexical".into()), ..Scorer::default() });
    score
}

pub(crate) fn feedback() -> Feedback {
    let target = Target::Trace { trace_id: trace_id(), root_span_id: Some(id(1)) };
    let mut feedback = Feedback::new(Uuid::from_u128(2), at(9_000_000), target, "thumbs", true);
    feedback.comment = Some(Str::from("short and right"));
    feedback.user_id = Some("ada".into());
    feedback
}

fn attach(trace: &mut Trace) {
    let mut warn = log(Level::Warn, 1_300_900, "file is gone, going on without", Some(12));
    warn.attributes = [("path", "docs/old.md")].into_iter().collect();
    trace.logs = vec![warn, log(Level::Info, 4_200_500, "done", None)];
    trace.scores = vec![score(13)];
    trace.feedback = vec![feedback()];
}
