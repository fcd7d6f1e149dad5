use std::time::Duration;

use obs_core::{
    LoopKind, Span, SpanType, StepFlavour, Timestamp, Value, WorkflowRun, WorkflowStatus, WorkflowStep,
};
use obs_instrument::pipeline::Clock;
use obs_instrument::{Sampling, Suspended, workflow_names as names};

use crate::collect::Bench;

fn step_of(span: &Span) -> &WorkflowStep {
    let SpanType::WorkflowStep(step) = &span.span_type else { panic!("{:?}", span.span_type) };
    step
}

fn run_of(span: &Span) -> &WorkflowRun {
    let SpanType::WorkflowRun(run) = &span.span_type else { panic!("{:?}", span.span_type) };
    run
}

/// The transitions of a span: from, to and the reason.
fn transitions(span: &Span) -> Vec<(&str, &str, Option<&str>)> {
    let text = |event: &'_ obs_core::Event, name| match event.attributes.get(name) {
        Some(Value::Str(text)) => Some(text.clone()),
        _ => None,
    };
    let mut all = Vec::new();
    for event in &span.events {
        assert!([names::RUN_TRANSITION, names::STEP_TRANSITION].contains(&&*event.name), "{event:?}");
        assert!(span.start <= event.time && event.time <= span.end.unwrap(), "{event:?}");
        let _ = text(event, names::FROM).unwrap();
        let of = |name| event.attributes.get(name).and_then(Value::as_str);
        all.push((of(names::FROM).unwrap(), of(names::TO).unwrap(), of(names::REASON)));
    }
    all
}

#[test]
fn where_steps_stand_is_told_as_events() {
    let bench = Bench::new();
    let run = bench.obs.workflow_run("run");
    let mut step = run.child::<WorkflowStep>("approve");
    step.step_id("approve").waiting_for("approval", Some(Duration::from_mins(1)));
    step.transition(WorkflowStatus::Suspended, "waits for a person");
    step.status(WorkflowStatus::Suspended);
    step.transition(WorkflowStatus::Running, "approved").received(true);
    step.end();
    run.child::<WorkflowStep>("refund").skip("nothing to refund");
    run.end();

    let arrived = bench.arrived();
    let approve = arrived.span("approve");
    let expected =
        [("running", "suspended", Some("waits for a person")), ("suspended", "running", Some("approved"))];
    assert_eq!(transitions(approve), expected, "standing still is no transition");
    assert_eq!(step_of(approve).status, Some(WorkflowStatus::Completed));
    assert!(approve.events.iter().all(|event| event.name == names::STEP_TRANSITION));
    let refund = arrived.span("refund");
    assert_eq!(transitions(refund), [("running", "skipped", Some("nothing to refund"))]);
    assert_eq!(step_of(refund).status, Some(WorkflowStatus::Skipped));
    assert_eq!(run_of(arrived.span("run")).status, Some(WorkflowStatus::Completed));
}

#[test]
fn every_flavour_of_step_has_a_short_way() {
    let bench = Bench::new();
    let run = bench.obs.workflow_run("run");
    let step = |name: &'static str| run.child::<WorkflowStep>(name);
    let until = Timestamp::from_nanos(5);
    step("conditional").conditional(3, ["b"]);
    step("parallel").parallel(2);
    step("loop").iteration(LoopKind::While, 4, None);
    step("sleep").sleeping(Duration::from_secs(1));
    step("until").sleeping_until(until);
    step("wait").waiting_for("paid", None).received(false);
    drop(run);
    let arrived = bench.arrived();
    let flavour = |name| step_of(arrived.span(name)).flavour.clone();
    assert_eq!(
        flavour("conditional"),
        StepFlavour::Conditional { conditions: 3, selected: vec!["b".into()] }
    );
    assert_eq!(flavour("parallel"), StepFlavour::Parallel { branches: 2 });
    let expected = StepFlavour::Loop { kind: LoopKind::While, iteration: Some(4), total: None };
    assert_eq!(flavour("loop"), expected);
    let expected = StepFlavour::Sleep { duration: Some(Duration::from_secs(1)), until: None };
    assert_eq!(flavour("sleep"), expected);
    assert_eq!(flavour("until"), StepFlavour::Sleep { duration: None, until: Some(until) });
    let expected = StepFlavour::WaitEvent { event: "paid".into(), timeout: None, received: Some(false) };
    assert_eq!(flavour("wait"), expected);
}

/// What another process is given: the token as it was kept.
fn carried(suspended: &Suspended) -> Suspended {
    let json = serde_json::to_string(suspended).unwrap();
    let read = serde_json::from_str(&json).unwrap();
    assert_eq!(*suspended, read, "{json}");
    read
}

#[test]
fn a_run_is_suspended_here_and_resumed_in_another_process() {
    let (here, there) = (Bench::new(), Bench::new());
    let mut request = here.obs.span("request");
    request.trace(|trace| trace.user_id = Some("ada".into()));
    let mut run = request.child::<WorkflowRun>("order");
    run.workflow_id("order-flow").run_id("run-7");
    let step = run.child::<WorkflowStep>("approve").suspend("waits for a person");
    let suspended = run.suspend("waits for a person");
    request.end();
    let arrived = here.arrived();
    let (request, before) = (arrived.span("request"), arrived.span("order"));
    assert_eq!(run_of(before).status, Some(WorkflowStatus::Suspended));
    assert_eq!(transitions(before), [("running", "suspended", Some("waits for a person"))]);
    let expected = format!("00-{}-{}-03", before.trace_id, before.span_id);
    assert_eq!(suspended.traceparent().unwrap(), expected);

    let run = there.obs.resume("order", &carried(&suspended));
    run.scope(|| {
        let resumed = there.obs.resume_step("approve", &carried(&step));
        resumed.score("speed", 0.5);
    });
    run.end();
    let resumed = there.arrived();
    let after = resumed.span("order");
    assert_eq!((after.trace_id, after.parent_span_id), (before.trace_id, Some(request.span_id)));
    assert!(after.remote_parent && after.span_id != before.span_id);
    assert_eq!(after.trace_flags, before.trace_flags);
    assert_eq!(
        (run_of(after).run_id.as_deref(), run_of(after).workflow_id.as_deref()),
        (Some("run-7"), Some("order-flow"))
    );
    assert_eq!(run_of(after).status, Some(WorkflowStatus::Completed));
    assert_eq!(transitions(after), [("suspended", "running", Some("waits for a person"))]);
    let link = &after.links[0];
    assert_eq!((link.trace_id, link.span_id), (before.trace_id, before.span_id));
    assert_eq!(link.attributes.get(names::LINK).and_then(Value::as_str), Some(names::RESUMES));
    assert_eq!(after.context.user_id.as_deref(), Some("ada"));
    let step = resumed.span("approve");
    assert_eq!(step.parent_span_id, Some(after.span_id));
    assert_eq!(step.links[0].span_id, arrived.span("approve").span_id);
    let obs_core::Target::Span { root_span_id, .. } = resumed.scores[0].target else { panic!() };
    assert_eq!(root_span_id, Some(request.span_id), "the root is known across processes");
}

#[test]
fn a_run_goes_on_as_what_its_new_process_is_and_with_the_baggage_of_its_trace() {
    let release =
        |release: &'static str| Bench::with(|builder| builder.release(release).environment("production"));
    let (here, there) = (release("1.0"), release("2.0"));
    let context = obs_instrument::Context::NONE.with_baggage("tenant", "acme").unwrap();
    let suspended = context.scope(|| {
        let mut run = here.obs.workflow_run("run");
        run.trace(|trace| trace.session_id = Some("s-1".into()));
        run.suspend("later")
    });
    let run = there.obs.resume("run", &carried(&suspended));
    assert_eq!(run.context().baggage().get("tenant"), Some("acme"));
    run.end();
    let arrived = there.arrived();
    let context = &arrived.span("run").context;
    assert_eq!((context.release.as_deref(), context.session_id.as_deref()), (Some("2.0"), Some("s-1")));
    assert_eq!(context.environment.as_deref(), Some("production"));
}

#[test]
fn a_root_that_was_suspended_is_the_parent_of_its_own_resumption() {
    let bench = Bench::new();
    let suspended = bench.obs.workflow_run("first").suspend("later");
    bench.obs.resume("second", &suspended).end();
    let arrived = bench.arrived();
    let (first, second) = (arrived.span("first"), arrived.span("second"));
    assert_eq!((second.trace_id, second.parent_span_id), (first.trace_id, Some(first.span_id)));
}

#[test]
fn what_is_not_sampled_stays_so_when_it_is_resumed_and_what_is_off_begins_anew() {
    let unsampled = Bench::with(|builder| builder.sampling(Sampling::Never));
    let suspended = carried(&unsampled.obs.workflow_run("run").suspend("later"));
    assert!(suspended.trace_id.is_some() && !suspended.sampled);
    let there = Bench::new();
    let run = there.obs.resume("run", &suspended);
    assert_eq!(run.trace_id(), suspended.trace_id);
    assert!(!run.context().is_sampled());
    drop(run);

    let off = Bench::with(|builder| builder.enabled(false));
    let suspended = carried(&off.obs.workflow_run("run").suspend("later"));
    assert_eq!((suspended.trace_id, suspended.traceparent()), (None, None));
    there.obs.resume("anew", &suspended).end();
    let arrived = there.arrived();
    assert_eq!(arrived.spans.len(), 1, "{arrived:?}");
    assert!(arrived.span("anew").is_root());
}

#[test]
fn decisions_keep_their_order_their_time_and_their_reasons() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1_000));
    let bench = Bench::with(|builder| builder.clock(clock));
    let mut run = bench.obs.agent_run("agent");
    hand.advance(Duration::from_nanos(5));
    run.decide("search", "the question names a person", ["answer", "ask back"]);
    hand.advance(Duration::from_nanos(5));
    run.decide("answer", "enough is known", Vec::<&'static str>::new());
    run.end();
    let arrived = bench.arrived();
    let SpanType::AgentRun(run) = &arrived.span("agent").span_type else { panic!() };
    let told: Vec<_> = run
        .decisions
        .iter()
        .map(|one| (one.time.as_nanos(), &*one.action, one.reasoning.as_deref(), one.alternatives.len()))
        .collect();
    let expected = [
        (1_005, "search", Some("the question names a person"), 2),
        (1_010, "answer", Some("enough is known"), 0),
    ];
    assert_eq!(told, expected);
}
