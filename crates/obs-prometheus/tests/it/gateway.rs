//! What a Pushgateway is asked, and what stays when it does not answer.

use obs_core::{Batch, ErrorKind, Exporter, Feedback, Health, MetricValue, Retry, Target};
use obs_http::{Auth, HttpConfig};
use obs_prometheus::{PrometheusConfig, PushMethod};
use obs_testkit::{Answer, CaptureServer};

use crate::bench::{at, delivered, export, exporter, metric, of_service, refused, total};
use crate::checker::{self, Families};

const GROUP: &str = "/metrics/job/shop/instance/web-1";

fn config(server: &CaptureServer) -> PrometheusConfig {
    PrometheusConfig::push(server.url(), "shop").with_instance_label("web-1")
}

/// What was pushed last.
fn pushed(server: &CaptureServer) -> Families {
    let requests = server.requests();
    let body = &requests.iter().rfind(|request| !request.body.is_empty()).unwrap().body;
    checker::read(std::str::from_utf8(body).unwrap(), false).unwrap()
}

#[tokio::test]
async fn a_push_replaces_the_group_or_the_metrics_of_its_names() {
    for (method, expected) in [(PushMethod::Put, "PUT"), (PushMethod::Post, "POST")] {
        let server = CaptureServer::start().await;
        server.answer_for(expected, "/metrics", Answer::status(202));
        let exporter = exporter(config(&server).with_method(method));
        delivered(&exporter, vec![of_service(total("runs", 10, 5.0), "till")]).await;
        let requests = server.take_requests();
        assert_eq!((requests.len(), &*requests[0].method, &*requests[0].path), (1, expected, GROUP));
        assert_eq!(requests[0].header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    }
}

#[tokio::test]
async fn each_push_carries_all_series() {
    let server = CaptureServer::start().await;
    let exporter = exporter(config(&server));
    delivered(&exporter, vec![total("runs", 10, 5.0)]).await;
    delivered(&exporter, vec![metric("depth", MetricValue::Gauge(1.0))]).await;
    assert_eq!(checker::value(&pushed(&server), "runs_total", &[]), 5.0);
    assert_eq!(checker::value(&pushed(&server), "depth", &[]), 1.0);
}

#[tokio::test]
async fn what_is_tried_again_is_not_counted_twice() {
    let server = CaptureServer::start().await;
    let exporter = exporter(config(&server).with_feedback(true));
    let target = Target::Session { session_id: "s".into() };
    let liked = Feedback::new(uuid::Uuid::from_u128(1), at(1), target, "thumbs", true);
    let liked = Batch::Feedback(vec![liked].into());
    let runs = || vec![metric("runs", MetricValue::Add(2.0))];
    for status in [503, 500] {
        server.answer([Answer::status(status), Answer::status(status)]);
        let error = export(&exporter, runs()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
        assert_eq!(exporter.export(&liked).await.unwrap_err().undelivered(), &liked);
    }
    assert!(!exporter.render("").body.contains("runs"));
    delivered(&exporter, runs()).await;
    assert_eq!(exporter.export(&liked).await.unwrap().delivered, 1);
    assert_eq!(checker::value(&pushed(&server), "runs_total", &[]), 2.0);
    assert_eq!(checker::value(&pushed(&server), "obs_feedback_total", &[]), 1.0);
}

#[tokio::test]
async fn what_the_gateway_refuses_is_halved_by_the_delivery() {
    let server = CaptureServer::start().await;
    let exporter = exporter(config(&server));
    let answers = || [Answer::status(400).with_body("pushed metrics are invalid or inconsistent")];
    server.answer(answers());
    let error = export(&exporter, vec![total("a", 10, 1.0), total("b", 10, 1.0)]).await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Rejected, 2));
    server.answer(answers());
    let reason = refused(&exporter, total("a", 10, 1.0)).await;
    assert!(reason.contains("inconsistent"), "{reason}");
    delivered(&exporter, vec![total("b", 10, 1.0)]).await;
    assert!(!pushed(&server).contains_key("a_total"));
}

#[tokio::test]
async fn nothing_is_pushed_where_nothing_is_shown() {
    let server = CaptureServer::start().await;
    let exporter = exporter(config(&server));
    refused(&exporter, metric("runs", MetricValue::Add(-1.0))).await;
    refused(&exporter, metric("target", MetricValue::Gauge(1.0))).await;
    exporter.flush().await.unwrap();
    exporter.shutdown().await.unwrap();
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn labels_that_the_gateway_groups_by_are_kept_under_another_name() {
    let server = CaptureServer::start().await;
    let exporter = exporter(config(&server).with_grouping("zone", "z"));
    let series = |job: &'static str| {
        let mut depth = metric("depth", MetricValue::Gauge(1.0));
        depth.labels = [("job", job), ("instance", "i"), ("zone", "own")].into();
        depth
    };
    delivered(&exporter, vec![series("a"), series("b")]).await;
    let labels = [("exported_job", "a"), ("exported_instance", "i"), ("exported_zone", "own")];
    assert_eq!(checker::value(&pushed(&server), "depth", &labels), 1.0);
}

#[tokio::test]
async fn the_group_is_deleted_on_shutdown_where_that_is_asked_for() {
    for (delete, expected) in [(false, 0), (true, 1)] {
        let server = CaptureServer::start().await;
        server.answer_for("DELETE", "/metrics", Answer::status(202));
        let exporter = exporter(config(&server).with_delete_on_shutdown(delete));
        exporter.shutdown().await.unwrap();
        exporter.shutdown().await.unwrap();
        let requests = server.take_requests();
        assert_eq!(requests.len(), expected);
        assert!(requests.iter().all(|request| request.method == "DELETE" && request.path == GROUP));
    }
}

#[tokio::test]
async fn a_group_that_cannot_be_deleted_is_told() {
    let server = CaptureServer::start().await;
    server.answer_for("DELETE", "/metrics", Answer::status(500));
    let exporter = exporter(config(&server).with_delete_on_shutdown(true));
    assert_eq!(exporter.shutdown().await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn check_asks_whether_it_is_ready_with_the_credential() {
    let server = CaptureServer::start().await;
    let http = HttpConfig::default().with_auth(Auth::basic("Aladdin", "open sesame"));
    let exporter = exporter(config(&server).with_http(http));
    assert_eq!(exporter.check().await, Health::Healthy);
    let request = server.take_requests().remove(0);
    assert_eq!((&*request.method, &*request.path), ("GET", "/-/ready"));
    assert_eq!(request.header("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    server.answer_for("GET", "/-/ready", Answer::status(401));
    let Health::Unhealthy(why) = exporter.check().await else { panic!("healthy with a refused password") };
    assert!(why.contains("PROMETHEUS_PUSHGATEWAY_PASSWORD"), "{why}");
}

#[test]
fn an_address_that_is_none_is_told_under_its_option() {
    for url in ["pushgateway:9091", "ftp://h", "http://u:p@h"] {
        let error = obs_prometheus::PrometheusExporter::new(PrometheusConfig::push(url, "shop")).unwrap_err();
        assert!(error.message().starts_with("pushgateway_url: "), "{}", error.message());
    }
}
