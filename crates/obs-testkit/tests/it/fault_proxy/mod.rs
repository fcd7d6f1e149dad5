//! The fault proxy: each fault is seen by a plain client as what it says.

mod control;
mod faults;
#[cfg(feature = "tls")]
mod tls;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use obs_testkit::{Fault, FaultProxy, Upstream};

const REQUEST: &[u8] = b"POST /v1 HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody";

/// Far more than anything here takes; reached by a test that fails.
const LONG: Duration = Duration::from_secs(20);

/// Long enough for bytes that are on their way; what is awaited so long must not come.
const SHORT: Duration = Duration::from_millis(50);

fn alone(script: impl IntoIterator<Item = Fault>) -> FaultProxy {
    FaultProxy::start(Upstream::Alone, script).unwrap()
}

fn connect(proxy: &FaultProxy) -> TcpStream {
    try_connect(proxy).unwrap()
}

fn try_connect(proxy: &FaultProxy) -> io::Result<TcpStream> {
    let client = TcpStream::connect_timeout(&proxy.address(), LONG)?;
    client.set_read_timeout(Some(LONG))?;
    client.set_write_timeout(Some(LONG))?;
    Ok(client)
}

/// All that comes until the end, and how it ends.
fn read_all(client: &mut impl Read) -> (Vec<u8>, Result<(), ErrorKind>) {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match client.read(&mut buffer) {
            Ok(0) => return (all, Ok(())),
            Ok(read) => all.extend_from_slice(&buffer[..read]),
            Err(error) => return (all, Err(error.kind())),
        }
    }
}

/// Sends a request, says that nothing follows, and reads the answer.
///
/// A reset is told once, and may be told to whoever connects or sends.
fn ask(proxy: &FaultProxy) -> (Vec<u8>, Result<(), ErrorKind>) {
    let sent = try_connect(proxy).and_then(|mut client| {
        client.write_all(REQUEST)?;
        Ok(client)
    });
    match sent {
        Ok(mut client) => {
            let _ = client.shutdown(Shutdown::Write);
            read_all(&mut client)
        }
        Err(error) => (Vec::new(), Err(error.kind())),
    }
}

/// Asserts that nothing comes, not even an end.
#[track_caller]
fn assert_silent(client: &mut TcpStream) {
    client.set_read_timeout(Some(SHORT)).unwrap();
    let error = client.read(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    client.set_read_timeout(Some(LONG)).unwrap();
}

/// Asserts that the proxy lets go of a connection whose client has left.
#[track_caller]
fn assert_let_go(proxy: &FaultProxy) {
    assert!(proxy.wait_until(LONG, |traffic| traffic.open == 0), "{:?}", proxy.traffic());
}
