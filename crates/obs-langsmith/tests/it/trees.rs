//! Which tree a score says that its run is in: the one it is in, or none.

use std::sync::Arc;

use obs_core::{Ancestor, Exporter, Score, Span, SpanId, Target};
use obs_langsmith::{LangsmithExporter, RunIds};
use obs_testkit::CaptureServer;
use obs_testkit::fixtures::{self, at, span_id, trace_id};
use serde_json::Value;

use super::bench::{self, ended, scores, server, started};

/// A service's entry below a parent elsewhere, and a span below that.
fn downstream() -> [Span; 2] {
    let mut entry = Span::new(trace_id(1), span_id(2), "entry", at(0));
    (entry.parent_span_id, entry.remote_parent) = (SpanId::new(7), true);
    let mut child = Span::new(trace_id(1), span_id(3), "child", at(1));
    child.parent_span_id = Some(entry.span_id);
    child.path = Some(Arc::new(Ancestor::new(entry.span_id, entry.start, false, None)));
    [entry, child]
}

/// A score on a span that knows the trace's root, which another service has.
fn score(of: &Span) -> Score {
    let root_span_id = Some(span_id(1));
    let target = Target::Span { trace_id: of.trace_id, span_id: of.span_id, root_span_id };
    Score::new(fixtures::uuid(1), at(2), target, "quality", 1.0)
}

/// Path, run and tree of all feedback that arrived.
fn feedback(server: &CaptureServer) -> Vec<(String, Value, Option<Value>)> {
    let requests = server.take_requests();
    let sent = requests.iter().flat_map(|request| {
        let sent = bench::sent(std::slice::from_ref(request)).into_iter();
        sent.map(|sent| (request.path.clone(), sent))
    });
    let feedback = sent.filter(|(_, sent)| sent.verb == "feedback");
    feedback
        .map(|(path, sent)| (path, sent.json["run_id"].clone(), sent.json.get("trace_id").cloned()))
        .collect()
}

fn run(nth: u32) -> Value {
    format!("00000000-0000-0000-00f0-67aa{nth:08x}").into()
}

#[tokio::test]
async fn a_score_before_its_span_ends_names_no_tree_and_one_after_it_names_its_own() {
    let server = server().await;
    let exporter = bench::exporter(&server);
    let [entry, child] = downstream();
    exporter.export(&scores([score(&child)])).await.unwrap();
    assert_eq!(feedback(&server), [("/feedback".to_owned(), run(3), None)]);
    exporter.export(&ended([entry.clone(), child.clone()])).await.unwrap();
    feedback(&server);
    exporter.export(&scores([score(&child), score(&entry)])).await.unwrap();
    let part = |nth| ("/runs/multipart".to_owned(), run(nth), Some(run(2)));
    assert_eq!(feedback(&server), [part(3), part(2)]);
}

#[tokio::test]
async fn a_start_tells_the_tree_too() {
    let server = server().await;
    let exporter = LangsmithExporter::new(bench::config(&server).with_post_on_start(true)).unwrap();
    let [entry, child] = downstream();
    exporter.export(&started([entry, child.clone()])).await.unwrap();
    exporter.export(&scores([score(&child)])).await.unwrap();
    assert_eq!(feedback(&server), [("/runs/multipart".to_owned(), run(3), Some(run(2)))]);
}

#[tokio::test]
async fn a_score_from_another_process_names_no_tree_unless_it_is_on_a_root() {
    for rule in [RunIds::OtelPadded, RunIds::TraceRoot] {
        let server = server().await;
        let exporter = LangsmithExporter::new(bench::config(&server).with_run_ids(rule)).unwrap();
        let root = Span::new(trace_id(1), span_id(1), "root", at(0));
        exporter.export(&scores([score(&downstream()[1]), score(&root)])).await.unwrap();
        let feedback = feedback(&server);
        let (parts, alone): (Vec<_>, Vec<_>) =
            feedback.into_iter().partition(|(path, ..)| path == "/runs/multipart");
        assert_eq!(alone, [("/feedback".to_owned(), run(3), None)]);
        assert!(parts.len() == 1 && parts[0].2.as_ref() == Some(&parts[0].1), "{parts:?}");
    }
}

#[tokio::test]
async fn a_tree_that_was_forgotten_is_not_named() {
    let server = server().await;
    let exporter = bench::exporter(&server);
    let [entry, child] = downstream();
    exporter.export(&ended([entry, child.clone()])).await.unwrap();
    for from in (10..16_500).step_by(2_000) {
        let later = (from..from + 2_000).map(|nth| Span::new(trace_id(2), span_id(nth), "s", at(0)));
        exporter.export(&ended(later)).await.unwrap();
    }
    server.take_requests();
    exporter.export(&scores([score(&child)])).await.unwrap();
    assert_eq!(feedback(&server), [("/feedback".to_owned(), run(3), None)]);
}
