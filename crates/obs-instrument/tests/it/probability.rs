//! How probable it was that a trace is recorded, as others are told and as others tell.

use std::collections::HashMap;

use obs_core::Level;
use obs_instrument::{Context, ParentBased, Sampling};

use crate::collect::Bench;

/// Its last 56 bits are the largest there are, so that every share but none takes it.
const LUCKY: &str = "4bf92f3577b34da6a3ffffffffffffff";
/// No share but all takes it.
const UNLUCKY: &str = "4bf92f3577b34da6a300000000000001";

fn came(trace_id: &str, flags: &str, state: &str) -> Context {
    let parent = format!("00-{trace_id}-00f067aa0ba902b7-{flags}");
    let headers = [("traceparent".to_owned(), parent), ("tracestate".to_owned(), state.to_owned())];
    Context::extract(&HashMap::from(headers))
}

fn sent(context: &Context) -> (String, String) {
    let mut out = HashMap::new();
    context.inject(&mut out);
    (out.remove("traceparent").unwrap(), out.remove("tracestate").unwrap_or_default())
}

fn by(sampling: Sampling) -> Bench {
    Bench::with(|builder| builder.sampling(sampling))
}

fn share(share: f64) -> Sampling {
    Sampling::ratio(share).unwrap()
}

/// The state that goes on below a span of ours under this parent, if that is recorded.
fn below(sampling: Sampling, parent: &Context) -> Option<String> {
    let bench = by(sampling);
    let span = parent.scope(|| bench.obs.span("span"));
    let (flags, state) = sent(&span.context());
    assert_eq!(flags.ends_with('1') || flags.ends_with('3'), span.is_recording());
    let child = span.scope(|| bench.obs.span("child"));
    let (_, of_child) = sent(&child.context());
    assert_eq!(state, of_child, "what is below is told the same");
    span.is_recording().then_some(state)
}

#[test]
fn a_trace_of_ours_says_that_its_id_is_random() {
    for (sampling, flags) in [(Sampling::Always, "-03"), (Sampling::Never, "-02"), (share(0.0), "-02")] {
        let bench = by(sampling);
        let root = bench.obs.span("root");
        assert!(sent(&root.context()).0.ends_with(flags));
        let child = root.scope(|| bench.obs.span("child"));
        assert!(sent(&child.context()).0.ends_with(flags));
        drop((root, child));
        assert!(bench.arrived().spans.iter().all(|span| span.trace_flags == 0b11));
    }
    for flags in ["00", "01", "02", "03"] {
        let bench = Bench::new();
        let span = came(LUCKY, flags, "").scope(|| bench.obs.span("span"));
        assert!(sent(&span.context()).0.ends_with(flags), "others know what theirs are");
    }
}

#[test]
fn a_root_that_a_share_has_taken_says_which() {
    let state = |sampling: Sampling| {
        let bench = by(sampling);
        // One of very many is not taken.
        let mut roots = (0..99).map(|_| bench.obs.agent_run("root"));
        let root = roots.find(obs_instrument::ActiveSpan::is_recording).unwrap();
        root.end();
        bench.arrived().spans.last().unwrap().trace_state.as_deref().map(str::to_owned)
    };
    assert_eq!(state(share(0.5)).as_deref(), Some("ot=th:8"));
    assert_eq!(state(share(0.75).ignoring_remote_parents()).as_deref(), Some("ot=th:4"));
    let by_type = Sampling::by_span_type([("agent_run", share(0.5))], Sampling::Never).unwrap();
    assert_eq!(state(by_type).as_deref(), Some("ot=th:8"));
    for unknown in [
        Sampling::Always,
        Sampling::custom(|_| true),
        share(0.5).or(Sampling::custom(|_| true)),
        Sampling::per_second(100.0).unwrap(),
    ] {
        assert_eq!(state(unknown), None);
    }
}

#[test]
fn explicit_randomness_decides_in_place_of_the_id() {
    let quarter = || share(0.25).ignoring_remote_parents();
    for flags in ["00", "01"] {
        let lucky = came(UNLUCKY, flags, "ot=rv:ffffffffffffff,a=1");
        assert_eq!(below(quarter(), &lucky).as_deref(), Some("ot=th:c;rv:ffffffffffffff,a=1"));
        assert_eq!(below(quarter(), &came(LUCKY, flags, "ot=rv:00000000000001")), None);
        assert_eq!(below(quarter(), &came(UNLUCKY, flags, "")), None);
    }
    let seen = Sampling::custom(|span| span.randomness == 0x00ff_ffff_ffff_fffe).ignoring_remote_parents();
    assert!(below(seen, &came(UNLUCKY, "01", "ot=rv:fffffffffffffe")).is_some());
}

#[test]
fn the_share_that_is_told_is_the_one_that_counted() {
    let half = || came(LUCKY, "01", "ot=th:8,a=1");
    let told = |sampling: Sampling| below(sampling, &half()).unwrap();
    assert_eq!(told(share(0.25)), "ot=th:8,a=1", "the parent has decided");
    assert_eq!(told(share(0.25).ignoring_remote_parents()), "ot=th:c,a=1");
    assert_eq!(
        told(Sampling::Always.ignoring_remote_parents()),
        "ot=th:0,a=1",
        "all are taken, and that is known"
    );
    assert_eq!(told(Sampling::custom(|_| true).ignoring_remote_parents()), "a=1", "nobody knows");
    let fewer = ParentBased::new(Sampling::Always).with_remote_sampled(share(0.25));
    assert_eq!(told(fewer.into()), "ot=th:c,a=1");
    let more = ParentBased::new(Sampling::Always).with_remote_unsampled(share(0.75));
    assert_eq!(told(more.clone().into()), "ot=th:4,a=1");
    assert_eq!(below(more.into(), &came(LUCKY, "00", "a=1")).as_deref(), Some("ot=th:4,a=1"));
}

#[test]
fn a_share_that_no_longer_counts_is_told_nowhere() {
    for (state, kept) in [
        ("ot=th:8", ""),
        ("ot=th:8,a=1", "a=1"),
        ("obs=r:00f067aa0ba902b7,ot=th:8", "obs=r:00f067aa0ba902b7"),
    ] {
        let unknown = Sampling::custom(|_| true).ignoring_remote_parents();
        assert_eq!(below(unknown, &came(LUCKY, "00", state)).as_deref(), Some(kept), "{state}");
    }
}

#[test]
fn a_union_with_all_is_a_share_of_one() {
    let all = ParentBased::new(Sampling::Never)
        .with_remote_sampled(Sampling::Always)
        .with_remote_unsampled(Sampling::Always);
    assert_eq!(below(all.clone().into(), &came(LUCKY, "01", "ot=th:8")).as_deref(), Some("ot=th:0"));
    assert_eq!(below(all.into(), &came(UNLUCKY, "00", "")).as_deref(), Some("ot=th:0"));
    assert_eq!(
        below(Sampling::Always, &came(LUCKY, "01", "ot=th:0")).as_deref(),
        Some("ot=th:0"),
        "as it came"
    );
}

#[test]
fn a_full_list_makes_room_for_the_share() {
    let full = (0..32).map(|at| format!("k{at}=v")).collect::<Vec<_>>().join(",");
    let state = below(share(0.5).ignoring_remote_parents(), &came(LUCKY, "01", &full)).unwrap();
    let members: Vec<_> = state.split(',').collect();
    assert_eq!((members.len(), members[0], members[31]), (32, "ot=th:8", "k30=v"));
    let long = (0..30).map(|at| format!("k{at}={}", "v".repeat(62))).collect::<Vec<_>>().join(",");
    let state = below(share(0.5).ignoring_remote_parents(), &came(LUCKY, "01", &long)).unwrap();
    assert!(state.starts_with("ot=th:8,k0=") && state.len() <= 2_048, "{}", state.len());
}

#[test]
fn a_trace_that_is_refused_tells_no_share() {
    let bench = by(share(0.25).ignoring_remote_parents());
    let span = came(UNLUCKY, "01", "ot=th:8;x:1,obs=r:00f067aa0ba902b7,a=1").scope(|| bench.obs.span("span"));
    assert!(!span.is_recording());
    assert_eq!(sent(&span.context()).1, "obs=r:00f067aa0ba902b7,ot=x:1,a=1");
}

#[test]
fn the_root_of_a_trace_that_is_not_sampled_is_passed_on_and_known() {
    let state = "obs=r:00f067aa0ba902b7,a=1";
    let unsampled = came(LUCKY, "00", state);
    assert_eq!(sent(&unsampled).1, state);
    assert_eq!(below(Sampling::Always, &unsampled), None);
    let bench = Bench::new();
    let span = unsampled.scope(|| bench.obs.span("span"));
    assert_eq!(sent(&span.context()).1, state);
    let taken = by(ParentBased::new(Sampling::Never).with_remote_unsampled(Sampling::Always).into());
    let span = unsampled.scope(|| taken.obs.span("span"));
    assert_eq!(sent(&span.context()).1, "obs=r:00f067aa0ba902b7,ot=th:0,a=1", "all are taken");
    span.score_trace("quality", 1.0);
    span.log(Level::Info, "said");
    drop(span);
    let arrived = taken.arrived();
    let obs_core::Target::Trace { root_span_id, .. } = arrived.scores[0].target else { panic!() };
    assert_eq!(root_span_id.map(|id| id.to_string()).as_deref(), Some("00f067aa0ba902b7"));
}

#[test]
fn spans_below_one_that_a_share_in_the_middle_has_taken_roll_up_and_attach_as_ever() {
    let half =
        ParentBased::new(Sampling::Always).with_local_sampled(share(1.0)).with_local_unsampled(share(1.0));
    let bench =
        Bench::with(|builder| builder.sampling(half.into()).exclude_span_types(["llm_generation"]).unwrap());
    let run = came(LUCKY, "01", "ot=th:8").scope(|| bench.obs.agent_run("run"));
    run.scope(|| {
        let tool = bench.obs.tool_call("tool");
        tool.scope(|| {
            let mut call = bench.obs.llm_generation("call");
            call.usage(obs_core::Usage::new(7, 3));
        });
    });
    drop(run);
    let arrived = bench.arrived();
    let (run, tool) = (arrived.span("run"), arrived.span("tool"));
    assert_eq!((tool.parent_span_id, tool.remote_parent), (Some(run.span_id), false));
    assert_eq!(tool.attributes.get(obs_instrument::rolled::INPUT_TOKENS), Some(&7.into()));
    assert_eq!(tool.trace_state.as_deref(), Some("ot=th:0"), "all are taken");
}
