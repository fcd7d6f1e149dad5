//! Datadog's own client sends what ours sends, and its errors mean the same.

use std::time::Duration;

use obs_core::{Batch, ErrorKind, Exporter, Level, Log, Payload, Retry, Signal};
use obs_datadog::{DatadogConfig, DatadogExporter, MetricsConfig};
use obs_http::{Compression, HttpConfig};
use obs_testkit::{Answer, CaptureServer, Captured, conformance, fixtures};
use serde_json::{Value, json};

use crate::server::{self, KEY, ended};
use crate::watch::Watch;

fn config(server: &CaptureServer) -> DatadogConfig {
    server::config(server).with_metrics_config(MetricsConfig::default().with_process_id(false))
}

/// JSON with all numbers as floats, since `7` and `7.0` are the same there.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(values) => values.into_iter().map(plain).collect(),
        Value::Object(values) => values.into_iter().map(|(key, value)| (key, plain(value))).collect(),
        other => other,
    }
}

/// Where a request went, and what it said.
fn told(request: &Captured) -> (String, String, Option<String>, Value) {
    let key = request.header("dd-api-key").map(ToOwned::to_owned);
    (request.method.clone(), request.path.clone(), key, plain(server::body(request)))
}

async fn sent(batch: &Batch, official: bool, answer: Answer) -> Vec<Captured> {
    let server = CaptureServer::start().await;
    server.answer_always(answer);
    let exporter = server::exporter_of(config(&server).with_official_client(official));
    let receipt = exporter.export(&conformance::input(batch, exporter.descriptor())).await.unwrap();
    assert!(receipt.delivered > 0);
    server.requests()
}

/// The records whose JSON a reader takes that keeps numbers as floats, as that client does.
fn readable(batch: &Batch) -> Batch {
    let exporter = server::exporter_of(DatadogConfig::new(KEY));
    let is_readable = |at: &usize| {
        let bodies = exporter.encode(&batch.slice(*at..*at + 1));
        bodies.iter().all(|body| serde_json::from_slice::<Value>(body).is_ok())
    };
    batch.select(&(0..batch.len()).filter(is_readable).collect::<Vec<_>>())
}

#[tokio::test]
async fn both_clients_send_equal_json_for_the_same_batches() {
    for signal in [Signal::Logs, Signal::Metrics] {
        for batch in [fixtures::batch(signal), readable(&fixtures::nasty(signal))] {
            let ours = sent(&batch, false, Answer::status(202)).await;
            let theirs = sent(&batch, true, Answer::status(202).with_json(&json!({"errors": []}))).await;
            let [ours, theirs] = [ours, theirs].map(|all| all.iter().map(told).collect::<Vec<_>>());
            assert_eq!(ours, theirs, "{signal}");
            assert!(!ours.is_empty() && ours.iter().all(|(_, _, key, _)| key.as_deref() == Some(KEY)));
        }
    }
}

#[tokio::test]
async fn it_is_datadog_s_own_client_that_sends_them_and_no_others() {
    let logs = sent(&fixtures::batch(Signal::Logs), true, Answer::status(202)).await;
    assert!(logs[0].header("user-agent").unwrap().starts_with("datadog-api-client-rust/"));
    assert_eq!(logs[0].header("content-encoding"), Some("gzip"));
    let metrics = sent(&fixtures::batch(Signal::Metrics), true, Answer::status(202)).await;
    assert!(
        metrics.len() == 2 && metrics.iter().all(|one| one.header("content-encoding") == Some("deflate"))
    );
    let spans = sent(&fixtures::batch(Signal::Traces), true, Answer::status(202)).await;
    assert!(spans[0].header("user-agent").unwrap().starts_with("obs/"));
}

#[tokio::test]
async fn its_errors_are_those_of_ours_but_for_what_it_does_not_tell() {
    for status in [400, 401, 403, 404, 408, 413, 422, 429, 500, 503] {
        let mut found = Vec::new();
        for official in [false, true] {
            let server = CaptureServer::start().await;
            server.answer_always(Answer::status(status).with_body(format!("no, {KEY}")));
            let exporter = server::exporter_of(config(&server).with_official_client(official));
            let error = exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap_err();
            assert!(!error.to_string().contains(KEY), "{error}");
            found.push((error.kind(), error.retry(), error.status(), error.undelivered().len()));
        }
        assert_eq!(found[0], found[1], "{status}");
    }
    let server = CaptureServer::start().await;
    server.answer_always(Answer::status(429).with_header("retry-after", "7"));
    let exporter = server::exporter_of(config(&server).with_official_client(true));
    let error = exporter.export(&fixtures::batch(Signal::Logs)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::Backoff), "it tells no header");
}

#[tokio::test]
async fn nobody_there_no_answer_and_a_web_page_are_told_apart() {
    let failed = |url: String| async move {
        let mut http = HttpConfig::new(url);
        http.timeout = Duration::from_millis(100);
        let config = DatadogConfig::new(KEY).with_http(http).with_official_client(true);
        server::exporter_of(config).export(&fixtures::batch(Signal::Logs)).await.unwrap_err()
    };
    let error = failed("http://127.0.0.1:1".into()).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
    let server = CaptureServer::start().await;
    server.answer_always(Answer::status(202).with_delay(Duration::from_secs(5)));
    let error = failed(server.url()).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::Backoff));
    let server = CaptureServer::start().await;
    server.answer_always(Answer::status(200).with_body("<html>Log in</html>"));
    let error = failed(server.url()).await;
    assert!(matches!((error.kind(), error.retry()), (ErrorKind::Config, Retry::Hold(_))), "{error:?}");
}

/// The key would go along: reqwest takes no header of Datadog's for a secret.
#[tokio::test]
async fn law_6_no_redirect_carries_the_key_elsewhere() {
    for (status, body) in [(302, ""), (302, "{}"), (307, ""), (308, "{}")] {
        let (there, here) = (server::start().await, CaptureServer::start().await);
        here.answer_always(Answer::status(status).with_header("location", &there.url()).with_body(body));
        let exporter = server::exporter_of(config(&here).with_official_client(true));
        for signal in [Signal::Logs, Signal::Metrics] {
            let batch = conformance::input(&fixtures::batch(signal), exporter.descriptor());
            let error = exporter.export(&batch).await.unwrap_err();
            assert!(
                matches!((error.kind(), error.retry()), (ErrorKind::Config, Retry::Hold(_))),
                "{error:?}"
            );
            assert!(error.message().contains("redirects") && !error.to_string().contains(KEY), "{error}");
        }
        assert!(there.requests().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn errors_in_an_answer_of_success_are_told() {
    let (watch, _guard) = Watch::start();
    let answer = Answer::status(202).with_json(&json!({"errors": ["bad unit"]}));
    sent(&fixtures::batch(Signal::Metrics), true, answer).await;
    let lines = watch.lines();
    let intakes = ["series", "distribution points"];
    assert_eq!(lines.len(), intakes.len(), "{lines:#?}");
    let told = |(line, intake): (&String, &str)| line.contains("bad unit") && line.contains(intake);
    assert!(lines.iter().zip(intakes).all(told), "{lines:#?}");
}

#[test]
fn options_that_it_does_not_heed_are_refused_with_their_names() {
    let of = |change: fn(&mut HttpConfig)| {
        let mut config = DatadogConfig::new(KEY).with_official_client(true);
        change(&mut config.http);
        DatadogExporter::new(config)
    };
    let error = of(|http| http.user_agent = Some("mine".into())).unwrap_err();
    assert!(
        error.message().starts_with("official_client: ") && error.message().contains("`user_agent`"),
        "{error}"
    );
    let error = of(|http| http.proxy = Some("none".into())).unwrap_err();
    assert!(error.message().contains("`proxy`"), "{error}");
    assert!(of(|http| http.compression = Some(Compression::None)).is_ok());
}

#[tokio::test]
async fn a_number_that_it_cannot_read_is_refused_alone_with_the_reason() {
    let mut log = Log::new(fixtures::at(1), Level::Info, "large");
    log.data = Payload::from_json(r#"{"large": 1e400}"#);
    let server = server::start().await;
    let batch = Batch::Logs(vec![log].into());
    let receipt =
        server::exporter_of(config(&server).with_official_client(true)).export(&batch).await.unwrap();
    assert_eq!((receipt.rejected_count(), receipt.rejected[0].kind), (1, ErrorKind::Encode));
    assert!(receipt.rejected[0].reason.contains("own client"), "{receipt:?}");
    assert_eq!(
        server::exporter(&server).export(&batch).await.unwrap().delivered,
        1,
        "ours takes it as it is"
    );
}

#[tokio::test]
async fn traces_go_as_they_always_go() {
    let server = server::start().await;
    let exporter = server::exporter_of(config(&server).with_official_client(true));
    assert_eq!(exporter.export(&ended([])).await.unwrap().delivered, 0);
    let receipt = exporter.export(&fixtures::trace_batches().swap_remove(0)).await.unwrap();
    assert_eq!((receipt.delivered, server.requests()[0].path.as_str()), (12, server::SPANS));
}
