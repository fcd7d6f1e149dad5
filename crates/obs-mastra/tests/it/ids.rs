//! Which span and trace everything is found by.

use obs_core::{
    Batch, Event, Exporter, Feedback, Level, Log, Metric, MetricValue, Score, ScoreValue, Signal, Span,
    SpanRef, Target,
};
use obs_mastra::{MastraConfig, MastraExporter};
use obs_testkit::CaptureServer;
use obs_testkit::fixtures::{self, at, context, span_id, trace_id, uuid};
use serde_json::{Value, json};

use crate::server::{self, ended, sent};

fn span(nth: u32, parent: Option<u32>) -> Span {
    let mut span = Span::new(trace_id(1), span_id(nth), format!("span {nth}"), at(nth.into()));
    span.parent_span_id = parent.map(span_id);
    span.end = Some(at(100));
    span
}

#[tokio::test]
async fn law_5_ids_are_kept_and_stand_under_both_of_mastra_s_names() {
    let sent = sent(ended([span(1, None)])).await;
    let item = sent.item();
    assert_eq!((&item["id"], &item["spanId"]), (&json!(span_id(1)), &json!(span_id(1))));
    assert_eq!(item["traceId"], json!(trace_id(1)));
    assert_eq!((&item["isRootSpan"], item.get("parentSpanId")), (&json!(true), None));
}

#[tokio::test]
async fn children_before_parents_and_orphans_keep_their_parent() {
    let sent = sent(ended([span(3, Some(2)), span(2, Some(1)), span(8, Some(7))])).await;
    let parents: Vec<_> = sent.items.iter().map(|(_, item)| item["parentSpanId"].clone()).collect();
    assert_eq!(parents, [json!(span_id(2)), json!(span_id(1)), json!(span_id(7))]);
    assert!(sent.items.iter().all(|(_, item)| item["isRootSpan"] == false));
}

#[tokio::test]
async fn a_parent_in_another_process_is_an_external_one_and_its_child_is_a_root_there() {
    let mut remote = span(2, Some(1));
    remote.remote_parent = true;
    remote.context = context();
    let sent = sent(ended([remote])).await;
    let item = sent.item();
    assert_eq!(item["externalParentSpanId"], json!(span_id(1)));
    assert_eq!((item.get("parentSpanId"), &item["isRootSpan"]), (None, &json!(true)));
    assert_eq!(item["tags"], json!(["beta", "support"]));
}

#[tokio::test]
async fn law_5_everything_else_is_found_by_the_ids_of_its_span() {
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(3), root_span_id: None };
    let mut log = Log::new(at(1), Level::Info, "here");
    log.span = Some(SpanRef { trace_id: trace_id(1), span_id: Some(span_id(3)) });
    let mut metric = Metric::new(at(1), "m", MetricValue::Add(1.0));
    let reference = SpanRef { trace_id: trace_id(1), span_id: Some(span_id(3)) };
    metric.exemplar = Some(obs_core::Exemplar { span: reference, value: None, time: None });
    let score = Score::new(uuid(1), at(1), target.clone(), "relevance", 0.5);
    let words = Score { value: ScoreValue::category("good"), ..score.clone() };
    let thumb = Feedback::new(uuid(2), at(1), target, "thumbs", true);
    for batch in [
        Batch::Logs(vec![log].into()),
        Batch::Metrics(vec![metric].into()),
        Batch::Scores(vec![score].into()),
        Batch::Scores(vec![words].into()),
        Batch::Feedback(vec![thumb].into()),
    ] {
        let sent = sent(batch).await;
        let item = sent.item();
        for at in [item, &item["correlationContext"]] {
            assert_eq!(
                (&at["traceId"], &at["spanId"]),
                (&json!(trace_id(1)), &json!(span_id(3))),
                "{item:#}"
            );
        }
    }
}

/// Every id in what is sent, with the names of its fields.
fn ids(items: &[(String, Value)]) -> Vec<Value> {
    let names = ["id", "logId", "metricId", "scoreId", "feedbackId"];
    items.iter().flat_map(|(_, item)| names.iter().filter_map(|name| item.get(*name).cloned())).collect()
}

#[test]
fn law_5_another_process_says_the_same_bytes() {
    let exporter = || MastraExporter::new(MastraConfig::new(server::TOKEN)).unwrap();
    for batch in fixtures::all() {
        assert_eq!(exporter().encode(&batch), exporter().encode(&batch));
    }
}

#[tokio::test]
async fn law_5_a_second_try_of_what_is_left_says_the_same_ids() {
    for batch in fixtures::trace_batches().into_iter().chain([fixtures::batch(Signal::Metrics)]) {
        let server = CaptureServer::start().await;
        let exporter = server::exporter(&server);
        exporter.export(&batch).await.unwrap();
        let first = server::items(&server);
        server.take_requests();
        let half = batch.len() / 2;
        exporter.export(&batch.slice(0..half)).await.unwrap();
        exporter.export(&batch.slice(half..batch.len())).await.unwrap();
        // Numbers and words of scores go by two routes, so that their order is not that of the batch.
        let sorted = |items: &[(String, Value)]| {
            let mut ids: Vec<_> = ids(items).iter().map(ToString::to_string).collect();
            ids.sort();
            ids
        };
        assert_eq!(sorted(&server::items(&server)), sorted(&first));
    }
}

#[tokio::test]
async fn events_have_ids_of_their_own_that_differ() {
    let mut span = span(1, None);
    let event =
        |micros| Event { time: at(micros), name: "retry".into(), attributes: obs_core::Attributes::new() };
    span.events = vec![event(5), event(5), event(6)];
    let sent = sent(ended([span])).await;
    let mut found = ids(&sent.items);
    assert_eq!(found.len(), 4);
    found.sort_by_key(ToString::to_string);
    found.dedup();
    assert_eq!(found.len(), 4);
    assert!(sent.items[1..].iter().all(|(_, item)| item["parentSpanId"] == json!(span_id(1))));
}

#[tokio::test]
async fn the_same_measurement_of_two_replicas_or_tenants_is_two() {
    let of = |service: &'static str, tenant: Option<&'static str>| {
        let mut metric = Metric::new(at(1), "orders", MetricValue::Add(1.0));
        metric.resource = obs_core::Resource::service(service).into();
        let mut context = (*metric.context).clone();
        context.organization_id = tenant.map(Into::into);
        metric.context = context.into();
        metric
    };
    let mut replica = of("shop", None);
    let mut resource = (*replica.resource).clone();
    resource.attributes.insert("service.instance.id", "two");
    replica.resource = resource.into();
    let metrics = [of("shop", None), replica, of("till", None), of("shop", Some("a")), of("shop", Some("b"))];
    let mut found = Vec::new();
    for metric in metrics {
        found.extend(ids(&sent(Batch::Metrics(vec![metric].into())).await.items));
    }
    found.sort_by_key(ToString::to_string);
    found.dedup();
    assert_eq!(found.len(), 5);
}
