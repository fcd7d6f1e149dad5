//! Which traces leave something behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use obs_core::{Level, Payload, SpanId, Timestamp, TraceId};
use obs_instrument::pipeline::Clock;
use obs_instrument::{Context, ParentBased, Sampling};

use crate::collect::{Arrived, Bench};

fn sampled_by(sampling: Sampling) -> Bench {
    Bench::with(|builder| builder.sampling(sampling))
}

/// One trace with everything that can be recorded in it; gives back its id.
fn trace(bench: &Bench) -> Option<TraceId> {
    let mut root = bench.obs.agent_run("root");
    root.input("question");
    root.scope(|| {
        bench.obs.tool_call("child").scope(|| bench.obs.error("log of a child"));
        bench.obs.logger("component").fatal("log of a component");
    });
    root.log(Level::Error, "log of the root");
    root.score("quality", 1.0);
    root.feedback_trace("thumbs", true);
    root.trace_id()
}

fn is_empty(arrived: &Arrived) -> bool {
    arrived.spans.is_empty()
        && arrived.logs.is_empty()
        && arrived.scores.is_empty()
        && arrived.feedback.is_empty()
}

#[test]
fn unsampled_trace_leaves_no_span_or_log() {
    for sampling in [Sampling::Never, Sampling::ratio(0.0).unwrap(), Sampling::custom(|_| false)] {
        let bench = sampled_by(sampling);
        trace(&bench);
        bench.obs.warn("outside");
        bench.obs.context().scope(|| bench.obs.warn("outside, too"));
        let mut arrived = bench.arrived();
        arrived.logs.retain(|log| !log.message.starts_with("outside"));
        assert!(is_empty(&arrived), "{arrived:?}");
        assert_eq!(bench.arrived().logs.len(), 2, "logs outside of every trace stay");
    }
    let bench = Bench::new();
    let (trace_id, span_id) = (TraceId::new(7).unwrap(), SpanId::new(9).unwrap());
    Context::remote(trace_id, span_id, false, None).scope(|| trace(&bench));
    assert!(is_empty(&bench.arrived()), "another process decided");
}

#[test]
fn no_fake_ids_appear() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never).unsampled_logs(Level::Trace));
    let meter = bench.obs.meter();
    let span = bench.obs.span("root");
    span.scope(|| {
        bench.obs.info("asked for");
        meter.counter("calls").add(1.0, ());
    });
    span.log(Level::Info, "of the span");
    // What goes to other processes is the real id of the trace, with the flag off.
    let child = span.scope(|| bench.obs.span("child"));
    assert_eq!((span.trace_id().is_some(), span.trace_id()), (true, child.trace_id()));
    assert_eq!((span.reference(), span.target(), span.trace_target()), (None, None, None));
    assert_eq!((child.context().is_sampled(), child.context().reference()), (false, None));
    drop((span, child));
    let arrived = bench.arrived();
    assert_eq!(arrived.logs.len(), 2);
    assert!(arrived.logs.iter().all(|log| log.span.is_none()), "{arrived:?}");
    let calls: Vec<_> = arrived.metrics.iter().filter(|metric| metric.name == "calls").collect();
    assert_eq!((calls.len(), &calls[0].exemplar), (1, &None));
    assert!(arrived.spans.is_empty());
}

#[test]
fn unsampled_logs_are_recorded_from_the_level_that_was_asked_for() {
    let bench = Bench::with(|builder| builder.sampling(Sampling::Never).unsampled_logs(Level::Error));
    trace(&bench);
    bench.obs.span("s").scope(|| bench.obs.warn("not asked for"));
    let mut messages: Vec<_> = bench.arrived().logs.iter().map(|log| log.message.to_string()).collect();
    messages.sort();
    assert_eq!(messages, ["log of a child", "log of a component", "log of the root"]);
}

#[test]
fn two_services_given_one_trace_id_decide_alike() {
    let share = || Sampling::ratio(0.3).unwrap();
    // The second is given the id, and what the first decided does not reach it.
    let (first, second) = (sampled_by(share()), sampled_by(share().ignoring_remote_parents()));
    let (mut taken, mut seen) = (0, 0);
    for at in 1..=400u64 {
        let root = first.obs.span("root");
        let trace_id = root.trace_id().unwrap();
        let span_id = SpanId::new(at).unwrap();
        for flag in [true, false] {
            let child = Context::remote(trace_id, span_id, flag, None).scope(|| second.obs.span("child"));
            assert_eq!(child.is_recording(), root.is_recording(), "{trace_id} with {flag}");
            assert_eq!(child.trace_id(), Some(trace_id));
            seen += 1;
        }
        taken += usize::from(root.is_recording());
    }
    assert!((60..180).contains(&taken), "{taken} of {} is not about a third", seen / 2);
}

#[test]
fn a_running_instance_takes_another_sampling() {
    let bench = sampled_by(Sampling::Never);
    let before = bench.obs.span("before");
    bench.obs.set_sampling(Sampling::Always);
    assert!(matches!(bench.obs.sampling(), Sampling::Always));
    let begun = bench.obs.span("begun");
    before.scope(|| bench.obs.span("below what was not sampled").end());
    bench.obs.set_sampling(Sampling::custom(|root| root.name == "wanted"));
    begun.scope(|| bench.obs.span("below what has begun").end());
    bench.obs.span("wanted").end();
    bench.obs.span("unwanted").end();
    drop((before, begun));
    let mut names: Vec<_> = bench.arrived().spans.iter().map(|span| span.name.to_string()).collect();
    names.sort();
    assert_eq!(names, ["begun", "below what has begun", "wanted"]);
}

#[test]
fn traces_a_second_are_kept_by_the_instance_s_clock() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1_000));
    let bench = Bench::with(|builder| builder.clock(clock).sampling(Sampling::per_second(2.0).unwrap()));
    let burst = |name: &'static str| {
        (0..5).for_each(|_| bench.obs.span(name).scope(|| bench.obs.span("child").end()));
        hand.advance(Duration::from_millis(500));
    };
    burst("at once");
    burst("half a second later");
    let arrived = bench.arrived();
    let count = |name: &str| arrived.spans.iter().filter(|span| span.name == name).count();
    assert_eq!((count("at once"), count("half a second later"), count("child")), (2, 1, 3));
}

#[test]
fn a_rate_is_one_for_roots_and_for_parents_that_it_overrules() {
    let five = || Sampling::per_second(5.0).unwrap();
    for sampling in [five().ignoring_remote_parents(), Sampling::Always.and(five()).ignoring_remote_parents()]
    {
        let (clock, _hand) = Clock::manual(Timestamp::from_nanos(1_000));
        let bench = Bench::with(|builder| builder.clock(clock).sampling(sampling));
        let mut taken = 0;
        for at in 1..=20u64 {
            for flag in [None, Some(true), Some(false)] {
                let (trace_id, span_id) = (TraceId::new(at.into()).unwrap(), SpanId::new(at).unwrap());
                let remote = |flag| Context::remote(trace_id, span_id, flag, None);
                let span = flag.map_or(Context::NONE, remote).scope(|| bench.obs.span("s"));
                let below = span.scope(|| bench.obs.span("below"));
                assert_eq!(below.is_recording(), span.is_recording(), "parents here decide");
                taken += usize::from(span.is_recording());
            }
        }
        assert_eq!(taken, 5, "five at one instant, wherever they come from");
    }
}

#[test]
fn an_error_that_passes_a_parent_which_was_overruled_is_one_error() {
    let no_tools = Sampling::by_span_type([("tool_call", Sampling::Never)], Sampling::Always).unwrap();
    let cut = ParentBased::new(Sampling::Always).with_local_sampled(no_tools);
    let only_tools = Sampling::by_span_type([("tool_call", Sampling::Always)], Sampling::Never).unwrap();
    let added = ParentBased::new(Sampling::Never).with_local_unsampled(only_tools);
    for sampling in [cut, added] {
        let bench = sampled_by(sampling.into());
        let mut run = bench.obs.agent_run("run");
        let mut tool = run.scope(|| bench.obs.tool_call("tool"));
        assert_ne!(run.is_recording(), tool.is_recording());
        tool.fail(&std::fmt::Error);
        tool.end();
        run.fail(&std::fmt::Error);
        run.end();
        let arrived = bench.arrived();
        let errors = arrived.metrics.iter().filter(|metric| metric.name == "mastra_errors_total");
        assert_eq!(errors.count(), 1);
    }
}

#[test]
fn by_the_type_of_the_span_that_begins_the_trace() {
    let agents = [("agent_run", Sampling::Always), ("workflow_run", Sampling::Never)];
    let bench =
        sampled_by(Sampling::by_span_type(agents, Sampling::custom(|root| root.name == "job")).unwrap());
    bench.obs.agent_run("agent").scope(|| bench.obs.workflow_run("inside the agent").end());
    bench.obs.workflow_run("workflow").scope(|| bench.obs.agent_run("inside the workflow").end());
    bench.obs.span("job").end();
    bench.obs.span("noise").end();
    let mut names: Vec<_> = bench.arrived().spans.iter().map(|span| span.name.to_string()).collect();
    names.sort();
    assert_eq!(names, ["agent", "inside the agent", "job"]);
}

#[test]
fn remote_parents_can_be_overruled_and_the_trace_goes_on() {
    let always = ParentBased::new(Sampling::Never).with_remote_unsampled(Sampling::Always);
    let bench = sampled_by(always.into());
    let (trace_id, span_id) = (TraceId::new(7).unwrap(), SpanId::new(9).unwrap());
    Context::remote(trace_id, span_id, false, None)
        .scope(|| bench.obs.span("child").scope(|| bench.obs.span("grandchild").end()));
    bench.obs.span("root").end();
    let arrived = bench.arrived();
    let child = arrived.span("child");
    assert_eq!((child.trace_id, child.parent_span_id, child.remote_parent), (trace_id, Some(span_id), true));
    assert_eq!(arrived.span("grandchild").parent_span_id, Some(child.span_id));
    assert_eq!((arrived.spans.len(), child.trace_flags & 1), (2, 1));

    let never = ParentBased::new(Sampling::Always).with_remote_sampled(Sampling::Never);
    let bench = sampled_by(never.into());
    Context::remote(trace_id, span_id, true, None).scope(|| {
        let child = bench.obs.span("child");
        assert_eq!((child.is_recording(), child.trace_id()), (false, Some(trace_id)));
        child.scope(|| bench.obs.span("grandchild").end());
    });
    assert!(bench.arrived().spans.is_empty());
}

#[test]
fn a_custom_sampler_sees_the_trace_and_the_parent() {
    let bench = Bench::with(|builder| {
        builder.trace(|trace| trace.tags = vec!["beta".into()]).sampling(
            ParentBased::new(Sampling::custom(|root| {
                root.parent.is_none() && root.trace.tags.iter().any(|tag| *tag == "beta")
            }))
            .with_remote_sampled(Sampling::custom(|child| {
                child.parent.is_some_and(|parent| {
                    parent.is_remote
                        && parent.is_sampled
                        && parent.span_id.get() == 9
                        && child.trace_id.get() == 7
                })
            }))
            .into(),
        )
    });
    bench.obs.span("root").end();
    let remote = |span| Context::remote(TraceId::new(7).unwrap(), SpanId::new(span).unwrap(), true, None);
    remote(9).scope(|| bench.obs.span("child").end());
    remote(8).scope(|| bench.obs.span("other").end());
    let arrived = bench.arrived();
    assert_eq!((arrived.spans.len(), arrived.span("root").parent_span_id), (2, None));
    assert_eq!(arrived.span("child").parent_span_id, SpanId::new(9));
}

#[test]
fn a_sampler_in_the_middle_cuts_the_trace_where_it_was_told_to() {
    let cut = ParentBased::new(Sampling::Always)
        .with_local_sampled(Sampling::custom(|span| span.span_type != "tool_call"));
    let bench = sampled_by(cut.into());
    bench.obs.agent_run("run").scope(|| {
        bench.obs.tool_call("tool").scope(|| bench.obs.span("below").end());
        bench.obs.span("beside").end();
    });
    let mut names: Vec<_> = bench.arrived().spans.iter().map(|span| span.name.to_string()).collect();
    names.sort();
    assert_eq!(names, ["beside", "run"]);
}

/// A name that counts how often it is made.
struct Name(Arc<AtomicUsize>);

impl From<Name> for obs_core::Str {
    fn from(name: Name) -> Self {
        name.0.fetch_add(1, Ordering::Relaxed);
        "name".into()
    }
}

#[test]
fn a_disabled_instance_calls_nothing() {
    let bench = Bench::with(|builder| builder.enabled(false));
    let made = Arc::new(AtomicUsize::new(0));
    let name = || Name(Arc::clone(&made));
    let sampler = Arc::clone(&made);
    bench.obs.set_sampling(Sampling::custom(move |_| sampler.fetch_add(1, Ordering::Relaxed) == 0));
    let mut span = bench.obs.span(name());
    span.input_with(|| -> Payload { panic!("not recording") }).attributes(|_| panic!("not recording"));
    span.fail_with(|| panic!("not recording")).rename(name());
    span.log(Level::Fatal, name());
    span.score(name(), 1.0);
    bench.obs.log_with(Level::Fatal, || -> &str { panic!("not recording") });
    bench
        .obs
        .fatal(name())
        .attributes(|_| panic!("not recording"))
        .data_with(|| -> Payload { panic!("not recording") });
    bench.obs.logger("component").fatal(name());
    bench.obs.meter().counter("calls").add(1.0, ());
    assert_eq!((span.trace_id(), span.is_recording(), span.context().trace_id()), (None, false, None));
    drop(span);
    assert_eq!(made.load(Ordering::Relaxed), 0);
    let report = bench.obs.flush(Duration::from_secs(20));
    assert!(report.intake.iter().all(|(_, terms)| terms.recorded == 0), "{report}");
    bench.obs.set_enabled(true);
    assert!(!bench.obs.span(name()).is_recording(), "the sampler, asked second, says no");
    assert_eq!(made.load(Ordering::Relaxed), 2);
}
