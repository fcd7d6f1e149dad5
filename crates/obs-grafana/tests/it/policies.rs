//! What comes of answers, from the exporter's door to its receipt.

use std::time::Duration;

use obs_core::{Batch, ErrorKind, Exporter, Health, Retry, Signal};
use obs_testkit::{Answer, fixtures};

use crate::support::{Bench, LOKI, WRITE};

async fn both() -> (Bench, [(&'static str, Batch); 2]) {
    let bench = Bench::direct().await;
    let metrics = bench.input(&fixtures::batch(Signal::Metrics)).slice(0..4);
    (bench, [(LOKI, fixtures::batch(Signal::Logs)), (WRITE, metrics)])
}

#[tokio::test]
async fn a_refused_credential_holds_the_destination_and_names_its_own_user() {
    let (bench, batches) = both().await;
    bench.server.answer_for("POST", "/", Answer::status(401));
    for ((_, batch), option) in batches.iter().zip(["loki_user_id", "mimir_user_id"]) {
        let error = bench.export(batch).await.unwrap_err();
        assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Auth, batch));
        assert!(matches!(error.retry(), Retry::Hold(_)));
        assert!(error.message().contains(option), "{}", error.message());
    }
    let Health::Unhealthy(why) = bench.exporter.check().await else { panic!("healthy with a refused key") };
    assert!(why.contains("GRAFANA_CLOUD_API_KEY"), "{why}");
}

#[tokio::test]
async fn an_outage_leaves_all_of_it_and_a_wait_is_obeyed() {
    let (bench, batches) = both().await;
    for (path, batch) in &batches {
        let limit = Answer::status(429).with_header("retry-after", "7");
        bench.server.answer([limit, Answer::status(503)]);
        let error = bench.export(batch).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::RateLimited, Retry::After(Duration::from_secs(7))),
            "{path}"
        );
        assert_eq!(error.undelivered(), batch);
        let error = bench.export(batch).await.unwrap_err();
        assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Unavailable, batch));
    }
}

#[tokio::test]
async fn a_refusal_of_many_is_left_to_be_halved_and_of_one_is_a_rejection_with_the_servers_words() {
    let (bench, batches) = both().await;
    for (path, batch) in &batches {
        bench.server.answer_for("POST", path, Answer::status(400).with_body("entry too far behind"));
        let error = bench.export(batch).await.unwrap_err();
        assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Rejected, batch));
        let receipt = bench.export(&batch.slice(0..1)).await.unwrap();
        assert_eq!((receipt.delivered, receipt.rejected[0].status), (0, Some(400)));
        assert!(receipt.rejected[0].reason.contains("too far behind"));
    }
}

#[tokio::test]
async fn what_loki_throws_away_while_it_is_blocked_is_not_delivered() {
    let (bench, [(path, batch), _]) = both().await;
    bench.server.answer_for("POST", path, Answer::status(260).with_body("ingestion blocked"));
    let receipt = bench.export(&batch.slice(0..1)).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (0, 1));
}

#[tokio::test]
async fn a_check_asks_every_server_and_takes_a_refused_empty_request_for_a_good_credential() {
    let (bench, _) = both().await;
    bench.server.answer_for(
        "POST",
        LOKI,
        Answer::status(422).with_body("at least one valid stream is required"),
    );
    assert_eq!(bench.exporter.check().await, Health::Healthy);
    let paths: Vec<_> = bench.server.take_requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/otlp/v1/traces", WRITE, LOKI]);
    bench.server.answer_for("POST", WRITE, Answer::status(404));
    assert!(matches!(bench.exporter.check().await, Health::Unhealthy(_)));
}
