//! What answers mean for the records of a batch.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{Batch, Error, ErrorKind, Exporter, Health, Level, Log, Receipt, Retry, TraceContext};
use obs_testkit::fixtures::at;
use obs_testkit::{Answer, CaptureServer};
use serde_json::json;

use crate::server::{self, EXPERIMENT, logs};

const HOLD: Retry = Retry::Hold(Duration::from_mins(1));

/// Logs of which one names an experiment.
fn mixed() -> Batch {
    let log = |nth| Log::new(at(nth), Level::Info, "m");
    let context = TraceContext { experiment_id: Some(EXPERIMENT.into()), ..TraceContext::default() };
    let named = Log { context: Arc::new(context), ..log(2) };
    logs([log(1), named, log(3)])
}

async fn export(server: &CaptureServer) -> Result<Receipt, Error> {
    server::exporter(server).export(&mixed()).await
}

#[tokio::test]
async fn a_limit_of_rates_says_when_and_leaves_what_was_not_taken() {
    let server = server::start().await;
    server.answer_for("POST", "/v1/project_logs", Answer::status(429).with_header("retry-after", "7"));
    let error = export(&server).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::After(Duration::from_secs(7))));
    assert_eq!((error.settled().settled(), error.undelivered().len()), (0, 3));
}

#[tokio::test]
async fn refused_credentials_hold_the_destination_and_name_the_key() {
    for status in [401, 403] {
        let server = server::start().await;
        server.answer_for("POST", "/v1/project_logs", Answer::status(status));
        let error = export(&server).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, HOLD));
        assert!(error.message().contains("BRAINTRUST_API_KEY"), "{error}");
    }
}

#[tokio::test]
async fn too_large_is_left_to_be_halved_and_does_not_stop_the_others() {
    let server = server::start().await;
    server.answer_for("POST", "/v1/project_logs", Answer::status(413));
    let error = export(&server).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TooLarge, Retry::Never));
    assert_eq!((error.settled().delivered, error.undelivered().len()), (1, 2));
}

#[tokio::test]
async fn an_experiment_that_nobody_knows_is_the_record_s_fault_and_not_the_destination_s() {
    for status in [403, 404] {
        let server = server::start().await;
        server.answer_for("POST", "/v1/experiment", Answer::status(status));
        let receipt = export(&server).await.unwrap();
        assert_eq!((receipt.delivered, receipt.rejected_count()), (2, 1));
        assert_eq!(
            (receipt.rejected[0].kind, receipt.rejected[0].status),
            (ErrorKind::Rejected, Some(status))
        );
    }
}

#[tokio::test]
async fn a_page_of_someone_else_s_is_no_success() {
    let server = server::start().await;
    server.answer_for("POST", "/v1/project_logs", Answer::status(200).with_body("<html>Log in</html>"));
    let error = export(&server).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Config, HOLD));
    assert!(error.message().contains("`endpoint`"), "{error}");
}

#[tokio::test]
async fn rows_that_the_answer_does_not_name_are_not_called_delivered() {
    let server = server::start().await;
    server.answer_for("POST", "/v1/project_logs", Answer::json(&json!({"row_ids": ["one"]})));
    let receipt = export(&server).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (2, 1));
    assert!(receipt.rejected[0].reason.contains("1 of 2"), "{receipt:?}");
}

#[tokio::test]
async fn a_check_asks_with_the_key() {
    for (status, healthy) in [(200, true), (401, false), (403, false), (500, false)] {
        let server = CaptureServer::start().await;
        server.answer_for("GET", "/v1/project", Answer::status(status));
        let health = server::exporter(&server).check().await;
        assert_eq!(health == Health::Healthy, healthy, "{status}: {health:?}");
        let request = &server.requests()[0];
        assert_eq!(request.header("authorization"), Some(&*format!("Bearer {}", server::KEY)));
        assert_eq!(request.query.as_deref(), Some("limit=1"));
    }
    let server = CaptureServer::start().await;
    server.answer_for("GET", "/v1/project", Answer::status(429));
    assert!(matches!(server::exporter(&server).check().await, Health::Degraded(_)));
}
