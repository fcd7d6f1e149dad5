//! A second reading of every request: what stands there is what the records say, field by field.

use obs_core::{
    Batch, Cost, Feedback, LlmGeneration, Log, Payload, Score, ScoreValue, Span, SpanRecord, SpanType,
    Status, Target, TraceContext, Usage, Value as Attribute,
};
use obs_langfuse::Ingestion;
use obs_testkit::fixtures;
use serde_json::{Map, Value, json};

use crate::support::{Bench, Seen, events};

/// Where a field stands in a span.
enum At {
    /// An attribute as it is.
    Plain(&'static str),
    /// An attribute that is JSON in text.
    Json(&'static str),
    /// The span's own.
    Own(fn(&Seen) -> Value),
}
use At::{Json, Own, Plain};

impl At {
    fn read(&self, seen: &Seen) -> Value {
        match self {
            Plain(key) => seen.attributes.get(*key).cloned().unwrap_or_default(),
            Json(key) => seen.json(key),
            Own(read) => read(seen),
        }
    }
}

type Row<T> = (&'static str, At, fn(&T) -> Value);

const SPANS: &[Row<Span>] = &[
    ("trace id", Own(|seen| seen.trace_id.to_string().into()), |span| span.trace_id.to_string().into()),
    ("span id", Own(|seen| seen.span_id.to_string().into()), |span| span.span_id.to_string().into()),
    ("parent", Own(|seen| seen.parent.clone().into()), |span| {
        let parent = span.parent_span_id.filter(|parent| *parent != span.span_id);
        parent.map_or(json!([]), |parent| parent.to_bytes().to_vec().into())
    }),
    ("name", Own(|seen| seen.name.clone().into()), |span| span.name.as_str().into()),
    ("start", Own(|seen| seen.start.into()), |span| span.start.as_nanos().into()),
    ("end", Own(|seen| seen.end.into()), |span| span.end.unwrap_or(span.start).as_nanos().into()),
    ("type", Plain("langfuse.observation.type"), |span| kind(&span.span_type).into()),
    ("level", Plain("langfuse.observation.level"), |span| {
        (if span.status == Status::Error { "ERROR" } else { "DEFAULT" }).into()
    }),
    ("status message", Plain("langfuse.observation.status_message"), |span| {
        let error = span.error.as_ref().map(|error| error.message.as_str());
        text(error.filter(|error| !error.is_empty()))
    }),
    ("input", Plain("langfuse.observation.input"), |span| payload(span.input.as_ref())),
    ("output", Plain("langfuse.observation.output"), |span| payload(span.output.as_ref())),
    ("model", Plain("langfuse.observation.model.name"), |span| match &span.span_type {
        SpanType::LlmGeneration(g) => text(g.response_model.as_deref().or(g.model.as_deref())),
        SpanType::Embedding(embedding) => text(embedding.model.as_deref()),
        _ => Value::Null,
    }),
    ("parameters", Json("langfuse.observation.model.parameters"), |span| of_call(span, parameters)),
    ("tokens", Json("langfuse.observation.usage_details"), |span| match &span.span_type {
        SpanType::LlmGeneration(generation) => tokens(&generation.usage),
        SpanType::Embedding(embedding) => tokens(&embedding.usage),
        _ => Value::Null,
    }),
    ("cost", Json("langfuse.observation.cost_details"), |span| {
        of_call(span, |call| call.cost.as_deref().map_or(Value::Null, cost))
    }),
    ("first token", Plain("langfuse.observation.completion_start_time"), |span| {
        let after = span.span_type.as_generation().and_then(|call| call.time_to_first_token);
        after.map_or(Value::Null, |after| {
            let at = span.start.saturating_add(after).rfc3339().to_string();
            format!("{}Z", &at[..at.len() - 4]).into()
        })
    }),
    ("prompt", Plain("langfuse.observation.prompt.name"), |span| {
        of_call(span, |call| text(call.prompt.as_ref().map(|prompt| prompt.name.as_str())))
    }),
    ("prompt version", Plain("langfuse.observation.prompt.version"), |span| {
        let version = |call: &LlmGeneration| call.prompt.as_ref()?.version.as_deref()?.parse::<i64>().ok();
        of_call(span, |call| version(call).map_or(Value::Null, Value::from))
    }),
    ("provider", Plain("langfuse.observation.metadata.provider"), |span| {
        text(span.span_type.model().and_then(|(_, provider, _)| provider).map(obs_core::Str::as_str))
    }),
    ("finish reason", Plain("langfuse.observation.metadata.finishReason"), |span| {
        of_call(span, |call| text(call.finish_reason.as_deref()))
    }),
    ("chunks", Json("langfuse.observation.metadata.chunks"), |span| match &span.span_type {
        SpanType::RagQuery(query) if !query.chunks.is_empty() => serde_json::to_value(&query.chunks).unwrap(),
        _ => Value::Null,
    }),
    ("agent", Plain("langfuse.observation.metadata.agentId"), |span| match &span.span_type {
        SpanType::AgentRun(agent) => text(agent.agent_id.as_deref()),
        _ => Value::Null,
    }),
    ("tool call", Plain("langfuse.observation.metadata.toolCallId"), |span| match &span.span_type {
        SpanType::ToolCall(call) => text(call.call_id.as_deref()),
        SpanType::McpToolCall(mcp) => text(mcp.call.call_id.as_deref()),
        _ => Value::Null,
    }),
    ("error id", Plain("langfuse.observation.metadata.errorId"), |span| {
        let id = span.error.as_ref().and_then(|error| error.error_id);
        id.map_or(Value::Null, |id| id.to_string().into())
    }),
    ("error stack", Plain("langfuse.observation.metadata.errorStack"), |span| {
        text(span.error.as_ref().and_then(|error| error.stack.as_deref()))
    }),
    (
        "how many events",
        Own(|seen| seen.json("langfuse.observation.metadata.events").as_array().map_or(0, Vec::len).into()),
        |span| span.events.len().into(),
    ),
    (
        "how many links",
        Own(|seen| seen.json("langfuse.observation.metadata.links").as_array().map_or(0, Vec::len).into()),
        |span| span.links.len().into(),
    ),
];

/// What stands with every observation of a trace.
const TRACES: &[Row<TraceContext>] = &[
    ("trace name", Plain("langfuse.trace.name"), |context| text(context.name.as_deref())),
    ("user", Plain("langfuse.user.id"), |context| text(context.user_id.as_deref())),
    ("session", Plain("langfuse.session.id"), |context| {
        text(context.session_id.as_deref().or(context.thread_id.as_deref()))
    }),
    ("tags", Plain("langfuse.trace.tags"), |context| {
        let tags: Vec<_> = context.tags.iter().map(obs_core::Str::as_str).collect();
        if tags.is_empty() { Value::Null } else { tags.into() }
    }),
    ("environment", Plain("langfuse.environment"), |context| text(context.environment.as_deref())),
    ("release", Plain("langfuse.release"), |context| text(context.release.as_deref())),
    ("version", Plain("langfuse.version"), |context| text(context.version.as_deref())),
    ("experiment", Plain("langfuse.experiment.id"), |context| text(context.experiment_id.as_deref())),
    ("thread", Plain("langfuse.trace.metadata.threadId"), |context| text(context.thread_id.as_deref())),
    ("request", Plain("langfuse.trace.metadata.requestId"), |context| text(context.request_id.as_deref())),
    ("entity", Plain("langfuse.trace.metadata.entityName"), |context| {
        text(context.entity.as_ref().and_then(|entity| entity.name.as_deref()))
    }),
    ("tier", Plain("langfuse.trace.metadata.tier"), |context| {
        text(context.metadata.get("tier").and_then(Attribute::as_str))
    }),
];

const LOGS: &[Row<Log>] = &[
    ("trace id", Own(|seen| seen.trace_id.to_string().into()), |log| {
        log.span.map_or(Value::Null, |span| span.trace_id.to_string().into())
    }),
    ("parent", Own(|seen| seen.parent.clone().into()), |log| {
        let parent = log.span.and_then(|span| span.span_id);
        parent.map_or(json!([]), |parent| parent.to_bytes().to_vec().into())
    }),
    ("start", Own(|seen| seen.start.into()), |log| log.time.as_nanos().into()),
    ("end", Own(|seen| seen.end.into()), |log| log.time.as_nanos().into()),
    ("name", Own(|seen| seen.name.clone().into()), |_| "log".into()),
    ("type", Plain("langfuse.observation.type"), |_| "event".into()),
    ("message", Plain("langfuse.observation.input"), |log| log.message.as_str().into()),
    ("level", Plain("langfuse.observation.metadata.level"), |log| log.level.as_str().into()),
    ("event name", Plain("langfuse.observation.metadata.eventName"), |log| text(log.event_name.as_deref())),
    ("data", Plain("langfuse.observation.metadata.data"), |log| payload(log.data.as_ref())),
];

type Judged<T> = (&'static str, &'static str, fn(&T) -> Value);

const SCORES: &[Judged<Score>] = &[
    ("id", "/id", |score| score.id.to_string().into()),
    ("time", "/timestamp", |score| {
        let at = score.time.rfc3339().to_string();
        format!("{}Z", &at[..at.len() - 4]).into()
    }),
    ("trace", "/traceId", |score| trace_of(&score.target)),
    ("observation", "/observationId", |score| {
        text(score.target.span_id().map(|id| id.to_string()).as_deref())
    }),
    ("session", "/sessionId", |score| session_of(&score.target)),
    ("dataset run", "/datasetRunId", |score| run_of(&score.target)),
    ("name", "/name", |score| score.name.as_str().into()),
    ("type", "/dataType", |score| data_type(&score.value).into()),
    ("value", "/value", |score| value(&score.value)),
    ("comment", "/comment", |score| text(score.comment.as_deref())),
    ("environment", "/environment", |score| text(score.context.environment.as_deref())),
    ("scorer", "/metadata/scorerId", |score| {
        text(score.scorer.as_ref().and_then(|scorer| scorer.id.as_deref()))
    }),
    ("judge", "/metadata/judge", |score| text(score.metadata.get("judge").and_then(Attribute::as_str))),
];

const FEEDBACK: &[Judged<Feedback>] = &[
    ("id", "/id", |feedback| feedback.id.to_string().into()),
    ("trace", "/traceId", |feedback| trace_of(&feedback.target)),
    ("session", "/sessionId", |feedback| session_of(&feedback.target)),
    ("dataset run", "/datasetRunId", |feedback| run_of(&feedback.target)),
    ("name", "/name", |feedback| {
        if corrects(feedback) { "output".into() } else { format!("feedback_{}", feedback.kind).into() }
    }),
    ("type", "/dataType", |feedback| {
        if corrects(feedback) { "CORRECTION" } else { data_type(&feedback.value) }.into()
    }),
    ("value", "/value", |feedback| value(&feedback.value)),
    ("comment", "/comment", |feedback| text(feedback.comment.as_deref())),
    ("user", "/metadata/userId", |feedback| text(feedback.user_id.as_deref())),
    ("source", "/metadata/source", |feedback| text(feedback.source.as_deref())),
];

fn text(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::from)
}

fn payload(payload: Option<&Payload>) -> Value {
    text(payload.map(Payload::as_str))
}

fn kind(span_type: &SpanType) -> &'static str {
    match span_type.name() {
        "agent_run" => "agent",
        "workflow_run" | "workflow_step" => "chain",
        "llm_generation" => "generation",
        "tool_call" | "mcp_tool_call" => "tool",
        "memory_lookup" | "rag_query" => "retriever",
        "embedding" => "embedding",
        "eval_execution" => "evaluator",
        _ => "span",
    }
}

fn of_call(span: &Span, read: impl Fn(&LlmGeneration) -> Value) -> Value {
    span.span_type.as_generation().map_or(Value::Null, read)
}

fn parameters(call: &LlmGeneration) -> Value {
    let mut map = match serde_json::to_value(&call.parameters).unwrap() {
        Value::Object(map) => map,
        other => panic!("{other}"),
    };
    if let Some(Value::Object(other)) = map.remove("other") {
        map.extend(
            other
                .into_iter()
                .map(|(key, value)| (if key.is_empty() { "(empty)".into() } else { key }, value)),
        );
    }
    if map.is_empty() { Value::Null } else { map.into() }
}

fn tokens(usage: &Usage) -> Value {
    let (input, output) = (&usage.input_details, &usage.output_details);
    let parts = [
        ("input", usage.input.map(|_| usage.input_text())),
        ("input_cached_tokens", Some(input.cache_read)),
        ("input_cache_creation", Some(input.cache_write)),
        ("input_cache_creation_5m", Some(input.cache_write_5m)),
        ("input_cache_creation_1h", Some(input.cache_write_1h)),
        ("input_audio_tokens", Some(input.audio)),
        ("input_image_tokens", Some(input.image)),
        ("output", usage.output.map(|_| usage.output_text())),
        ("output_reasoning_tokens", Some(output.reasoning)),
        ("output_audio_tokens", Some(output.audio)),
        ("output_image_tokens", Some(output.image)),
        ("total", usage.total()),
    ];
    let overflows = usage.input_details.cache_write == u64::MAX;
    let always = ["input", "output", "total"];
    let known = parts
        .into_iter()
        .filter(|(name, tokens)| tokens.is_some_and(|tokens| tokens > 0 || always.contains(name)));
    let map: Map<_, _> = known.map(|(name, tokens)| (name.to_owned(), tokens.into())).collect();
    if map.is_empty() || overflows { Value::Null } else { map.into() }
}

fn cost(cost: &Cost) -> Value {
    json!({ "input": cost.input, "output": cost.output, "total": cost.total })
}

fn trace_of(target: &Target) -> Value {
    text(target.trace_id().map(|id| id.to_string()).as_deref())
}

fn session_of(target: &Target) -> Value {
    match target {
        Target::Session { session_id } => session_id.as_str().into(),
        _ => Value::Null,
    }
}

fn run_of(target: &Target) -> Value {
    match target {
        Target::ExperimentRun { run_id } => run_id.as_str().into(),
        _ => Value::Null,
    }
}

fn data_type(value: &ScoreValue) -> &'static str {
    match value {
        ScoreValue::Numeric { .. } => "NUMERIC",
        ScoreValue::Boolean(_) => "BOOLEAN",
        ScoreValue::Categorical(_) => "CATEGORICAL",
        ScoreValue::Text(_) => "TEXT",
    }
}

fn value(value: &ScoreValue) -> Value {
    match value {
        ScoreValue::Numeric { value, .. } => (*value).into(),
        ScoreValue::Boolean(value) => i32::from(*value).into(),
        ScoreValue::Categorical(words) | ScoreValue::Text(words) => words.as_str().into(),
    }
}

fn corrects(feedback: &Feedback) -> bool {
    feedback.kind == "correction"
        && feedback.target.trace_id().is_some()
        && matches!(feedback.value, ScoreValue::Categorical(_) | ScoreValue::Text(_))
}

fn compare<T>(rows: &[Row<T>], record: &T, seen: &Seen) {
    for (what, at, read) in rows {
        assert_eq!(at.read(seen), read(record), "{what} of {} {}", seen.name, seen.span_id);
    }
}

fn ended(batch: &Batch) -> Vec<Span> {
    let Batch::Traces(records) = batch else { return Vec::new() };
    records.iter().filter_map(SpanRecord::ended).cloned().collect()
}

#[tokio::test]
async fn every_span_stands_there_as_it_was_recorded() {
    let bench = Bench::start().await;
    let mut compared = 0;
    for batch in fixtures::all().into_iter().chain(fixtures::trace_batches()) {
        let spans = ended(&batch);
        if spans.is_empty() {
            continue;
        }
        let seen = bench.observations(&batch).await;
        assert_eq!(seen.len(), spans.len());
        for (span, seen) in spans.iter().zip(&seen) {
            compare(SPANS, span, seen);
            compare(TRACES, &*span.context, seen);
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared}");
}

#[tokio::test]
async fn every_log_stands_there_as_it_was_recorded() {
    let bench = Bench::start().await;
    let mut compared = 0;
    for batch in fixtures::all().into_iter().chain(fixtures::trace_batches()) {
        let Batch::Logs(records) = &batch else { continue };
        let logs: Vec<_> = records.iter().filter(|log| log.span.is_some()).collect();
        let seen = bench.observations(&batch).await;
        assert_eq!(seen.len(), logs.len());
        for (log, seen) in logs.into_iter().zip(&seen) {
            compare(LOGS, log, seen);
            compare(TRACES, &*log.context, seen);
            compared += 1;
        }
    }
    assert!(compared >= 10, "{compared}");
}

#[tokio::test]
async fn every_score_and_feedback_stands_there_as_it_was_given() {
    let bench = Bench::with(|config| config.with_score_concurrency(1)).await;
    for batch in [fixtures::batch(obs_core::Signal::Scores), fixtures::batch(obs_core::Signal::Feedback)]
        .into_iter()
        .chain(fixtures::trace_batches())
    {
        match &batch {
            Batch::Scores(scores) => judged(SCORES, scores.iter(), &bench.bodies(&batch).await),
            Batch::Feedback(feedback) => judged(FEEDBACK, feedback.iter(), &bench.bodies(&batch).await),
            _ => {}
        }
    }
}

fn judged<'a, T: 'a>(rows: &[Judged<T>], records: impl Iterator<Item = &'a T>, bodies: &[Value]) {
    let mut compared = 0;
    for (record, body) in records.zip(bodies) {
        for (what, pointer, read) in rows {
            assert_eq!(body.pointer(pointer).cloned().unwrap_or_default(), read(record), "{what} of {body}");
        }
        compared += 1;
    }
    assert_eq!(compared, bodies.len());
}

#[tokio::test]
async fn old_servers_are_told_the_same() {
    let (new, old) =
        (Bench::start().await, Bench::with(|config| config.with_ingestion(Ingestion::Legacy)).await);
    let batch = fixtures::batch(obs_core::Signal::Traces);
    let ended = Batch::Traces(ended(&batch).into_iter().map(SpanRecord::Ended).collect());
    let seen = new.observations(&ended).await;
    old.export(&ended).await.unwrap();
    let request = old.server.take_requests().pop().unwrap();
    let events = events(&request.body);
    let bodies: Vec<_> = events
        .iter()
        .filter(|event| event.kind != "trace-create")
        .map(|event| (&*event.kind, event.body()))
        .collect();
    assert_eq!(bodies.len(), seen.len());
    for ((kind, body), seen) in bodies.iter().zip(&seen) {
        let priced = ["generation", "embedding"].contains(&seen.text("langfuse.observation.type"));
        assert_eq!(*kind, if priced { "generation-create" } else { "span-create" });
        assert_eq!(body["id"], seen.span_id.to_string());
        assert_eq!(body["traceId"], seen.trace_id.to_string());
        assert_eq!(body["level"], seen.text("langfuse.observation.level"));
        assert_eq!(body["usageDetails"], seen.json("langfuse.observation.usage_details"), "{body}");
        assert_eq!(body["costDetails"], seen.json("langfuse.observation.cost_details"));
        assert_eq!(body["modelParameters"], seen.json("langfuse.observation.model.parameters"));
        for (name, key) in [
            ("model", "langfuse.observation.model.name"),
            ("completionStartTime", "langfuse.observation.completion_start_time"),
            ("promptName", "langfuse.observation.prompt.name"),
            ("promptVersion", "langfuse.observation.prompt.version"),
            ("statusMessage", "langfuse.observation.status_message"),
            ("environment", "langfuse.environment"),
            ("version", "langfuse.version"),
        ] {
            assert_eq!(body[name], seen.attributes.get(key).cloned().unwrap_or_default(), "{name}");
        }
    }
    let trace = events.iter().find(|event| event.kind == "trace-create").unwrap().body();
    for (name, key) in [
        ("name", "langfuse.trace.name"),
        ("userId", "langfuse.user.id"),
        ("sessionId", "langfuse.session.id"),
        ("tags", "langfuse.trace.tags"),
        ("release", "langfuse.release"),
    ] {
        assert_eq!(trace[name], seen[0].attributes[key], "{name}");
    }
}
