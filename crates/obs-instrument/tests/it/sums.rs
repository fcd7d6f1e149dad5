//! The sums of a trace and of its metrics are those of its calls: each once, shown or hidden, sampled or not.

use obs_core::{Embedding, LlmGeneration, Trace, Usage, WorkflowStep};
use obs_instrument::cost::{ModelPrices, Prices, Rates};
use obs_instrument::{ActiveSpan, Context, Generic, Kind, Sampling};
use proptest::prelude::*;

use crate::automatic::number;
use crate::collect::{Arrived, Bench};

/// What a span of a plan stands for; tools and internal spans are hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Agent,
    Step,
    Tool,
    Plain,
    InternalPlain,
    Generation,
    InternalGeneration,
    /// One that does not say how many tokens it used.
    Silent,
    Embedding,
}

use What::{Agent, InternalGeneration, InternalPlain, Plain, Silent, Step, Tool};

const ALL: [What; 9] =
    [Agent, Step, Tool, Plain, InternalPlain, What::Generation, InternalGeneration, Silent, What::Embedding];

#[derive(Debug, Clone)]
struct Plan {
    what: What,
    tokens: u64,
    children: Vec<Plan>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let one = || (prop::sample::select(&ALL[..]), 1u64..1000);
    let leaf = one().prop_map(|(what, tokens)| Plan { what, tokens, children: vec![] });
    leaf.prop_recursive(6, 40, 4, move |inner| {
        (one(), prop::collection::vec(inner, 0..4)).prop_map(|((what, tokens), children)| Plan {
            what,
            tokens,
            children,
        })
    })
}

fn run(bench: &Bench, plan: &Plan) {
    let (obs, here) = (&bench.obs, &Context::current());
    let usage = Usage::new(plan.tokens, 1);
    let call = || LlmGeneration {
        model: Some("m-1".into()),
        provider: Some("acme".into()),
        usage,
        ..LlmGeneration::default()
    };
    match plan.what {
        Agent => below(bench, plan, obs.agent_run("agent")),
        Step => below(bench, plan, obs.start("step", WorkflowStep::default(), here)),
        Tool => below(bench, plan, obs.tool_call("tool")),
        Plain => below(bench, plan, obs.span("plain")),
        InternalPlain => below(bench, plan, obs.start_internal("plain", Generic, here)),
        What::Generation => below(bench, plan, obs.start("call", call(), here)),
        InternalGeneration => below(bench, plan, obs.start_internal("call", call(), here)),
        Silent => below(bench, plan, obs.llm_generation("silent")),
        What::Embedding => {
            let LlmGeneration { model, provider, .. } = call();
            let usage = Usage { output: None, ..usage };
            let made = Embedding { model, provider, usage, ..Embedding::default() };
            below(bench, plan, obs.start("vectors", made, here));
        }
    }
}

fn below<T: Kind>(bench: &Bench, plan: &Plan, span: ActiveSpan<T>) {
    span.scope(|| {
        for child in &plan.children {
            run(bench, child);
        }
    });
    span.end();
}

/// Input tokens of calls and of embeddings, each call once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Used {
    calls: u64,
    embeddings: u64,
}

/// What a plan uses, and whether what is directly around it, if it is a call, says it once more.
fn used(plan: &Plan) -> (Used, bool) {
    let (mut sum, mut said) = (Used::default(), false);
    for (below, says) in plan.children.iter().map(used) {
        sum.calls += below.calls;
        sum.embeddings += below.embeddings;
        said |= says;
    }
    match plan.what {
        What::Generation | InternalGeneration => {
            sum.calls += if said { 0 } else { plan.tokens };
            (sum, true)
        }
        Plain | InternalPlain | Silent => (sum, said),
        What::Embedding => (Used { embeddings: sum.embeddings + plan.tokens, ..sum }, false),
        Agent | Step | Tool => (sum, false),
    }
}

/// Whether a tool that is hidden stands between two calls, which then seem to stand directly in each other: what
/// `Trace::usage` says of that is no promise of equal sums.
fn hides_between(plan: &Plan, below_call: bool, below_tool: bool) -> bool {
    let (below_call, below_tool) = match plan.what {
        What::Generation if below_call && below_tool => return true,
        What::Generation => (true, false),
        Silent | InternalGeneration => (true, below_tool),
        Plain | InternalPlain => (below_call, below_tool),
        Tool => (below_call, below_tool || below_call),
        Agent | Step | What::Embedding => (false, false),
    };
    plan.children.iter().any(|below| hides_between(below, below_call, below_tool))
}

fn bench(sampling: Sampling) -> Bench {
    let price = Rates { output: Some(0.0), ..Rates::new(1.0, 0.0) };
    let prices = Prices::of([ModelPrices::new("acme", "m-1", price)]).unwrap();
    Bench::with(|builder| {
        builder.prices(&prices).sampling(sampling).exclude_span_types(["tool_call"]).unwrap()
    })
}

/// Tokens and money that metrics have counted.
fn measured(arrived: &Arrived) -> (f64, f64, f64) {
    let sum = |name: &str| -> f64 { arrived.metrics.iter().filter(|m| m.name == name).map(number).sum() };
    let carried = arrived.metrics.iter().filter_map(|metric| Some(metric.cost.as_ref()?.total));
    (sum("mastra_model_input_tokens"), sum("mastra_model_cost"), carried.sum())
}

fn is_near(a: f64, micro: u64) -> bool {
    (a * 1e6 - micro as f64).abs() < 1e-3
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_sums_of_a_trace_and_of_its_metrics_are_those_of_its_calls(children in prop::collection::vec(plan(), 1..4)) {
        let root = Plan { what: Agent, tokens: 1, children };
        prop_assume!(!hides_between(&root, false, false));
        let (Used { calls, embeddings }, _) = used(&root);
        let shown = bench(Sampling::Always);
        run(&shown, &root);
        let arrived = shown.arrived();
        let mut trace = Trace::new(arrived.spans[0].trace_id);
        trace.spans.clone_from(&arrived.spans);
        prop_assert_eq!(trace.usage().input.unwrap_or(0), calls + embeddings, "{:#?}", root);
        let cost = trace.cost().first().map_or(0.0, |cost| cost.total);
        prop_assert!(is_near(cost, calls + embeddings), "{cost} {root:#?}");
        prop_assert!(arrived.spans.iter().all(|span| span.trace_flags & !3 == 0), "no mark of obs's own gets out");
        let unseen = bench(Sampling::Never);
        run(&unseen, &root);
        for arrived in [arrived, unseen.arrived()] {
            let (tokens, cost, carried) = measured(&arrived);
            prop_assert_eq!(tokens as u64, calls, "{:#?}", root);
            prop_assert!(is_near(cost, calls + embeddings), "{cost} {root:#?}");
            prop_assert!(is_near(carried, calls), "{carried} {root:#?}");
        }
    }
}

#[test]
fn what_the_provider_says_that_a_call_cost_counts_whether_the_call_is_seen_or_not() {
    let cost = |bench: &Bench| {
        let run = bench.obs.agent_run("run");
        run.scope(|| {
            let mut call = bench.obs.llm_generation("call");
            call.model("m-1").provider("acme").usage(Usage::new(10, 1));
            call.attribute("gen_ai.usage.cost", 0.75).attribute("secret", "s");
        });
        run.end();
        bench.arrived()
    };
    for sampling in [Sampling::Always, Sampling::Never] {
        assert_eq!(measured(&cost(&bench(sampling))).1, 0.75);
    }
    let hidden = Bench::with(|builder| builder.exclude_span_types(["llm_generation"]).unwrap());
    let arrived = cost(&hidden);
    assert_eq!(measured(&arrived).1, 0.75);
    let told = obs_core::rolled::costs(&arrived.span("run").attributes);
    assert_eq!(told.iter().map(|cost| (cost.total, cost.estimated)).collect::<Vec<_>>(), [(0.75, false)]);
}
