//! The labels of automatic metrics, read off spans and judgements.

use obs_core::{
    AgentRun, Entity, Feedback, Labels, LlmGeneration, Resource, Score, Span, SpanType, Status, Str,
    ToolCall, TraceContext, Value, WorkflowRun, WorkflowStatus,
};

use super::catalogue::Of;

/// What stands where a name is missing.
const UNKNOWN: &Str = &Str::from_static("unknown");
const OK: &Str = &Str::from_static("ok");
const ERROR: &Str = &Str::from_static("error");

/// A label, and its value if there is one: a label without is left out.
pub(crate) type Pair<'a> = (&'static str, Option<&'a Str>);

/// The list of what has a value.
pub(crate) fn list(pairs: &[Pair<'_>]) -> Labels {
    pairs.iter().filter_map(|(label, value)| Some((*label, (*value)?))).collect()
}

/// The first of these that is there and not empty.
fn first<'a>(names: impl IntoIterator<Item = Option<&'a Str>>) -> Option<&'a Str> {
    names.into_iter().flatten().find(|name| !name.is_empty())
}

fn or_unknown(name: Option<&Str>) -> &Str {
    name.unwrap_or(UNKNOWN)
}

fn text<'a>(resource: &'a Resource, name: &str) -> Option<&'a Str> {
    match resource.attributes.get(name)? {
        Value::Str(text) => Some(text),
        _ => None,
    }
}

fn env(span: &Span) -> Pair<'_> {
    let of_resource = || {
        first(
            ["deployment.environment.name", "deployment.environment"].map(|name| text(&span.resource, name)),
        )
    };
    ("env", span.context.environment.as_ref().or_else(of_resource))
}

fn service(span: &Span) -> Pair<'_> {
    ("service", span.context.service.as_ref().or_else(|| text(&span.resource, "service.name")))
}

/// Whether the span failed, or what it stands for did.
fn status(span: &Span) -> Pair<'static> {
    let failed = match &span.span_type {
        SpanType::WorkflowRun(run) => run.status == Some(WorkflowStatus::Failed),
        SpanType::ToolCall(call) => call.success == Some(false),
        SpanType::McpToolCall(call) => call.call.success == Some(false),
        _ => false,
    };
    ("status", Some(if failed || span.status == Status::Error { ERROR } else { OK }))
}

/// The agent that a trace's context names: at work, or as the caller of what is.
fn agent_at_work(context: &TraceContext) -> Option<&Str> {
    let is_agent = |entity: &&Entity| entity.kind.as_deref() == Some("agent");
    let found = [&context.entity, &context.parent_entity].into_iter().flatten().find(is_agent)?;
    first([found.name.as_ref(), found.id.as_ref()])
}

fn agent<'a>(span: &'a Span, typed: Option<&'a Str>) -> Pair<'a> {
    ("agent", Some(or_unknown(first([typed, agent_at_work(&span.context)]))))
}

fn model<'a>(span: &'a Span, call: &'a LlmGeneration) -> [Pair<'a>; 3] {
    let model = first([call.model.as_ref(), call.response_model.as_ref()]);
    [
        ("model", Some(or_unknown(model))),
        ("provider", Some(or_unknown(first([call.provider.as_ref()])))),
        agent(span, None),
    ]
}

fn tool<'a>(span: &'a Span, call: &'a ToolCall) -> [Pair<'a>; 3] {
    let tool = first([call.tool.as_ref(), Some(&span.name)]);
    [("tool", Some(or_unknown(tool))), agent(span, call.agent.as_ref()), env(span)]
}

fn workflow<'a>(span: &'a Span, run: &'a WorkflowRun) -> [Pair<'a>; 2] {
    [("workflow", Some(or_unknown(first([run.workflow_id.as_ref(), Some(&span.name)])))), env(span)]
}

fn agent_run<'a>(span: &'a Span, run: &'a AgentRun) -> [Pair<'a>; 3] {
    let agent = first([run.agent_name.as_ref(), run.agent_id.as_ref(), Some(&span.name)]);
    [("agent", Some(or_unknown(agent))), env(span), service(span)]
}

/// What is counted when such a span begins and ends, and its labels without and with the status.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) started: Of,
    pub(crate) ended: Of,
    pub(crate) duration: Of,
    pub(crate) plain: ([Pair<'a>; 3], usize),
    pub(crate) with_status: ([Pair<'a>; 4], usize),
}

impl<'a> Run<'a> {
    /// `None` for a span of which no run or call is counted.
    pub(crate) fn of(span: &'a Span) -> Option<Self> {
        let status = status(span);
        Some(match &span.span_type {
            SpanType::AgentRun(run) => {
                let [agent, env, service] = agent_run(span, run);
                Self {
                    started: Of::AgentStarted,
                    ended: Of::AgentEnded,
                    duration: Of::AgentDuration,
                    plain: ([agent, env, service], 3),
                    with_status: ([agent, status, env, service], 4),
                }
            }
            SpanType::LlmGeneration(call) => {
                let [model, provider, agent] = model(span, call);
                Self {
                    started: Of::ModelStarted,
                    ended: Of::ModelEnded,
                    duration: Of::ModelDuration,
                    plain: ([model, provider, agent], 3),
                    with_status: ([model, provider, agent, status], 4),
                }
            }
            SpanType::ToolCall(call) => Self::tool(tool(span, call), status),
            SpanType::McpToolCall(call) => Self::tool(tool(span, &call.call), status),
            SpanType::WorkflowRun(run) => {
                let [workflow, env] = workflow(span, run);
                Self {
                    started: Of::WorkflowStarted,
                    ended: Of::WorkflowEnded,
                    duration: Of::WorkflowDuration,
                    plain: ([workflow, env, env], 2),
                    with_status: ([workflow, status, env, env], 3),
                }
            }
            _ => return None,
        })
    }

    fn tool([tool, agent, env]: [Pair<'a>; 3], status: Pair<'a>) -> Self {
        Self {
            started: Of::ToolStarted,
            ended: Of::ToolEnded,
            duration: Of::ToolDuration,
            plain: ([tool, agent, env], 3),
            with_status: ([tool, agent, status, env], 4),
        }
    }

    pub(crate) fn plain(&self) -> &[Pair<'a>] {
        &self.plain.0[..self.plain.1]
    }

    pub(crate) fn with_status(&self) -> &[Pair<'a>] {
        &self.with_status.0[..self.with_status.1]
    }
}

/// Of what a call of a model or the making of embeddings cost; `None` where that is not known.
pub(crate) fn cost(span: &Span) -> Option<[Pair<'_>; 4]> {
    let (model, provider, _) = span.span_type.model()?;
    let answered = span.span_type.as_generation().and_then(|call| call.response_model.as_ref());
    Some([
        ("model", Some(or_unknown(first([model, answered])))),
        ("provider", Some(or_unknown(first([provider])))),
        agent(span, None),
        ("currency", Some(&span.span_type.cost()?.currency)),
    ])
}

/// Of an error of a span.
pub(crate) fn error<'a>(span: &'a Span, span_type: &'a Str) -> [Pair<'a>; 4] {
    let error = span.error.as_ref().and_then(|error| first([error.error_type.as_ref(), error.code.as_ref()]));
    let typed = match &span.span_type {
        SpanType::AgentRun(run) => first([run.agent_name.as_ref(), run.agent_id.as_ref(), Some(&span.name)]),
        SpanType::ToolCall(call) => call.agent.as_ref(),
        SpanType::McpToolCall(call) => call.call.agent.as_ref(),
        _ => None,
    };
    [("error_type", Some(or_unknown(error))), ("span_type", Some(span_type)), agent(span, typed), env(span)]
}

fn entity_type(context: &TraceContext) -> Pair<'_> {
    (
        "entity_type",
        Some(or_unknown(context.entity.as_ref().and_then(|entity| first([entity.kind.as_ref()])))),
    )
}

/// Of a score.
pub(crate) fn score(score: &Score) -> [Pair<'_>; 3] {
    let judge = score.scorer.as_ref();
    let scorer = [judge.and_then(|judge| judge.name.as_ref()), judge.and_then(|judge| judge.id.as_ref())];
    let experiment = first([score.experiment_id.as_ref(), score.context.experiment_id.as_ref()]);
    [
        ("scorer", Some(or_unknown(first(scorer.into_iter().chain([Some(&score.name)]))))),
        entity_type(&score.context),
        ("experiment", experiment),
    ]
}

/// Of feedback.
pub(crate) fn feedback(feedback: &Feedback) -> [Pair<'_>; 4] {
    let experiment = first([feedback.experiment_id.as_ref(), feedback.context.experiment_id.as_ref()]);
    [
        ("feedback_type", Some(or_unknown(first([Some(&feedback.kind)])))),
        ("source", Some(or_unknown(first([feedback.source.as_ref()])))),
        entity_type(&feedback.context),
        ("experiment", experiment),
    ]
}

/// What OpenTelemetry's conventions say of a call of a model; `None` for other spans.
pub(crate) fn gen_ai(span: &Span) -> Option<[Pair<'_>; 4]> {
    const CHAT: &Str = &Str::from_static("chat");
    const EMBEDDINGS: &Str = &Str::from_static("embeddings");
    let (operation, response) = match &span.span_type {
        SpanType::LlmGeneration(call) => (CHAT, call.response_model.as_ref()),
        SpanType::Embedding(_) => (EMBEDDINGS, None),
        _ => return None,
    };
    let (model, provider, _) = span.span_type.model()?;
    Some([
        ("gen_ai.operation.name", Some(operation)),
        ("gen_ai.provider.name", Some(or_unknown(first([provider])))),
        ("gen_ai.request.model", first([model])),
        ("gen_ai.response.model", first([response])),
    ])
}

/// The conventions' `error.type` of a failed call, absent on others.
pub(crate) fn gen_ai_error(span: &Span) -> Pair<'_> {
    const OTHER: &Str = &Str::from_static("_OTHER");
    let failed = span.status == Status::Error;
    let known = span.error.as_ref().and_then(|error| first([error.error_type.as_ref(), error.code.as_ref()]));
    ("error.type", failed.then(|| known.unwrap_or(OTHER)))
}
