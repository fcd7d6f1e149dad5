//! What happened during a span, as Mastra has it: spans of no length.

use obs_core::{Attributes, Event, Span, Value};
use obs_testkit::fixtures::{at, context, span_id, trace_id};
use serde_json::json;

use crate::server::{ended, sent};

fn span(events: usize) -> Span {
    let mut span = Span::new(trace_id(1), span_id(1), "work", at(0));
    span.end = Some(at(100_000));
    span.context = context();
    span.events = (0..events)
        .map(|nth| Event {
            time: at(7_000 + nth as u64),
            name: "retry".into(),
            attributes: [("attempt", Value::from(nth))].into_iter().collect(),
        })
        .collect();
    span
}

#[tokio::test]
async fn an_event_is_a_span_without_an_end_below_its_span() {
    let sent = sent(ended([span(1)])).await;
    assert_eq!((sent.receipt.delivered, sent.items.len()), (1, 2));
    let event = &sent.items[1].1;
    for (name, told) in [
        ("isEvent", json!(true)),
        ("isRootSpan", json!(false)),
        ("type", json!("generic")),
        ("name", json!("retry")),
        ("startTime", json!("2026-01-15T10:00:00.007Z")),
        ("startedAt", json!("2026-01-15T10:00:00.007Z")),
        ("endedAt", json!(null)),
        ("parentSpanId", json!(span_id(1))),
    ] {
        assert_eq!(event[name], told, "{name}");
    }
    assert!(event.get("endTime").is_none() && event.get("tags").is_none());
    assert_eq!((&event["metadata"]["attempt"], &event["metadata"]["userId"]), (&json!(0), &json!("user-7")));
    assert_eq!(sent.items[0].1["isEvent"], false);
}

#[tokio::test]
async fn a_span_with_more_events_than_a_request_holds_takes_several_and_counts_once() {
    let sent = sent(ended([span(0), span(2_500), span(0)])).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected_count()), (3, 0));
    let counts: Vec<_> = sent
        .server
        .requests()
        .iter()
        .map(|request| request.json().unwrap()["spans"].as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [1, 1_000, 1_000, 501, 1]);
}

#[tokio::test]
async fn a_span_without_attributes_says_none() {
    let mut bare = span(0);
    bare.attributes = Attributes::new();
    let sent = sent(ended([bare])).await;
    assert!(sent.item().get("attributes").is_none());
}
