//! What each answer of a Pushgateway means, by a push each.

use std::time::Duration;

use obs_core::{ErrorKind, MetricValue, Retry};
use obs_prometheus::PrometheusConfig;
use obs_testkit::{Answer, CaptureServer};

use crate::bench::{export, exporter, metric};

// The constant of the exporter is `Policy::DEFAULT`; the test below holds pushes against it.
obs_testkit::policy_table!(pushgateway, &obs_http::Policy::DEFAULT, {
    [200, 201, 202, 204, 207] ANY => Success;
    [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(Duration::from_mins(1)));
    [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(Duration::from_mins(1)));
    [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(Duration::from_mins(1)));
    [400, 406, 409, 411, 412, 415, 501] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    [422, 423, 424, 426, 428, 451] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
    [429] ANY => Waits(ErrorKind::RateLimited);
    [408, 425, 500, 502, 503, 504] ANY => Waits(ErrorKind::Unavailable);
    [505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Waits(ErrorKind::Unavailable);
});

#[tokio::test]
async fn a_push_is_judged_by_that_table() {
    let hold = Retry::Hold(Duration::from_mins(1));
    for (status, kind, retry) in [
        (401, ErrorKind::Auth, hold),
        (404, ErrorKind::Config, hold),
        (405, ErrorKind::Config, hold),
        (400, ErrorKind::Rejected, Retry::Never),
        (413, ErrorKind::TooLarge, Retry::Never),
        (429, ErrorKind::RateLimited, Retry::Backoff),
        (500, ErrorKind::Unavailable, Retry::Backoff),
        (503, ErrorKind::Unavailable, Retry::Backoff),
    ] {
        let server = CaptureServer::start().await;
        server.answer_always(Answer::status(status));
        let exporter = exporter(PrometheusConfig::push(server.url(), "shop"));
        let metrics = vec![metric("a", MetricValue::Gauge(1.0)), metric("b", MetricValue::Gauge(1.0))];
        let error = export(&exporter, metrics).await.unwrap_err();
        assert_eq!((error.kind(), error.retry(), error.undelivered().len()), (kind, retry, 2), "{status}");
    }
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_tried_again() {
    let exporter = exporter(PrometheusConfig::push("http://127.0.0.1:1", "shop"));
    let error = export(&exporter, vec![metric("a", MetricValue::Gauge(1.0))]).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
}
