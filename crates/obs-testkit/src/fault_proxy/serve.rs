//! The proxy's thread: accepts connections and takes orders.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::door::Door;
use super::shared::Shared;
use super::tls::Tls;
use super::{Upstream, connection};

/// How long an owner waits for the thread, which never waits for a client; longer only on a machine that stands still.
const PATIENCE: Duration = Duration::from_secs(10);

/// What each connection needs to know.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) shared: Arc<Shared>,
    pub(super) upstream: Upstream,
    pub(super) tls: Tls,
}

/// Asks the thread to look at the script again.
#[derive(Debug)]
struct Order {
    /// Whether open connections end.
    cut: bool,
    done: Sender<io::Result<()>>,
}

/// The thread as its owner sees it; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) address: SocketAddr,
    /// `None` once it is told to end.
    orders: Option<UnboundedSender<Order>>,
    /// Disconnected when the thread ends; nothing is sent.
    ended: Receiver<()>,
}

impl Thread {
    pub(super) fn start(site: Arc<Site>) -> io::Result<Self> {
        let (orders, received) = unbounded_channel();
        let (ending, ended) = channel();
        let (ready, address) = channel();
        std::thread::Builder::new().name("fault-proxy".into()).spawn(move || {
            let _ending: Sender<()> = ending;
            let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match built {
                Ok(runtime) => runtime.block_on(run(site, received, &ready)),
                Err(error) => drop(ready.send(Err(error))),
            }
        })?;
        let address = address.recv_timeout(PATIENCE).map_err(io::Error::other)??;
        Ok(Self { address, orders: Some(orders), ended })
    }

    /// Has the script looked at again, and returns when it is.
    pub(super) fn tell(&self, cut: bool) -> io::Result<()> {
        let (done, told) = channel();
        let orders = self.orders.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        orders.send(Order { cut, done }).map_err(|_| io::ErrorKind::NotConnected)?;
        told.recv_timeout(PATIENCE).map_err(io::Error::other)?
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.orders = None;
        // Not joined: a thread that does not end in time is left to itself.
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

async fn run(site: Arc<Site>, mut orders: UnboundedReceiver<Order>, ready: &Sender<io::Result<SocketAddr>>) {
    let opened = Door::closed().and_then(|mut door| {
        door.set_open(!site.shared.refuses())?;
        Ok(door)
    });
    let mut door = match opened {
        Ok(door) => door,
        Err(error) => return drop(ready.send(Err(error))),
    };
    let _ = ready.send(Ok(door.address()));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            order = orders.recv() => {
                let Some(order) = order else { return };
                let done = door.set_open(!site.shared.refuses());
                if order.cut {
                    connections.shutdown().await;
                }
                let _ = order.done.send(done);
            }
            Some(_) = connections.join_next() => {}
            accepted = door.accept() => match accepted {
                Ok(tcp) => {
                    let (open, fault) = (site.shared.opened(), site.shared.next());
                    // Before the connection is served, so that its client finds the door as the script has it. A door
                    // that is to open stays as it is: only an order ends a refusal.
                    let _ = door.set_open(!site.shared.refuses());
                    let site = Arc::clone(&site);
                    connections.spawn(async move {
                        let _open = open;
                        connection::serve(tcp, fault, &site).await;
                    });
                }
                // Out of file descriptors, or a client that left before; neither gets better by asking at once.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
}
