//! Answers that no backend gives on purpose, and the one that a proxy without an upstream gives.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt, DuplexStream};

use super::pump::{paced, send};
use super::request;
use super::shared::Shared;

pub(super) const GARBAGE: &[u8] = b"220 mail.invalid ESMTP ready\r\n\r\n";

/// A gzip head, then a block of a type that does not exist.
const BAD_GZIP: [u8; 32] = {
    let mut bytes = [0xff; 32];
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0];
    let mut at = 0;
    while at < head.len() {
        bytes[at] = head[at];
        at += 1;
    }
    bytes
};

/// How many bytes of an endless body are one chunk; the head says so in hexadecimal.
const CHUNK: usize = 0x4000;

/// Sends a 200 whose body is not the gzip it is named.
pub(super) async fn bad_gzip<C>(client: &mut C, shared: &Shared) -> io::Result<()>
where
    C: AsyncWrite + Unpin + ?Sized,
{
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        BAD_GZIP.len(),
    );
    send(client, head.as_bytes(), shared).await?;
    send(client, &BAD_GZIP, shared).await
}

/// Sends a status line and headers until the client leaves.
pub(super) async fn slow_headers<C>(client: &mut C, every: Duration, shared: &Shared) -> io::Result<()>
where
    C: AsyncWrite + Unpin + ?Sized,
{
    let mut ticks = paced(every);
    ticks.tick().await;
    send(client, b"HTTP/1.1 200 OK\r\n", shared).await?;
    for nth in 0_u64.. {
        ticks.tick().await;
        send(client, format!("x-slow-{nth}: 1\r\n").as_bytes(), shared).await?;
    }
    Ok(())
}

/// Sends a 200 and spaces until the client leaves.
pub(super) async fn endless_body<C>(client: &mut C, shared: &Shared) -> io::Result<()>
where
    C: AsyncWrite + Unpin + ?Sized,
{
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    send(client, head, shared).await?;
    let mut chunk = b"4000\r\n".to_vec();
    chunk.resize(chunk.len() + CHUNK, b' ');
    chunk.extend_from_slice(b"\r\n");
    loop {
        send(client, &chunk, shared).await?;
    }
}

/// Answers every request with 200 and `{}` until the client leaves: the upstream of a proxy that stands alone.
pub(super) async fn origin(mut client: DuplexStream) -> io::Result<()> {
    let mut buffer = Vec::new();
    while request::read(&mut client, &mut buffer, |_| ()).await? {
        client.write_all(OK).await?;
    }
    client.shutdown().await
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::MultiGzDecoder;

    #[test]
    fn bad_gzip_is_named_gzip_and_is_none() {
        let error = MultiGzDecoder::new(&super::BAD_GZIP[..]).read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(super::BAD_GZIP[..2], [0x1f, 0x8b]);
        assert!(error.to_string().contains("deflate"), "{error}");
    }

    #[test]
    fn a_chunk_is_as_long_as_it_says() {
        assert_eq!(usize::from_str_radix("4000", 16), Ok(super::CHUNK));
    }
}
