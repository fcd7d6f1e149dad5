//! Where an HTTP/1.1 request ends.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// A head longer than this is taken for a whole request; no client that is tested here sends one.
const MAX_HEAD: usize = 256 * 1024;

/// Reads one request into `buffer`, which may hold the beginning, and takes it out; false if the client left before.
pub(super) async fn read<R>(from: &mut R, buffer: &mut Vec<u8>, count: impl Fn(usize)) -> io::Result<bool>
where
    R: AsyncRead + Unpin + ?Sized,
{
    loop {
        if let Some(end) = end(buffer) {
            buffer.drain(..end);
            return Ok(true);
        }
        let read = from.read_buf(buffer).await?;
        if read == 0 {
            return Ok(false);
        }
        count(read);
    }
}

/// The length of the first request in `bytes`, or `None` if it is not there as a whole.
fn end(bytes: &[u8]) -> Option<usize> {
    let Some(head) = find(bytes, b"\r\n\r\n").map(|at| at + 4) else {
        return (bytes.len() > MAX_HEAD).then_some(bytes.len());
    };
    let (mut length, mut chunked) = (0, false);
    for line in String::from_utf8_lossy(&bytes[..head]).lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "transfer-encoding" => chunked = value.to_ascii_lowercase().contains("chunked"),
            _ => {}
        }
    }
    if chunked {
        return end_of_chunks(&bytes[head..]).map(|body| head + body);
    }
    let whole = head.saturating_add(length);
    (bytes.len() >= whole).then_some(whole)
}

/// The length of a chunked body, or `None` if it is not there as a whole; one that makes no sense ends where it stops to.
fn end_of_chunks(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = find(body.get(at..)?, b"\r\n")?;
        let size = String::from_utf8_lossy(&body[at..at + line]);
        let size = size.split(';').next().unwrap_or_default().trim();
        at += line + 2;
        match usize::from_str_radix(size, 16) {
            Ok(0) => return end_of_trailers(body, at),
            Ok(size) => at = at.saturating_add(size).saturating_add(2),
            Err(_) => return Some(at),
        }
    }
}

fn end_of_trailers(body: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let line = find(&body[at..], b"\r\n")?;
        at += line + 2;
        if line == 0 {
            return Some(at);
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::end;

    #[test]
    fn a_request_ends_where_its_body_does_and_nowhere_before() {
        let requests = [
            "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n6\r\n0\r\n\r\n1\r\na;x=1\r\n0123456789\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nchecksum: 7\r\n\r\n",
        ];
        for request in requests {
            for cut in 0..request.len() {
                assert_eq!(end(&request.as_bytes()[..cut]), None, "{cut} bytes of {request}");
            }
            assert_eq!(end(request.as_bytes()), Some(request.len()), "{request}");
            let followed = format!("{request}GET /next HTTP/1.1\r\n");
            assert_eq!(end(followed.as_bytes()), Some(request.len()), "{request}");
        }
    }

    #[test]
    fn what_makes_no_sense_ends_somewhere() {
        assert_eq!(end(&vec![b'x'; super::MAX_HEAD + 1]), Some(super::MAX_HEAD + 1));
        let bad = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nnot hex\r\n";
        assert_eq!(end(bad.as_bytes()), Some(bad.len()));
    }
}
