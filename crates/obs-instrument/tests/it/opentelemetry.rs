//! Traces across obs and OpenTelemetry, either of which can be above the other.

use std::sync::{Arc, Mutex};

use obs_core::{SpanId, TraceId};
use obs_instrument::{Context, FutureExt as _, Sampling};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, Tracer, TracerProvider};
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

#[test]
fn flags_of_others_are_only_those_that_are_known() {
    let run = |flags: u8| {
        let bench = Bench::new();
        let span = SpanContext::new(7.into(), 9.into(), TraceFlags::new(flags), true, Default::default());
        let context = Context::from_otel(&Otel::new().with_remote_span_context(span));
        context.scope(|| bench.obs.agent_run("run").scope(|| bench.obs.tool_call("call").end()));
        assert_eq!(context.to_otel().span().span_context().trace_flags().to_u8(), 1);
        let arrived = bench.arrived();
        let started: Vec<_> =
            arrived.metrics.iter().filter(|metric| metric.name.ends_with("_started")).collect();
        (arrived.span("run").trace_flags, started.len())
    };
    assert_eq!(run(0x01).1, 2, "the starts of a run and a call");
    for flags in [0x41, 0x81, 0xfd] {
        assert_eq!(run(flags), run(0x01), "{flags:x}");
    }
}

#[test]
fn a_span_of_obs_is_known_again_where_none_came_between() {
    let bench = Bench::new();
    let mut run = bench.obs.agent_run("run");
    run.trace(|trace| trace.user_id = Some("u-1".into()));
    {
        let _both = run.context().enter_both();
        let otel = Otel::current().with_baggage([KeyValue::new("tenant", "acme")]);
        Context::from_otel(&otel).scope(|| {
            assert_eq!(Context::current().baggage().get("tenant"), Some("acme"));
            bench.obs.tool_call("call").end();
        });
    }
    let arrived = bench.arrived();
    let call = arrived.span("call");
    assert_eq!((call.parent_span_id, call.remote_parent), (run.span_id(), false));
    assert_eq!(call.context.user_id.as_deref(), Some("u-1"));
}

#[test]
fn baggage_of_both_sides_goes_over_with_its_properties() {
    let came = [("baggage".to_owned(), "tenant=acme;ttl=5,both=obs".to_owned())];
    let context = Context::extract(&came.to_vec());
    let own = [KeyValue::new("own", "otel"), KeyValue::new("both", "otel")];
    let _attached = Otel::new().with_baggage(own).attach();
    let otel = context.to_otel();
    let get = |key: &str| otel.baggage().get(key).map(StringValue::as_str);
    assert_eq!((get("own"), get("both"), get("tenant")), (Some("otel"), Some("obs"), Some("acme")));
    assert_eq!(Context::from_otel(&otel).baggage().properties("tenant"), Some("ttl=5"));
}

#[test]
fn a_switched_off_instance_leaves_opentelemetry_s_trace_whole() {
    let (provider, kept) = provider(Sampler::AlwaysOn);
    let tracer = provider.tracer("library");
    let off = Bench::with(|builder| builder.enabled(false));
    tracer.in_span("outer", |_| {
        let _both = off.obs.agent_run("run").context().enter_both();
        tracer.in_span("inner", |_| ());
    });
    let spans = kept.0.lock().unwrap();
    assert_eq!(spans[0].parent_span_id, spans[1].span_context.span_id());
}

#[tokio::test]
async fn a_future_is_under_both_sides() {
    let bench = Bench::new();
    let (provider, kept) = provider(Sampler::AlwaysOn);
    let tracer = provider.tracer("library");
    let run = bench.obs.agent_run("run");
    let work = async {
        tokio::task::yield_now().await;
        tracer.in_span("otel", |_| ());
        bench.obs.tool_call("obs").end();
    };
    work.with_both_contexts(run.context()).await;
    assert!(Context::current().trace_id().is_none() && !Otel::current().span().span_context().is_valid());
    let spans = kept.0.lock().unwrap();
    assert_eq!(Some(spans[0].parent_span_id.to_bytes()), run.span_id().map(SpanId::to_bytes));
    assert_eq!(bench.arrived().span("obs").parent_span_id, run.span_id());
}
