//! A proxy on this machine that does to connections what networks do.

mod canned;
mod connection;
mod door;
mod fault;
mod pump;
mod request;
mod serve;
mod shared;
#[cfg_attr(not(feature = "tls"), path = "plain.rs")]
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use fault::Fault;
pub use shared::Traffic;

use crate::CaptureServer;
use serve::{Site, Thread};
use shared::Shared;
use tls::Tls;

/// What stands behind a [`FaultProxy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// Nothing: the proxy itself answers every request that is passed through with 200 and `{}`.
    Alone,
    /// A server that speaks plain TCP, also where clients of the proxy speak TLS. If it does not take a connection,
    /// the client's is closed.
    At(SocketAddr),
}

impl From<SocketAddr> for Upstream {
    fn from(address: SocketAddr) -> Self {
        Self::At(address)
    }
}

impl From<&CaptureServer> for Upstream {
    fn from(server: &CaptureServer) -> Self {
        Self::At(server.address())
    }
}

/// A proxy on a free port of this machine's loopback that does [`Fault`]s to connections: one of the script for each,
/// then [`Fault::None`] or what [`FaultProxy::and_then`] says.
///
/// It runs on a thread and a runtime of its own, so that it works below any test: without a runtime, with a busy one, or
/// with one whose time is paused. Its own time is the real one. Dropping it ends its connections and its thread.
///
/// ```
/// use std::io::{ErrorKind, Read, Write};
/// use std::net::TcpStream;
///
/// use obs_testkit::{Fault, FaultProxy, Upstream};
///
/// # fn main() -> std::io::Result<()> {
/// let proxy = FaultProxy::start(Upstream::Alone, [Fault::ANSWER_LOST])?;
/// for lost in [true, false] {
///     let mut client = TcpStream::connect(proxy.address())?;
///     client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")?;
///     let mut answer = [0; 15];
///     match client.read_exact(&mut answer) {
///         Err(error) => assert!(lost && error.kind() == ErrorKind::ConnectionReset),
///         Ok(()) => assert!(!lost && &answer == b"HTTP/1.1 200 OK"),
///     }
/// }
/// assert_eq!(proxy.traffic().connections, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FaultProxy {
    site: Arc<Site>,
    thread: Thread,
}

impl FaultProxy {
    /// Starts one before an upstream; it listens when this returns, unless the script begins with a refusal.
    ///
    /// An error is the system's: no free port, no thread.
    pub fn start(upstream: impl Into<Upstream>, script: impl IntoIterator<Item = Fault>) -> io::Result<Self> {
        Self::launch(upstream.into(), script, Tls::where_asked()?)
    }

    /// As [`Self::start`], and every connection begins with TLS, under a certificate for `127.0.0.1` and `localhost`.
    #[cfg(feature = "tls")]
    pub fn start_tls(
        upstream: impl Into<Upstream>,
        script: impl IntoIterator<Item = Fault>,
    ) -> io::Result<Self> {
        Self::launch(upstream.into(), script, Tls::always()?)
    }

    fn launch(upstream: Upstream, script: impl IntoIterator<Item = Fault>, tls: Tls) -> io::Result<Self> {
        let site = Arc::new(Site { shared: Shared::new(script), upstream, tls });
        Ok(Self { thread: Thread::start(Arc::clone(&site))?, site })
    }

    /// What connections meet when the script is over.
    #[must_use]
    #[track_caller]
    pub fn and_then(self, fault: Fault) -> Self {
        self.site.shared.set_then(fault);
        self.tell(false);
        self
    }

    /// Adds a fault behind those left; open connections go on as they are.
    #[track_caller]
    pub fn push(&self, fault: Fault) {
        self.site.shared.push(fault);
        self.tell(false);
    }

    /// Ends the script and every open connection: from now on, each connection meets this.
    ///
    /// It holds when this returns. Open ones are closed, so that none that a client keeps goes on with the fault before.
    ///
    /// # Panics
    ///
    /// If the port cannot be listened on again after a refusal, which on Linux does not happen.
    #[track_caller]
    pub fn set(&self, fault: Fault) {
        self.site.shared.set_only(fault);
        self.tell(true);
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.thread.address
    }

    /// Where it listens, without a slash at the end: `http://127.0.0.1:1234`, with `https` if it began with TLS.
    pub fn url(&self) -> String {
        format!("{}://{}", self.site.tls.scheme(), self.address())
    }

    /// The certificate, as PEM, of the authority that a client has to trust; made for this proxy alone.
    #[cfg(feature = "tls")]
    pub fn ca_pem(&self) -> &str {
        self.site.tls.authority()
    }

    /// How many connections were accepted; one that was refused is not seen.
    pub fn connections(&self) -> usize {
        self.traffic().connections
    }

    /// What went through so far.
    pub fn traffic(&self) -> Traffic {
        self.site.shared.traffic()
    }

    /// Blocks this thread until the counts are as wanted; false if they are not after so long.
    ///
    /// `wanted` is asked while nothing is counted: it looks at what it is given, and not at the proxy.
    pub fn wait_until(&self, within: Duration, wanted: impl Fn(Traffic) -> bool) -> bool {
        self.site.shared.wait_until(within, wanted)
    }

    #[track_caller]
    fn tell(&self, cut: bool) {
        if let Err(error) = self.thread.tell(cut) {
            panic!("the fault proxy on {} does not follow: {error}", self.address());
        }
    }
}
