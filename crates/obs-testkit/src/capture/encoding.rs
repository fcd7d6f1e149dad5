//! The compression of bodies.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

/// What a body may grow to, so that a few bytes cannot fill the memory of a test.
pub(super) const LIMIT: u64 = 64 << 20;

/// The body without this `Content-Encoding`, or `None` if that is another, broken or too large.
pub(super) fn decoded(coding: &str, body: &[u8]) -> Option<Vec<u8>> {
    match coding {
        "gzip" => bounded(MultiGzDecoder::new(body)),
        "deflate" => bounded(ZlibDecoder::new(body)),
        "zstd" => bounded(zstd::stream::read::Decoder::new(body).ok()?),
        _ => None,
    }
}

fn bounded(from: impl Read) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    let read = from.take(LIMIT + 1).read_to_end(&mut body).ok()?;
    (read as u64 <= LIMIT).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zstd_is_read_up_to_the_limit() {
        let compress = |body: &[u8]| zstd::stream::encode_all(body, 1).unwrap();
        assert_eq!(decoded("zstd", &compress(b"{}")).as_deref(), Some(&b"{}"[..]));
        let (full, beyond) = (vec![0; LIMIT as usize], vec![0; LIMIT as usize + 1]);
        assert!(decoded("zstd", &compress(&full)).is_some());
        assert_eq!(decoded("zstd", &compress(&beyond)), None);
        assert_eq!(decoded("zstd", b"no zstd"), None);
        assert_eq!(decoded("br", b"{}"), None);
    }
}
