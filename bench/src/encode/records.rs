//! The spans that are encoded: model calls with eight attributes.

use std::sync::Arc;

use obs_core::{
    Batch, LlmGeneration, Payload, Resource, Scope, Span, SpanId, SpanRecord, SpanType, Str, Timestamp,
    TraceContext, TraceId, Usage,
};
use obs_instrument::intern;

use crate::payload::{INPUT_TOKENS, NAME, OUTPUT_TOKENS, TEMPERATURE, owned};

pub(super) const SERVICE: &str = "bench";
pub(super) const SCOPE: &str = "obs-bench";
pub(super) const START: u64 = 1_768_478_400_000_000_000;
pub(super) const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;

/// So many model calls as an application leaves them: names interned, documents copied.
pub(super) fn batch(spans: usize) -> Batch {
    let texts = owned();
    let mut resource = Resource::service(SERVICE);
    resource.scope = Some(Scope { name: SCOPE.into(), ..Scope::default() });
    let (resource, context) = (Arc::new(resource), Arc::new(TraceContext::default()));
    let record = |nth: usize| {
        let (trace_id, span_id) = (TraceId::new(TRACE), SpanId::new(1 + nth as u64));
        let (Some(trace_id), Some(span_id)) = (trace_id, span_id) else { unreachable!("neither is zero") };
        let start = Timestamp::from_nanos(START + nth as u64);
        let mut span =
            Span::new_in(trace_id, span_id, NAME, start, Arc::clone(&context), Arc::clone(&resource));
        span.parent_span_id = Some(span_id);
        span.end = Some(Timestamp::from_nanos(START + 400_000_000));
        span.input = Some(Payload::unchecked(Str::copied(&texts.input)));
        span.output = Some(Payload::unchecked(Str::copied(&texts.output)));
        let mut call = LlmGeneration {
            model: Some(intern(&texts.model)),
            provider: Some(intern(&texts.provider)),
            usage: Usage::new(INPUT_TOKENS, OUTPUT_TOKENS),
            ..LlmGeneration::default()
        };
        call.parameters.temperature = Some(TEMPERATURE);
        span.span_type = SpanType::LlmGeneration(call);
        // The collector settles documents before any exporter sees them.
        for document in [&mut span.input, &mut span.output].into_iter().flatten() {
            document.settle();
        }
        SpanRecord::Ended(span)
    };
    Batch::Traces((0..spans).map(record).collect::<Vec<_>>().into())
}
