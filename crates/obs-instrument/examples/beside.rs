//! obs beside an OpenTelemetry SDK: either side is the parent of the other, in one trace, and a component has a switch.

use std::time::Duration;

use obs_instrument::core::TraceId;
use obs_instrument::{Context, Observability, Registry};
use obs_json::JsonExporter;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;

/// A component that has moved: its spans are obs's, under whatever is current on the other side.
fn answer(components: &Registry) {
    let Some(obs) = components.get("agent") else { return };
    let run = Context::from_otel(&opentelemetry::Context::current()).scope(|| obs.agent_run("answer"));
    // What has not moved yet finds its parent where it always did.
    let _both = run.context().enter_both();
    look_up();
}

/// A component that has not moved.
fn look_up() {
    opentelemetry::global::tracer("shop").in_span("look up", |_| {});
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider = SdkTracerProvider::builder().build();
    opentelemetry::global::set_tracer_provider(provider.clone());
    let (exporter, arrived) = JsonExporter::memory();
    let components = Registry::new();
    components.register("agent", Observability::builder("shop").to(exporter).build()?)?;

    let trace_id = provider.tracer("shop").in_span("GET /answer", |request| {
        answer(&components);
        // The switch of this component alone.
        if let Some(obs) = components.get("agent") {
            obs.set_enabled(false);
        }
        answer(&components);
        TraceId::from_bytes(request.span().span_context().trace_id().to_bytes())
    });

    components.shutdown_all(Duration::from_secs(5));
    let spans = arrived.spans_named("answer");
    assert_eq!(spans.len(), 1, "the second one was switched off");
    assert_eq!(Some(spans[0].trace_id), trace_id);
    println!("{}", arrived.lines());
    Ok(())
}
