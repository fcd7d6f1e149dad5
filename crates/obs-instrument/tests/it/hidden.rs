use obs_core::{
    AgentRun, Cost, Embedding, LlmGeneration, Signal, Span, SpanId, Target, ToolCall, Trace, TraceId, Usage,
    Value, WorkflowStep,
};
use obs_instrument::cost::{ModelPrices, Prices, Rates};
use obs_instrument::{Context, FutureExt, Kind, Observability, rolled};
use proptest::prelude::*;

use crate::collect::{Arrived, Bench};

fn excluding<const N: usize>(names: [&str; N]) -> Bench {
    Bench::with(|builder| builder.exclude_span_types(names).unwrap())
}

fn tokens(span: &Span, name: &str) -> u64 {
    span.attributes.get(name).and_then(Value::as_i64).unwrap_or(0).try_into().unwrap()
}

#[test]
fn what_is_under_a_hidden_span_moves_up_to_the_nearest_visible_one() {
    let bench = excluding(["workflow_step", "tool_call"]);
    let obs = &bench.obs;
    let run = obs.workflow_run("run");
    let step = run.child::<WorkflowStep>("step");
    assert!(!step.is_recording() && step.context().is_sampled());
    assert_eq!(step.span_id(), run.span_id(), "it is known by the span that shows it");
    let tool = step.child::<ToolCall>("tool");
    tool.scope(|| {
        obs.info("from the tool");
        obs.llm_generation("chat").end();
    });
    tool.score("speed", 1.0);
    drop((tool, step));
    run.end();
    let arrived = bench.arrived();
    let (run, chat) = (arrived.span("run"), arrived.span("chat"));
    assert_eq!(arrived.spans.len(), 2);
    assert_eq!(chat.parent_span_id, Some(run.span_id));
    assert_eq!(chat.ancestors().map(|one| one.span_id).collect::<Vec<_>>(), [run.span_id]);
    assert_eq!(chat.root_span_id(), Some(run.span_id));
    assert_eq!(arrived.logs[0].span.unwrap().span_id, Some(run.span_id));
    let Target::Span { span_id, .. } = arrived.scores[0].target else { panic!() };
    assert_eq!(span_id, run.span_id);
    assert!(run.judged && !chat.judged, "no route may drop what a score names");
}

#[test]
fn a_root_is_never_hidden_and_closures_of_a_hidden_span_are_not_called() {
    let bench = excluding(["tool_call"]);
    let root = bench.obs.tool_call("root");
    assert!(root.is_recording());
    let mut hidden = root.child::<ToolCall>("hidden");
    hidden.input_with(|| -> String { panic!("not recorded") });
    hidden.attribute_with("k", || -> i64 { panic!("not recorded") });
    drop((hidden, root));
    assert_eq!(bench.arrived().spans.len(), 1);
}

#[test]
fn what_begins_a_trace_here_is_never_hidden_and_tells_what_is_hidden_below() {
    let bench = excluding(["llm_generation", "tool_call"]);
    let work = |name: &'static str| {
        let mut entry = bench.obs.llm_generation(name);
        entry.usage(Usage::new(7, 3));
        entry.child::<LlmGeneration>("below").usage(Usage::new(2, 1));
        entry.end();
    };
    let caller = || Context::remote(TraceId::new(7).unwrap(), SpanId::new(9).unwrap(), true, None);
    caller().scope(|| work("remote"));
    let other = Bench::new();
    other.obs.span("of another instance").scope(|| work("foreign"));
    let mut failed = caller().scope(|| bench.obs.internal_span("failed"));
    failed.fail(&std::fmt::Error);
    failed.end();
    let arrived = bench.arrived();
    assert_eq!(arrived.spans.len(), 3);
    for name in ["remote", "foreign"] {
        let entry = arrived.span(name);
        assert_eq!(entry.span_type.as_generation().unwrap().usage, Usage::new(7, 3), "{name}");
        assert_eq!(tokens(entry, rolled::INPUT_TOKENS), 2, "{name}");
    }
    assert!(arrived.span("failed").error.is_some());
}

#[test]
fn what_a_tenant_used_is_told_by_no_span_of_another() {
    let (a, b) = (Bench::new(), excluding(["llm_generation"]));
    let run = a.obs.agent_run("run of a");
    let own = run.scope(|| b.obs.span("work of b"));
    let mut late = own.child::<LlmGeneration>("late");
    own.end();
    late.usage(Usage::new(5, 5));
    late.end();
    run.end();
    let arrived = a.arrived();
    assert_eq!(arrived.span("run of a").attributes.get(rolled::INPUT_TOKENS), None);
}

#[test]
fn names_that_are_no_types_are_refused_with_the_nearest() {
    let Err(error) = Observability::builder("test").exclude_span_types(["llm_generations"]) else { panic!() };
    let told = error.to_string();
    assert!(told.contains("`llm_generations`") && told.contains("did you mean `llm_generation`"), "{told}");
}

#[test]
fn internal_spans_are_hidden_unless_included() {
    let work = |bench: &Bench| {
        let run = bench.obs.agent_run("run");
        let internal = run.scope(|| bench.obs.internal_span("internal"));
        internal.scope(|| bench.obs.tool_call("tool").end());
        drop(internal);
        bench.obs.start_internal("call", LlmGeneration::default(), &run.context()).end();
        drop(run);
        bench.arrived()
    };
    let arrived = work(&Bench::new());
    assert_eq!(arrived.spans.len(), 2);
    assert_eq!(arrived.span("tool").parent_span_id, Some(arrived.span("run").span_id));
    let arrived = work(&Bench::with(|builder| builder.include_internal_spans(true)));
    assert_eq!(arrived.spans.len(), 4);
    assert_eq!(arrived.span("tool").parent_span_id, Some(arrived.span("internal").span_id));
}

#[test]
fn usage_and_cost_of_hidden_calls_are_told_by_the_nearest_open_span_and_never_as_its_own() {
    let bench = excluding(["llm_generation", "embedding"]);
    let run = bench.obs.agent_run("run");
    let step = run.child::<WorkflowStep>("step");
    let mut late = step.child::<LlmGeneration>("late");
    let mut call = step.child::<LlmGeneration>("call");
    call.usage(Usage::new(10, 4)).cost(Cost::usd(0.1));
    call.end();
    let mut call = step.child::<LlmGeneration>("call");
    let euros = Cost { currency: "EUR".into(), partial: true, ..Cost::usd(0.5) };
    call.usage(Usage::new(5, 1)).cost(euros);
    call.end();
    step.child::<Embedding>("vectors").usage(Usage { input: Some(7), ..Usage::default() });
    step.end();
    late.usage(Usage::new(1, 2)).cost(Cost::usd(0.2));
    late.end();
    run.end();
    let arrived = bench.arrived();
    let (run, step) = (arrived.span("run"), arrived.span("step"));
    assert_eq!((tokens(step, rolled::INPUT_TOKENS), tokens(step, rolled::OUTPUT_TOKENS)), (22, 5));
    assert_eq!(step.attributes.get(rolled::COST), Some(&Value::F64(0.1)));
    assert_eq!(step.attributes.get("obs.hidden.EUR.cost"), Some(&Value::F64(0.5)));
    assert_eq!(step.attributes.get(rolled::COST_PARTIAL), Some(&Value::Bool(true)));
    assert_eq!(tokens(run, rolled::INPUT_TOKENS), 1, "the step had ended, so the run tells of the late call");
    assert_eq!(run.attributes.get(rolled::COST), Some(&Value::F64(0.2)));
}

#[test]
fn a_sum_is_the_same_in_any_currency_whether_its_calls_are_hidden_or_shown() {
    let benches = [Bench::with(|builder| builder), excluding(["llm_generation"])];
    let sums = benches.map(|bench| {
        let run = bench.obs.agent_run("run");
        for (at, currency) in ["USD", "credits", "usd", "partial", "token"].into_iter().enumerate() {
            let cost = Cost { currency: currency.into(), ..Cost::usd(at as f64 + 0.5) };
            run.child::<LlmGeneration>("call").usage(Usage::new(1, 1)).cost(cost);
        }
        run.end();
        let spans = bench.arrived().spans;
        let sums = obs_core::cost_of(&spans);
        sums.into_iter().map(|sum| (sum.currency, sum.total, sum.partial)).collect::<Vec<_>>()
    });
    assert_eq!(sums[0].len(), 5);
    assert_eq!(sums[0], sums[1]);
}

#[test]
fn what_a_hidden_call_cost_is_found_by_the_instances_prices() {
    let prices = Prices::of([ModelPrices::new("openai", "gpt-4o", Rates::new(2.0, 8.0))]).unwrap();
    let bench =
        Bench::with(|builder| builder.prices(&prices).exclude_span_types(["llm_generation"]).unwrap());
    let run = bench.obs.agent_run("run");
    let mut call = run.child::<LlmGeneration>("call");
    call.provider("openai").model("gpt-4o").usage(Usage::new(1_000_000, 500_000));
    call.end();
    run.end();
    assert_eq!(bench.arrived().span("run").attributes.get(rolled::COST), Some(&Value::F64(6.0)));
}

#[test]
fn a_change_of_the_trace_loses_nothing_that_is_rolled_up() {
    let bench = excluding(["llm_generation"]);
    let mut run = bench.obs.agent_run("run");
    let mut call = run.child::<LlmGeneration>("call");
    run.trace(|trace| trace.user_id = Some("ada".into()));
    run.child::<LlmGeneration>("other").usage(Usage::new(2, 0));
    call.usage(Usage::new(10, 4));
    call.end();
    run.end();
    assert_eq!(tokens(bench.arrived().span("run"), rolled::INPUT_TOKENS), 12);
}

#[test]
fn law_1_accounting_holds_with_hidden_spans() {
    let bench = excluding(["tool_call"]);
    let run = bench.obs.span("run");
    run.child::<ToolCall>("tool").end();
    run.end();
    assert_eq!(bench.arrived().spans.len(), 1);
    let report = bench.obs.report();
    let traces = report.intake.get(Signal::Traces);
    assert!(traces.is_balanced(), "{traces:?}");
}

#[derive(Debug, Clone)]
struct Plan {
    what: u8,
    usage: (u16, u16),
    spawned: bool,
    children: Vec<Plan>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let one = || (0u8..5, any::<(u16, u16)>(), any::<bool>());
    let leaf = one().prop_map(|(what, usage, spawned)| Plan { what, usage, spawned, children: vec![] });
    leaf.prop_recursive(5, 30, 4, move |inner| {
        (one(), prop::collection::vec(inner, 0..4)).prop_map(|((what, usage, spawned), children)| Plan {
            what,
            usage,
            spawned,
            children,
        })
    })
}

type Walk = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn walk(obs: Observability, plan: Plan) -> Walk {
    Box::pin(async move {
        let used = Usage::new(plan.usage.0.into(), plan.usage.1.into());
        match plan.what {
            0 => children(&obs, &plan, obs.start("agent", AgentRun::default(), &Context::current())).await,
            1 => children(&obs, &plan, obs.workflow_step("step")).await,
            2 => children(&obs, &plan, obs.tool_call("hidden tool")).await,
            3 => {
                let mut call = obs.llm_generation("hidden call");
                call.usage(used);
                children(&obs, &plan, call).await;
            }
            _ => {
                let mut call = obs.embedding("shown call");
                call.usage(used);
                children(&obs, &plan, call).await;
            }
        }
    })
}

async fn children<T: Kind>(obs: &Observability, plan: &Plan, span: obs_instrument::ActiveSpan<T>) {
    let mut tasks = Vec::new();
    for child in &plan.children {
        let walk = walk(obs.clone(), child.clone()).with_context(span.context());
        if child.spawned {
            tasks.push(tokio::spawn(walk));
        } else {
            walk.await;
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    span.end();
}

/// Tokens of all calls, and whether a call directly around says them once more: what it says itself does not count then.
fn used(plan: &Plan) -> ((u64, u64), bool) {
    let (mut sum, mut said) = ((0, 0), false);
    for (below, says) in plan.children.iter().map(used) {
        sum = (sum.0 + below.0, sum.1 + below.1);
        said |= says;
    }
    if plan.what == 4 || plan.what == 3 && !said {
        sum = (sum.0 + u64::from(plan.usage.0), sum.1 + u64::from(plan.usage.1));
    }
    (sum, plan.what == 3)
}

/// The sums over all that arrived, whatever its trace.
fn shown(arrived: &Arrived) -> (u64, u64) {
    let trace = Trace { spans: arrived.spans.clone(), ..Trace::new(TraceId::new(7).unwrap()) };
    let usage = trace.usage();
    (usage.input.unwrap_or(0), usage.output.unwrap_or(0))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn usage_of_visible_spans_and_what_is_rolled_up_is_the_usage_of_all_calls(
        plans in prop::collection::vec(plan(), 1..4),
        remote in any::<bool>(),
    ) {
        let bench = excluding(["llm_generation", "tool_call"]);
        let all = plans.iter().map(used).fold((0, 0), |sum, (one, _)| (sum.0 + one.0, sum.1 + one.1));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let obs = bench.obs.clone();
        runtime.block_on(async move {
            let root = obs.agent_run("root");
            let caller = Context::remote(TraceId::new(7).unwrap(), SpanId::new(9).unwrap(), true, None);
            let above = if remote { caller } else { root.context() };
            let walks = plans.into_iter().map(|plan| tokio::spawn(walk(obs.clone(), plan).with_context(above.clone())));
            for task in walks.collect::<Vec<_>>() {
                task.await.unwrap();
            }
            root.end();
        });
        let arrived = bench.arrived();
        prop_assert_eq!(shown(&arrived), all);
        let shown = |span: &Span| span.remote_parent || !span.name.starts_with("hidden");
        prop_assert!(arrived.spans.iter().all(|span| span.trace_flags & !2 == 1 && shown(span)));
    }
}
