//! Traces across obs and OpenTelemetry, either of which can be above the other.

use std::sync::{Arc, Mutex};

use obs_core::{SpanId, TraceId};
use obs_instrument::{Context, Sampling};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context as Otel, KeyValue, StringValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};

use crate::collect::Bench;

/// Keeps what OpenTelemetry records.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

fn provider(sampler: Sampler) -> (SdkTracerProvider, Kept) {
    let kept = Kept::default();
    let provider =
        SdkTracerProvider::builder().with_simple_exporter(kept.clone()).with_sampler(sampler).build();
    (provider, kept)
}

#[test]
fn a_span_of_opentelemetry_is_the_parent() {
    let bench = Bench::new();
    let (provider, _kept) = provider(Sampler::AlwaysOn);
    let tracer = provider.tracer("host");
    let (trace, span) = tracer.in_span("outer", |otel| {
        let otel = otel.with_baggage([KeyValue::new("tenant", "acme")]);
        Context::from_otel(&otel).scope(|| {
            assert_eq!(Context::current().baggage().get("tenant"), Some("acme"));
            bench.obs.agent_run("run").end();
        });
        Context::current_or_otel().scope(|| bench.obs.span("found").end());
        (otel.span().span_context().trace_id(), otel.span().span_context().span_id())
    });
    let arrived = bench.arrived();
    for name in ["run", "found"] {
        let run = arrived.span(name);
        assert_eq!(run.trace_id, TraceId::from_bytes(trace.to_bytes()).unwrap());
        assert_eq!(run.parent_span_id, SpanId::from_bytes(span.to_bytes()));
        assert!(run.remote_parent);
    }
}

#[test]
fn an_unsampled_span_of_opentelemetry_decides() {
    let bench = Bench::new();
    let (provider, _kept) = provider(Sampler::AlwaysOff);
    provider.tracer("host").in_span("outer", |otel| {
        Context::from_otel(&otel).scope(|| assert!(!bench.obs.span("run").is_recording()));
    });
    assert!(bench.arrived().spans.is_empty());
}

#[test]
fn a_span_of_obs_is_the_parent() {
    let bench = Bench::new();
    let (provider, kept) = provider(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)));
    let tracer = provider.tracer("library");
    let run = bench.obs.agent_run("run");
    let context = run.context().with_baggage("tenant", "acme").unwrap();
    {
        let _both = context.enter_both();
        tracer.in_span("inner", |otel| {
            assert_eq!(otel.baggage().get("tenant").map(StringValue::as_str), Some("acme"));
            // And back again.
            Context::from_otel(&otel).scope(|| bench.obs.tool_call("deep").end());
        });
        bench.obs.tool_call("beside").end();
    }
    assert!(!Otel::current().span().span_context().is_valid());
    assert_eq!(Context::current().trace_id(), None);
    let spans = kept.0.lock().unwrap();
    let inner = &spans[0];
    assert_eq!(inner.span_context.trace_id().to_bytes(), run.trace_id().unwrap().to_bytes());
    assert_eq!(inner.parent_span_id.to_bytes(), run.span_id().unwrap().to_bytes());
    let root = format!("r:{}", run.span_id().unwrap());
    assert_eq!(inner.span_context.trace_state().get("obs"), Some(&*root));
    let arrived = bench.arrived();
    assert_eq!(arrived.span("beside").parent_span_id, run.span_id());
    let deep = arrived.span("deep");
    assert_eq!(deep.parent_span_id.map(SpanId::to_bytes), Some(inner.span_context.span_id().to_bytes()));
    assert_eq!(Some(deep.trace_id), run.trace_id());
}

#[test]
fn an_unsampled_trace_of_obs_decides() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never));
    let (provider, kept) = provider(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)));
    let _both = bench.obs.span("run").context().enter_both();
    provider.tracer("library").in_span("inner", |_| ());
    assert!(kept.0.lock().unwrap().is_empty());
}

#[test]
fn nothing_of_either_stays_nothing() {
    assert_eq!(Context::from_otel(&Otel::new()).trace_id(), None);
    assert!(!Context::NONE.to_otel().span().span_context().is_valid());
    let value = Otel::new().with_value(7_u8);
    let _attached = value.attach();
    assert_eq!(Context::NONE.to_otel().get::<u8>(), Some(&7));
}
