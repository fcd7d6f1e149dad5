//! The page over HTTP.

use std::io::Read as _;
use std::net::SocketAddr;

use axum::Router;
use flate2::read::GzDecoder;
use obs_core::{ErrorKind, Exporter, Health, MetricValue};
use obs_prometheus::{PrometheusConfig, PrometheusExporter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::bench::{OPEN, OPEN_UTF8, delivered, exporter, metric};
use crate::checker;

/// An answer, taken apart.
struct Got {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

async fn ask(address: SocketAddr, line: &str, headers: &[(&str, &str)]) -> Got {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut request = format!("{line} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Got { status, head, body: answer[end + 4..].to_vec() }
}

async fn listening() -> (PrometheusExporter, SocketAddr) {
    let exporter = exporter(PrometheusConfig::pull().with_metrics_port(0));
    delivered(&exporter, vec![metric("agent.runs", MetricValue::Add(1.0))]).await;
    let address = exporter.local_addr().unwrap();
    assert!(address.ip().is_loopback());
    (exporter, address)
}

#[tokio::test]
async fn each_reader_gets_its_format() {
    let (_exporter, address) = listening().await;
    for (accept, content_type, open, line) in [
        ("*/*", "text/plain; version=0.0.4; charset=utf-8", false, "agent_runs_total 1\n"),
        (
            "text/plain;version=1.0.0;escaping=allow-utf-8",
            "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
            false,
            "{\"agent.runs_total\"} 1\n",
        ),
        (OPEN, "application/openmetrics-text; version=1.0.0; charset=utf-8", true, "agent_runs_total 1\n"),
        (
            OPEN_UTF8,
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
            true,
            "{\"agent.runs_total\"} 1\n",
        ),
        (
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text; version=0.0.1; charset=utf-8",
            true,
            "agent_runs_total 1\n",
        ),
    ] {
        let got = ask(address, "GET /metrics", &[("accept", accept)]).await;
        assert_eq!((got.status, got.header("content-type")), (200, Some(content_type)), "{accept}");
        assert_eq!(got.header("vary"), Some("accept, accept-encoding"));
        checker::read(got.text(), open).unwrap();
        assert!(got.text().contains(line), "{}", got.text());
    }
}

#[tokio::test]
async fn gzip_head_and_what_is_not_there() {
    let (_exporter, address) = listening().await;
    let plain = ask(address, "GET /metrics", &[]).await;
    let zipped = ask(address, "GET /metrics", &[("accept-encoding", "deflate, gzip")]).await;
    assert_eq!(zipped.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    GzDecoder::new(&*zipped.body).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.text());
    let head = ask(address, "HEAD /metrics", &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(&*plain.body.len().to_string()));
    let post = ask(address, "POST /metrics", &[]).await;
    assert_eq!((post.status, post.header("allow")), (405, Some("GET,HEAD")));
    let elsewhere = ask(address, "GET /", &[]).await;
    assert!(elsewhere.status == 404 && elsewhere.text().contains("/metrics"), "{}", elsewhere.text());
}

#[tokio::test]
async fn an_empty_page_is_a_page() {
    let exporter = exporter(PrometheusConfig::pull().with_metrics_port(0).with_metrics_path("/m"));
    let address = exporter.local_addr().unwrap();
    assert_eq!(ask(address, "GET /m", &[]).await.text(), "");
    assert_eq!(ask(address, "GET /m", &[("accept", OPEN)]).await.text(), "# EOF\n");
}

#[tokio::test]
async fn the_router_is_mounted_beside_others() {
    let exporter = exporter(PrometheusConfig::pull());
    assert_eq!(exporter.local_addr(), None);
    let own = Router::new().route("/own", axum::routing::get(|| async { "own" }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(axum::serve(listener, own.merge(exporter.router())).into_future());
    delivered(&exporter, vec![metric("runs", MetricValue::Add(1.0))]).await;
    assert!(ask(address, "GET /metrics", &[]).await.text().contains("runs_total 1\n"));
    assert_eq!(ask(address, "GET /own", &[]).await.text(), "own");
    exporter.shutdown().await.unwrap();
    assert!(
        ask(address, "GET /metrics", &[]).await.text().contains("runs_total 1\n"),
        "the last values stay"
    );
    serving.abort();
}

#[tokio::test]
async fn shutdown_frees_the_port_also_while_a_reader_hangs() {
    let (exporter, address) = listening().await;
    let mut hangs = TcpStream::connect(address).await.unwrap();
    hangs.write_all(b"GET /metr").await.unwrap();
    assert_eq!(exporter.check().await, Health::Healthy);
    exporter.shutdown().await.unwrap();
    TcpListener::bind(address).await.unwrap();
    assert!(matches!(exporter.check().await, Health::Unhealthy(_)));
}

#[tokio::test]
async fn dropping_it_frees_the_port() {
    let (exporter, address) = listening().await;
    drop(exporter);
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), refused).await.unwrap();
}

#[test]
fn a_port_that_is_taken_is_told_when_the_exporter_is_made() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = PrometheusExporter::new(PrometheusConfig::pull().with_metrics_port(port)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().starts_with("metrics_port: 127.0.0.1:"), "{}", error.message());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_never_see_a_page_in_pieces_while_records_come() {
    let (exporter, address) = listening().await;
    let exporter = std::sync::Arc::new(exporter);
    let writing = {
        let exporter = std::sync::Arc::clone(&exporter);
        tokio::spawn(async move {
            for nth in 0..200u32 {
                let mut depth = metric("depth", MetricValue::Sample(f64::from(nth)));
                depth.labels = [("nth", (nth % 20).to_string())].into();
                delivered(&exporter, vec![depth]).await;
            }
        })
    };
    for _ in 0..20 {
        let got = ask(address, "GET /metrics", &[("accept", OPEN)]).await;
        checker::read(got.text(), true).unwrap();
    }
    writing.await.unwrap();
}
