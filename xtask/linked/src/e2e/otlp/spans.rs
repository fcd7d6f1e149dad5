//! What a span is to be in OTLP with the conventions for generative AI, by rules that no exporter shares.

use obs_core::{
    Attributes, Form, Payload, Resource, Span, SpanKind, SpanType, Status, Str, TraceContext, Usage,
    Value as Held,
};
use serde_json::{Map, Value, json};

use super::found::RESOURCE;
use super::normal::of_float;
use crate::e2e::fact::Fact;

/// What a span that ended is to be.
pub(super) fn span(span: &Span) -> Fact {
    let failure = span.error.as_deref().filter(|_| span.status == Status::Error);
    let fact = Fact::new("span", span.span_id.to_string())
        .with("name", name(span))
        .with("trace", span.trace_id.to_string())
        .with("parent", span.parent_span_id.map(|id| id.to_string()).unwrap_or_default())
        .with("kind", kind(span))
        .with("start", span.start.as_nanos())
        .with("end", span.end.unwrap_or_default().as_nanos())
        .with("flags", u32::from(span.trace_flags) | 0x100 | if span.remote_parent { 0x200 } else { 0 })
        .with("state", span.trace_state.as_deref().unwrap_or_default())
        .with(
            "status",
            match span.status {
                Status::Unset => 0,
                Status::Ok => 1,
                Status::Error => 2,
            },
        )
        .with("message", failure.map(|error| error.message.to_string()).unwrap_or_default())
        .with("events", events(span))
        .with("links", links(span));
    let fact = of_context(typed(beside(fact, &span.resource), &span.span_type), &span.context);
    own(documents(fact, span), &span.attributes)
}

/// The operation and what it is done to, as the conventions call spans.
fn name(span: &Span) -> String {
    let (operation, target) = match &span.span_type {
        SpanType::AgentRun(run) => ("invoke_agent", run.agent_name.as_ref().or(run.agent_id.as_ref())),
        SpanType::WorkflowRun(run) => ("invoke_workflow", run.workflow_id.as_ref()),
        SpanType::WorkflowStep(step) => ("workflow_step", step.step_id.as_ref()),
        SpanType::LlmGeneration(call) => ("chat", call.model.as_ref()),
        SpanType::ToolCall(call) => ("execute_tool", call.tool.as_ref()),
        SpanType::McpToolCall(mcp) => (mcp.method.as_deref().unwrap_or("tools/call"), mcp.call.tool.as_ref()),
        SpanType::MemoryLookup(_) => ("search_memory", None),
        SpanType::MemoryUpdate(update) => (
            match update.operation.as_deref() {
                Some("create") => "create_memory",
                Some("update") => "update_memory",
                Some("delete") => "delete_memory",
                _ => "upsert_memory",
            },
            None,
        ),
        SpanType::RagQuery(query) => ("retrieval", query.store.as_ref()),
        SpanType::Embedding(embedding) => ("embeddings", embedding.model.as_ref()),
        SpanType::EvalExecution(eval) => ("evaluate", eval.scorer.as_ref()),
        SpanType::Generic => return span.name.to_string(),
    };
    let modelled = matches!(
        span.span_type,
        SpanType::LlmGeneration(_)
            | SpanType::Embedding(_)
            | SpanType::MemoryLookup(_)
            | SpanType::MemoryUpdate(_)
    );
    // Where the type does not say what is called, the span's own name does.
    let own = Some(&span.name).filter(|own| !modelled && !own.is_empty());
    let own = own.map(|own| own.strip_prefix(operation).map_or(own.as_str(), str::trim_start));
    let target = target.filter(|target| !target.is_empty()).map(Str::as_str).or(own);
    match target {
        None | Some("") => operation.to_owned(),
        Some(target) => format!("{operation} {target}"),
    }
}

/// The span's own kind; calls of what is commonly elsewhere are a client's.
fn kind(span: &Span) -> u8 {
    let remote = matches!(
        span.span_type,
        SpanType::LlmGeneration(_)
            | SpanType::Embedding(_)
            | SpanType::McpToolCall(_)
            | SpanType::RagQuery(_)
    );
    match span.kind {
        SpanKind::Internal if remote => 3,
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

/// The span's events, then the exception of one that failed.
fn events(span: &Span) -> Vec<Value> {
    let one = |time: u64, name: &str, attributes: Value| json!({ "name": name, "time": time, "attributes": attributes });
    let mut all: Vec<_> = span
        .events
        .iter()
        .map(|event| one(event.time.as_nanos(), &event.name, map(&event.attributes)))
        .collect();
    if let Some(error) = span.error.as_deref().filter(|_| span.status == Status::Error) {
        let causes = || {
            error
                .sources
                .iter()
                .fold(error.message.to_string(), |all, source| format!("{all}\ncaused by: {source}"))
        };
        let stack = error.stack.as_ref().map(ToString::to_string);
        let stack = stack.or_else(|| (!error.sources.is_empty()).then(causes));
        let said = [
            ("exception.type", error.error_type.as_ref().map(ToString::to_string)),
            ("exception.message", Some(error.message.to_string())),
            ("exception.stacktrace", stack),
        ];
        let said: Map<_, _> =
            said.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into()))).collect();
        all.push(one(span.end.unwrap_or_default().as_nanos(), "exception", said.into()));
    }
    all
}

fn links(span: &Span) -> Vec<Value> {
    let links = span.links.iter();
    links
        .map(|link| {
            json!({ "trace": link.trace_id.to_string(), "span": link.span_id.to_string(),
                "state": link.trace_state.as_deref().unwrap_or_default(), "attributes": map(&link.attributes) })
        })
        .collect()
}

/// What the conventions have of a span's type.
fn typed(fact: Fact, span_type: &SpanType) -> Fact {
    let said = |text: &Option<Str>| text.as_deref().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    match span_type {
        SpanType::AgentRun(run) => fact
            .with_attribute("gen_ai.operation.name", "invoke_agent")
            .with_attribute("gen_ai.agent.id", said(&run.agent_id))
            .with_attribute("gen_ai.agent.name", said(&run.agent_name)),
        SpanType::WorkflowRun(_) => fact.with_attribute("gen_ai.operation.name", "invoke_workflow"),
        SpanType::LlmGeneration(call) => tokens(fact, &call.usage)
            .with_attribute("gen_ai.operation.name", "chat")
            .with_attribute("gen_ai.request.model", said(&call.model))
            .with_attribute("gen_ai.provider.name", said(&call.provider))
            .with_attribute("gen_ai.response.model", said(&call.response_model))
            .with_attribute("gen_ai.response.id", said(&call.response_id))
            .with_attribute("gen_ai.request.temperature", call.parameters.temperature.map(of_float))
            .with_attribute(
                "gen_ai.response.finish_reasons",
                call.finish_reason.as_deref().map(|reason| json!([reason])),
            ),
        SpanType::ToolCall(call) => fact
            .with_attribute("gen_ai.operation.name", "execute_tool")
            .with_attribute("gen_ai.tool.name", said(&call.tool))
            .with_attribute("gen_ai.tool.call.id", said(&call.call_id)),
        SpanType::McpToolCall(mcp) => fact
            .with_attribute("gen_ai.operation.name", "execute_tool")
            .with_attribute("mcp.method.name", mcp.method.as_deref().unwrap_or("tools/call"))
            .with_attribute("gen_ai.tool.name", said(&mcp.call.tool)),
        SpanType::RagQuery(_) => fact.with_attribute("gen_ai.operation.name", "retrieval"),
        SpanType::Embedding(embedding) => tokens(fact, &embedding.usage)
            .with_attribute("gen_ai.operation.name", "embeddings")
            .with_attribute("gen_ai.request.model", said(&embedding.model))
            .with_attribute("gen_ai.provider.name", said(&embedding.provider)),
        _ => fact,
    }
}

fn tokens(fact: Fact, usage: &Usage) -> Fact {
    fact.with_attribute("gen_ai.usage.input_tokens", usage.input)
        .with_attribute("gen_ai.usage.output_tokens", usage.output)
}

/// The input and output: messages of models, a tool's arguments and result, anything of the others.
fn documents(fact: Fact, span: &Span) -> Fact {
    let mut fact = fact;
    for (document, role, [messages, tool, any]) in [
        (&span.input, "user", ["gen_ai.input.messages", "gen_ai.tool.call.arguments", "input.value"]),
        (&span.output, "assistant", ["gen_ai.output.messages", "gen_ai.tool.call.result", "output.value"]),
    ] {
        let Some(document) = document else { continue };
        let (name, text) = match (&span.span_type, said(document, role)) {
            (SpanType::ToolCall(_) | SpanType::McpToolCall(_), _) => (tool, document.as_str().to_owned()),
            (SpanType::LlmGeneration(_), Said::Words(said))
            | (
                SpanType::LlmGeneration(_) | SpanType::AgentRun(_) | SpanType::WorkflowRun(_),
                Said::Messages(said),
            ) => (messages, said),
            // What more messages can be than words is for the encoder's own tests.
            (_, Said::More) => continue,
            _ => (any, document.as_str().to_owned()),
        };
        fact = fact.with_attribute(name, text);
    }
    fact
}

/// What a document is, with the messages that stand for it in GenAI's form.
enum Said {
    /// Words: one message.
    Words(String),
    /// Messages of words.
    Messages(String),
    /// Messages of other things, too.
    More,
    /// No conversation.
    Other,
}

fn said(document: &Payload, role: &str) -> Said {
    let document = document.settled();
    let message = |role: &Value, content: &str| {
        let content = Value::from(content);
        format!(r#"{{"role":{role},"parts":[{{"type":"text","content":{content}}}]}}"#)
    };
    if document.form() != Form::Json {
        return Said::Words(format!("[{}]", message(&role.into(), document.as_str())));
    }
    let read: Value = serde_json::from_str(document.as_str()).unwrap_or_default();
    let Some(list) = read.as_array().filter(|list| list.iter().all(|one| one["role"].is_string())) else {
        return Said::Other;
    };
    let simple = |one: &Value| match (one.as_object()?.len(), one["content"].as_str()) {
        (2, Some(content)) => Some(message(&one["role"], content)),
        _ => None,
    };
    match list.iter().map(simple).collect::<Option<Vec<_>>>() {
        Some(messages) if !messages.is_empty() => Said::Messages(format!("[{}]", messages.join(","))),
        _ => Said::More,
    }
}

/// What every record has of its trace.
pub(super) fn of_context(fact: Fact, context: &TraceContext) -> Fact {
    fact.with_attribute("user.id", context.user_id.as_deref())
        .with_attribute("session.id", context.session_id.as_deref())
        .with_attribute("gen_ai.conversation.id", context.thread_id.as_deref())
}

/// The resource and the scope.
pub(super) fn beside(mut fact: Fact, resource: &Resource) -> Fact {
    for (key, value) in resource.attributes.iter() {
        fact = fact.with_attribute(format!("{RESOURCE}{key}"), any(value));
    }
    // Whoever has no scope of its own was made by us.
    let (name, version, attributes) = match &resource.scope {
        Some(scope) => (&*scope.name, scope.version.as_deref().unwrap_or_default(), map(&scope.attributes)),
        None => ("obs", env!("CARGO_PKG_VERSION"), json!({})),
    };
    fact.with("scope", json!({ "name": name, "version": version, "attributes": attributes }))
}

/// The record's own attributes, each as it is; they win over what has the same name.
pub(super) fn own(mut fact: Fact, attributes: &Attributes) -> Fact {
    for (key, value) in attributes.iter() {
        fact.attributes.insert(key.to_string(), any(value));
    }
    fact
}

pub(super) fn map(attributes: &Attributes) -> Value {
    Value::Object(attributes.iter().map(|(key, value)| (key.to_string(), any(value))).collect())
}

fn any(value: &Held) -> Value {
    match value {
        Held::Null => Value::Null,
        Held::Bool(value) => (*value).into(),
        Held::I64(value) => (*value).into(),
        Held::F64(value) => of_float(*value),
        Held::Str(text) => text.as_str().into(),
        Held::List(values) => values.iter().map(any).collect(),
        Held::Map(values) => map(values),
    }
}
