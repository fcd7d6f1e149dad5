//! Spans and logs in OpenTelemetry's GenAI conventions.
//!
//! A field goes out under the name that GenAI has for it, else OpenTelemetry's general one, else the first name in the table of [`crate::conventions`]: `tag.tags` of OpenInference, `mastra.workflow_step.status`.
//! With the feature `ingest`, all of them are read back.
//!
//! ```
//! use obs_core::{LlmGeneration, Span, SpanId, SpanType, Timestamp, TraceId};
//! use obs_otlp::encode::{Encoding, SpanParts, TraceRequests, genai};
//!
//! let (trace_id, span_id) = (TraceId::new(7).unwrap(), SpanId::new(9).unwrap());
//! let mut span = Span::new(trace_id, span_id, "answer", Timestamp::from_nanos(1));
//! let call = LlmGeneration { model: Some("gpt-4o".into()), ..LlmGeneration::default() };
//! span.span_type = SpanType::LlmGeneration(call);
//!
//! let (name, kind) = (genai::name(&span), genai::kind(&span));
//! assert_eq!(name, "chat gpt-4o");
//! let parts = SpanParts { name: &name, kind, ..SpanParts::of(&span, Timestamp::from_nanos(5)) };
//! let mut requests = TraceRequests::new(Encoding::Json, 512, 4 << 20);
//! requests.push(0, &span.resource, &parts, |to| genai::attributes(&span, to));
//! let body = requests.finish().remove(0).body;
//! assert!(String::from_utf8_lossy(&body).contains(r#"{"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o"}}"#));
//! ```

pub(super) mod document;
mod log;
pub(crate) mod names;
pub(super) mod put;
mod span_name;
mod types;

use obs_core::{Entity, Form, Payload, Span, SpanType, Status, Str, TraceContext};

use super::Fields;
use super::exception::Causes;
use crate::chat::{self, Role};
use crate::conventions::own;
pub use log::log_attributes;
use names as n;
use put::{Put, Taken};
pub use span_name::{keeps_name, kind, name};

/// The version of the conventions that the names are those of: OpenTelemetry's GenAI conventions have no stable one yet.
pub const VERSION: &str = "1.42.0-dev";

/// The schema of [`VERSION`], for a request's `schema_url`.
///
/// Names that go beyond it, such as `mastra.workflow.step.id`, are in no schema.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev";

/// Puts all that the conventions have names for, then the span's own attributes.
///
/// An attribute of the span's own wins over a field that would go out under the same name: it was kept beside the field because it says more.
pub fn attributes(span: &Span, to: &mut Fields<'_>) {
    attributes_but(span, &[], to);
}

/// [`attributes`] less the fields of these names, which go out under those of another convention.
pub(super) fn attributes_but(span: &Span, told: &'static [&'static str], to: &mut Fields<'_>) {
    let mut put = Put { to, taken: Taken::by(&span.attributes, told) };
    types::put(&span.span_type, &mut put);
    if let SpanType::WorkflowStep(_) = span.span_type {
        put.some(n::WORKFLOW_ID, workflow(&span.context));
    }
    documents(span, &mut put);
    error(span, &mut put);
    context(&span.context, &mut put);
    put.to.attributes(&span.attributes);
}

/// The workflow that a step is of, as far as its context tells.
pub(crate) fn workflow(context: &TraceContext) -> Option<&Str> {
    let mut entities = [&context.entity, &context.parent_entity].into_iter().flatten();
    let workflow = entities.find(|entity| entity.kind.as_deref() == Some("workflow"))?;
    workflow.name.as_ref().or(workflow.id.as_ref())
}

/// The input and output, under the names that fit what they are.
fn documents(span: &Span, put: &mut Put<'_, '_>) {
    for (document, role, [messages, tool, any, mime]) in sides(span) {
        match said_as(&span.span_type, document) {
            Said::Tool => put.payload(tool, document),
            Said::Messages if put.is_told(messages) => {
                if !chat::is_conversation(document, role) {
                    put.document(any, mime, document);
                }
            }
            Said::Messages => match chat::in_parts(document, role) {
                Some(said) => put.str(messages, &said),
                None => put.document(any, mime, document),
            },
            Said::Any => put.document(any, mime, document),
        }
    }
}

/// The documents that there are, each with whoever says it, and its names: of messages, of a tool's side, of anything and of its form.
pub(super) fn sides(span: &Span) -> impl Iterator<Item = (&Payload, Role, [&'static str; 4])> {
    let input = [n::INPUT_MESSAGES, n::TOOL_ARGUMENTS, n::INPUT, n::INPUT_MIME];
    let output = [n::OUTPUT_MESSAGES, n::TOOL_RESULT, n::OUTPUT, n::OUTPUT_MIME];
    let sides = [(span.input.as_ref(), Role::User, input), (span.output.as_ref(), Role::Assistant, output)];
    sides.into_iter().filter_map(|(document, role, names)| Some((document?, role, names)))
}

/// Whether GenAI has a name for a document, so that none goes out under [`n::INPUT`] or [`n::OUTPUT`].
pub(super) fn has_name(span_type: &SpanType, document: &Payload, role: Role) -> bool {
    match said_as(span_type, document) {
        Said::Messages => chat::is_conversation(document, role),
        Said::Tool => true,
        Said::Any => false,
    }
}

/// What GenAI calls a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// Messages of a model, or of what works with one, if it is a conversation.
    Messages,
    /// A tool's arguments or result.
    Tool,
    /// Nothing: it goes out under OpenInference's name.
    Any,
}

fn said_as(span_type: &SpanType, document: &Payload) -> Said {
    match span_type {
        SpanType::LlmGeneration(_) => Said::Messages,
        SpanType::ToolCall(_) | SpanType::McpToolCall(_) => Said::Tool,
        SpanType::AgentRun(_) | SpanType::WorkflowRun(_) if is_list(document) => Said::Messages,
        _ => Said::Any,
    }
}

/// Whether a document is a list, as messages are.
fn is_list(document: &Payload) -> bool {
    document.as_str().trim_ascii_start().starts_with('[') && document.settled().form() == Form::Json
}

/// What is told of an error beside the event `exception`: all of it, if the span did not fail.
fn error(span: &Span, put: &mut Put<'_, '_>) {
    let Some(error) = &span.error else { return };
    put.some(n::ERROR_TYPE, error.error_type.as_ref());
    put.some(n::ERROR_CODE, error.code.as_ref());
    if let Some(id) = error.error_id {
        put.display(own::ERROR_ID, id);
    }
    put.some(own::ERROR_DOMAIN, error.domain.as_ref());
    put.some(own::ERROR_CATEGORY, error.category.as_ref());
    if !error.details.is_empty() {
        put.json(own::ERROR_DETAILS, &error.details);
    }
    if span.status != Status::Error {
        put.some(n::ERROR_MESSAGE, Some(&error.message));
        put.some(n::ERROR_STACK, error.stack.as_ref());
        if error.stack.is_none() && !error.sources.is_empty() {
            put.display(n::ERROR_STACK, Causes(error));
        }
    }
}

/// Puts what is known of a trace, where nothing else has the names.
pub(super) fn put_context(context: &TraceContext, to: &mut Fields<'_>) {
    self::context(context, &mut Put { to, taken: None });
}

fn context(context: &TraceContext, put: &mut Put<'_, '_>) {
    let TraceContext {
        name,
        user_id,
        session_id,
        thread_id,
        request_id,
        organization_id,
        tags,
        environment,
        release,
        version,
        service,
        experiment_id,
        entity,
        parent_entity,
        metadata,
    } = context;
    put.some(n::TRACE_NAME, name.as_ref());
    put.some(n::USER_ID, user_id.as_ref());
    put.some(n::SESSION_ID, session_id.as_ref());
    put.some(n::THREAD_ID, thread_id.as_ref());
    put.some(n::REQUEST_ID, request_id.as_ref());
    put.some(n::ORGANIZATION_ID, organization_id.as_ref());
    put.some(n::ENVIRONMENT, environment.as_ref());
    put.some(n::RELEASE, release.as_ref());
    put.some(n::VERSION, version.as_ref());
    put.some(n::SERVICE, service.as_ref());
    put.some(n::EXPERIMENT_ID, experiment_id.as_ref());
    put.strs(n::TAGS, tags);
    // The conventions have agents, workflows and tools on the spans that run them, and not beside.
    for (names, entity) in [(own::ENTITY, entity), (own::PARENT_ENTITY, parent_entity)] {
        if let Some(Entity { kind, id, name, version }) = entity {
            for (key, text) in names.into_iter().zip([kind, id, name, version]) {
                put.some(key, text.as_ref());
            }
        }
    }
    if !metadata.is_empty() {
        put.json(n::METADATA, metadata);
    }
}
