//! What goes over the wire.

use std::sync::atomic::Ordering;
use std::time::Duration;

use obs_core::{ErrorKind, Retry, Timestamp};
use obs_http::{Auth, Body, Client, Compression, HOLD, HttpConfig, Policy, Request};
use obs_testkit::{Answer, CaptureServer};

use crate::raw::Raw;

#[tokio::test]
async fn a_request_has_the_configs_headers_and_its_own() {
    let server = CaptureServer::start().await;
    let config = HttpConfig::new(format!("{}/base", server.url()))
        .with_header("X-Team", "blue")
        .with_header("X-Both", "user")
        .with_auth(Auth::bearer("t"));
    let request = Request::put("/v1/things?dry=1")
        .with_content_type("text/plain")
        .with_header("x-both", "leaf")
        .with_header("x-leaf", "1")
        .with_body(Body::plain("hello"));
    server.answer([Answer::status(202).with_header("x-id", "7").with_body("thanks")]);
    let answer = Client::new(&config).unwrap().send(&request, &Policy::DEFAULT).await.unwrap();
    assert_eq!((answer.status(), answer.header("x-id")), (202, Some("7")));
    assert_eq!(&answer.whole().unwrap()[..], b"thanks");
    let sent = &server.requests()[0];
    assert_eq!(
        (sent.method.as_str(), sent.path.as_str(), sent.query.as_deref()),
        ("PUT", "/base/v1/things", Some("dry=1"))
    );
    let expected = [
        ("x-team", "blue"),
        ("x-both", "user"),
        ("x-leaf", "1"),
        ("content-type", "text/plain"),
        ("content-length", "5"),
        ("authorization", "Bearer t"),
        ("user-agent", concat!("obs/", env!("CARGO_PKG_VERSION"))),
    ];
    for (name, value) in expected {
        assert_eq!(sent.header(name), Some(value), "{name}");
    }
    assert_eq!((sent.header("content-encoding"), sent.header("accept-encoding")), (None, None));
    assert_eq!(sent.body, b"hello");
}

#[tokio::test]
async fn each_method_is_sent_as_what_it_is() {
    let server = CaptureServer::start().await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    for (request, method) in [
        (Request::get(""), "GET"),
        (Request::post(""), "POST"),
        (Request::put(""), "PUT"),
        (Request::patch(""), "PATCH"),
        (Request::delete(""), "DELETE"),
    ] {
        client.send(&request, &Policy::DEFAULT).await.unwrap();
        let sent = server.take_requests().remove(0);
        assert_eq!((sent.method.as_str(), sent.path.as_str()), (method, "/"));
        assert!(matches!(sent.header("content-length"), None | Some("0")));
    }
}

#[tokio::test]
async fn a_compressed_body_says_so_and_is_the_same_in_each_attempt() {
    let server = CaptureServer::start().await;
    let text = "telemetry repeats itself. ".repeat(200);
    for (compression, encoding) in
        [(Compression::Gzip, "gzip"), (Compression::Zstd, "zstd"), (Compression::Deflate, "deflate")]
    {
        let client = Client::new(&HttpConfig::new(server.url()).with_compression(compression)).unwrap();
        let request = Request::post("").with_body(client.body(text.clone()));
        assert!(request_len(&client, &text) < 200);
        for _ in 0..2 {
            client.send(&request, &Policy::DEFAULT).await.unwrap();
        }
        for sent in server.take_requests() {
            assert_eq!(sent.header("content-encoding"), Some(encoding));
            // The capture server undoes both.
            assert_eq!(sent.body, text.as_bytes());
        }
    }
}

fn request_len(client: &Client, text: &str) -> usize {
    client.body(text.to_owned()).len()
}

#[tokio::test]
async fn connections_are_used_again_also_after_an_error() {
    let server = Raw::saying(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno").await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    for _ in 0..20 {
        let failure = client.clone().send(&Request::get("/a"), &Policy::DEFAULT).await.unwrap_err();
        assert_eq!(&*failure.message, format!("GET {}/a answered 400: no", server.url()));
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    assert_eq!(server.heads.lock().unwrap().len(), 20);
}

#[tokio::test]
async fn law_6_no_redirect_takes_the_credential_elsewhere() {
    let (here, there) = (CaptureServer::start().await, CaptureServer::start().await);
    let client = Client::new(&HttpConfig::new(here.url()).with_auth(Auth::bearer("token-12345"))).unwrap();
    for status in [301, 302, 303, 307, 308] {
        let to = format!("{}/path?key=hunter2", there.url());
        here.answer([Answer::status(status).with_header("location", &to)]);
        let failure = client.send(&Request::post("/v1"), &Policy::DEFAULT).await.unwrap_err();
        assert_eq!((failure.kind, failure.retry), (ErrorKind::Config, Retry::Hold(HOLD)));
        let expected = format!(
            "POST {}/v1 answered {status}: it redirects to {}, which is not followed; check `endpoint`",
            here.url(),
            there.url()
        );
        assert_eq!(&*failure.message, expected);
    }
    assert!(there.requests().is_empty());
}

#[tokio::test]
async fn a_request_that_cannot_be_is_not_sent() {
    let server = CaptureServer::start().await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    for (request, cause) in [
        (Request::get("http://127.0.0.1:1/x"), "requests go to the endpoint only"),
        (Request::get("/x").with_header("x-a", "b\r\nx-c: d"), "the header `x-a`"),
        (Request::get("/x").with_header("x a", "b"), "the header `x a`"),
    ] {
        let failure = client.send(&request, &Policy::DEFAULT).await.unwrap_err();
        assert_eq!((failure.kind, failure.retry), (ErrorKind::Config, Retry::Never));
        assert!(failure.message.contains(cause), "{}", failure.message);
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn messages_name_the_place_the_cause_and_the_next_step() {
    let server = CaptureServer::start().await;
    let client = Client::new(&HttpConfig::new(server.url()).with_auth(Auth::bearer("token-12345"))).unwrap();
    let client = client.with_credential_name("`api_key` (ACME_API_KEY)");
    let url = server.url();
    for (answer, message) in [
        (Answer::status(401), "answered 401: the credential is not accepted; check `api_key` (ACME_API_KEY)".to_owned()),
        (
            Answer::status(403).with_body("project\u{7} is\nclosed"),
            "answered 403: the credential is not accepted; check `api_key` (ACME_API_KEY); it said: project is closed"
                .to_owned(),
        ),
        (Answer::status(404), "answered 404: there is no such service; check `endpoint`".to_owned()),
        (
            Answer::status(402),
            "answered 402: the account's plan or payment does not cover it; check both with the backend".to_owned(),
        ),
        (Answer::status(405), "answered 405: the service there takes no POST; check `endpoint`".to_owned()),
        (Answer::status(410), "answered 410: the service is there no more; check `endpoint`".to_owned()),
        (Answer::status(429).with_header("retry-after", "7"), "answered 429: it asks to wait 7s".to_owned()),
        (Answer::status(503), "answered 503: Service Unavailable".to_owned()),
        (Answer::status(413), "answered 413: the request of 2 bytes is larger than it takes".to_owned()),
        (Answer::status(400).with_body("token-12345 is odd"), "answered 400: [REDACTED] is odd".to_owned()),
    ] {
        server.answer([answer]);
        let request = Request::post("/v1/traces?dry=hunter2").with_body(Body::plain("{}"));
        let failure = client.send(&request, &Policy::DEFAULT).await.unwrap_err();
        assert_eq!(&*failure.message, format!("POST {url}/v1/traces {message}"));
    }
}

#[tokio::test]
async fn law_8_a_date_to_wait_for_is_compared_with_the_given_clock_where_the_answer_has_none() {
    let head = b"HTTP/1.1 503 No\r\nretry-after: Thu, 01 Jan 1970 00:01:30 GMT\r\ncontent-length: 0\r\n\r\n";
    let server = Raw::saying(head).await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    let (clockless, clocked) = (client.clone(), client.with_clock(|| Timestamp::from_nanos(60_000_000_000)));
    for (client, retry) in [(clockless, Retry::Backoff), (clocked, Retry::After(Duration::from_secs(30)))] {
        let failure = client.send(&Request::post(""), &Policy::DEFAULT).await.unwrap_err();
        assert_eq!(failure.retry, retry);
    }
}

#[tokio::test]
async fn a_web_page_is_no_success() {
    let server = CaptureServer::start().await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    for page in
        ["<!doctype html><title>Log in</title>", "\n <HTML lang=\"en\">", "<!DOCTYPE HTML PUBLIC \"-\">"]
    {
        server.answer([Answer::status(200).with_body(page)]);
        let failure = client.send(&Request::post("/v1"), &Policy::DEFAULT).await.unwrap_err();
        assert_eq!((failure.kind, failure.retry), (ErrorKind::Config, Retry::Hold(HOLD)));
        assert!(failure.message.contains("web page") && failure.message.ends_with("check `endpoint`"));
    }
    for taken in ["", "ok", "{}", "<ok/>", "<htm"] {
        server.answer([Answer::status(200).with_body(taken)]);
        assert!(client.send(&Request::post("/v1"), &Policy::DEFAULT).await.is_ok(), "{taken}");
    }
}

#[tokio::test]
async fn a_caller_sees_the_head_of_every_answer_whatever_its_status_means() {
    let server = CaptureServer::start().await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    for status in [200, 302, 400, 401, 413, 429, 503] {
        let page = "<html><body>a page</body></html>";
        server.answer([Answer::status(status).with_header("x-quota", "none").with_body(page)]);
        let mut seen = None;
        let look = |head: obs_http::Head<'_>| {
            let quota = head.header("x-quota").map(ToOwned::to_owned);
            seen = Some((head.status(), quota, head.header("x-other").is_some()));
        };
        let request = Request::post("/");
        let sent = client.send_with_head(&request, &Policy::DEFAULT, look).await;
        assert_eq!(seen, Some((status, Some("none".to_owned()), false)));
        assert_eq!(sent.unwrap_err().status, Some(status), "and the policy judges as ever");
    }
}
