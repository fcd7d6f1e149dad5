//! A listener with a thread of its own, so that the page answers whatever the application does.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, Sleep};

/// The most connections at once; further ones wait for one to end.
const CONNECTIONS: usize = 64;

/// How long a connection may say nothing; scrapes are a minute apart, and a reader connects anew.
const SILENCE: Duration = Duration::from_secs(90);

/// How long an answer that is under way may take once the listener is told to stop.
const GRACE: Duration = Duration::from_secs(1);

/// A listener that serves the page until it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    /// Dropped to stop it.
    stop: oneshot::Sender<()>,
    stopped: oneshot::Receiver<()>,
    thread: JoinHandle<()>,
}

impl Listening {
    /// Takes the address and serves it on a thread of its own.
    pub(crate) fn start(address: SocketAddr, router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, told) = oneshot::channel();
        let (done, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("obs-prometheus".to_owned()).spawn(move || {
            if let Err(error) = runtime.block_on(serve(listener, router, told)) {
                tracing::warn!(target: "obs::prometheus", %address, "the listener ended: {error}");
            }
            // What is left of connections ends with the runtime, before it is said that the port is free.
            runtime.shutdown_timeout(Duration::ZERO);
            let _ = done.send(());
        })?;
        Ok(Self { address, stop, stopped, thread })
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Stops it and waits until the port is free, a second or so at most.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        // An error says that the thread is gone, and the port with it.
        let _ = self.stopped.await;
    }
}

async fn serve(listener: TcpListener, router: Router, told: oneshot::Receiver<()>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let limited = Limited { listener, free: Arc::new(Semaphore::new(CONNECTIONS)) };
    let (ending, ended) = oneshot::channel::<()>();
    let graceful = axum::serve(limited, router.fallback(elsewhere)).with_graceful_shutdown(async move {
        let _ = told.await;
        drop(ending);
    });
    let late = async move {
        let _ = ended.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = graceful => served,
        () = late => Ok(()),
    }
}

async fn elsewhere() -> (StatusCode, &'static str) {
    (
        StatusCode::NOT_FOUND,
        "nothing here; the metrics are under the path of metrics_path, /metrics by default\n",
    )
}

/// A listener of so many connections at once.
#[derive(Debug)]
struct Limited {
    listener: tokio::net::TcpListener,
    free: Arc<Semaphore>,
}

impl Listener for Limited {
    type Io = Watched;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Watched, SocketAddr) {
        // The semaphore is never closed; without a permit the connection is served all the same.
        let permit = Arc::clone(&self.free).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let silence = Box::pin(tokio::time::sleep(SILENCE));
        (Watched { stream, silence, _permit: permit }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when its reader says nothing for too long.
#[derive(Debug)]
struct Watched {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buf) {
            self.silence.as_mut().reset(Instant::now() + SILENCE);
            return Poll::Ready(read);
        }
        ready!(self.silence.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
