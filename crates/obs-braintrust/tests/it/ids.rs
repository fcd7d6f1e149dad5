//! Every id is a function of its record, so that all that is said of a thing lands on its row.

use std::collections::BTreeSet;

use obs_braintrust::{BraintrustExporter, LogRowStyle};
use obs_core::{Batch, Exporter, Level, Log, Score, Span, SpanRecord, SpanRef, Target};
use obs_testkit::fixtures::{at, span_id, trace_id, uuid};
use serde_json::{Value, json};

use crate::server::{self, ended, logs, scores, sent, sent_with};

fn span(nth: u32, parent: Option<u32>) -> Span {
    let mut span = Span::new(trace_id(1), span_id(nth), format!("span {nth}"), at(nth.into()));
    span.parent_span_id = parent.map(span_id);
    span.end = Some(at(100));
    span
}

#[tokio::test]
async fn law_5_ids_of_w3c_are_those_of_rows() {
    let (trace, id) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let mut span = Span::new(trace.parse().unwrap(), id.parse().unwrap(), "chat", at(0));
    span.parent_span_id = Some("00f067aa0ba902b7".parse().unwrap());
    let sent = sent(ended([span])).await;
    let row = sent.row();
    assert_eq!((&row["id"], &row["span_id"]), (&json!(id), &json!(id)));
    assert_eq!(row["root_span_id"], trace);
    assert_eq!(row["span_parents"], json!(["00f067aa0ba902b7"]));
}

#[tokio::test]
async fn roots_have_no_parents_and_orphans_and_remote_parents_keep_theirs() {
    let mut remote = span(4, Some(40));
    remote.remote_parent = true;
    let sent = sent(ended([span(2, Some(1)), span(1, None), span(3, Some(30)), remote])).await;
    let parents: Vec<&Value> = sent.rows.iter().map(|row| &row["span_parents"]).collect();
    let [first, orphan, far] = [1, 30, 40].map(|nth| json!([span_id(nth)]));
    assert_eq!(parents, [&first, &json!([]), &orphan, &far]);
    assert!(sent.rows.iter().all(|row| row["_is_merge"] == true));
}

#[tokio::test]
async fn law_5_a_score_from_another_process_lands_on_the_row() {
    let server = server::start().await;
    let (writer, scorer) = (server::exporter(&server), server::exporter(&server));
    writer.export(&ended([span(1, None), span(2, Some(1))])).await.unwrap();
    let trace = Target::Trace { trace_id: trace_id(1), root_span_id: Some(span_id(1)) };
    let child = Target::Span { trace_id: trace_id(1), span_id: span_id(2), root_span_id: None };
    let judged = [trace, child].map(|target| Score::new(uuid(1), at(9), target, "relevance", 0.5));
    scorer.export(&scores(judged)).await.unwrap();
    let ids = |found: Vec<(String, Value)>| {
        found.into_iter().map(|(_, item)| item["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(server::inserted(&server)), ids(server::fed_back(&server)));
}

#[tokio::test]
async fn law_5_a_restart_sends_the_same_bytes() {
    for batch in obs_testkit::fixtures::trace_batches() {
        let server = server::start().await;
        let bodies = |exporter: &BraintrustExporter| exporter.encode(&batch);
        assert_eq!(bodies(&server::exporter(&server)), bodies(&server::exporter(&server)));
        assert!(server.requests().is_empty(), "encoding sends nothing");
    }
}

#[tokio::test]
async fn a_start_and_an_end_in_one_batch_are_one_row() {
    let mut started = span(1, None);
    started.end = None;
    let ended = SpanRecord::Ended(span(1, None));
    for order in
        [[SpanRecord::Started(started.clone()), ended.clone()], [ended, SpanRecord::Started(started)]]
    {
        let sent = sent(Batch::Traces(order.into_iter().collect())).await;
        assert!(sent.row()["metrics"]["end"].is_number());
        assert_eq!(sent.receipt.delivered, 2);
    }
}

#[tokio::test]
async fn a_start_alone_is_a_row_that_the_end_completes() {
    let mut started = span(1, None);
    started.end = None;
    let server = server::start().await;
    let exporter = server::exporter(&server);
    exporter.export(&Batch::Traces(vec![SpanRecord::Started(started)].into())).await.unwrap();
    exporter.export(&ended([span(1, None)])).await.unwrap();
    let rows = server::inserted(&server);
    assert_eq!(rows[0].1["id"], rows[1].1["id"]);
    assert!(rows[0].1["metrics"].get("end").is_none() && rows[1].1["metrics"]["end"].is_number());
    assert_eq!(rows[0].1["metrics"]["start"], rows[1].1["metrics"]["start"]);
}

#[tokio::test]
async fn no_request_has_an_id_twice_and_what_is_said_later_is_sent_later() {
    let again = |nth: u32, name: &'static str| {
        let mut span = span(nth, None);
        span.name = name.into();
        span
    };
    let sent = sent(ended([again(1, "a"), again(2, "b"), again(1, "c"), again(1, "d"), again(2, "e")])).await;
    let requests = sent.server.requests();
    let mut names = Vec::new();
    for request in requests.iter().filter(|request| request.path.ends_with("/insert")) {
        let body = request.json().unwrap();
        let rows = body["events"].as_array().unwrap();
        let ids: BTreeSet<_> = rows.iter().map(|row| row["id"].to_string()).collect();
        assert_eq!(ids.len(), rows.len());
        names.push(rows.iter().map(|row| row["span_attributes"]["name"].clone()).collect::<Vec<_>>());
    }
    assert_eq!(json!(names), json!([["a", "b"], ["c", "e"], ["d"]]));
    assert_eq!(sent.receipt.delivered, 5);
}

#[tokio::test]
async fn logs_have_rows_of_their_own_that_a_retry_overwrites() {
    let mut inside = Log::new(at(5), Level::Info, "asked");
    inside.span = Some(SpanRef { trace_id: trace_id(1), span_id: Some(span_id(1)) });
    let mut trace_only = inside.clone();
    trace_only.span = Some(SpanRef { trace_id: trace_id(1), span_id: None });
    let outside = Log::new(at(5), Level::Info, "asked");
    let batch = || logs([inside.clone(), inside.clone(), trace_only.clone(), outside.clone()]);
    let (first, second) = (sent(batch()).await, sent(batch()).await);
    assert_eq!(first.rows, second.rows);
    let ids: BTreeSet<_> = first.rows.iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(ids.len(), 4, "twins too have ids of their own");
    assert!(first.rows.iter().all(|row| row["id"] != json!(span_id(1))), "a span's row is not overwritten");
    assert!(first.rows.iter().all(|row| row.get("span_parents").is_none()));
    let [own, _, below, alone] = &first.rows[..] else { panic!("{:?}", first.rows) };
    assert_eq!((&own["span_id"], &own["root_span_id"]), (&json!(span_id(1)), &json!(trace_id(1))));
    assert_eq!(below["root_span_id"], json!(trace_id(1)));
    assert_eq!(below["span_id"].as_str().unwrap().len(), 16);
    assert_eq!((&alone["span_id"], &alone["root_span_id"]), (&alone["id"], &alone["id"]));
}

#[tokio::test]
async fn a_log_as_a_child_span_is_below_the_span_it_was_made_under() {
    let mut inside = Log::new(at(5), Level::Error, "failed");
    inside.span = Some(SpanRef { trace_id: trace_id(1), span_id: Some(span_id(1)) });
    inside.event_name = Some("order.failed".into());
    let outside = Log::new(at(5), Level::Info, "started");
    let style = |config: obs_braintrust::BraintrustConfig| config.with_log_row_style(LogRowStyle::ChildSpan);
    let sent = sent_with(logs([inside, outside]), style).await;
    let [child, alone] = &sent.rows[..] else { panic!("{:?}", sent.rows) };
    let attributes = json!({"name": "order.failed", "type": "task", "log_level": "error"});
    assert_eq!(child["span_attributes"], attributes);
    assert_eq!(child["span_parents"], json!([span_id(1)]));
    assert_ne!(child["span_id"], json!(span_id(1)));
    assert_eq!(alone["span_parents"], json!([]));
    assert_eq!((&alone["span_id"], &alone["root_span_id"]), (&alone["id"], &alone["id"]));
}
