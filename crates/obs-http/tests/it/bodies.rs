//! Answers of any length and form.

use obs_core::units::Bytes;
use obs_core::{ErrorKind, Retry};
use obs_http::{Client, HttpConfig, Policy, Request};
use tokio::io::AsyncWriteExt;

use crate::raw::Raw;

/// A server that sends this head, and then a body without an end.
async fn endless(head: &'static [u8]) -> Raw {
    Raw::start(move |mut stream| async move {
        stream.write_all(head).await.ok()?;
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        None
    })
    .await
}

#[tokio::test]
async fn an_endless_answer_is_cut_and_the_records_are_delivered() {
    let server = endless(b"HTTP/1.1 200 OK\r\n\r\n").await;
    let config = HttpConfig::new(server.url()).with_max_answer(Bytes::new(10_000));
    let answer = Client::new(&config).unwrap().send(&Request::post(""), &Policy::DEFAULT).await.unwrap();
    assert_eq!(answer.body().len(), 10_000);
    let failure = answer.whole().unwrap_err();
    assert_eq!((failure.kind, failure.retry), (ErrorKind::TooLarge, Retry::Never));
    assert!(
        failure.message.ends_with("the answer is longer than max_answer; raise it"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn an_answer_of_just_the_limit_is_whole() {
    let server = Raw::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12345").await;
    for (limit, whole) in [(5, true), (4, false), (0, false)] {
        let config = HttpConfig::new(server.url()).with_max_answer(Bytes::new(limit));
        let answer = Client::new(&config).unwrap().send(&Request::post(""), &Policy::DEFAULT).await.unwrap();
        assert_eq!((answer.body().len() as u64, answer.whole().is_ok()), (limit, whole));
    }
}

#[tokio::test]
async fn of_an_endless_refusal_the_beginning_is_quoted() {
    let server = endless(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    let failure = client.send(&Request::post(""), &Policy::DEFAULT).await.unwrap_err();
    assert_eq!((failure.kind, failure.status), (ErrorKind::Rejected, Some(400)));
    assert!((2000..2200).contains(&failure.message.len()), "{}", failure.message.len());
}

#[tokio::test]
async fn an_answer_that_breaks_off_settles_the_request_by_its_status() {
    let server = Raw::breaking_off(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n12345").await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    let answer = client.send(&Request::post(""), &Policy::DEFAULT).await.unwrap();
    assert_eq!(answer.whole().unwrap_err().kind, ErrorKind::Unavailable);

    let server = Raw::breaking_off(b"HTTP/1.1 422 No\r\ncontent-length: 99\r\n\r\nBearer abcd").await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    let failure = client.send(&Request::post(""), &Policy::DEFAULT).await.unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Rejected);
    assert!(failure.message.ends_with("answered 422: Unprocessable Entity"), "{}", failure.message);
}

#[tokio::test]
async fn a_compressed_answer_that_nobody_asked_for_is_not_taken_for_words() {
    let gzip = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x8b\x08";
    let server = Raw::saying(gzip).await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    let answer = client.send(&Request::post(""), &Policy::DEFAULT).await.unwrap();
    assert!(answer.whole().unwrap_err().message.contains("compressed"));
}

#[tokio::test]
async fn bytes_that_are_no_answer_are_a_broken_connection() {
    let nothing: &[u8] = b"";
    for bytes in [nothing, b"no http at all\r\n\r\n", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nx"] {
        let server = Raw::breaking_off(bytes).await;
        let client = Client::new(&HttpConfig::new(server.url())).unwrap();
        let request = Request::post("/v1").with_body(client.body("{}"));
        let failure = client.send(&request, &Policy::DEFAULT).await.unwrap_err();
        assert_eq!((failure.kind, failure.retry), (ErrorKind::Unavailable, Retry::Backoff));
        let message = &failure.message;
        assert!(
            message.starts_with(&format!("POST {}/v1: the connection broke (", server.url())),
            "{message}"
        );
        assert!(message.contains("may have arrived"), "{message}");
    }
}

#[tokio::test]
async fn words_are_quoted_unless_they_are_compressed() {
    for (encoding, expected) in [("identity", "no such field"), ("gzip", "Bad Request")] {
        let head = format!(
            "HTTP/1.1 400 No\r\ncontent-encoding: {encoding}\r\ncontent-length: 13\r\n\r\nno such field"
        );
        let server = Raw::saying(head.leak().as_bytes()).await;
        let client = Client::new(&HttpConfig::new(server.url())).unwrap();
        let failure = client.send(&Request::post(""), &Policy::DEFAULT).await.unwrap_err();
        assert_eq!(&*failure.message, format!("POST {}/ answered 400: {expected}", server.url()));
    }
}
