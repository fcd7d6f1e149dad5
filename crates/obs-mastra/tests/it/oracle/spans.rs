//! Spans.

use obs_core::{
    Batch, ErrorInfo, LlmGeneration, Signal, Span, SpanKind, SpanType, Status, StepFlavour, Usage,
};
use obs_testkit::fixtures;
use serde_json::{Value, json};

use super::{Field, hold, hold_attributes, hold_shared, or_null, service, time};
use crate::server::sent;

fn end(span: &Span) -> Value {
    time(span.end.unwrap_or(span.start).max(span.start))
}

fn is_root(span: &Span) -> bool {
    span.parent_span_id.is_none() || span.remote_parent
}

fn message(span: &Span) -> Value {
    match &span.error {
        Some(error) => json!(error.message),
        None if span.status == Status::Error => json!("it failed, and did not say how"),
        None => Value::Null,
    }
}

fn error(span: &Span, read: fn(&ErrorInfo) -> Value) -> Value {
    span.error.as_deref().map_or(Value::Null, read)
}

const SPAN: &[Field<Span>] = &[
    ("id", "/id", |span| json!(span.span_id)),
    ("id in storage", "/spanId", |span| json!(span.span_id)),
    ("trace", "/traceId", |span| json!(span.trace_id)),
    ("parent", "/parentSpanId", |span| or_null(span.parent_span_id.filter(|_| !span.remote_parent))),
    ("remote parent", "/externalParentSpanId", |span| {
        or_null(span.parent_span_id.filter(|_| span.remote_parent))
    }),
    ("root", "/isRootSpan", |span| json!(is_root(span))),
    ("event", "/isEvent", |_| json!(false)),
    ("name", "/name", |span| json!(span.name)),
    ("start", "/startTime", |span| time(span.start)),
    ("start in storage", "/startedAt", |span| time(span.start)),
    ("end", "/endTime", end),
    ("end in storage", "/endedAt", end),
    ("made", "/createdAt", end),
    ("changed", "/updatedAt", |_| Value::Null),
    ("input", "/input", |span| or_null(span.input.clone())),
    ("output", "/output", |span| or_null(span.output.clone())),
    ("tags", "/tags", |span| {
        or_null(Some(&span.context.tags).filter(|tags| is_root(span) && !tags.is_empty()))
    }),
    ("error", "/errorInfo/message", message),
    ("error in storage", "/error/message", message),
    ("error's id", "/errorInfo/id", |span| error(span, |error| or_null(error.error_id))),
    ("error's type", "/errorInfo/name", |span| error(span, |error| or_null(error.error_type.clone()))),
    ("stack", "/errorInfo/stack", |span| error(span, |error| or_null(error.stack.clone()))),
    ("domain", "/errorInfo/domain", |span| error(span, |error| or_null(error.domain.clone()))),
    ("category", "/errorInfo/category", |span| error(span, |error| or_null(error.category.clone()))),
    ("code", "/errorInfo/details/code", |span| error(span, |error| or_null(error.code.clone()))),
    ("user", "/metadata/userId", |span| or_null(span.context.user_id.clone())),
    ("organisation", "/metadata/organizationId", |span| or_null(span.context.organization_id.clone())),
    ("session", "/metadata/sessionId", |span| or_null(span.context.session_id.clone())),
    ("thread", "/metadata/threadId", |span| or_null(span.context.thread_id.clone())),
    ("request", "/metadata/requestId", |span| or_null(span.context.request_id.clone())),
    ("environment", "/metadata/environment", |span| or_null(span.context.environment.clone())),
    ("experiment", "/metadata/experimentId", |span| or_null(span.context.experiment_id.clone())),
    ("service", "/metadata/serviceName", |span| service(&span.context, &span.resource)),
    ("caller", "/metadata/parentEntity", |span| or_null(span.context.parent_entity.clone())),
    ("role", "/metadata/kind", |span| or_null(Some(span.kind).filter(|kind| *kind != SpanKind::Internal))),
    ("links", "/metadata/links", |span| or_null(Some(&span.links).filter(|links| !links.is_empty()))),
    ("trace state", "/metadata/traceState", |span| or_null(span.trace_state.clone())),
    ("flags", "/metadata/traceFlags", |span| or_null(Some(span.trace_flags).filter(|flags| flags & !2 != 1))),
    ("type", "/type", |span| json!(type_of(span))),
    ("type in storage", "/spanType", |span| json!(type_of(span))),
];

/// The type, by the name that obs has for it.
fn type_of(span: &Span) -> &'static str {
    let flavour = match &span.span_type {
        SpanType::WorkflowStep(step) => Some(&step.flavour),
        _ => None,
    };
    match (span.span_type.name(), flavour) {
        (_, Some(StepFlavour::Conditional { .. })) => "workflow_conditional",
        (_, Some(StepFlavour::Parallel { .. })) => "workflow_parallel",
        (_, Some(StepFlavour::Loop { .. })) => "workflow_loop",
        (_, Some(StepFlavour::Sleep { .. })) => "workflow_sleep",
        (_, Some(StepFlavour::WaitEvent { .. })) => "workflow_wait_event",
        ("llm_generation", _) => "model_generation",
        ("memory_lookup" | "memory_update", _) => "memory_operation",
        ("rag_query", _) => "rag_vector_operation",
        ("embedding", _) => "rag_embedding",
        ("eval_execution", _) => "scorer_run",
        (same, _) => same,
    }
}

const CALL: &[Field<LlmGeneration>] = &[
    ("model", "/attributes/model", |call| or_null(call.model.clone())),
    ("provider", "/attributes/provider", |call| or_null(call.provider.clone())),
    ("answering model", "/attributes/responseModel", |call| or_null(call.response_model.clone())),
    ("answer", "/attributes/responseId", |call| or_null(call.response_id.clone())),
    ("most tokens", "/attributes/parameters/maxOutputTokens", |call| or_null(call.parameters.max_tokens)),
    ("tools", "/attributes/tools", |call| or_null(call.tools.clone())),
    ("kind of answer", "/attributes/resultType", |call| or_null(call.result_type)),
    ("why it stopped", "/attributes/finishReason", |call| or_null(call.finish_reason.clone())),
    ("streamed", "/attributes/streaming", |call| or_null(call.streaming)),
    ("prompt", "/attributes/prompt", |call| or_null(call.prompt.clone())),
    ("cost", "/attributes/costContext/estimatedCost", |call| {
        or_null(call.cost.as_ref().map(|cost| cost.total).filter(|total| total.is_finite()))
    }),
    ("currency", "/attributes/costContext/costUnit", |call| {
        or_null(call.cost.as_ref().map(|cost| cost.currency.clone()))
    }),
];

const USAGE: &[Field<Usage>] = &[
    ("input", "/attributes/usage/inputTokens", |usage| or_null(usage.input)),
    ("output", "/attributes/usage/outputTokens", |usage| or_null(usage.output)),
    ("read", "/attributes/usage/inputDetails/cacheRead", |usage| positive(usage.input_details.cache_read)),
    ("written", "/attributes/usage/inputDetails/cacheWrite", |usage| {
        positive(usage.input_details.cache_writes())
    }),
    ("for 5 min", "/attributes/usage/inputDetails/cacheWrite5m", |usage| {
        positive(usage.input_details.cache_write_5m)
    }),
    ("for 1 h", "/attributes/usage/inputDetails/cacheWrite1h", |usage| {
        positive(usage.input_details.cache_write_1h)
    }),
    ("heard", "/attributes/usage/inputDetails/audio", |usage| positive(usage.input_details.audio)),
    ("seen", "/attributes/usage/inputDetails/image", |usage| positive(usage.input_details.image)),
    ("thought", "/attributes/usage/outputDetails/reasoning", |usage| {
        positive(usage.output_details.reasoning)
    }),
    ("spoken", "/attributes/usage/outputDetails/audio", |usage| positive(usage.output_details.audio)),
    ("drawn", "/attributes/usage/outputDetails/image", |usage| positive(usage.output_details.image)),
];

fn positive(tokens: u64) -> Value {
    or_null(Some(tokens).filter(|tokens| *tokens > 0))
}

#[tokio::test]
async fn every_item_says_what_its_span_says() {
    let batches = [
        fixtures::batch(Signal::Traces),
        fixtures::nasty(Signal::Traces),
        fixtures::trace_batches().swap_remove(0),
    ];
    for batch in batches {
        let Batch::Traces(records) = batch.clone() else { panic!("no spans") };
        let sent = sent(batch).await;
        let mut items = sent.items.iter().map(|(_, item)| item);
        for span in records.iter().filter_map(|record| record.ended()) {
            let item = items.next().unwrap();
            hold(SPAN, span, item);
            hold_shared(&span.context, &span.resource, item);
            hold_attributes(&span.attributes, "attributes", item);
            if let SpanType::LlmGeneration(call) = &span.span_type {
                hold(CALL, call, item);
            }
            if let Some((_, _, usage)) = span.span_type.model() {
                hold(USAGE, usage, item);
            }
            for event in &span.events {
                let item = items.next().unwrap();
                assert_eq!((&item["name"], &item["isEvent"]), (&json!(event.name), &json!(true)));
                assert_eq!(
                    (&item["startTime"], &item["parentSpanId"]),
                    (&time(event.time), &json!(span.span_id))
                );
                hold_attributes(&event.attributes, "attributes", item);
            }
        }
        assert!(items.next().is_none());
    }
}
