//! Defects that users of another library have met: none of them is to come back here.

use std::time::Duration;

use obs_core::{Attributes, LlmGeneration, Timestamp, Usage, WorkflowStep};
use obs_instrument::pipeline::Clock;
use obs_instrument::rolled;

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

#[test]
fn defect_9_usage_is_on_exactly_one_span_a_call() {
    let bench = Bench::with(|builder| builder.exclude_span_types(["llm_generation"]).unwrap());
    let outer = bench.obs.start("shown", LlmGeneration::default(), &obs_instrument::Context::NONE);
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
