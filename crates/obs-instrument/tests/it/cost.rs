//! Costs of model calls, as they arrive at a destination.

use obs_core::{
    Cost, Embedding, InputTokens, LlmGeneration, OutputTokens, Signal, Signals, Span, Trace, Usage, Value,
};
use obs_instrument::cost::{CostConfig, MISSING, ModelPrices, Prices, Rates, UNKNOWN};
use obs_instrument::{Observability, ObservabilityBuilder};

use crate::collect::Bench;

fn call(obs: &Observability, name: &'static str, fields: LlmGeneration) {
    obs.start(name, fields, &obs_instrument::Context::current()).end();
}

fn of(provider: &'static str, model: &'static str, usage: Usage) -> LlmGeneration {
    LlmGeneration {
        provider: Some(provider.into()),
        model: Some(model.into()),
        usage,
        ..LlmGeneration::default()
    }
}

/// The span of one call.
fn one(fields: LlmGeneration) -> Span {
    let bench = Bench::new();
    call(&bench.obs, "call", fields);
    bench.arrived().span("call").clone()
}

fn mark<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
    span.attributes.get(name).and_then(Value::as_str)
}

#[track_caller]
fn costs(span: &Span, micro: f64) -> &Cost {
    let cost = span.span_type.cost().unwrap();
    assert!((cost.total * 1e6 - micro).abs() < 1e-6, "{cost:?}");
    assert_eq!(mark(span, UNKNOWN), None);
    cost
}

/// The call of which a table that priced neither cached nor reasoning tokens told a fifth of the price.
fn cached_and_reasoning() -> Usage {
    Usage {
        input_details: InputTokens { cache_read: 1024, ..InputTokens::default() },
        output_details: OutputTokens { reasoning: 20, ..OutputTokens::default() },
        ..Usage::new(1200, 80)
    }
}

#[test]
fn cached_and_reasoning_tokens_cost_what_they_cost() {
    let span = one(of("openai", "gpt-4o-mini", cached_and_reasoning()));
    let (input, output) = (176.0 * 0.15 + 1024.0 * 0.075, 80.0 * 0.6);
    let cost = costs(&span, input + output);
    assert!(
        (cost.input.unwrap() * 1e6 - input).abs() < 1e-6
            && (cost.output.unwrap() * 1e6 - output).abs() < 1e-6
    );
    assert!(cost.estimated && !cost.partial && cost.currency == "USD");
}

#[test]
fn a_dated_answer_costs_what_its_model_costs() {
    let mut fields = of("openai", "chat", cached_and_reasoning());
    fields.response_model = Some("gpt-4o-mini-2024-07-18".into());
    costs(&one(fields), 176.0 * 0.15 + 1024.0 * 0.075 + 80.0 * 0.6);
    costs(&one(of("anthropic", "claude-sonnet-4-5-20250929", Usage::new(1000, 100))), 3000.0 + 1500.0);
    let large = of("anthropic", "claude-sonnet-4-5", Usage::new(200_001, 0));
    costs(&one(large), 200_001.0 * 6.0);
    let mut fields = of("openai", "gpt-4o", Usage::new(10, 0));
    fields.response_model = Some("ft:gpt-4o:acme::1".into());
    assert_eq!(mark(&one(fields), UNKNOWN), Some("model"), "a tuned answer has a price of its own");
}

#[test]
fn an_unknown_model_has_no_cost_and_says_so() {
    let span = one(of("openai", "gpt-99", Usage::new(10, 10)));
    assert_eq!((span.span_type.cost(), mark(&span, UNKNOWN)), (None, Some("model")));
    let span = one(LlmGeneration { usage: Usage::new(10, 10), ..LlmGeneration::default() });
    assert_eq!((span.span_type.cost(), mark(&span, UNKNOWN)), (None, Some("model")));
}

#[test]
fn streaming_without_usage_has_no_cost_and_says_so() {
    let fields = LlmGeneration { streaming: Some(true), ..of("openai", "gpt-4o", Usage::default()) };
    let span = one(fields);
    assert_eq!((span.span_type.cost(), mark(&span, UNKNOWN)), (None, Some("usage")));
}

#[test]
fn what_lacks_a_price_counts_at_the_nearest_and_is_named() {
    let usage = Usage {
        input_details: InputTokens { cache_read: 100, audio: 50, ..InputTokens::default() },
        ..Usage::new(200, 10)
    };
    let span = one(of("openai", "o3-pro", usage));
    assert!(costs(&span, 200.0 * 20.0 + 10.0 * 80.0).partial);
    assert_eq!(mark(&span, MISSING), Some("cache_read,audio_input"));
}

#[test]
fn what_the_application_or_the_provider_says_wins() {
    let bench = Bench::new();
    let mut said =
        bench.obs.start("said", of("openai", "gpt-4o", Usage::new(10, 10)), &obs_instrument::Context::NONE);
    said.cost(Cost::usd(0.5));
    said.end();
    for (name, total, input) in [
        ("gateway", "gen_ai.usage.cost", "gen_ai.usage.input_cost"),
        ("inference", "llm.cost.total", "llm.cost.prompt"),
    ] {
        let mut span =
            bench.obs.start(name, of("openrouter", "a/b", Usage::new(1, 1)), &obs_instrument::Context::NONE);
        span.attribute(total, 0.75).attribute(input, 0.25).attribute("kept", true);
        span.end();
    }
    let mut odd =
        bench.obs.start("odd", of("openai", "gpt-99", Usage::new(1, 1)), &obs_instrument::Context::NONE);
    odd.attribute("gen_ai.usage.cost", f64::NAN);
    odd.end();
    let arrived = bench.arrived();
    assert_eq!(arrived.span("said").span_type.cost(), Some(&Cost::usd(0.5)));
    for name in ["gateway", "inference"] {
        let span = arrived.span(name);
        assert_eq!(span.span_type.cost(), Some(&Cost { input: Some(0.25), ..Cost::usd(0.75) }));
        assert_eq!(span.attributes.len(), 1, "an amount is told once: {:?}", span.attributes);
    }
    assert_eq!(mark(arrived.span("odd"), UNKNOWN), Some("model"), "no number is no cost");
}

#[test]
fn embeddings_cost_too() {
    let bench = Bench::new();
    let fields = Embedding {
        provider: Some("openai".into()),
        model: Some("text-embedding-3-small".into()),
        usage: Usage { input: Some(1000), ..Usage::default() },
        ..Embedding::default()
    };
    bench.obs.start("embed", fields, &obs_instrument::Context::NONE).end();
    let arrived = bench.arrived();
    let cost = costs(arrived.span("embed"), 20.0);
    assert_eq!((cost.output, cost.partial), (None, false));
}

#[test]
fn prices_of_ones_own_and_none_at_all() {
    let own = Prices::of([ModelPrices::new("acme", "m-1", Rates::new(1.0, 2.0))]).unwrap();
    let calls = |configure: fn(ObservabilityBuilder, &Prices) -> ObservabilityBuilder| {
        let bench = Bench::with(|builder| configure(builder, &own));
        call(&bench.obs, "own", of("acme", "m-1-2026-01-01", Usage::new(10, 10)));
        call(&bench.obs, "public", of("openai", "gpt-4o", Usage::new(10, 10)));
        let arrived = bench.arrived();
        let total = |name| arrived.span(name).span_type.cost().map(|cost| (cost.total * 1e6).round());
        let marked = arrived.spans.iter().filter(|span| mark(span, UNKNOWN).is_some()).count();
        (total("own"), total("public"), marked)
    };
    assert_eq!(calls(ObservabilityBuilder::prices), (Some(30.0), Some(125.0), 0));
    assert_eq!(calls(|builder, own| builder.cost(CostConfig::new(own.clone()))), (Some(30.0), None, 1));
    assert_eq!(calls(|builder, _| builder.cost(CostConfig::off())), (None, None, 0));
}

#[test]
fn the_sums_of_a_trace_are_the_sums_of_its_calls() {
    let bench = Bench::new();
    let run = bench.obs.agent_run("run");
    run.scope(|| {
        for _ in 0..3 {
            call(&bench.obs, "call", of("openai", "gpt-4o-mini", cached_and_reasoning()));
        }
        let outer = bench.obs.start("outer", of("openai", "gpt-4o", Usage::new(100, 10)), &run.context());
        outer.scope(|| call(&bench.obs, "inner", of("openai", "gpt-4o", Usage::new(100, 10))));
        outer.end();
        let tool = bench.obs.tool_call("tool");
        tool.scope(|| call(&bench.obs, "below", of("anthropic", "claude-haiku-4-5", Usage::new(100, 10))));
        tool.end();
    });
    run.end();
    let arrived = bench.arrived();
    let mut trace = Trace::new(arrived.span("run").trace_id);
    trace.spans = arrived.spans.clone();
    let sums = trace.cost();
    let expected: f64 = arrived
        .spans
        .iter()
        .filter(|s| s.name != "outer")
        .filter_map(|s| s.span_type.cost())
        .map(|cost| cost.total)
        .sum();
    assert_eq!(sums.len(), 1);
    assert!((sums[0].total - expected).abs() < 1e-15 && !sums[0].partial && sums[0].estimated);
    assert_eq!(sums[0].input.unwrap() + sums[0].output.unwrap(), sums[0].total);
    assert_eq!(trace.usage().input, Some(3 * 1200 + 100 + 100), "tokens are counted as money is");
}

#[test]
fn no_cost_is_looked_for_where_nobody_takes_spans() {
    let bench = Bench::taking(Signals::NONE.with(Signal::Logs));
    call(&bench.obs, "call", of("openai", "gpt-4o", Usage::new(1, 1)));
    assert_eq!(bench.arrived().spans.len(), 0);
}

#[test]
fn prices_are_added_to_what_was_said_of_costs_before() {
    let prices =
        |model: &'static str| Prices::of([ModelPrices::new("acme", model, Rates::new(1.0, 1.0))]).unwrap();
    let usage = || Usage::new(1_000_000, 0);
    let known = |bench: Bench| {
        for model in ["small", "large", "gpt-4o"] {
            let provider = if model == "gpt-4o" { "openai" } else { "acme" };
            call(&bench.obs, model, of(provider, model, usage()));
        }
        let arrived = bench.arrived();
        ["small", "large", "gpt-4o"].map(|name| arrived.span(name).span_type.cost().is_some())
    };
    let both = |builder: ObservabilityBuilder| builder.prices(&prices("small")).prices(&prices("large"));
    assert_eq!(known(Bench::with(both)), [true, true, true]);
    let own = |builder: ObservabilityBuilder| {
        builder.cost(CostConfig::new(prices("small"))).prices(&prices("large"))
    };
    assert_eq!(known(Bench::with(own)), [true, true, false], "the built-in ones were not asked for");
    let off = |builder: ObservabilityBuilder| builder.cost(CostConfig::off()).prices(&prices("small"));
    assert_eq!(known(Bench::with(off)), [false; 3]);
}
