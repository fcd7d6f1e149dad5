//! The listener, which can be closed and opened again on the same port.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How many connections the system keeps ready; a test opens fewer at once.
const BACKLOG: u32 = 1024;

/// A port of this machine that is listened on, or refuses.
#[derive(Debug)]
pub(super) struct Door {
    address: SocketAddr,
    listener: Option<TcpListener>,
    /// Bound and never listening: it keeps the port ours while the listener is closed, and by itself it refuses.
    /// Elsewhere the system might hand connections to it, and the port is free while it is closed.
    #[cfg(target_os = "linux")]
    _held: TcpSocket,
}

impl Door {
    /// Takes a free port and keeps it closed. Needs a runtime.
    pub(super) fn closed() -> io::Result<Self> {
        let socket = bound((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        Ok(Self {
            address,
            listener: None,
            #[cfg(target_os = "linux")]
            _held: socket,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn set_open(&mut self, open: bool) -> io::Result<()> {
        match (open, self.listener.is_some()) {
            (true, false) => self.listener = Some(bound(self.address)?.listen(BACKLOG)?),
            (false, true) => self.listener = None,
            _ => {}
        }
        Ok(())
    }

    /// The next connection; never while it is closed. Cancel-safe.
    pub(super) async fn accept(&self) -> io::Result<TcpStream> {
        match &self.listener {
            Some(listener) => listener.accept().await.map(|(stream, _)| stream),
            None => pending().await,
        }
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    #[cfg(target_os = "linux")]
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}
