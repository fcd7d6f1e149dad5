//! Bodies, compressed once.

use std::fmt;
use std::io::Write;

use bytes::Bytes;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde::Deserialize;

/// How bodies are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// With gzip at its fastest level: telemetry repeats itself so much that more work saves little.
    Gzip,
    /// With Zstandard at level 1, for backends that take it: smaller than gzip in a third of the time.
    Zstd,
    /// As zlib at its fastest level, which is what HTTP calls `deflate`, for endpoints that document nothing else.
    Deflate,
}

impl Compression {
    /// The value of `Content-Encoding`.
    pub const fn content_encoding(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
            Self::Deflate => Some("deflate"),
        }
    }

    fn apply(self, plain: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::None => None,
            Self::Gzip => {
                let mut encoder =
                    GzEncoder::new(Vec::with_capacity(plain.len() / 4), flate2::Compression::fast());
                encoder.write_all(plain).ok()?;
                encoder.finish().ok()
            }
            Self::Zstd => zstd::bulk::compress(plain, 1).ok(),
            Self::Deflate => {
                let mut encoder =
                    ZlibEncoder::new(Vec::with_capacity(plain.len() / 4), flate2::Compression::fast());
                encoder.write_all(plain).ok()?;
                encoder.finish().ok()
            }
        }
    }
}

/// The body of a request, compressed when it is made; cloning shares its bytes, so that each attempt sends the same.
#[derive(Clone, Default)]
pub struct Body {
    bytes: Bytes,
    encoding: Compression,
}

impl Body {
    /// Bodies below this are not compressed: they fit one packet, and the headers of gzip eat the gain.
    pub const COMPRESS_FROM: usize = 1024;

    /// A body that is sent as it is.
    pub fn plain(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), encoding: Compression::None }
    }

    /// A body that is sent compressed, unless it is shorter than [`COMPRESS_FROM`](Self::COMPRESS_FROM) or would grow.
    pub fn compressed(bytes: impl Into<Bytes>, compression: Compression) -> Self {
        let plain = Self::plain(bytes);
        if plain.len() < Self::COMPRESS_FROM {
            return plain;
        }
        match compression.apply(&plain.bytes) {
            Some(bytes) if bytes.len() < plain.len() => Self { bytes: bytes.into(), encoding: compression },
            _ => plain,
        }
    }

    /// How many bytes go over the wire.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How the bytes are compressed.
    pub fn encoding(&self) -> Compression {
        self.encoding
    }

    /// What goes over the wire; shared, not copied.
    pub fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }
}

/// Shows the length and the encoding, since the content is the user's.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("len", &self.len())
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::{MultiGzDecoder, ZlibDecoder};
    use proptest::prelude::*;

    use super::*;

    fn decoded(body: &Body) -> Vec<u8> {
        match body.encoding() {
            Compression::None => body.bytes().to_vec(),
            Compression::Gzip => {
                let mut plain = Vec::new();
                MultiGzDecoder::new(&*body.bytes()).read_to_end(&mut plain).unwrap();
                plain
            }
            Compression::Zstd => zstd::decode_all(&*body.bytes()).unwrap(),
            Compression::Deflate => {
                let mut plain = Vec::new();
                ZlibDecoder::new(&*body.bytes()).read_to_end(&mut plain).unwrap();
                plain
            }
        }
    }

    #[test]
    fn short_bodies_stay_plain_and_long_ones_shrink() {
        for compression in [Compression::Gzip, Compression::Zstd, Compression::Deflate] {
            let short = Body::compressed(vec![b'a'; Body::COMPRESS_FROM - 1], compression);
            assert_eq!(short.encoding(), Compression::None);
            let long = Body::compressed(vec![b'a'; Body::COMPRESS_FROM], compression);
            assert_eq!(long.encoding(), compression);
            assert!(long.len() < 100, "{long:?}");
        }
        assert_eq!(Body::compressed(vec![b'a'; 4096], Compression::None).encoding(), Compression::None);
    }

    #[test]
    fn what_would_grow_stays_plain() {
        // Bytes without repetition, from a small generator.
        let mut state = 1_u64;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        });
        let noise: Vec<u8> = noise.take(4096).collect();
        assert_eq!(Body::compressed(noise, Compression::Gzip).encoding(), Compression::None);
    }

    #[test]
    fn attempts_share_the_bytes() {
        let body = Body::compressed(vec![b'a'; 4096], Compression::Gzip);
        assert_eq!(body.bytes().as_ptr(), body.clone().bytes().as_ptr());
    }

    proptest! {
        #[test]
        fn what_is_sent_decodes_to_what_was_given(
            unit in proptest::collection::vec(any::<u8>(), 1..40),
            times in 1_usize..300,
            compression in prop::sample::select(vec![
                Compression::None, Compression::Gzip, Compression::Zstd, Compression::Deflate,
            ]),
        ) {
            let plain = unit.repeat(times);
            prop_assert_eq!(decoded(&Body::compressed(plain.clone(), compression)), plain);
        }
    }
}
