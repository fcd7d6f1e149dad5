//! What answers mean for the records of a batch.

use std::time::Duration;

use obs_core::{Error, ErrorKind, Exporter, Receipt, Retry};
use obs_testkit::{Answer, CaptureServer};
use obs_webhook::{Format, RetryConfig, WebhookConfig};

use crate::server::{self, many};

const HOLD: Retry = Retry::Hold(Duration::from_mins(1));

/// What three requests of two records come to, of which the second is answered so.
async fn answered(
    answer: Answer,
    change: impl FnOnce(WebhookConfig) -> WebhookConfig,
) -> Result<Receipt, Error> {
    let server = CaptureServer::start().await;
    server.answer([Answer::status(202), answer]);
    server::exporter(change(server::config(&server)).with_max_items(2)).export(&many(6)).await
}

#[tokio::test]
async fn an_outage_ends_the_batch_and_leaves_what_was_not_taken() {
    let seven = Answer::status(429).with_header("retry-after", "7");
    for (answer, kind, retry) in [
        (Answer::status(503), ErrorKind::Unavailable, Retry::Backoff),
        (seven, ErrorKind::RateLimited, Retry::After(Duration::from_secs(7))),
        (Answer::status(401), ErrorKind::Auth, HOLD),
        (Answer::status(404), ErrorKind::Config, HOLD),
    ] {
        let error = answered(answer, |config| config).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, retry));
        assert_eq!((error.settled().delivered, error.undelivered().len()), (2, 4));
    }
}

#[tokio::test]
async fn what_is_refused_for_its_content_stops_no_other() {
    for (status, kind) in [(400, ErrorKind::Rejected), (413, ErrorKind::TooLarge)] {
        let error = answered(Answer::status(status), |config| config).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Never));
        assert_eq!((error.settled().delivered, error.undelivered().len()), (4, 2));
    }
}

#[tokio::test]
async fn refused_credentials_name_where_they_are_set() {
    let error = answered(Answer::status(403), |config| config).await.unwrap_err();
    assert!(error.message().contains("OBS_WEBHOOK_TOKEN"), "{error}");
    assert!(!error.message().contains(server::TOKEN));
}

/// Fields of a form may be credentials, and an answer may repeat them in any spelling.
#[tokio::test]
async fn law_6_a_field_of_a_form_that_the_answer_repeats_is_not_quoted() {
    const FIELD: &str = "hunter2 \"hunter2";
    for said in [
        "invalid token hunter2 \"hunter2 given",
        r#"{"error": "token hunter2 \"hunter2 is unknown"}"#,
        "no hunter2+%22hunter2&payload",
    ] {
        for status in [400, 403, 503] {
            let server = CaptureServer::start().await;
            server.answer_always(Answer::status(status).with_body(said));
            let config = server::config(&server)
                .with_format(Format::Form)
                .with_form_value("token", FIELD)
                .with_form_value("channel", "o");
            let told = match server::exporter(config).export(&many(1)).await {
                Ok(receipt) => format!("{:?}", receipt.rejected),
                Err(error) => format!("{error} {error:#?}"),
            };
            assert!(told.contains("REDACTED") && !told.contains("hunter2"), "{told}");
            assert!(!told.contains("t[REDACTED]ken") && !told.contains("payl[REDACTED]ad"), "{told}");
        }
    }
}

#[tokio::test]
async fn the_lists_of_statuses_are_obeyed() {
    let seed = |config: WebhookConfig| config.with_retry_config(RetryConfig::new([429, 500, 502, 503, 504]));
    let error = answered(Answer::status(500), seed).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
    let error = answered(Answer::status(408), seed).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Rejected, Retry::Never));
    let receipt = answered(Answer::status(409), |config| config.with_success_status_codes([409])).await;
    assert_eq!(receipt.unwrap().delivered, 6);
}

#[tokio::test]
async fn a_web_page_is_no_success() {
    let page = Answer::status(200).with_body("<!doctype html><title>Log in</title>");
    let error = answered(page, |config| config).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Config, HOLD));
}
