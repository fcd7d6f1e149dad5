//! Events of the user's own come after their records, and never in their place.

use obs_core::{Batch, ErrorKind, Exporter, Level, Log, Metric, MetricValue, Resource, Span, SpanRecord};
use obs_testkit::Answer;
use obs_testkit::fixtures::{span_id, trace_id};
use serde_json::{Value, json};

use crate::support::{Bench, EVENTS, at, events};

const TRACES: &str = "/v1/traces";

async fn bench() -> Bench {
    Bench::with(|config| config.with_event_type("Trace", ["function_name"])).await
}

fn span(nth: u32) -> SpanRecord {
    let mut span = Span::new(trace_id(1), span_id(nth), "step", at(0));
    span.attributes.insert("function_name", "f");
    SpanRecord::Ended(span)
}

fn spans(all: impl IntoIterator<Item = u32>) -> Batch {
    Batch::Traces(all.into_iter().map(span).collect())
}

fn paths(bench: &Bench) -> Vec<String> {
    bench.server.take_requests().into_iter().map(|request| request.path).collect()
}

/// The spans of the events that arrived, in order.
fn arrived(bench: &Bench) -> Vec<Value> {
    let requests = bench.server.take_requests();
    requests.iter().flat_map(events).map(|event| event["span_id"].clone()).collect()
}

fn ids(spans: impl IntoIterator<Item = u32>) -> Vec<Value> {
    spans.into_iter().map(|nth| json!(span_id(nth))).collect()
}

#[tokio::test]
async fn an_event_that_is_refused_takes_no_record_with_it() {
    let said_no = Answer::json(&json!({ "success": false, "error": "no" }));
    for refused in [Answer::status(400), Answer::status(413), Answer::status(422), said_no] {
        let bench = bench().await;
        bench.server.answer_for("POST", EVENTS, refused);
        let receipt = bench.export(&spans([1])).await.unwrap();
        assert_eq!((receipt.delivered, receipt.rejected_count()), (1, 0));
        assert_eq!(paths(&bench), [TRACES, EVENTS]);
        bench.exporter.flush().await.unwrap();
        assert!(paths(&bench).is_empty(), "what was refused is not sent again");
    }
}

#[tokio::test]
async fn an_event_is_not_sent_before_its_record_was_taken() {
    for status in [503, 429, 400, 413, 403] {
        let bench = bench().await;
        bench.server.answer([Answer::status(status)]);
        let batch = spans([1, 2]);
        let error = bench.export(&batch).await.unwrap_err();
        assert_eq!(error.undelivered(), &batch);
        assert_eq!(paths(&bench), [TRACES], "{status}");
        for half in [batch.slice(0..1), batch.slice(1..2)] {
            bench.export(&half).await.unwrap();
            assert_eq!(paths(&bench), [TRACES, EVENTS]);
        }
    }
}

#[tokio::test]
async fn an_event_that_finds_nobody_waits_and_its_record_is_delivered() {
    for status in [429, 503, 500, 403, 404] {
        let bench = bench().await;
        bench.server.answer([Answer::status(200), Answer::status(status)]);
        assert_eq!(bench.export(&spans([1])).await.unwrap().delivered, 1);
        assert_eq!(paths(&bench), [TRACES, EVENTS], "{status}");
        assert_eq!(bench.export(&spans([2])).await.unwrap().delivered, 1);
        assert_eq!(paths(&bench), [TRACES], "the Event API has its rest");
        bench.exporter.flush().await.unwrap();
        assert_eq!(arrived(&bench), ids([1, 2]), "in their order");
        bench.export(&spans([3])).await.unwrap();
        assert_eq!(arrived(&bench), ids([3]), "and the rest is over");
    }
}

#[tokio::test]
async fn a_shutdown_sends_what_waits() {
    let bench = bench().await;
    bench.server.answer([Answer::status(200), Answer::status(503)]);
    bench.export(&spans([1])).await.unwrap();
    arrived(&bench);
    bench.exporter.shutdown().await.unwrap();
    assert_eq!(arrived(&bench), ids([1]));
    bench.exporter.shutdown().await.unwrap();
    assert!(paths(&bench).is_empty());
    assert_eq!(bench.export(&spans([2])).await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_batch_that_the_main_way_wants_again_leaves_its_events_once() {
    let bench = bench().await;
    for _ in 0..5 {
        bench.server.answer([Answer::status(503)]);
        bench.export(&spans([1])).await.unwrap_err();
    }
    bench.export(&spans([1])).await.unwrap();
    assert_eq!(arrived(&bench), ids([1]));
}

/// The ids of the events that a batch becomes.
async fn event_ids(batch: Batch) -> Vec<String> {
    let bench = Bench::with(|config| config.with_event_type("E", ["a", "rate"])).await;
    let ids =
        bench.events(&batch).await.into_iter().map(|event| event["event.id"].as_str().unwrap().to_owned());
    ids.collect()
}

#[tokio::test]
async fn law_5_an_event_has_the_id_of_what_it_says_in_every_process() {
    let log = |time, service: &'static str, value: i64| {
        let mut log = Log::new(at(time), Level::Info, "m");
        log.attributes.insert("a", value);
        log.resource = Resource::service(service).into();
        log
    };
    let logs = || vec![log(1, "x", 1), log(2, "x", 1), log(1, "y", 1), log(1, "x", 2)];
    let point = |time, region: &'static str, instance: &'static str| {
        let mut metric = Metric::new(at(time), "rate", MetricValue::Gauge(1.0));
        metric.labels = [("region", region)].into();
        let mut resource = Resource::service("x");
        resource.attributes.insert("service.instance.id", instance);
        metric.resource = resource.into();
        metric
    };
    let points = || vec![point(1, "eu", "1"), point(2, "eu", "1"), point(1, "us", "1"), point(1, "eu", "2")];
    let spans = || {
        let with = |nth| {
            let mut span = Span::new(trace_id(1), span_id(nth), "step", at(0));
            span.attributes.insert("a", "f");
            SpanRecord::Ended(span)
        };
        vec![with(1), with(2)]
    };
    for make in [
        Box::new(move || Batch::Logs(logs().into())) as Box<dyn Fn() -> Batch>,
        Box::new(move || Batch::Metrics(points().into())),
        Box::new(move || Batch::Traces(spans().into())),
    ] {
        let first = event_ids(make()).await;
        assert_eq!(first, event_ids(make()).await);
        let mut different = first.clone();
        different.sort();
        different.dedup();
        assert_eq!((different.len(), first.len()), (make().len(), make().len()));
    }
}
