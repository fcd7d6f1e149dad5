//! What a check asks, and what it may say.

use obs_core::{Exporter, Health, Signal};
use obs_testkit::{Answer, CaptureServer};
use obs_webhook::{CheckMethod, WebhookConfig};

use crate::server;

async fn asked(status: u16, change: impl FnOnce(WebhookConfig) -> WebhookConfig) -> (Health, Vec<String>) {
    let server = CaptureServer::start().await;
    server.answer_always(Answer::status(status));
    let health = server::exporter(change(server::config(&server))).check().await;
    let requests = server.requests();
    assert!(
        requests.iter().all(|request| request.header("authorization").is_some() && request.body.is_empty())
    );
    (health, requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect())
}

fn kind(health: &Health) -> &'static str {
    match health {
        Health::Healthy => "healthy",
        Health::Degraded(_) => "degraded",
        Health::Unhealthy(_) => "unhealthy",
    }
}

#[tokio::test]
async fn an_address_that_answers_is_told_from_one_that_takes_records() {
    for (status, told) in [
        (200, "healthy"),
        (204, "healthy"),
        (405, "healthy"),
        (501, "healthy"),
        (400, "degraded"),
        (403, "degraded"),
        (404, "degraded"),
        (410, "unhealthy"),
        (429, "degraded"),
        (401, "unhealthy"),
        (301, "unhealthy"),
        (500, "unhealthy"),
        (503, "unhealthy"),
    ] {
        let (health, requests) = asked(status, |config| config).await;
        assert_eq!(kind(&health), told, "{status}: {health:?}");
        assert_eq!(requests.len(), 5, "each signal has an address of its own");
        assert_eq!(requests[0], "OPTIONS /in/traces");
    }
}

#[tokio::test]
async fn a_path_for_health_must_be_a_success() {
    let health =
        |config: WebhookConfig| config.with_check_path("/health").with_check_method(CheckMethod::Get);
    for (status, told) in [(200, "healthy"), (404, "unhealthy"), (405, "unhealthy"), (403, "unhealthy")] {
        let (health, requests) = asked(status, |config| health(config).with_signals([Signal::Logs])).await;
        assert_eq!((kind(&health), &*requests), (told, &["GET /health".to_owned()][..]), "{status}");
    }
    let (_, requests) =
        asked(200, |config| config.with_check_method(CheckMethod::Head).with_signals([Signal::Logs])).await;
    assert_eq!(requests, ["HEAD /in/logs"]);
}

#[tokio::test]
async fn where_nothing_is_asked_that_is_told() {
    let (health, requests) = asked(500, |config| config.with_check_method(CheckMethod::None)).await;
    assert!(matches!(&health, Health::Degraded(why) if why.contains("nothing was asked")), "{health:?}");
    assert!(requests.is_empty());
}

#[tokio::test]
async fn an_address_that_answers_nothing_is_unhealthy() {
    let exporter = server::exporter(WebhookConfig::new("http://127.0.0.1:1/in/{signal}"));
    assert_eq!(kind(&exporter.check().await), "unhealthy");
}

#[tokio::test]
async fn nothing_is_asked_after_the_shutdown() {
    let server = CaptureServer::start().await;
    let exporter = server::exporter(server::config(&server));
    exporter.shutdown().await.unwrap();
    let health = exporter.check().await;
    assert!(matches!(&health, Health::Unhealthy(why) if why.contains("shut down")), "{health:?}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn one_address_is_asked_once() {
    let server = CaptureServer::start().await;
    let config = WebhookConfig::new(format!("{}/in", server.url()));
    assert_eq!(server::exporter(config).check().await, Health::Healthy);
    assert_eq!(server.requests().len(), 1);
}
