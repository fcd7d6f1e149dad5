//! A span gathers so much and no more, and says what was left out.

use obs_core::{AgentRun, Attributes, Chunk, Decision, Span, SpanId, Timestamp, TraceId, Value};
use obs_instrument::{SpanLimits, left_out};

use crate::collect::Bench;

fn limited(limits: SpanLimits) -> Bench {
    Bench::with(|builder| builder.span_limits(limits))
}

fn count(attributes: &Attributes, name: &str) -> i64 {
    attributes.get(name).and_then(Value::as_i64).unwrap_or(0)
}

#[test]
fn the_first_of_each_are_kept_and_the_rest_is_counted() {
    let bench = limited(SpanLimits::default().with_attributes(4).with_events(3).with_links(2));
    let mut span = bench.obs.span("s");
    let names = ["a", "b", "c", "d", "e", "f"];
    for (at, name) in names.into_iter().enumerate() {
        span.attribute(name, 1).event(name, Attributes::new());
        span.link(TraceId::new(1).unwrap(), SpanId::new(at as u64 + 1).unwrap(), Attributes::new());
    }
    span.event_at(Timestamp::default(), "late", Attributes::new());
    span.event_with("later", || panic!("nobody keeps it"));
    span.attribute_with("g", || -> i64 { panic!("nobody keeps it") });
    span.attribute("a", 2).attributes(|all| {
        all.insert("b", 2);
        all.insert("h", 2);
    });
    span.end();
    let arrived = bench.arrived();
    let span = arrived.span("s");
    let events: Vec<_> = span.events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(events, ["a", "b", "c"]);
    assert_eq!(span.links.iter().map(|link| link.span_id.get()).collect::<Vec<_>>(), [1, 2]);
    let kept: Vec<_> = span.attributes.iter().take(4).map(|(key, _)| key.as_str()).collect();
    assert_eq!(kept, ["a", "b", "c", "d"]);
    assert_eq!((count(&span.attributes, "a"), count(&span.attributes, "b")), (2, 2), "known ones can change");
    let told = [left_out::ATTRIBUTES, left_out::EVENTS, left_out::LINKS, left_out::ITEMS];
    assert_eq!(told.map(|name| count(&span.attributes, name)), [4, 5, 4, 0]);
}

#[test]
fn what_a_bridge_has_left_out_is_told_with_the_rest() {
    let bench = limited(SpanLimits::default().with_attributes(1).with_events(1));
    let mut span = bench.obs.span("s");
    span.attribute("a", 1).attribute("b", 1).event("a", Attributes::new()).event("b", Attributes::new());
    span.left_out(2, 3, usize::MAX).left_out(1, 0, 1);
    span.end();
    let arrived = bench.arrived();
    let attributes = &arrived.span("s").attributes;
    let told = [left_out::ATTRIBUTES, left_out::EVENTS, left_out::LINKS];
    assert_eq!(told.map(|name| count(attributes, name)), [4, 4, i64::from(u32::MAX)]);
}

#[test]
fn what_was_left_out_of_an_event_before_is_counted_with_the_rest() {
    let bench = limited(SpanLimits::default().with_nested_attributes(2));
    let mut span = bench.obs.span("s");
    for (names, told) in [(3, 5), (2, 5), (1, 5)] {
        let names = ["a", "b", "c"].into_iter().take(names).map(|name| (name, Value::from(1)));
        let all: Attributes = names.chain([(left_out::ATTRIBUTES, Value::from(told))]).collect();
        span.event("e", all);
    }
    span.end();
    let arrived = bench.arrived();
    let told: Vec<_> = arrived
        .span("s")
        .events
        .iter()
        .map(|event| (event.attributes.len(), count(&event.attributes, left_out::ATTRIBUTES)))
        .collect();
    assert_eq!(told, [(3, 6), (3, 5), (2, 5)]);
}

#[test]
fn what_an_agent_decides_and_what_is_found_is_kept_up_to_its_limit_however_it_is_told() {
    let bench = limited(SpanLimits::default().with_items(2));
    let mut run = bench.obs.agent_run("run");
    for action in ["a", "b", "c"] {
        run.decide(action, "why", ["or"]);
    }
    let decision =
        || Decision { time: Timestamp::default(), action: "d".into(), reasoning: None, alternatives: vec![] };
    run.fields(|run| run.decisions.extend([decision(), decision()]));
    run.end();
    let mut lookup = bench.obs.memory_lookup("lookup");
    lookup.hit("1", "x", 0.9).hit("2", "x", 0.8).hit("3", "x", 0.7);
    lookup.end();
    let mut query = bench.obs.rag_query("query");
    for _ in 0..5 {
        query.chunk(Chunk::default());
    }
    query.end();
    let known = AgentRun { decisions: vec![decision(); 5], ..AgentRun::default() };
    bench.obs.start("known before", known, &obs_instrument::Context::NONE).end();
    let arrived = bench.arrived();
    let told = |name: &str| count(&arrived.span(name).attributes, left_out::ITEMS);
    assert_eq!(["run", "lookup", "query", "known before"].map(told), [3, 1, 3, 3]);
    let actions = |span: &Span| match &span.span_type {
        obs_core::SpanType::AgentRun(run) => run.decisions.iter().map(|one| one.action.to_string()).collect(),
        _ => Vec::new(),
    };
    assert_eq!(actions(arrived.span("run")), ["a", "b"]);
}

#[test]
fn events_and_links_have_limits_of_their_own() {
    let bench = limited(SpanLimits::default().with_nested_attributes(1));
    let mut span = bench.obs.span("s");
    let two = || Attributes::from_iter([("a", 1), ("b", 2)]);
    span.event("e", two()).link(TraceId::new(1).unwrap(), SpanId::new(1).unwrap(), two());
    span.end();
    let arrived = bench.arrived();
    let span = arrived.span("s");
    for attributes in [&span.events[0].attributes, &span.links[0].attributes] {
        assert_eq!((count(attributes, "a"), attributes.get("b")), (1, None));
        assert_eq!(count(attributes, left_out::ATTRIBUTES), 1);
    }
    assert!(span.attributes.is_empty(), "of the span itself nothing was left out");
}

#[test]
fn law_2_memory_of_an_open_span_is_bounded_unless_it_is_told_not_to_be() {
    let work = |bench: &Bench| {
        let mut span = bench.obs.span("s");
        for at in 0..20_000 {
            span.event("token", Attributes::new()).attribute(format!("k{}", at % 2_000), at);
        }
        span.end();
        let arrived = bench.arrived();
        let span = arrived.span("s");
        let (events, attributes) = (span.events.len() as i64, span.attributes.len());
        (events, events + count(&span.attributes, left_out::EVENTS), attributes < 300)
    };
    assert_eq!(work(&Bench::new()), (1_024, 20_000, true));
    assert_eq!(work(&limited(SpanLimits::NONE)), (20_000, 20_000, false));
}
