//! How much goes into a request, and what becomes of a record that is larger than any.

use obs_core::{Batch, Event, Level, Log, Metric, MetricValue, Payload, Span};
use obs_mastra::MastraConfig;
use obs_testkit::fixtures::{at, span_id, trace_id};

use crate::server::{Sent, ended, sent, sent_with};

fn small(config: MastraConfig) -> MastraConfig {
    config.with_max_request_size(64 << 10)
}

/// The bytes and the items of each request.
fn sizes(sent: &Sent) -> Vec<(usize, usize)> {
    let items = |request: &obs_testkit::Captured| {
        request.json().unwrap().as_object().unwrap().values().map(|list| list.as_array().unwrap().len()).sum()
    };
    sent.server.requests().iter().map(|request| (request.body.len(), items(request))).collect()
}

fn long(nth: u64, bytes: usize) -> Log {
    Log::new(at(nth), Level::Info, format!("{nth} {}", "x".repeat(bytes)))
}

#[tokio::test]
async fn a_request_has_at_most_a_thousand_items_in_the_order_of_the_batch() {
    let metrics = (0..2_500).map(|nth| Metric::new(at(nth), "m", MetricValue::Add(nth as f64)));
    let sent = sent(Batch::Metrics(metrics.collect())).await;
    let items: Vec<_> = sizes(&sent).into_iter().map(|(_, items)| items).collect();
    assert_eq!((items, sent.receipt.delivered), (vec![1_000, 1_000, 500], 2_500));
    let values: Vec<_> = sent.items.iter().map(|(_, item)| item["value"].as_f64().unwrap()).collect();
    assert!(values.is_sorted());
}

#[tokio::test]
async fn a_span_and_its_events_stay_together_where_they_fit() {
    let span = |nth: u32| {
        let mut span = Span::new(trace_id(1), span_id(nth), "step", at(0));
        let event = Event { time: at(1), name: "e".into(), attributes: obs_core::Attributes::new() };
        span.events = vec![event; 399];
        span
    };
    let sent = sent(ended((1..=5).map(span))).await;
    let items: Vec<_> = sizes(&sent).into_iter().map(|(_, items)| items).collect();
    assert_eq!((items, sent.receipt.delivered), (vec![800, 800, 400], 5));
}

#[tokio::test]
async fn a_request_has_no_more_bytes_than_it_may() {
    let sent = sent_with(Batch::Logs((0..20).map(|nth| long(nth, 10_000)).collect()), small).await;
    let sizes = sizes(&sent);
    assert!(sizes.iter().all(|(bytes, _)| *bytes <= 64 << 10), "{sizes:?}");
    assert_eq!(sizes.iter().map(|(_, items)| items).collect::<Vec<_>>(), [&6, &6, &6, &2]);
    assert_eq!(sent.receipt.delivered, 20);
}

#[tokio::test]
async fn what_is_larger_than_any_request_is_cut_with_a_mark_and_sinks_nobody() {
    let logs = vec![long(1, 100), long(2, 200_000), long(3, 100)];
    let sent = sent_with(Batch::Logs(logs.into()), small).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected_count()), (3, 0));
    assert!(sizes(&sent).iter().all(|(bytes, _)| *bytes <= 64 << 10));
    let messages: Vec<_> = sent.items.iter().map(|(_, item)| item["message"].as_str().unwrap()).collect();
    assert!(messages[1].ends_with("[truncated by obs: 200002 bytes were too large]"));
    assert!(messages[1].len() > 60_000 && messages[0].len() == 102);
}

#[tokio::test]
async fn a_span_s_documents_and_its_events_are_cut_each() {
    let mut span = Span::new(trace_id(1), span_id(1), "big", at(0));
    span.input = Some(Payload::text("i".repeat(100_000)));
    let event = |text: String| Event {
        time: at(1),
        name: "e".into(),
        attributes: [("text", obs_core::Value::from(text))].into_iter().collect(),
    };
    span.events = vec![event("short".into()), event("e".repeat(100_000))];
    let sent = sent_with(ended([span]), small).await;
    assert_eq!((sent.receipt.delivered, sent.items.len()), (1, 3));
    assert!(sizes(&sent).iter().all(|(bytes, _)| *bytes <= 64 << 10));
    let items: Vec<_> = sent.items.iter().map(|(_, item)| item).collect();
    assert!(items[0]["input"].as_str().unwrap().ends_with("100000 bytes were too large]"));
    assert_eq!(items[1]["metadata"]["text"], "short");
    assert!(items[2]["metadata"]["text"].as_str().unwrap().ends_with("100000 bytes were too large]"));
}

#[tokio::test]
async fn a_record_of_many_short_texts_that_does_not_fit_is_refused_alone() {
    let mut wide = Log::new(at(1), Level::Info, "wide");
    wide.attributes = (0..200).map(|nth| (format!("attribute {nth}"), "x".repeat(1_000))).collect();
    let sent = sent_with(Batch::Logs(vec![wide, long(2, 10)].into()), small).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected_count()), (1, 1));
    assert_eq!(sent.receipt.rejected[0].kind, obs_core::ErrorKind::TooLarge);
}

#[tokio::test]
async fn an_event_of_many_short_texts_takes_no_span_with_it() {
    let mut span = Span::new(trace_id(1), span_id(1), "step", at(0));
    span.input = Some(Payload::text("asked"));
    let event = |name: &'static str, count: usize| Event {
        time: at(1),
        name: name.into(),
        attributes: (0..count).map(|nth| (format!("attribute {nth}"), "x".repeat(1_000))).collect(),
    };
    span.events = vec![event("wide", 200), event("short", 1)];
    let sent = sent_with(ended([span]), small).await;
    assert_eq!((sent.receipt.delivered, sent.receipt.rejected_count()), (1, 0));
    let items: Vec<_> = sent.items.iter().map(|(_, item)| item).collect();
    assert_eq!((items.len(), &items[0]["input"]), (3, &"asked".into()));
    assert_eq!((&items[1]["name"], &items[2]["name"]), (&"wide".into(), &"short".into()));
    let mark = items[1]["metadata"]["truncated"].as_str().unwrap();
    assert!(mark.contains("200 attributes"), "{mark}");
    assert_eq!(items[2]["metadata"]["attribute 0"], "x".repeat(1_000));
}

#[test]
fn lanes_are_told_the_size_of_requests() {
    use obs_core::Exporter as _;
    let exporter = obs_mastra::MastraExporter::new(small(MastraConfig::new("t"))).unwrap();
    for signal in obs_core::Signal::ALL {
        assert_eq!(exporter.descriptor().limits(signal), obs_core::Limits { items: 1_000, bytes: 64 << 10 });
    }
}
