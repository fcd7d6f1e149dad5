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

mod document;
mod log;
pub(crate) mod names;
mod put;
mod span_name;
mod types;

use obs_core::{Form, Payload, Span, SpanType, Status, TraceContext};

use super::Fields;
use super::exception::Causes;
pub use log::log_attributes;
use names as n;
use put::Put;
pub use span_name::{kind, name};

/// Puts all that the conventions have names for, then the span's own attributes.
///
/// An attribute of the span's own wins over a field that would go out under the same name: it was kept beside the field because it says more.
pub fn attributes(span: &Span, to: &mut Fields<'_>) {
    let own = Some(&span.attributes).filter(|own| !own.is_empty());
    let mut put = Put { to, own };
    types::put(&span.span_type, &mut put);
    documents(span, &mut put);
    error(span, &mut put);
    context(&span.context, &mut put);
    put.to.attributes(&span.attributes);
}

/// The input and output, under the names that fit what they are.
fn documents(span: &Span, put: &mut Put<'_, '_>) {
    if let Some(input) = &span.input {
        document(span, input, &[n::INPUT_MESSAGES, n::TOOL_ARGUMENTS, n::INPUT, n::INPUT_MIME], put);
    }
    if let Some(output) = &span.output {
        document(span, output, &[n::OUTPUT_MESSAGES, n::TOOL_RESULT, n::OUTPUT, n::OUTPUT_MIME], put);
    }
}

/// A document, under the name of messages, of a tool's side, or of anything with its form.
fn document(span: &Span, document: &Payload, names: &[&str; 4], put: &mut Put<'_, '_>) {
    let [messages, tool, any, mime] = *names;
    match span.span_type {
        SpanType::LlmGeneration(_) => put.payload(messages, document),
        SpanType::ToolCall(_) | SpanType::McpToolCall(_) => put.payload(tool, document),
        SpanType::AgentRun(_) | SpanType::WorkflowRun(_) if is_list(document) => {
            put.payload(messages, document);
        }
        _ => {
            let json = document.settled().form() == Form::Json;
            put.str(mime, if json { "application/json" } else { "text/plain" });
            put.payload(any, document);
        }
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
    if span.status != Status::Error {
        put.some(n::ERROR_MESSAGE, Some(&error.message));
        put.some(n::ERROR_STACK, error.stack.as_ref());
        if error.stack.is_none() && !error.sources.is_empty() {
            put.display(n::ERROR_STACK, Causes(error));
        }
    }
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
        // The conventions have agents, workflows and tools on the spans that run them, and not beside.
        entity: _,
        parent_entity: _,
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
    if !metadata.is_empty() {
        put.json(n::METADATA, metadata);
    }
}
