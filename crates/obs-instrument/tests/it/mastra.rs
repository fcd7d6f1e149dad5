//! Defects that users of another library have met: none of them is to come back here.

use std::collections::HashMap;
use std::time::Duration;

use obs_core::{
    Attributes, Level, LlmGeneration, Metric, Signal, SpanId, Timestamp, TraceId, Usage, WorkflowStep,
};
use obs_instrument::pipeline::Clock;
use obs_instrument::{Context, Registry, Sampling, rolled};

use crate::collect::Bench;

#[test]
fn defect_26_durations_come_from_a_monotonic_clock_and_every_span_has_an_end() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1_000));
    let bench = Bench::with(|builder| builder.clock(clock));
    let mut run = bench.obs.workflow_run("run");
    let mut step = run.child::<WorkflowStep>("step");
    hand.advance(Duration::from_nanos(30));
    step.event("inside", Attributes::new());
    hand.advance(Duration::from_nanos(12));
    step.end();
    bench.obs.span("instant").end();
    hand.advance(Duration::from_nanos(8));
    run.event("late", Attributes::new());
    run.end();
    let arrived = bench.arrived();
    let (run, step, instant) = (arrived.span("run"), arrived.span("step"), arrived.span("instant"));
    assert_eq!(step.start, Timestamp::from_nanos(1_000));
    assert_eq!(step.duration(), Some(Duration::from_nanos(42)));
    assert_eq!(run.duration(), Some(Duration::from_nanos(50)));
    assert!(step.end <= run.end, "a child that ends first is not after its parent");
    assert_eq!(instant.duration(), Some(Duration::ZERO), "an instant has an end, its start");
    assert_eq!(step.events[0].time, Timestamp::from_nanos(1_030));
    assert_eq!(run.events[0].time, run.end.unwrap());
}

#[test]
fn defect_26_a_child_that_outlives_its_parent_keeps_its_own_times() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1_000));
    let bench = Bench::with(|builder| builder.clock(clock));
    let run = bench.obs.workflow_run("run");
    let step = run.child::<WorkflowStep>("step");
    run.end();
    hand.advance(Duration::from_nanos(5));
    let late = step.child::<WorkflowStep>("late");
    step.end();
    late.end();
    let arrived = bench.arrived();
    assert_eq!(arrived.span("run").duration(), Some(Duration::ZERO));
    assert_eq!(arrived.span("step").duration(), Some(Duration::from_nanos(5)));
    assert_eq!(arrived.span("late").parent_span_id, Some(arrived.span("step").span_id));
    assert_eq!(arrived.span("late").root_span_id(), Some(arrived.span("run").span_id));
}

/// Elsewhere, the model of a call within a call is "custom".
#[test]
fn defect_6_a_call_without_a_model_has_that_of_the_call_around_it() {
    let bench = Bench::new();
    let mut outer = bench.obs.llm_generation("outer");
    outer.model("gpt-4o").provider("openai");
    outer.scope(|| {
        bench.obs.span("retry").scope(|| {
            let mut inner = bench.obs.llm_generation("inner");
            inner.usage(Usage::new(10, 1));
            inner.scope(|| bench.obs.info("within"));
        });
        bench.obs.llm_generation("other").provider("acme");
        bench.obs.tool_call("tool").scope(|| bench.obs.llm_generation("below a tool").end());
    });
    outer.end();
    let arrived = bench.arrived();
    let of = |name: &str| {
        let span = arrived.span(name);
        span.span_type.model().map(|(model, provider, _)| (model.cloned(), provider.cloned())).unwrap()
    };
    assert_eq!(of("inner"), (Some("gpt-4o".into()), Some("openai".into())));
    assert!(arrived.span("inner").span_type.cost().is_some(), "so its price is known");
    assert_eq!(of("other"), (None, Some("acme".into())));
    assert_eq!(of("below a tool"), (None, None));
    let started = |model: &str| {
        let is_of = |metric: &&Metric| metric.labels.get("model").is_some_and(|found| found == model);
        let started = |metric: &&Metric| metric.name == "mastra_model_requests_started";
        arrived.metrics.iter().filter(started).filter(is_of).count()
    };
    assert_eq!((started("gpt-4o"), started("unknown")), (2, 2));
}

#[test]
fn defect_9_usage_is_on_exactly_one_span_a_call() {
    let bench = Bench::with(|builder| builder.exclude_span_types(["llm_generation"]).unwrap());
    let outer = bench.obs.start("shown", LlmGeneration::default(), &Context::NONE);
    outer.child::<LlmGeneration>("hidden").usage(Usage::new(7, 3));
    outer.end();
    let arrived = bench.arrived();
    let outer = arrived.span("shown");
    let call = outer.span_type.as_generation().unwrap();
    assert!(call.usage.is_empty(), "what is hidden below is no usage of the span's own");
    assert!(outer.attributes.get(rolled::INPUT_TOKENS).is_some());
}

#[test]
fn defect_1_what_is_recorded_right_after_the_start_arrives() {
    let bench = Bench::new();
    bench.obs.span("first").end();
    assert_eq!(bench.arrived().spans.len(), 1);
}

#[test]
fn defect_3_a_span_that_goes_on_in_another_process_needs_ids_and_no_object() {
    let (here, there) = (Bench::new(), Bench::new());
    let suspended = here.obs.workflow_run("run").suspend("a deployment");
    let json = serde_json::to_string(&suspended).unwrap();
    drop(suspended);
    there.obs.resume("run", &serde_json::from_str(&json).unwrap()).end();
    let (before, after) = (here.arrived(), there.arrived());
    assert_eq!(before.span("run").trace_id, after.span("run").trace_id);
    assert!(after.span("run").end.is_some());
}

/// Elsewhere, logs and metrics of an unsampled trace carry the id `no-op-trace`, which poisons every join.
#[test]
fn no_record_has_an_id_made_up_for_unsampled_traces() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never).unsampled_logs(Level::Trace));
    bench.obs.agent_run("run").scope(|| {
        bench.obs.info("in an unsampled trace");
        bench.obs.meter().counter("calls").add(1.0, ());
    });
    let arrived = bench.arrived();
    assert_eq!(arrived.logs[0].span, None);
    assert!(arrived.metrics.iter().all(|metric| metric.exemplar.is_none()));
}

/// Elsewhere, a ratio is drawn anew in each service, so that two services with one trace id disagree.
#[test]
fn a_ratio_is_decided_by_the_trace_id() {
    let half = || Sampling::ratio(0.5).unwrap().ignoring_remote_parents();
    let [first, second] = [half(), half()].map(|half| Bench::with(|builder| builder.sampling(half)));
    let mut taken = 0;
    for at in 1..=200 {
        let root = first.obs.span("root");
        // The flag is not always what the first decided, so that the second can only go by the id.
        let flag = at % 2 == 0;
        let context = Context::remote(root.trace_id().unwrap(), SpanId::new(at).unwrap(), flag, None);
        let below = context.scope(|| second.obs.span("below"));
        assert_eq!(below.is_recording(), root.is_recording(), "with {flag}");
        taken += usize::from(root.is_recording());
    }
    assert!((50..150).contains(&taken), "{taken} of 200 is not about a half");
}

/// Elsewhere, the header always says that the trace is sampled.
#[test]
fn an_unsampled_context_says_so_and_keeps_its_ids() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never));
    let span = bench.obs.span("s");
    let context = span.context();
    assert_eq!((context.is_sampled(), context.trace_id()), (false, span.trace_id()));
    assert_eq!(context.span_id(), span.span_id());
}

/// Elsewhere, a share that is none means "never" after a warning.
#[test]
fn a_share_that_is_none_is_an_error() {
    for share in [-0.1, 1.1, f64::NAN] {
        assert!(Sampling::ratio(share).is_err(), "{share}");
    }
}

/// Elsewhere, an unsampled span still copies and cleans what it is given.
#[test]
fn an_unsampled_span_makes_nothing_of_what_it_is_given() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never));
    let mut span = bench.obs.llm_generation("chat");
    span.input_with(|| -> &str { panic!("not recording") }).attributes(|_| panic!("not recording"));
    span.scope(|| bench.obs.log_with(Level::Fatal, || -> String { panic!("not recording") }));
}

/// Elsewhere, what a second copy of the library records has another global and is lost or crosses over.
#[test]
fn defect_22_an_instance_needs_no_global() {
    let [one, two] = [Bench::new(), Bench::new()];
    one.obs.span("one").scope(|| two.obs.span("two").end());
    assert_eq!((one.arrived().spans.len(), two.arrived().spans.len()), (1, 1));
    assert_eq!(Context::current().trace_id(), None);
}

/// Elsewhere, a server of MCP begins a trace of its own, since nothing but HTTP carries the caller's.
#[test]
fn defect_27_a_call_over_mcp_stays_in_its_trace() {
    let (client, server) = (Bench::new(), Bench::new());
    let run = client.obs.agent_run("run");
    let call = run.context().scope(|| client.obs.mcp_tool_call("weather"));
    let mut request =
        serde_json::json!({ "name": "weather", "arguments": {}, "_meta": { "progressToken": 1 } });
    let meta = request["_meta"].as_object_mut().unwrap();
    call.context().with_baggage("tenant", "acme").unwrap().inject(meta);
    let wire = request.to_string();

    let request: serde_json::Value = serde_json::from_str(&wire).unwrap();
    let meta = request["_meta"].as_object().unwrap();
    assert_eq!(meta["progressToken"], 1);
    let context = Context::extract(meta);
    assert_eq!(context.baggage().get("tenant"), Some("acme"));
    context.scope(|| server.obs.tool_call("weather").end());
    let serve = server.arrived();
    let serve = serve.span("weather");
    assert_eq!((Some(serve.trace_id), serve.parent_span_id), (call.trace_id(), call.span_id()));
}

/// Elsewhere, the flag is 01 whatever was decided, so that services below record what nobody sees the top of.
#[test]
fn defect_27_the_sampled_flag_that_goes_out_is_the_true_one() {
    for (sampling, sampled) in [(Sampling::Always, true), (Sampling::Never, false)] {
        let (here, there) = (Bench::with(|builder| builder.sampling(sampling)), Bench::new());
        let mut headers = HashMap::new();
        here.obs.span("call").context().inject(&mut headers);
        assert_eq!(headers["traceparent"].ends_with("-03"), sampled);
        Context::extract(&headers).scope(|| assert_eq!(there.obs.span("serve").is_recording(), sampled));
    }
}

/// Elsewhere, spans whose parent nobody knows wait for it, and are dropped when they are too many.
#[test]
fn defect_30_a_span_whose_parent_is_unknown_is_kept_and_says_so() {
    let bench = Bench::new();
    for at in 1..=300 {
        let (trace, parent) = (TraceId::new(at).unwrap(), SpanId::new(at as u64).unwrap());
        Context::remote(trace, parent, true, None).scope(|| bench.obs.span("orphan").end());
    }
    let arrived = bench.arrived();
    assert_eq!(arrived.spans.len(), 300);
    assert!(arrived.spans.iter().all(|span| span.remote_parent && span.parent_span_id.is_some()));
}

#[test]
fn defect_2_what_was_recorded_leaves_with_the_last_handle_or_the_guard() {
    let bench = Bench::new();
    let guard = bench.obs.guard().with_deadline(Duration::from_secs(20));
    bench.obs.span("s").end();
    drop(guard);
    assert_eq!(bench.delivered(), 1, "without a flush of anybody's own");
    bench.obs.span("later").end();
    let delivered = bench.last_handle();
    assert_eq!(delivered, 2, "with the last handle");
}

#[test]
fn defect_10_a_flush_says_where_everything_is_and_recording_goes_on() {
    let bench = Bench::new();
    for at in 1..=2 {
        bench.obs.span("request").end();
        let report = bench.obs.flush(Duration::from_secs(20));
        assert!(report.complete, "{report}");
        let spans = report.destinations[0].signals.get(Signal::Traces);
        assert_eq!((spans.offered, spans.delivered), (at, at));
    }
}

#[test]
fn defect_24_no_key_is_dropped_for_its_name() {
    let bench = Bench::new();
    let names = ["steps", "logger", "validate", "toJSON", "constructor"];
    let mut span = bench.obs.span("s");
    let log = names.iter().fold(bench.obs.info("m"), |mut log, name| {
        span.attribute(*name, 1);
        log.with(*name, 1);
        log
    });
    drop((log, span));
    let arrived = bench.arrived();
    for name in names {
        assert!(arrived.span("s").attributes.get(name).is_some(), "{name} of the span");
        assert!(arrived.logs[0].attributes.get(name).is_some(), "{name} of the log");
    }
}

/// Elsewhere, there is no level below debug.
#[test]
fn every_level_arrives_as_it_is_called() {
    let bench = Bench::new();
    for level in Level::ALL {
        bench.obs.log(level, level.as_str());
    }
    let arrived = bench.arrived();
    assert!(arrived.logs.iter().all(|log| log.message == log.level.as_str()));
    assert_eq!(arrived.logs.len(), Level::ALL.len());
}

/// Elsewhere, a registry clears itself twice when it is shut down, and has no deadline.
#[test]
fn a_registry_that_is_shut_down_twice_has_nothing_left_to_do() {
    let (registry, bench) = (Registry::new(), Bench::new());
    registry.register("one", bench.obs.clone()).unwrap();
    registry.register("the same", bench.obs.clone()).unwrap();
    bench.obs.span("s").end();
    let reports = registry.shutdown_all(Duration::from_secs(20));
    assert_eq!((reports.len(), bench.delivered()), (2, 1));
    assert!(registry.shutdown_all(Duration::from_secs(20)).is_empty());
    assert!(bench.obs.shutdown(Duration::from_secs(20)).destinations.len() == 1, "it only reports");
}
