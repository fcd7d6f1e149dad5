//! Scripts, changes while it runs, and the end.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use obs_testkit::{Fault, FaultProxy, Upstream};

use super::{LONG, REQUEST, alone, ask, assert_let_go, assert_silent, connect, read_all};

#[track_caller]
fn assert_refused(proxy: &FaultProxy) {
    let error = TcpStream::connect_timeout(&proxy.address(), LONG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
}

#[track_caller]
fn assert_passes(proxy: &FaultProxy) {
    let (answer, end) = ask(proxy);
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"), "{}", answer.escape_ascii());
    assert_eq!(end, Ok(()));
}

#[test]
fn each_connection_meets_the_next_fault_of_the_script() {
    let proxy = alone([Fault::CloseBeforeAnswer, Fault::None]).and_then(Fault::ResetAfter(0));
    assert_eq!(ask(&proxy), (Vec::new(), Ok(())));
    assert_passes(&proxy);
    proxy.push(Fault::GarbageStatusLine);
    assert!(ask(&proxy).0.starts_with(b"220"));
    for _ in 0..2 {
        assert_eq!(ask(&proxy).1, Err(ErrorKind::ConnectionReset));
    }
    assert_eq!(proxy.connections(), 5);
    assert_let_go(&proxy);
}

#[test]
fn one_connection_meets_one_fault_whatever_it_carries() {
    let proxy = alone([]).and_then(Fault::None);
    let mut client = connect(&proxy);
    let mut answer = vec![0; ask(&alone([])).0.len()];
    for _ in 0..3 {
        client.write_all(REQUEST).unwrap();
        client.read_exact(&mut answer).unwrap();
        assert!(
            answer.starts_with(b"HTTP/1.1 200 OK") && answer.ends_with(b"{}"),
            "{}",
            answer.escape_ascii()
        );
    }
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn a_refusal_stands_until_it_is_ended_on_the_same_port() {
    let proxy = alone([Fault::RefuseConnections]);
    assert_refused(&proxy);
    assert_refused(&proxy);
    proxy.push(Fault::None);
    assert_refused(&proxy);
    for _ in 0..20 {
        proxy.set(Fault::None);
        assert_passes(&proxy);
        proxy.set(Fault::RefuseConnections);
        assert_refused(&proxy);
    }
    assert_eq!(proxy.connections(), 20);
}

#[test]
fn a_refusal_in_a_script_follows_the_connection_before_it() {
    let proxy = alone([Fault::None, Fault::RefuseConnections, Fault::CloseBeforeAnswer]);
    assert_passes(&proxy);
    assert_refused(&proxy);
    proxy.set(Fault::GarbageStatusLine);
    assert!(ask(&proxy).0.starts_with(b"220"));
}

#[test]
fn a_change_ends_what_is_open() {
    let proxy = alone([Fault::AcceptAndHang, Fault::None]);
    let (mut hangs, mut idle) = (connect(&proxy), connect(&proxy));
    hangs.write_all(REQUEST).unwrap();
    assert!(proxy.wait_until(LONG, |traffic| traffic.open == 2));
    proxy.set(Fault::ReadAndHang);
    assert_eq!(proxy.traffic().open, 0);
    assert_eq!(read_all(&mut idle), (Vec::new(), Ok(())));
    // What was sent and never read makes the system reset.
    assert_eq!(read_all(&mut hangs).0, b"");
    let mut client = connect(&proxy);
    client.write_all(REQUEST).unwrap();
    assert_silent(&mut client);
}

#[test]
fn a_drop_ends_every_connection() {
    let proxy =
        alone([Fault::AcceptAndHang, Fault::ReadAndHang, Fault::EndlessBody, Fault::HalfClose, Fault::None]);
    let mut clients: Vec<_> = (0..5).map(|_| connect(&proxy)).collect();
    for client in &mut clients {
        client.write_all(REQUEST).unwrap();
    }
    assert!(proxy.wait_until(LONG, |traffic| traffic.open == 5));
    drop(proxy);
    for client in &mut clients {
        let (_, end) = read_all(client);
        assert!(matches!(end, Ok(()) | Err(ErrorKind::ConnectionReset)), "{end:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_runs_below_a_test_whose_time_is_paused() {
    let proxy = alone([Fault::None, Fault::ANSWER_LOST]);
    assert_passes(&proxy);
    assert_eq!(ask(&proxy), (Vec::new(), Err(ErrorKind::ConnectionReset)));
}

#[test]
fn it_listens_on_this_machine_alone() {
    let proxies = [alone([]), alone([])];
    for proxy in &proxies {
        assert!(proxy.address().ip().is_loopback());
        assert_eq!(proxy.url(), format!("http://{}", proxy.address()));
    }
    assert_ne!(proxies[0].address(), proxies[1].address());
    assert!(!proxies[0].wait_until(super::SHORT, |traffic| traffic.connections > 0));
    let other = FaultProxy::start(Upstream::At(proxies[0].address()), []).unwrap();
    assert_passes(&other);
    assert_eq!(proxies[0].connections(), 1);
}
