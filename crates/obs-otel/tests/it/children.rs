//! Children as events of their root.

use std::sync::Arc;

use obs_core::{Batch, Event, Exporter, Link, Resource, Scope, Signal, Span, SpanRecord};
use obs_testkit::Answer;
use obs_testkit::fixtures::{self, at, span_id, trace_id};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span as Sent;

use crate::support::{Bench, Sent as Request, attribute};

fn span(nth: u32, parent: Option<u32>) -> Span {
    let mut span = Span::new(trace_id(1), span_id(nth), "work", at(nth.into()));
    span.end = Some(at(u64::from(nth) + 10));
    span.parent_span_id = parent.map(span_id);
    span
}

async fn sent(batch: &Batch) -> Vec<Sent> {
    let bench = Bench::with(|config| config.with_create_child_spans(false)).await;
    let receipt = bench.export(batch).await.unwrap();
    assert_eq!(receipt.delivered, batch.len());
    let requests = bench.server.take_requests();
    let spans = requests.iter().flat_map(|request| {
        let Request::Traces(request) = Request::of(request) else { panic!("no spans") };
        request.resource_spans.into_iter().flat_map(|of| of.scope_spans).flat_map(|scope| scope.spans)
    });
    spans.collect()
}

fn ended(spans: Vec<Span>) -> Batch {
    Batch::Traces(spans.into_iter().map(SpanRecord::Ended).collect())
}

#[tokio::test]
async fn a_child_whose_root_is_at_hand_is_an_event_with_all_that_it_says() {
    let mut grandchild = span(3, Some(2));
    grandchild.events =
        vec![Event { time: at(4), name: "retry".into(), attributes: [("nth", 1)].into_iter().collect() }];
    let mut failed = span(4, Some(1));
    failed.status = obs_core::Status::Error;
    failed.error = Some(Box::new(obs_core::ErrorInfo::message("broken")));
    let batch = ended(vec![grandchild, span(2, Some(1)), failed, span(1, None)]);
    let spans = sent(&batch).await;
    assert_eq!(spans.len(), 1);
    let names: Vec<_> =
        spans[0].events.iter().map(|event| (event.name.as_str(), event.time_unix_nano)).collect();
    let time = |micros| at(micros).as_nanos();
    assert_eq!(names, [("work", time(2)), ("work", time(3)), ("work", time(4)), ("retry", time(4))]);
    let text = |event: usize, key: &str| match attribute(&spans[0].events[event].attributes, key) {
        Some(Any::StringValue(text)) => text.clone(),
        other => panic!("{key}: {other:?}"),
    };
    assert_eq!(text(1, "obs.span.id"), span_id(3).to_string());
    assert_eq!(text(1, "obs.span.parent_id"), span_id(2).to_string());
    assert_eq!((text(2, "obs.span.status"), text(2, "exception.message")), ("error".into(), "broken".into()));
    assert_eq!(text(3, "obs.span.id"), span_id(3).to_string());
    let duration = attribute(&spans[0].events[0].attributes, "obs.span.duration_ns");
    assert_eq!(duration, Some(&Any::IntValue(10_000)));
}

#[tokio::test]
async fn a_child_whose_root_is_elsewhere_stays_a_span() {
    let mut of_remote = span(6, Some(77));
    of_remote.remote_parent = true;
    let spans = sent(&ended(vec![span(2, Some(1)), span(3, Some(2)), of_remote, span(7, Some(6))])).await;
    let ids: Vec<_> = spans.iter().map(|span| (span.span_id.clone(), span.events.len())).collect();
    let id = |nth| span_id(nth).to_bytes().to_vec();
    assert_eq!(ids, [(id(2), 0), (id(3), 0), (id(6), 1)], "what a remote span called here is folded into it");
}

#[tokio::test]
async fn a_family_that_is_too_large_for_a_request_goes_as_spans() {
    let bench =
        Bench::with(|config| config.with_create_child_spans(false).with_max_request_size(100_000)).await;
    let mut spans = vec![span(1, None)];
    for nth in 2..20 {
        let mut child = span(nth, Some(1));
        child.output = Some(obs_core::Payload::text("x".repeat(10_000)));
        spans.push(child);
    }
    let batch = ended(spans);
    let receipt = bench.export(&batch).await.unwrap();
    assert_eq!(receipt.delivered, batch.len());
    let requests = bench.server.take_requests();
    assert!(requests.len() > 1 && requests.iter().all(|request| request.body.len() <= 100_000));
}

#[tokio::test]
async fn law_1_accounting_holds_for_the_whole_fixture_set() {
    let bench = Bench::with(|config| config.with_create_child_spans(false)).await;
    for batch in fixtures::trace_batches()
        .into_iter()
        .chain([fixtures::batch(Signal::Traces), fixtures::nasty(Signal::Traces)])
    {
        if batch.signal() == Signal::Traces {
            let batch = obs_testkit::conformance::input(&batch, bench.exporter.descriptor());
            let outcome = bench.exporter.export(&batch).await;
            obs_testkit::conformance::assert_conserved(&batch, &outcome);
        }
    }
}

#[tokio::test]
async fn law_1_what_a_collector_refuses_of_families_takes_the_children_along() {
    let family = |root: u32, children: u32| {
        let children = (root + 1..=root + children).map(move |nth| span(nth, Some(root)));
        children.chain([span(root, None)])
    };
    // One of six records, one of two, and one that is alone.
    let whole = || ended(family(1, 5).chain(family(20, 1)).chain(family(30, 0)).collect());
    let one = || ended(family(1, 5).collect());
    for (batch, refused, lost) in
        [(one(), 1, 6), (one(), 99, 6), (whole(), 1, 6), (whole(), 2, 8), (whole(), 3, 9), (whole(), 0, 0)]
    {
        let bench = Bench::with(|config| config.with_create_child_spans(false)).await;
        let answer = serde_json::json!({"partialSuccess": {"rejectedSpans": refused, "errorMessage": "old"}});
        bench.server.answer_always(Answer::json(&answer));
        let receipt = bench.export(&batch).await.unwrap();
        assert_eq!((receipt.delivered, receipt.rejected_count()), (batch.len() - lost, lost), "{refused}");
    }
}

#[tokio::test]
async fn law_1_a_family_that_went_as_spans_is_counted_by_spans() {
    let bench =
        Bench::with(|config| config.with_create_child_spans(false).with_max_request_size(100_000)).await;
    let mut spans = vec![span(1, None)];
    for nth in 2..20 {
        let mut child = span(nth, Some(1));
        child.output = Some(obs_core::Payload::text("x".repeat(10_000)));
        spans.push(child);
    }
    let batch = ended(spans);
    bench.server.answer_always(Answer::json(&serde_json::json!({"partialSuccess": {"rejectedSpans": 1}})));
    let receipt = bench.export(&batch).await.unwrap();
    assert_eq!(receipt.rejected_count(), bench.server.requests().len(), "one of each request");
    assert_eq!(receipt.settled(), batch.len());
}

#[tokio::test]
async fn a_child_of_another_resource_or_scope_stays_a_span() {
    let of = |nth, parent, resource: Resource| {
        let mut span = span(nth, parent);
        span.resource = Arc::new(resource);
        span
    };
    let mut scoped = Resource::service("shop");
    scoped.scope =
        Some(Scope { name: "http".into(), version: None, attributes: obs_core::Attributes::new() });
    let batch = ended(vec![
        of(1, None, Resource::service("shop")),
        of(2, Some(1), Resource::service("shop")),
        of(3, Some(1), Resource::service("payments")),
        of(4, Some(1), scoped),
        of(5, Some(3), Resource::service("shop")),
    ]);
    let spans = sent(&batch).await;
    let mut ids: Vec<_> = spans.iter().map(|span| (span.span_id.clone(), span.events.len())).collect();
    ids.sort();
    let id = |nth| span_id(nth).to_bytes().to_vec();
    assert_eq!(ids, [(id(1), 2), (id(3), 0), (id(4), 0)]);
}

#[tokio::test]
async fn what_a_child_had_of_w3c_and_whose_a_link_was_is_said() {
    let mut child = span(2, Some(1));
    child.trace_state = Some("vendor=1".into());
    child.trace_flags = 3;
    let link = |nth| Link {
        trace_id: trace_id(9),
        span_id: span_id(nth),
        trace_state: None,
        attributes: [("why", "retry")].into_iter().collect(),
    };
    child.links = vec![link(7)];
    let mut root = span(1, None);
    root.links = vec![link(8)];
    let spans = sent(&ended(vec![child, span(3, Some(1)), root])).await;
    let text = |key: &str| attribute(&spans[0].events[0].attributes, key).cloned();
    assert_eq!(text("obs.span.trace_state"), Some(Any::StringValue("vendor=1".into())));
    assert_eq!(text("obs.span.trace_flags"), Some(Any::IntValue(3)));
    assert_eq!(attribute(&spans[0].events[1].attributes, "obs.span.trace_flags"), None, "as the root's");
    let links: Vec<_> =
        spans[0].links.iter().map(|link| attribute(&link.attributes, "obs.span.id").cloned()).collect();
    assert_eq!(links, [None, Some(Any::StringValue(span_id(2).to_string()))]);
    assert!(spans[0].links.iter().all(|link| attribute(&link.attributes, "why").is_some()));
}
