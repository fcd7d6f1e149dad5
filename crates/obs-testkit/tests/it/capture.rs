//! The capture server, spoken to over a plain socket.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use obs_testkit::{Answer, CaptureServer, Captured};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends one request and returns the answer as text.
async fn send(server: &CaptureServer, head: &str, body: &[u8]) -> String {
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{head}\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn requests_are_recorded_and_answered_by_script() {
    let server = CaptureServer::start().await;
    let slow_down =
        Answer::status(429).with_header("retry-after", "7").with_json(&json!({"error": "slow down"}));
    server.answer([slow_down]);
    let first = send(&server, "POST /v1/spans?x=1 HTTP/1.1", b"{}").await;
    assert!(first.starts_with("HTTP/1.1 429") && first.contains("retry-after: 7"), "{first}");
    assert!(first.ends_with(r#"{"error":"slow down"}"#), "{first}");
    assert!(send(&server, "GET /health HTTP/1.1", b"").await.starts_with("HTTP/1.1 200"));
    server.answer_always(Answer::status(503));
    assert!(send(&server, "GET /health HTTP/1.1", b"").await.starts_with("HTTP/1.1 503"));
    let requests = server.take_requests();
    assert_eq!(requests.len(), 3);
    assert_eq!((requests[0].path.as_str(), requests[0].query.as_deref()), ("/v1/spans", Some("x=1")));
    assert_eq!((requests[0].method.as_str(), requests[1].method.as_str()), ("POST", "GET"));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_compressed_body_is_recorded_as_what_it_holds() {
    let server = CaptureServer::start().await;
    let head = "POST / HTTP/1.1\r\ncontent-encoding: gzip";
    send(&server, head, &gzip(br#"{"a":1}"#)).await;
    send(&server, head, b"not gzip").await;
    let requests = server.requests();
    assert_eq!(requests[0].json(), Some(json!({"a": 1})));
    assert_eq!(requests[0].header("content-encoding"), Some("gzip"));
    assert_eq!(requests[1].body, b"not gzip");
}

#[tokio::test]
async fn a_snapshot_tells_all_but_credentials_and_what_changes() {
    let server = CaptureServer::start().await;
    let head = "POST /v1 HTTP/1.1\r\nuser-agent: x/9\r\nauthorization: Bearer hunter2\r\nx-scope: a\r\ndd-api-key: k3y";
    send(&server, head, br#"{"spans":[{"id":1}]}"#).await;
    send(&server, "PUT /lines HTTP/1.1", b"{\"a\":1}\n{\"a\":2}\n").await;
    send(&server, "PUT /bytes HTTP/1.1", &[0, 255, 7]).await;
    insta::assert_snapshot!(server.redacted_snapshot());
}

#[test]
fn a_request_can_be_made_by_hand() {
    let headers = vec![("x-token".to_owned(), "s3cret".to_owned())];
    let request =
        Captured { method: "GET".into(), path: "/".into(), query: None, headers, body: b"words".to_vec() };
    assert_eq!(request.redacted_snapshot(), "GET /\nx-token: [redacted]\n\nwords");
}
