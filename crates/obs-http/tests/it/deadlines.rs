//! What a deadline covers, and what is said of it.

use std::time::Duration;

use obs_core::{ErrorKind, Retry};
use obs_http::{Client, HttpConfig, Policy, Request};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::raw::Raw;

const SHORT: Duration = Duration::from_millis(500);

fn client(url: String) -> Client {
    Client::new(&HttpConfig::new(url).with_timeout(SHORT)).unwrap()
}

#[tokio::test]
async fn a_server_that_never_answers_may_have_the_records() {
    let server = Raw::start(|stream| async move {
        std::future::pending::<()>().await;
        Some(stream)
    })
    .await;
    let client = client(server.url());
    let request = Request::post("/v1").with_body(client.body("{}"));
    let failure = client.send(&request, &Policy::DEFAULT).await.unwrap_err();
    assert_eq!((failure.kind, failure.retry, failure.status), (ErrorKind::Timeout, Retry::Backoff, None));
    let expected = format!(
        "POST {}/v1: no answer within 500ms; it may have arrived all the same: sent again, its records keep their ids",
        server.url()
    );
    assert_eq!(&*failure.message, expected);
}

#[tokio::test]
async fn the_deadline_holds_while_an_answer_drips() {
    let server = Raw::start(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc").await.ok()?;
        std::future::pending::<()>().await;
        Some(stream)
    })
    .await;
    let answer = client(server.url()).send(&Request::post(""), &Policy::DEFAULT).await.unwrap();
    assert_eq!(&answer.body()[..], b"abc");
    assert_eq!(answer.whole().unwrap_err().kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn a_refusal_whose_words_do_not_come_is_a_refusal() {
    let server = Raw::start(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 No\r\ncontent-length: 100\r\n\r\nabc").await.ok()?;
        std::future::pending::<()>().await;
        Some(stream)
    })
    .await;
    let failure = client(server.url()).send(&Request::post(""), &Policy::DEFAULT).await.unwrap_err();
    assert_eq!((failure.kind, failure.status), (ErrorKind::Rejected, Some(400)));
}

#[tokio::test]
async fn a_requests_own_deadline_comes_first() {
    let server = Raw::start(|stream| async move {
        std::future::pending::<()>().await;
        Some(stream)
    })
    .await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    let request = Request::get("/v1").with_timeout(Duration::from_millis(50));
    let failure = client.send(&request, &Policy::DEFAULT).await.unwrap_err();
    assert!(failure.message.contains("no answer within 50ms"), "{}", failure.message);
}

#[tokio::test]
async fn law_2_no_timeout_is_too_long() {
    let server = Raw::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    // The last two end shortly before and behind the end of the clock.
    for timeout in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(i64::MAX as u64 - 60)] {
        let config = HttpConfig::new(server.url()).with_timeout(timeout).with_connect_timeout(timeout);
        let client = Client::new(&config).unwrap();
        for request in [Request::post(""), Request::post("").with_timeout(timeout)] {
            let answer = client.send(&request, &Policy::DEFAULT).await.unwrap();
            assert_eq!(&answer.whole().unwrap()[..], b"ok");
        }
    }
}

#[tokio::test]
async fn a_closed_port_is_no_connection_and_nothing_was_sent() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let failure =
        client(url.clone()).send(&Request::post("/v1?q=hunter2"), &Policy::DEFAULT).await.unwrap_err();
    assert_eq!((failure.kind, failure.retry), (ErrorKind::Unavailable, Retry::Backoff));
    let message = &failure.message;
    assert!(message.starts_with(&format!("POST {url}/v1: no connection (")), "{message}");
    assert!(message.contains("refused") && message.ends_with("; nothing was sent"), "{message}");
}

#[tokio::test]
async fn a_server_that_accepts_nothing_is_no_connection() {
    // The queue of this listener has room for a connection or two; further ones wait until one is accepted.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(connected) = tokio::time::timeout(SHORT, TcpStream::connect(address)).await {
        queue.push(connected.unwrap());
        assert!(queue.len() < 16, "the queue has no end");
    }
    let config = HttpConfig::new(format!("http://{address}"));
    // Whichever comes first, the time for connecting or the deadline of all.
    for (config, words) in [
        (
            config.clone().with_connect_timeout(SHORT),
            ": no connection (tcp connect error: deadline has elapsed)",
        ),
        (config.with_timeout(SHORT), ": no connection within 500ms"),
    ] {
        let client = Client::new(&config).unwrap();
        let request = Request::post("").with_body(client.body("{}"));
        let failure = client.send(&request, &Policy::DEFAULT).await.unwrap_err();
        assert_eq!((failure.kind, failure.retry), (ErrorKind::Unavailable, Retry::Backoff));
        assert!(failure.message.contains(words), "{}", failure.message);
        assert!(failure.message.ends_with("; nothing was sent"), "{}", failure.message);
    }
}

#[tokio::test]
async fn an_unknown_host_holds_the_destination() {
    // A name with a part this long is known to be none without asking a name service.
    let url = format!("http://{}.example", "a".repeat(70));
    let client = Client::new(&HttpConfig::new(url)).unwrap();
    let failure = client.send(&Request::post(""), &Policy::DEFAULT).await.unwrap_err();
    assert_eq!((failure.kind, failure.retry), (ErrorKind::Unavailable, Retry::Hold(obs_http::HOLD)));
    let message = &failure.message;
    assert!(
        message.contains(": the host is not known (") && message.contains("check `endpoint`"),
        "{message}"
    );
    assert!(message.ends_with("; nothing was sent"), "{message}");
}

#[tokio::test]
async fn dropping_the_future_ends_the_request() {
    let (closed, mut saw) = tokio::sync::mpsc::unbounded_channel();
    let server = Raw::start(move |mut stream| {
        let closed = closed.clone();
        async move {
            // The stream ends when the client hangs up.
            let _ = crate::raw::read_request(&mut stream).await;
            let _ = closed.send(());
            None
        }
    })
    .await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    let request = Request::post("").with_body(client.body("{}"));
    let sending = client.send(&request, &Policy::DEFAULT);
    assert!(tokio::time::timeout(SHORT, sending).await.is_err());
    tokio::time::timeout(Duration::from_secs(5), saw.recv()).await.unwrap().unwrap();
}
