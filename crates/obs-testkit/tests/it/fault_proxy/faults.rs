//! What each fault does.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use obs_testkit::{CaptureServer, Fault, FaultProxy};
use tokio::time::Instant;

use super::{LONG, REQUEST, alone, ask, assert_let_go, assert_silent, connect, read_all};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_fault_everything_passes() {
    let server = CaptureServer::start().await;
    let proxy = FaultProxy::start(&server, []).unwrap();
    let mut client = connect(&proxy);
    client.write_all(REQUEST).unwrap();
    let (answer, end) = read_all(&mut client);
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", answer.escape_ascii());
    assert_eq!(end, Ok(()));
    assert_eq!(server.requests()[0].body, b"body");
    let traffic = proxy.traffic();
    assert_eq!((traffic.received, traffic.sent), (REQUEST.len() as u64, answer.len() as u64));
    drop(client);
    assert_let_go(&proxy);
}

#[test]
fn accept_and_hang_takes_nothing_and_says_nothing() {
    let proxy = alone([Fault::AcceptAndHang]);
    let mut client = connect(&proxy);
    client.write_all(REQUEST).unwrap();
    assert_silent(&mut client);
    let traffic = proxy.traffic();
    assert_eq!((traffic.connections, traffic.open, traffic.received, traffic.sent), (1, 1, 0, 0));
    drop(client);
    assert_let_go(&proxy);
}

#[test]
fn read_and_hang_takes_all_and_says_nothing() {
    let proxy = alone([Fault::ReadAndHang]);
    let mut client = connect(&proxy);
    client.write_all(REQUEST).unwrap();
    assert!(proxy.wait_until(LONG, |traffic| traffic.received == REQUEST.len() as u64));
    assert_silent(&mut client);
    drop(client);
    assert_let_go(&proxy);
}

#[test]
fn reset_after_passes_so_many_bytes_and_resets() {
    for bytes in [1, 30, REQUEST.len()] {
        let upstream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = upstream.local_addr().unwrap();
        let received = thread::spawn(move || read_all(&mut upstream.accept().unwrap().0).0);
        let proxy = FaultProxy::start(address, [Fault::ResetAfter(bytes)]).unwrap();
        assert_eq!(ask(&proxy), (Vec::new(), Err(ErrorKind::ConnectionReset)), "after {bytes}");
        assert_eq!(received.join().unwrap(), REQUEST[..bytes], "after {bytes}");
        assert_eq!(proxy.traffic().received, bytes as u64);
    }
    let proxy = alone([Fault::ResetAfter(0)]);
    assert_eq!(ask(&proxy), (Vec::new(), Err(ErrorKind::ConnectionReset)));
    assert_eq!(proxy.traffic().received, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_answer_after_lets_the_backend_take_the_request() {
    for bytes in [0, 1, 12] {
        let server = CaptureServer::start().await;
        let proxy = FaultProxy::start(&server, [Fault::ResetAnswerAfter(bytes)]).unwrap();
        let mut client = connect(&proxy);
        client.write_all(REQUEST).unwrap();
        let (answer, end) = read_all(&mut client);
        assert_eq!((answer, end), (b"HTTP/1.1 200"[..bytes].to_vec(), Err(ErrorKind::ConnectionReset)));
        assert_eq!(server.requests()[0].body, b"body");
    }
}

#[test]
fn an_answer_shorter_than_the_cut_passes() {
    let whole = ask(&alone([]));
    assert_eq!(whole.1, Ok(()));
    assert_eq!(ask(&alone([Fault::ResetAnswerAfter(whole.0.len())])), whole);
    let cut = ask(&alone([Fault::ResetAnswerAfter(whole.0.len() - 1)]));
    assert_eq!(cut.1, Err(ErrorKind::ConnectionReset));
}

#[test]
fn a_throttled_answer_comes_in_pieces_at_its_pace() {
    let proxy = alone([Fault::Throttle { bytes: 3, every: LONG * 100 }]);
    let mut client = connect(&proxy);
    client.write_all(REQUEST).unwrap();
    let mut first = [0; 3];
    client.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTT");
    assert_silent(&mut client);
    assert_eq!(proxy.traffic().sent, 3);

    let (bytes, every) = (10, Duration::from_millis(3));
    let start = Instant::now();
    let slow = ask(&alone([Fault::Throttle { bytes, every }]));
    assert!(start.elapsed() >= every * (slow.0.len().div_ceil(bytes) as u32 - 1));
    assert_eq!(slow, ask(&alone([])));
}

#[test]
fn a_pace_of_nothing_is_no_pace() {
    let answer = ask(&alone([Fault::Throttle { bytes: 0, every: Duration::ZERO }]));
    assert_eq!(answer, ask(&alone([])));
    assert_eq!(Fault::ONE_BYTE_A_SECOND, Fault::Throttle { bytes: 1, every: Duration::from_secs(1) });
}

#[test]
fn a_half_closed_connection_still_takes_the_request() {
    let proxy = alone([Fault::HalfClose]);
    let mut client = connect(&proxy);
    assert_eq!(read_all(&mut client), (Vec::new(), Ok(())));
    client.write_all(REQUEST).unwrap();
    assert!(proxy.wait_until(LONG, |traffic| traffic.received == REQUEST.len() as u64));
    assert_eq!(proxy.traffic().open, 1);
    drop(client);
    assert_let_go(&proxy);
}

#[test]
fn close_before_answer_is_an_early_end_and_no_reset() {
    let proxy = alone([Fault::CloseBeforeAnswer]);
    assert_eq!(ask(&proxy), (Vec::new(), Ok(())));
    assert_eq!(proxy.traffic().received, REQUEST.len() as u64);
    assert_let_go(&proxy);
}

#[test]
fn a_garbage_status_line_is_not_http() {
    let (answer, end) = ask(&alone([Fault::GarbageStatusLine]));
    assert!(!answer.is_empty() && !answer.starts_with(b"HTTP/"), "{}", answer.escape_ascii());
    assert_eq!(end, Ok(()));
}

#[test]
fn slow_headers_go_on_until_the_client_leaves() {
    let proxy = alone([Fault::SlowHeaders { every: Duration::from_millis(1) }]);
    let mut client = connect(&proxy);
    client.write_all(REQUEST).unwrap();
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"x-slow-5: 1\r\n") {
        client.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(
        head.starts_with(b"HTTP/1.1 200 OK\r\nx-slow-0: 1\r\nx-slow-1: 1\r\n"),
        "{}",
        head.escape_ascii()
    );
    assert!(!head.windows(4).any(|end| end == b"\r\n\r\n"));
    drop(client);
    assert_let_go(&proxy);

    let proxy = alone([Fault::SlowHeaders { every: LONG * 100 }]);
    let mut client = connect(&proxy);
    client.write_all(REQUEST).unwrap();
    client.read_exact(&mut [0; 17]).unwrap();
    assert_silent(&mut client);
}

#[test]
fn an_endless_body_goes_on_until_the_client_leaves() {
    const MEGABYTES: usize = 8;
    let proxy = alone([Fault::EndlessBody]);
    let mut client = connect(&proxy);
    client.write_all(REQUEST).unwrap();
    let mut body = vec![0; MEGABYTES << 20];
    client.read_exact(&mut body).unwrap();
    assert!(body.starts_with(b"HTTP/1.1 200 OK\r\n"));
    let body = String::from_utf8(body).unwrap();
    assert!(body.matches(' ').count() > body.len() / 100 * 99);
    drop(client);
    assert_let_go(&proxy);
}

#[test]
fn bad_gzip_is_whole_and_does_not_unpack() {
    let (answer, end) = ask(&alone([Fault::BadGzip]));
    assert_eq!(end, Ok(()));
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let (head, body) = (String::from_utf8_lossy(&answer[..at]), &answer[at..]);
    assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    assert!(MultiGzDecoder::new(body).read_to_end(&mut Vec::new()).is_err());
}

#[test]
fn an_upstream_that_is_away_closes_the_connection() {
    let nobody = alone([Fault::RefuseConnections]);
    let proxy = FaultProxy::start(nobody.address(), []).unwrap();
    assert_eq!(ask(&proxy).0, b"");
    assert_let_go(&proxy);
}
