use obs_instrument::{Context, Sampling};
use tracing::{info, info_span};

use crate::collect::Bench;

#[test]
fn an_unsampled_trace_leaves_no_span_and_logs_that_name_none_if_asked() {
    let bench =
        Bench::with(|builder| builder.sampling(Sampling::Never).unsampled_logs(obs_core::Level::Info));
    let arrived = bench.run(|| {
        let _outer = info_span!("outer", gen_ai.operation.name = "chat").entered();
        let (trace_id, sampled) = (Context::current().trace_id(), Context::current().is_sampled());
        assert!(trace_id.is_some() && !sampled, "the ids go on to other services");
        let inner = info_span!("inner", late = tracing::field::Empty).entered();
        assert_eq!(Context::current().trace_id(), trace_id);
        inner.record("late", 1);
        bench.obs.span("ours").end();
        info!("said");
    });
    assert_eq!((arrived.spans.len(), arrived.logs.len()), (0, 1));
    assert_eq!(arrived.log("said").span, None);
    assert_eq!(Context::current().trace_id(), None);
}

#[test]
fn the_sampler_sees_the_name_and_type_that_fields_give() {
    let by_type = Sampling::custom(|input| input.span_type == "llm_generation" || input.name == "renamed");
    let arrived = Bench::with(|builder| builder.sampling(by_type)).run(|| {
        let _ = info_span!("call", gen_ai.operation.name = %"chat");
        let _ = info_span!("guessed", gen_ai.request.model = "gpt-5");
        let _ = info_span!("plain");
        let _ = info_span!("other", otel.name = "renamed");
    });
    let mut names: Vec<_> = arrived.spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["call", "guessed", "renamed"]);
}

#[test]
fn what_is_not_recorded_is_not_formatted() {
    struct Untold;
    impl std::fmt::Debug for Untold {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("nobody wants to know")
        }
    }
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never));
    let arrived = bench.run(|| {
        let span = info_span!("span", value = ?Untold, late = tracing::field::Empty).entered();
        span.record("late", tracing::field::debug(Untold));
        info!(value = ?Untold, "said");
    });
    assert_eq!((arrived.spans.len(), arrived.logs.len()), (0, 0));
    let disabled = Bench::with(|builder| builder.enabled(false));
    let arrived = disabled.run(|| {
        let _span = info_span!("span", value = ?Untold).entered();
        info!(value = ?Untold, "said");
    });
    assert_eq!((arrived.spans.len(), arrived.logs.len()), (0, 0));
}

#[test]
fn what_an_unsampled_call_used_is_counted_all_the_same() {
    let arrived = Bench::with(|builder| builder.sampling(Sampling::Never)).run(|| {
        let call = info_span!(
            "call",
            gen_ai.operation.name = "chat",
            gen_ai.request.model = "gpt-5",
            gen_ai.input.messages = "untold",
            gen_ai.usage.input_tokens = tracing::field::Empty,
        );
        call.record("gen_ai.usage.input_tokens", 12u64);
    });
    let tokens = arrived.metrics.iter().find(|metric| metric.name == "mastra_model_input_tokens");
    assert_eq!(tokens.unwrap().value, obs_core::MetricValue::Add(12.0));
    assert!(arrived.spans.is_empty());
}
