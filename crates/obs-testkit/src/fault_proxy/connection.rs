//! One connection, from its acceptance to its end.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, duplex};
use tokio::net::TcpStream;

use super::pump::{self, Course, End};
use super::serve::Site;
use super::{Fault, Upstream, canned, request};

/// A client's side of a connection, plain or under TLS.
pub(super) trait Client: AsyncRead + AsyncWrite + Unpin + Send {
    /// The socket, whose closing decides between FIN and RST.
    fn tcp(&self) -> &TcpStream;
}

impl Client for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How much an upstream inside the proxy may be behind.
const DUPLEX: usize = 64 * 1024;

/// Does `fault` to a connection. What goes wrong on the way is the client's leaving, which ends it.
pub(super) async fn serve(tcp: TcpStream, fault: Fault, site: &Site) {
    // Pieces are to leave when they are written; a socket that refuses the option has been closed.
    let _ = tcp.set_nodelay(true);
    match fault {
        Fault::AcceptAndHang => gone(&tcp).await,
        // It was ready when the listener closed.
        Fault::RefuseConnections => reset(&tcp),
        _ => {
            if let Some(mut client) = site.tls.greet(tcp, fault).await {
                let _ = meet(&mut *client, fault, site).await;
            }
        }
    }
}

async fn meet(client: &mut dyn Client, fault: Fault, site: &Site) -> io::Result<()> {
    let shared = &*site.shared;
    match fault {
        Fault::ReadAndHang => return drain(client, site).await,
        Fault::HalfClose => {
            client.shutdown().await?;
            return drain(client, site).await;
        }
        Fault::GarbageStatusLine
        | Fault::SlowHeaders { .. }
        | Fault::EndlessBody
        | Fault::BadGzip
        | Fault::CloseBeforeAnswer => {
            if !request::read(client, &mut Vec::new(), |bytes| shared.received(bytes)).await? {
                return Ok(());
            }
        }
        _ => return pass(client, course(fault), site).await,
    }
    match fault {
        Fault::GarbageStatusLine => pump::send(client, canned::GARBAGE, shared).await?,
        Fault::SlowHeaders { every } => canned::slow_headers(client, every, shared).await?,
        Fault::EndlessBody => canned::endless_body(client, shared).await?,
        Fault::BadGzip => canned::bad_gzip(client, shared).await?,
        _ => {}
    }
    client.shutdown().await
}

/// The course of the faults that pass bytes through.
fn course(fault: Fault) -> Course {
    match fault {
        Fault::ResetAfter(bytes) => Course { requests: Some(bytes), ..Course::default() },
        Fault::ResetAnswerAfter(bytes) => Course { answers: Some(bytes), ..Course::default() },
        Fault::Throttle { bytes, every } => Course { pace: Some((bytes, every)), ..Course::default() },
        _ => Course::default(),
    }
}

async fn pass(client: &mut dyn Client, course: Course, site: &Site) -> io::Result<()> {
    let mut upstream: Box<dyn Stream> = match site.upstream {
        Upstream::Alone => {
            let (near, far) = duplex(DUPLEX);
            tokio::spawn(canned::origin(far));
            Box::new(near)
        }
        Upstream::At(address) => {
            let upstream = TcpStream::connect(address).await?;
            upstream.set_nodelay(true)?;
            Box::new(upstream)
        }
    };
    if pump::run(client, &mut *upstream, course, &site.shared).await == End::Reset {
        reset(client.tcp());
    }
    Ok(())
}

/// Makes the closing of a socket a reset: what was not yet sent is thrown away, and the other side is told at once.
fn reset(tcp: &TcpStream) {
    let _ = tcp.set_zero_linger();
}

/// Reads until the client leaves.
async fn drain(client: &mut dyn Client, site: &Site) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match client.read(&mut buffer).await? {
            0 => return Ok(()),
            read => site.shared.received(read),
        }
    }
}

/// Waits, without reading, until the client closes.
async fn gone(tcp: &TcpStream) {
    while let Ok(ready) = tcp.ready(Interest::READABLE).await {
        if ready.is_read_closed() {
            return;
        }
        // The answer "would block" makes the socket wait for the next event, though there is something to read.
        let _ = tcp.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
    }
}
