//! What becomes of scores and feedback when the server is not as hoped.

use std::time::Duration;

use obs_core::{ErrorKind, Exporter, Retry, Score, Target};
use obs_langsmith::{FeedbackTransport, LangsmithExporter};
use obs_testkit::fixtures::{at, span_id, trace_id, uuid};
use obs_testkit::{Answer, CaptureServer};
use serde_json::json;
use tokio::time::Instant;

use super::bench::{self, config, exporter, posted, posts, scores, scripted, sent, server};

fn score(nth: u32) -> Score {
    let target = Target::Trace { trace_id: trace_id(1), root_span_id: Some(span_id(1)) };
    Score::new(uuid(nth), at(0), target, "quality", 1.0)
}

fn one_by_one(server: &CaptureServer) -> LangsmithExporter {
    LangsmithExporter::new(config(server).with_feedback_transport(FeedbackTransport::Single)).unwrap()
}

#[tokio::test]
async fn feedback_waits_for_its_project_as_long_as_its_lane_does() {
    let server = server().await;
    server.answer_for("GET", "/sessions", Answer::json(&json!([])));
    let exporter = exporter(&server);
    for _ in 0..12 {
        let error = exporter.export(&scores([score(1)])).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::Backoff));
        assert!(error.message().contains("no project \"support\" yet"), "{error}");
    }
    server.answer_for("GET", "/sessions", Answer::json(&json!([{"id": bench::PROJECT}])));
    exporter.export(&scores([score(2)])).await.unwrap();
    let sent = sent(&server.requests());
    assert_eq!((sent.len(), &sent[0].json["session_id"]), (1, &json!(bench::PROJECT)));
}

#[tokio::test]
async fn a_project_that_cannot_be_asked_for_leaves_everything() {
    for answer in [Answer::status(503), Answer::status(401), Answer::status(200).with_body("<html>")] {
        let server = server().await;
        server.answer_for("GET", "/sessions", answer);
        let error = exporter(&server).export(&scores([score(1), score(2)])).await.unwrap_err();
        assert_eq!((error.undelivered().len(), posts(&server).len()), (2, 0), "{error}");
    }
}

#[tokio::test]
async fn a_known_project_is_not_asked_for() {
    let server = server().await;
    let config = config(&server).with_project_id(bench::PROJECT.parse().unwrap());
    LangsmithExporter::new(config).unwrap().export(&scores([score(1)])).await.unwrap();
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.path != "/sessions"));
    assert_eq!(sent(&requests)[0].json["session_id"], bench::PROJECT);
}

#[tokio::test]
async fn feedback_on_a_run_that_is_not_there_yet_is_tried_ten_times() {
    let server = server().await;
    server.answer_with(|request| {
        let hidden = request.path == "/feedback" && request.json().unwrap()["id"] == uuid(1).to_string();
        hidden.then(|| Answer::status(404).with_body("run not found"))
    });
    let exporter = one_by_one(&server);
    let error = exporter.export(&scores([score(1), score(2)])).await.unwrap_err();
    assert_eq!((error.settled().delivered, error.undelivered().len()), (1, 1));
    for _ in 2..10 {
        let error = exporter.export(&scores([score(1)])).await.unwrap_err();
        assert_eq!((error.retry(), error.undelivered().len()), (Retry::Backoff, 1));
    }
    let reasons = bench::reasons(exporter.export(&scores([score(1)])).await);
    assert!(
        reasons[0].starts_with("unresolvable_target: after 10 tries") && reasons[0].contains("run not found")
    );
    assert!(exporter.export(&scores([score(1)])).await.is_err(), "the count begins anew");
}

#[tokio::test]
async fn feedback_one_by_one_settles_each_by_its_answer() {
    let server = server().await;
    server.answer_with(|request| {
        let id = request.json().filter(|_| request.path == "/feedback")?["id"].clone();
        let status = [(uuid(1), 409), (uuid(2), 422), (uuid(3), 200)];
        status
            .into_iter()
            .find(|(known, _)| id == known.to_string())
            .map(|(_, status)| Answer::status(status))
    });
    let receipt = one_by_one(&server).export(&scores([1, 2, 3].map(score))).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (2, 1));
    assert_eq!(receipt.rejected[0].status, Some(422));
}

#[tokio::test]
async fn feedback_goes_one_by_one_where_parts_are_not_taken() {
    let server = server().await;
    server.answer_for("POST", "/runs/multipart", Answer::status(404));
    server.answer_with(|request| {
        let odd = request.path == "/feedback" && request.json().unwrap()["id"] == uuid(2).to_string();
        odd.then(|| Answer::status(422))
    });
    let exporter = exporter(&server);
    let receipt = exporter.export(&scores([score(1), score(2), score(3)])).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (2, 1));
    exporter.export(&scores([score(4)])).await.unwrap();
    let alone = ("/feedback", 1);
    assert_eq!(posts(&server)[1..], posted(&[alone; 4]));
}

#[tokio::test]
async fn law_1_a_conflict_of_several_parts_is_left_for_splitting_and_one_is_there() {
    let server = scripted([409, 409, 202]).await;
    let exporter = exporter(&server);
    let error = exporter.export(&scores([score(1), score(2)])).await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Rejected, 2));
    for nth in [1, 2] {
        assert_eq!(exporter.export(&scores([score(nth)])).await.unwrap().delivered, 1);
    }
    let path = "/runs/multipart";
    assert_eq!(posts(&server), posted(&[(path, 2), (path, 1), (path, 1)]));
}

#[tokio::test]
async fn parts_are_given_up_only_where_feedback_alone_passes() {
    let server = server().await;
    for path in ["/info", "/sessions"] {
        server.answer_for("GET", path, Answer::status(404));
    }
    server.answer_for("POST", "/", Answer::status(404));
    let config = config(&server).with_project_id(bench::PROJECT.parse().unwrap());
    let exporter = LangsmithExporter::new(config).unwrap();
    for _ in 0..2 {
        let error = exporter.export(&scores([score(1)])).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.undelivered().len()),
            (ErrorKind::Config, 1),
            "nothing here is LangSmith"
        );
    }
    let alone = [("/runs/multipart", 1), ("/feedback", 1)];
    assert_eq!(posts(&server), posted(&[alone, alone].concat()));
}

#[tokio::test]
async fn a_server_from_before_parts_of_feedback_gets_it_one_by_one() {
    for (version, path) in [("0.8.9", "/feedback"), ("0.8.10", "/runs/multipart")] {
        let server = server().await;
        server.answer_for("GET", "/info", Answer::json(&json!({"version": version})));
        exporter(&server).export(&scores([score(1)])).await.unwrap();
        assert_eq!(posts(&server), posted(&[(path, 1)]), "{version}");
    }
}

/// A score that cannot be a part, since nothing says which tree its run is in.
fn alone(nth: u32) -> Score {
    let target = Target::Span { trace_id: trace_id(1), span_id: span_id(nth), root_span_id: None };
    Score { target, ..score(nth) }
}

#[tokio::test]
async fn one_part_among_many_that_go_alone_does_not_line_them_up() {
    let server = server().await;
    let wait = Duration::from_millis(300);
    server.answer_for("POST", "/feedback", Answer::status(200).with_delay(wait));
    let begun = Instant::now();
    let batch = scores((1..9).map(alone).chain([score(9)]));
    assert_eq!(exporter(&server).export(&batch).await.unwrap().delivered, 9);
    assert!(begun.elapsed() < wait * 4, "{:?}", begun.elapsed());
}
