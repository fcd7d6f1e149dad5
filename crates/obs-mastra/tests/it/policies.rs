//! What becomes of records when the platform does not take them.

use std::time::Duration;

use obs_core::{Error, ErrorKind, Exporter, Health, Retry, Signal};
use obs_mastra::MastraExporter;
use obs_testkit::{Answer, CaptureServer, fixtures};

use crate::server::{self, TOKEN};

const MINUTE: Duration = Duration::from_mins(1);

async fn failed(exporter: &MastraExporter, signal: Signal) -> Error {
    let batch = fixtures::batch(signal);
    let error = exporter.export(&batch).await.unwrap_err();
    assert_eq!(error.undelivered().len() + error.settled().settled(), batch.len());
    error
}

#[tokio::test]
async fn refused_credentials_rest_twice_as_long_each_time_and_success_forgets_them() {
    let server = CaptureServer::start().await;
    let exporter = server::exporter(&server);
    for (nth, status) in [401, 403, 401, 403, 401, 401].into_iter().enumerate() {
        server.answer([Answer::status(status)]);
        let error = failed(&exporter, Signal::Logs).await;
        let rest = MINUTE.saturating_mul(1 << nth).min(MINUTE * 15);
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Hold(rest)));
        assert!(error.message().contains("MASTRA_PLATFORM_ACCESS_TOKEN"), "{error}");
        assert!(!error.message().contains(TOKEN));
    }
    exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap();
    server.answer([Answer::status(401)]);
    assert_eq!(failed(&exporter, Signal::Logs).await.retry(), Retry::Hold(MINUTE));
}

#[tokio::test]
async fn five_signals_that_are_refused_together_are_one_refusal() {
    let server = CaptureServer::start().await;
    server.answer_always(Answer::status(401).with_delay(Duration::from_millis(50)));
    let exporter = server::exporter(&server);
    let (traces, logs, metrics, scores, feedback) = tokio::join!(
        failed(&exporter, Signal::Traces),
        failed(&exporter, Signal::Logs),
        failed(&exporter, Signal::Metrics),
        failed(&exporter, Signal::Scores),
        failed(&exporter, Signal::Feedback),
    );
    for error in [traces, logs, metrics, scores, feedback] {
        assert_eq!(error.retry(), Retry::Hold(MINUTE));
    }
    assert_eq!(failed(&exporter, Signal::Logs).await.retry(), Retry::Hold(MINUTE * 2));
}

#[tokio::test]
async fn chance_moves_a_rest_by_a_tenth() {
    let server = CaptureServer::start().await;
    server.answer_always(Answer::status(403));
    let exporter = server::exporter(&server).with_chance(|| 0.0);
    assert_eq!(failed(&exporter, Signal::Logs).await.retry(), Retry::Hold(Duration::from_secs(54)));
}

#[tokio::test]
async fn a_used_up_quota_keeps_everything_and_says_how_long() {
    let header = "x-mastra-observability-retry-after";
    for (answer, wait) in [
        (Answer::status(402), 300),
        (Answer::status(402).with_header(header, "120"), 120),
        (Answer::status(402).with_header(header, "soon"), 300),
        (Answer::status(402).with_header("retry-after", "90"), 90),
        (Answer::status(402).with_header("retry-after", "90").with_header(header, "120"), 120),
        (Answer::status(200).with_header("x-mastra-observability", "disabled"), 300),
        (Answer::status(204).with_header("x-mastra-observability", "disabled").with_header(header, "7"), 7),
    ] {
        let server = CaptureServer::start().await;
        server.answer([answer]);
        let error = failed(&server::exporter(&server), Signal::Logs).await;
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::Config, Retry::Hold(Duration::from_secs(wait)))
        );
        assert_eq!(error.undelivered().len(), fixtures::batch(Signal::Logs).len());
        assert!(error.message().contains("quota"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_says_anything_else_is_no_pause() {
    let server = CaptureServer::start().await;
    server.answer([Answer::status(200).with_header("x-mastra-observability", "enabled")]);
    server::exporter(&server).export(&fixtures::batch(Signal::Logs)).await.unwrap();
}

#[tokio::test]
async fn after_a_pause_an_empty_request_asks_before_records_go() {
    let server = CaptureServer::start().await;
    let exporter = server::exporter(&server);
    server.answer([Answer::status(402), Answer::status(402)]);
    failed(&exporter, Signal::Logs).await;
    server.take_requests();
    // Still used up: for every signal, and no record went there in vain.
    failed(&exporter, Signal::Scores).await;
    let asked = server.take_requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (server::route(&asked[0].path).as_str(), &asked[0].body[..]),
        ("spans", &b"{\"spans\":[]}"[..])
    );
    // There is quota again.
    exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap();
    let routes: Vec<_> = server.take_requests().iter().map(|request| server::route(&request.path)).collect();
    assert_eq!(routes, ["spans", "logs"]);
    exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap();
    assert_eq!(server.take_requests().len(), 1);
}

#[tokio::test]
async fn every_request_says_that_it_can_pause() {
    let server = CaptureServer::start().await;
    let exporter = server::exporter(&server);
    exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap();
    exporter.check().await;
    for request in server.requests() {
        assert_eq!(request.header("x-mastra-observability-capabilities"), Some("quota-pause-v1"));
        assert_eq!(request.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
        assert_eq!(request.header("content-encoding"), None);
    }
}

#[tokio::test]
async fn waits_are_honoured() {
    let server = CaptureServer::start().await;
    server.answer([Answer::status(429).with_header("retry-after", "30")]);
    let error = failed(&server::exporter(&server), Signal::Logs).await;
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::RateLimited, Retry::After(Duration::from_secs(30)))
    );
}

#[tokio::test]
async fn too_large_is_left_to_be_halved() {
    let server = CaptureServer::start().await;
    server.answer_always(Answer::status(413));
    let error = failed(&server::exporter(&server), Signal::Logs).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TooLarge, Retry::Never));
}

#[tokio::test]
async fn a_check_asks_with_nothing_and_does_not_count_as_a_refusal() {
    for (status, healthy) in [(200, true), (401, false), (402, false), (404, false), (500, false)] {
        let server = CaptureServer::start().await;
        server.answer([Answer::status(status)]);
        let exporter = server::exporter(&server);
        let health = exporter.check().await;
        assert_eq!(health == Health::Healthy, healthy, "{status}: {health:?}");
        assert_eq!(server.requests()[0].body, b"{\"spans\":[]}");
    }
    let server = CaptureServer::start().await;
    server.answer_always(Answer::status(401));
    let exporter = server::exporter(&server);
    exporter.check().await;
    exporter.check().await;
    assert_eq!(failed(&exporter, Signal::Logs).await.retry(), Retry::Hold(MINUTE));
}

#[tokio::test]
async fn a_refused_probe_keeps_no_record_back() {
    for status in [400, 413, 415, 422] {
        let server = CaptureServer::start().await;
        let exporter = server::exporter(&server);
        server.answer([Answer::status(402), Answer::status(status)]);
        failed(&exporter, Signal::Logs).await;
        server.take_requests();
        let batch = fixtures::batch(Signal::Logs);
        assert_eq!(exporter.export(&batch).await.unwrap().delivered, batch.len(), "{status}");
        let routes: Vec<_> =
            server.take_requests().iter().map(|request| server::route(&request.path)).collect();
        assert_eq!(routes, ["spans", "logs"], "the platform talks, so that the records go");
        exporter.export(&batch).await.unwrap();
        assert_eq!(server.take_requests().len(), 1, "and nobody asks any more");
    }
}

#[tokio::test]
async fn a_probe_that_finds_nobody_leaves_the_records_where_they_are() {
    for (status, kind) in [
        (401, ErrorKind::Auth),
        (404, ErrorKind::Config),
        (429, ErrorKind::RateLimited),
        (503, ErrorKind::Unavailable),
    ] {
        let server = CaptureServer::start().await;
        let exporter = server::exporter(&server);
        server.answer([Answer::status(402), Answer::status(status)]);
        failed(&exporter, Signal::Logs).await;
        let error = failed(&exporter, Signal::Logs).await;
        assert_eq!((error.kind(), server.requests().len()), (kind, 2));
    }
}

#[tokio::test]
async fn a_platform_that_is_switched_off_keeps_everything_whatever_its_status() {
    let page = "<html><body>switched off</body></html>";
    for status in [200, 400, 401, 403, 404, 406, 409, 413, 415, 422, 429, 500, 503] {
        for body in ["", page] {
            let server = CaptureServer::start().await;
            let answer = Answer::status(status)
                .with_header("x-mastra-observability", "disabled")
                .with_header("x-mastra-observability-retry-after", "120")
                .with_body(body);
            server.answer([answer]);
            let error = failed(&server::exporter(&server), Signal::Logs).await;
            let rest = Retry::Hold(Duration::from_mins(2));
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Config, rest), "{status}");
            assert_eq!(error.status(), Some(status));
        }
    }
}

#[tokio::test]
async fn law_6_a_token_that_the_platform_repeats_is_not_quoted() {
    for status in [200, 400, 401, 402, 413] {
        let server = CaptureServer::start().await;
        let said = format!("no such token {TOKEN}");
        let answer = Answer::status(status).with_header("x-mastra-observability", "disabled").with_body(said);
        server.answer([answer]);
        let error = failed(&server::exporter(&server), Signal::Logs).await;
        assert!(error.message().contains("no such token"), "{error}");
        assert!(!error.to_string().contains(TOKEN) && !format!("{error:?}").contains(TOKEN), "{status}");
    }
    let server = CaptureServer::start().await;
    server.answer([Answer::status(400).with_body(format!("no such token {TOKEN}"))]);
    let receipt = server::exporter(&server).export(&fixtures::batch(Signal::Logs).slice(0..1)).await.unwrap();
    let reason = &receipt.rejected[0].reason;
    assert!(reason.contains("no such token") && !reason.contains(TOKEN), "{reason}");
}

#[tokio::test]
async fn a_token_from_a_file_has_no_line_break_and_one_that_cannot_be_sent_is_named() {
    let server = CaptureServer::start().await;
    let mut config = server::config(&server);
    config.access_token = format!(" {TOKEN}\r\n").into();
    MastraExporter::new(config.clone()).unwrap().export(&fixtures::batch(Signal::Logs)).await.unwrap();
    assert_eq!(server.requests()[0].header("authorization"), Some(&*format!("Bearer {TOKEN}")));
    config.access_token = "a\nb".into();
    let error = MastraExporter::new(config).unwrap_err();
    assert!(error.message().starts_with("access_token: "), "{}", error.message());
}

#[tokio::test]
async fn a_check_after_the_end_asks_nobody() {
    let server = CaptureServer::start().await;
    let exporter = server::exporter(&server);
    exporter.shutdown().await.unwrap();
    assert!(matches!(exporter.check().await, Health::Unhealthy(why) if why.contains("shut down")));
    assert!(server.requests().is_empty());
}
