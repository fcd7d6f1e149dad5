//! What comes of answers, from the exporter's door to its receipt.

use std::time::Duration;

use obs_core::{Batch, ErrorKind, Exporter, Health, Retry, Signal};
use obs_langfuse::Ingestion;
use obs_testkit::{Answer, fixtures};
use serde_json::json;

use crate::support::{Bench, INGESTION, PROJECTS, TRACES, events, taken};

fn spans() -> Batch {
    fixtures::trace_batches().remove(0)
}

fn scores() -> Batch {
    fixtures::trace_batches().remove(2)
}

#[tokio::test]
async fn a_refused_key_holds_the_destination_and_loses_nothing() {
    for status in [401, 403] {
        let bench = Bench::start().await;
        bench.server.answer_for("POST", "/", Answer::status(status));
        for batch in [spans(), scores()] {
            let error = bench.export(&batch).await.unwrap_err();
            assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Auth, &batch));
            assert!(matches!(error.retry(), Retry::Hold(_)));
            assert!(error.message().contains("LANGFUSE_SECRET_KEY"), "{}", error.message());
        }
    }
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_as_long_as_the_server_asks() {
    let bench = Bench::start().await;
    let limit = Answer::status(429).with_header("retry-after", "7").with_header("x-ratelimit-reset", "soon");
    bench.server.answer_for("POST", "/", limit);
    for batch in [spans(), scores()] {
        let error = bench.export(&batch).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::RateLimited, Retry::After(Duration::from_secs(7)))
        );
        assert_eq!(error.undelivered(), &batch);
    }
}

#[tokio::test]
async fn a_request_refused_for_its_content_is_left_to_be_halved() {
    let bench = Bench::start().await;
    bench.server.answer_for("POST", TRACES, Answer::status(400).with_body("invalid span"));
    let error = bench.export(&spans()).await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Rejected, 12));
    let receipt = bench.export(&spans().slice(0..1)).await.unwrap();
    assert_eq!(receipt.rejected[0].status, Some(400));
    assert!(receipt.rejected[0].reason.contains("invalid span"));
}

#[tokio::test]
async fn a_207_for_an_array_is_counted_and_never_sent_again() {
    let bench = Bench::with(|config| config.with_score_batch(true)).await;
    let said = json!({"accepted": 20, "rejected": 5, "errors": [{"message": "unknown dataset run"}]});
    bench.server.answer([Answer::status(207).with_json(&said)]);
    let receipt = bench.export(&fixtures::batch(Signal::Scores)).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (20, 5));
    assert!(receipt.rejected[0].reason.contains("unknown dataset run"));
    assert_eq!(bench.server.requests().len(), 1);
}

#[tokio::test]
async fn an_array_of_one_goes_as_one_score_that_every_server_takes() {
    let bench = Bench::with(|config| config.with_score_batch(true)).await;
    let bodies = bench.bodies(&scores().slice(0..1)).await;
    assert_eq!(bodies[0]["name"], "relevance");
}

#[tokio::test]
async fn every_event_of_an_old_servers_answer_is_read() {
    let bench = Bench::with(|config| config.with_ingestion(Ingestion::Legacy)).await;
    let batch = spans();
    bench.export(&batch).await.unwrap();
    let request = bench.server.take_requests().remove(0);
    let ids: Vec<_> = events(&request.body)
        .iter()
        .filter(|event| event.kind != "trace-create")
        .map(|event| event.id)
        .collect();
    let error = |id: uuid::Uuid, status: u16| json!({"id": id, "status": status, "message": "Event type not accepted"});
    let errors = [error(ids[2], 400), error(ids[5], 500)];
    bench.server.answer_for("POST", INGESTION, taken(&request.body, &errors));
    let error = bench.export(&batch).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::Backoff));
    assert_eq!(error.undelivered(), &batch.slice(5..6));
    let settled = error.settled();
    assert_eq!((settled.delivered, settled.rejected_count()), (10, 1));
    assert_eq!(settled.rejected[0].records, Some(batch.slice(2..3)));
    assert!(settled.rejected[0].reason.contains("Event type not accepted"));
}

#[tokio::test]
async fn an_old_servers_answer_that_names_no_event_delivers_none() {
    let bench = Bench::with(|config| config.with_ingestion(Ingestion::Legacy)).await;
    let batch = spans();
    for (answer, kind) in [
        (json!({"successes": [], "errors": []}), ErrorKind::RateLimited),
        (json!({"status": "OK"}), ErrorKind::Unavailable),
    ] {
        for status in [200, 207] {
            bench.server.answer_for("POST", INGESTION, Answer::status(status).with_json(&answer));
            let error = bench.export(&batch).await.unwrap_err();
            assert_eq!((error.kind(), error.undelivered()), (kind, &batch), "{status} {answer}");
        }
    }
}

#[tokio::test]
async fn checking_asks_with_the_keys_and_learns_the_project() {
    let bench = Bench::start().await;
    let (trace, base) = (fixtures::trace_id(1), bench.server.url());
    assert_eq!(bench.exporter.trace_url(trace), Some(format!("{base}/trace/{trace}")));
    assert_eq!(bench.exporter.check().await, Health::Healthy);
    assert_eq!(bench.exporter.trace_url(trace), Some(format!("{base}/project/project-1/traces/{trace}")));
    let requests = bench.server.take_requests();
    assert_eq!((&*requests[0].method, &*requests[0].path), ("GET", PROJECTS));
    // Of `pk-lf-0123456789:sk-lf-0123456789`.
    let basic = "Basic cGstbGYtMDEyMzQ1Njc4OTpzay1sZi0wMTIzNDU2Nzg5";
    assert_eq!(requests[0].header("authorization"), Some(basic));
    bench.server.answer_for("GET", PROJECTS, Answer::status(401));
    let Health::Unhealthy(why) = bench.exporter.check().await else { panic!("healthy with a refused key") };
    assert!(why.contains("LANGFUSE_SECRET_KEY"), "{why}");
    bench.server.answer_for("GET", PROJECTS, Answer::json(&json!({"status": "OK"})));
    assert!(matches!(bench.exporter.check().await, Health::Unhealthy(_)));
}
