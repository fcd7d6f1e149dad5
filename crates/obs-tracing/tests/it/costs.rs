//! What a span costs that does not depend on the machine: memory that is allocated on the application's thread.

use tracing::field::Empty;
use tracing::info_span;

use crate::collect::Bench;

/// The model call of the benchmarks, its texts copied.
fn call(input: &str, output: &str) {
    let span = info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = "anthropic",
        gen_ai.request.model = "claude-sonnet-4-5-20250929",
        gen_ai.request.temperature = 0.7,
        gen_ai.input.messages = input,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        gen_ai.output.messages = Empty,
    );
    span.record("gen_ai.usage.input_tokens", 1_204u64);
    span.record("gen_ai.usage.output_tokens", 356u64);
    span.record("gen_ai.output.messages", output);
}

/// The least that a hundred spans allocated of some rounds, each: the collector's own are on another thread.
fn allocations(bench: &Bench, span: impl Fn()) -> u64 {
    let dispatch = bench.dispatch();
    tracing::dispatcher::with_default(&dispatch, || {
        let rounds = (0..8).map(|_| {
            let counted = allocation_counter::measure(|| (0..100).for_each(|_| span()));
            bench.arrived();
            counted.count_total / 100
        });
        rounds.min().unwrap()
    })
}

#[test]
fn a_model_call_allocates_for_its_texts_and_once_more() {
    let (input, output) = ("i".repeat(200), "o".repeat(400));
    let count = allocations(&Bench::new(), || call(&input, &output));
    assert!(count <= 3, "{count}");
}

#[test]
fn a_span_of_an_unsampled_trace_allocates_once() {
    let bench = Bench::with(|builder| builder.sampling(obs_instrument::Sampling::Never));
    let (input, output) = ("i".repeat(200), "o".repeat(400));
    let count = allocations(&bench, || call(&input, &output));
    assert!(count <= 1, "{count}");
}
