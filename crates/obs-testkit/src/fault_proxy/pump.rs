//! Bytes both ways between a client and the upstream, with cuts and a pace.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::shared::Shared;

const BUFFER: usize = 16 * 1024;

/// What happens to the bytes on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Course {
    /// Cut as soon as the client has sent so many bytes.
    pub(super) requests: Option<usize>,
    /// Cut as soon as the upstream has sent more than so many bytes.
    pub(super) answers: Option<usize>,
    /// Answers go in pieces of so many bytes, one each so long.
    pub(super) pace: Option<(usize, Duration)>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Both sides have said all, or the client has left.
    Closed,
    /// The connection is to be reset: it is cut by its course, or the upstream reset its own.
    Reset,
}

/// Forwards both ways until one of the ends.
pub(super) async fn run<C, U>(client: &mut C, upstream: &mut U, course: Course, shared: &Shared) -> End
where
    C: AsyncRead + AsyncWrite + Unpin + ?Sized,
    U: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    let (from_client, to_client) = tokio::io::split(client);
    let (from_upstream, to_upstream) = tokio::io::split(upstream);
    let there = requests(from_client, to_upstream, course.requests, shared);
    let back = answers(from_upstream, to_client, course, shared);
    match tokio::try_join!(there, back) {
        Ok(_) => End::Closed,
        Err(end) => end,
    }
}

async fn requests<R, W>(mut from: R, mut to: W, cut: Option<usize>, shared: &Shared) -> Result<(), End>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut left = cut.unwrap_or(usize::MAX);
    let mut buffer = vec![0; BUFFER];
    while left > 0 {
        let room = left.min(BUFFER);
        let read = from.read(&mut buffer[..room]).await.map_err(|_| End::Closed)?;
        if read == 0 {
            let _ = to.shutdown().await;
            return Ok(());
        }
        shared.received(read);
        // An upstream that takes no more may have answered why, and the answer still has to pass.
        if to.write_all(&buffer[..read]).await.is_err() {
            return Ok(());
        }
        if cut.is_some() {
            left -= read;
        }
    }
    Err(End::Reset)
}

async fn answers<R, W>(mut from: R, mut to: W, course: Course, shared: &Shared) -> Result<(), End>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut left = course.answers.unwrap_or(usize::MAX);
    let (piece, mut ticks) = match course.pace {
        Some((bytes, every)) => (bytes.max(1), Some(paced(every))),
        None => (BUFFER, None),
    };
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = from.read(&mut buffer).await.map_err(|_| End::Reset)?;
        if read == 0 {
            let _ = to.shutdown().await;
            return Ok(());
        }
        let pass = read.min(left);
        for piece in buffer[..pass].chunks(piece) {
            if let Some(ticks) = &mut ticks {
                ticks.tick().await;
            }
            send(&mut to, piece, shared).await.map_err(|_| End::Closed)?;
        }
        if pass < read {
            return Err(End::Reset);
        }
        if course.answers.is_some() {
            left -= pass;
        }
    }
}

/// A pace of at least a nanosecond; a piece that was late delays the next ones.
pub(super) fn paced(every: Duration) -> Interval {
    let mut ticks = interval(every.max(Duration::from_nanos(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Writes all to the client, counted as it goes.
pub(super) async fn send<W>(to: &mut W, mut bytes: &[u8], shared: &Shared) -> io::Result<()>
where
    W: AsyncWrite + Unpin + ?Sized,
{
    while !bytes.is_empty() {
        let written = to.write(bytes).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        shared.sent(written);
        bytes = &bytes[written..];
    }
    to.flush().await
}
