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

#[tokio::test]
async fn paths_have_their_own_answers_and_take_nothing_from_the_script() {
    let server = CaptureServer::start().await;
    server.answer_for("GET", "/sessions", Answer::json(&json!([{"id": 7}])));
    server.answer_with(|request| (request.query.as_deref() == Some("name=b")).then(|| Answer::status(404)));
    server.answer([Answer::status(429)]);
    let mut statuses = Vec::new();
    for line in ["GET /sessions?name=a", "GET /sessions?name=b", "POST /sessions", "POST /sessions"] {
        let answer = send(&server, &format!("{line} HTTP/1.1"), b"").await;
        statuses.push(answer[9..12].to_owned());
        assert_eq!(answer.ends_with(r#"[{"id":7}]"#), line.ends_with("=a"), "{answer}");
    }
    assert_eq!(statuses, ["200", "404", "429", "200"]);
    assert_eq!(server.requests().len(), 4);
}

/// A request with this type and body.
fn post(content_type: &str, body: impl Into<Vec<u8>>) -> Captured {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    Captured { method: "POST".into(), path: "/".into(), query: None, headers, body: body.into() }
}

fn multipart(boundary: &str, payload: &str) -> Captured {
    let body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"post.7\"\r\nContent-Type: application/json; length={}\r\n\r\n\
         {payload}\r\n--{boundary}--\r\n",
        payload.len()
    );
    post(&format!("multipart/form-data; boundary={boundary}"), body)
}

#[test]
fn a_long_body_is_told_by_its_length_its_hash_and_an_excerpt() {
    let rows: Vec<_> = (0..500).map(|n| json!({"id": n, "name": "é".repeat(9)})).collect();
    let long = post("application/json", serde_json::to_vec(&rows).unwrap());
    let text = long.redacted_snapshot();
    assert!(text.contains(&format!("\n{} bytes, sha256 ", long.body.len())), "{text}");
    assert!(text.contains("\"id\": 3") && text.ends_with("\n[…]") && text.len() < 2_400, "{text}");
    let changed = post("application/json", serde_json::to_vec(&rows[1..]).unwrap()).redacted_snapshot();
    assert_ne!(changed.lines().nth(3), text.lines().nth(3));
    let edge = post("text/plain", "x".repeat(4 << 10));
    assert!(edge.redacted_snapshot().ends_with(&"x".repeat(4 << 10)));
    let beyond = post("text/plain", "x".repeat((4 << 10) + 1));
    assert!(beyond.redacted_snapshot().contains("4097 bytes, sha256 "));
    let empty_hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let empty = post("text/plain", "").redacted_snapshot_with(|_| Some("nothing".into()));
    assert!(empty.ends_with(&format!("0 bytes, sha256 {empty_hash}\nnothing")), "{empty}");
}

#[test]
fn a_multipart_body_is_laid_out_and_its_boundary_changes_nothing() {
    insta::assert_snapshot!(multipart("one-two", r#"{"id":7}"#).redacted_snapshot());
    let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(5_000));
    let [one, two] = ["one-two", "six-six"].map(|boundary| multipart(boundary, &long).redacted_snapshot());
    assert!(one.contains("sha256 ") && one == two, "{one}\n{two}");
    assert_ne!(multipart("one-two", &long.replace('x', "y")).redacted_snapshot(), one);
}

#[test]
fn credentials_of_every_header_are_replaced() {
    let named = |name: &str| {
        let request = Captured { headers: vec![(name.into(), "hunter2".into())], ..post("", "") };
        request.redacted_snapshot()
    };
    for name in ["authorization", "x-api-key", "x-langfuse-public-key", "proxy-authorization", "set-cookie"] {
        assert!(!named(name).contains("hunter2"), "{name}");
    }
    assert!(named("x-tenant-id").contains("hunter2"));
}

#[tokio::test]
async fn a_body_of_zstd_is_recorded_as_what_it_holds() {
    let server = CaptureServer::start().await;
    let body = zstd::stream::encode_all(&br#"{"a":1}"#[..], 1).unwrap();
    send(&server, "POST / HTTP/1.1\r\ncontent-encoding: zstd", &body).await;
    assert_eq!(server.requests()[0].json(), Some(json!({"a": 1})));
}
