//! Contexts across processes: what goes out, and what comes in.

use std::collections::{BTreeMap, HashMap};

use obs_core::{SpanId, Target, TraceId};
use obs_instrument::{Baggage, Context, Sampling};

use crate::collect::Bench;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn headers(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn from(traceparent: &str) -> Context {
    Context::extract(&headers(&[("traceparent", traceparent)]))
}

#[test]
fn the_true_sampled_flag_goes_out() {
    for (sampling, flag) in [(Sampling::Always, "-03"), (Sampling::Never, "-02")] {
        let bench = Bench::with(|builder| builder.sampling(sampling));
        let span = bench.obs.span("call");
        let mut out = BTreeMap::new();
        span.context().inject(&mut out);
        assert!(out["traceparent"].ends_with(flag), "{out:?}");
        assert!(out["traceparent"].contains(&span.trace_id().unwrap().to_string()));
        assert_eq!(Context::extract(&out).is_sampled(), flag == "-03");
        assert_eq!(Context::extract(&out).span_id(), span.span_id());
    }
}

#[test]
fn a_trace_that_is_passed_through_keeps_its_flags_and_state() {
    for flags in ["00", "01", "02", "03"] {
        let came = headers(&[
            ("Traceparent", &format!("00-{TRACE}-{PARENT}-{flags}")),
            ("tracestate", "congo=t61rcWkgMzE,rojo=1"),
        ]);
        let mut out = HashMap::new();
        Context::extract(&came).inject(&mut out);
        assert_eq!(out["traceparent"], format!("00-{TRACE}-{PARENT}-{flags}"));
        assert_eq!(out["tracestate"], "congo=t61rcWkgMzE,rojo=1");
    }
}

#[test]
fn the_root_goes_along_so_that_scores_of_the_trace_find_it_from_another_process() {
    let (front, back) = (Bench::new(), Bench::new());
    let root = front.obs.agent_run("root");
    let call = root.scope(|| front.obs.tool_call("call"));
    let mut out = headers(&[("tracestate", "old=1"), ("traceparent", "old")]);
    call.context().inject(&mut out);
    assert_eq!(out["tracestate"], format!("obs=r:{}", root.span_id().unwrap()));
    out.insert("tracestate".into(), format!("vendor=1,{}", out["tracestate"]));
    Context::extract(&out).scope(|| {
        let serve = back.obs.span("serve");
        serve.score_trace("quality", 1.0);
        let mut further = HashMap::new();
        serve.context().inject(&mut further);
        assert_eq!(further["tracestate"], format!("obs=r:{},vendor=1", root.span_id().unwrap()));
    });
    let arrived = back.arrived();
    let target = Target::Trace { trace_id: root.trace_id().unwrap(), root_span_id: root.span_id() };
    assert_eq!(arrived.scores[0].target, target);
    let serve = arrived.span("serve");
    assert_eq!((serve.parent_span_id, serve.remote_parent), (call.span_id(), true));
    assert_eq!(serve.trace_state.as_deref(), Some("vendor=1"));
}

#[test]
fn a_bad_parent_begins_a_new_trace_and_takes_no_state() {
    let bench = Bench::new();
    for bad in
        ["", "00", "00-zz-00-01", &format!("00-{TRACE}-{PARENT}-01-more"), &format!("ff-{TRACE}-{PARENT}-01")]
    {
        let context =
            Context::extract(&headers(&[("traceparent", bad), ("tracestate", "a=1"), ("baggage", "k=v")]));
        assert_eq!((context.trace_id(), context.trace_state()), (None, None), "{bad}");
        assert_eq!(context.baggage().get("k"), Some("v"), "baggage is a header of its own");
        context.scope(|| bench.obs.span("root").end());
    }
    let arrived = bench.arrived();
    assert_eq!(arrived.spans.len(), 5);
    assert!(arrived.spans.iter().all(|span| span.is_root() && span.trace_state.is_none()));
}

#[test]
fn a_bad_state_leaves_the_parent_alone() {
    let came = headers(&[("traceparent", &format!("00-{TRACE}-{PARENT}-01")), ("tracestate", "no list")]);
    let context = Context::extract(&came);
    assert_eq!(context.span_id().map(|id| id.to_string()).as_deref(), Some(PARENT));
    assert_eq!(context.trace_state(), None);
    assert_eq!(from(&format!("00-{TRACE}-{PARENT}-01")).traceparent(), context.traceparent());
}

#[test]
fn state_told_by_hand_cannot_smuggle_headers() {
    let (trace, span) = (TraceId::new(1).unwrap(), SpanId::new(2).unwrap());
    let context = Context::remote(trace, span, true, Some("a=1\r\nx-evil: 1".into()));
    assert_eq!(context.trace_state(), None);
    let context = context.with_baggage("k", "1\r\nx-evil: 1").unwrap();
    let mut out = HashMap::new();
    context.inject(&mut out);
    assert_eq!(out["baggage"], "k=1%0D%0Ax-evil:%201");
}

#[test]
fn baggage_goes_to_children_and_services_and_onto_no_record() {
    for sampling in [Sampling::Always, Sampling::Never] {
        let bench = Bench::with(|builder| builder.sampling(sampling));
        let root = bench.obs.span("root");
        assert!(root.context().baggage().is_empty());
        let context = root.context().with_baggage("tenant", "acme").unwrap();
        context.scope(|| {
            let child = bench.obs.span("child");
            child.scope(|| {
                bench.obs.info("said");
                assert_eq!(Context::current().baggage().get("tenant"), Some("acme"));
            });
            let mut out = HashMap::new();
            child.context().with_baggage("more", "é").unwrap().inject(&mut out);
            assert_eq!(out["baggage"], "tenant=acme,more=%C3%A9");
        });
        assert!(root.context().baggage().is_empty(), "a context is a value");
        drop(root);
        assert!(!format!("{:?}", bench.arrived()).contains("acme"));
    }
    let error = Context::NONE.with_baggage("no token", "v").unwrap_err();
    assert!(error.to_string().contains("\"no token\""), "{error}");
    assert_eq!(Context::NONE.baggage(), &Baggage::default());
}

#[test]
fn a_context_outside_of_traces_sends_baggage_alone() {
    let mut out = headers(&[("traceparent", "kept"), ("baggage", "kept=1")]);
    Context::NONE.inject(&mut out);
    assert_eq!((&*out["traceparent"], &*out["baggage"]), ("kept", "kept=1"));
    Context::NONE.with_baggage("a", "1").unwrap().inject(&mut out);
    assert_eq!((&*out["traceparent"], &*out["baggage"]), ("kept", "a=1"));
}

#[test]
fn what_is_extracted_belongs_to_the_instance_at_hand() {
    let bench = Bench::new();
    let came = headers(&[("traceparent", &format!("00-{TRACE}-{PARENT}-01"))]);
    bench.obs.context().scope(|| {
        Context::extract(&came)
            .scope(|| obs_instrument::Observability::current().unwrap().span("here").end());
        Context::extract(&headers(&[]))
            .scope(|| obs_instrument::Observability::current().unwrap().span("new").end());
    });
    let arrived = bench.arrived();
    assert!(arrived.span("here").remote_parent && arrived.span("new").is_root());
}

#[test]
fn baggage_becomes_attributes_where_asked_for_and_is_redacted_there() {
    let keys = ["tenant", "authorization", "absent"];
    let bench = Bench::with(|builder| builder.baggage_attributes(keys));
    let baggage = [("tenant", "acme"), ("authorization", "Basic planted"), ("other", "private")];
    let context =
        baggage.iter().fold(Context::NONE, |all, (key, value)| all.with_baggage(*key, *value).unwrap());
    context.scope(|| bench.obs.span("root").scope(|| bench.obs.span("child").end()));
    let arrived = bench.arrived();
    for name in ["root", "child"] {
        let span = arrived.span(name);
        assert_eq!(span.attributes.get("tenant").and_then(|value| value.as_str()), Some("acme"));
        assert!(span.attributes.get("authorization").is_some() && span.attributes.get("absent").is_none());
        assert!(!format!("{span:?}").contains("planted") && !format!("{span:?}").contains("private"));
    }
}
