//! Pieces of a file made smaller, each so that it can be read without those behind it.
//!
//! A piece is a member of gzip or a frame of zstd; a file of several reads as one.
//! What a crash tears is the last piece alone, and nothing that the encoder kept in memory is lost with it.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use flate2::{Compress, Crc, FlushCompress, Status};

use crate::Compression;

/// Name-less, without a time, from an unknown system: two runs write the same bytes.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The level that zstd has by default.
const ZSTD_LEVEL: i32 = 3;

/// Makes pieces, with buffers that are used again.
pub(crate) struct Packer {
    kind: Kind,
    out: Vec<u8>,
}

enum Kind {
    None,
    Gzip(Compress),
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Packer {
    pub(crate) fn new(compression: Compression) -> io::Result<Self> {
        let kind = match compression {
            Compression::None => Kind::None,
            Compression::Gzip => Kind::Gzip(Compress::new(flate2::Compression::default(), false)),
            Compression::Zstd => {
                let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
                compressor.include_checksum(true)?;
                Kind::Zstd(compressor)
            }
        };
        Ok(Self { kind, out: Vec::new() })
    }

    /// The bytes as one piece; as they are where nothing is made smaller.
    pub(crate) fn pack<'a>(&'a mut self, bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        self.out.clear();
        match &mut self.kind {
            Kind::None => return Ok(bytes),
            Kind::Gzip(deflate) => gzip(deflate, bytes, &mut self.out)?,
            Kind::Zstd(compressor) => {
                self.out.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
                compressor.compress_to_buffer(bytes, &mut self.out)?;
            }
        }
        Ok(&self.out)
    }

    /// Lets go of the room of a piece that was larger than this.
    pub(crate) fn shrink(&mut self, most: usize) {
        if self.out.capacity() > most {
            self.out = Vec::new();
        }
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::None => "Packer(none)",
            Kind::Gzip(_) => "Packer(gzip)",
            Kind::Zstd(_) => "Packer(zstd)",
        })
    }
}

fn gzip(deflate: &mut Compress, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(&GZIP_HEADER);
    deflate.reset();
    loop {
        let done = usize::try_from(deflate.total_in()).unwrap_or(usize::MAX).min(bytes.len());
        out.reserve((bytes.len() - done) / 4 + 64);
        if deflate.compress_vec(&bytes[done..], out, FlushCompress::Finish)? == Status::StreamEnd {
            break;
        }
    }
    let mut crc = Crc::new();
    crc.update(bytes);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&crc.amount().to_le_bytes());
    Ok(())
}

/// What a file begins with tells how it was made smaller.
pub(crate) fn of(front: &[u8]) -> Compression {
    if front.starts_with(&GZIP_HEADER[..2]) {
        Compression::Gzip
    } else if front.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Compression::Zstd
    } else {
        Compression::None
    }
}

/// Reads all pieces as one; a last piece that breaks off ends with what can be read of it.
pub(crate) fn unpacked(packed: impl BufRead + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    unpacked_within(packed, &Bound::default(), &Arc::default())
}

/// How much may come out of a file; may be set while it is read.
#[derive(Debug, Clone)]
pub(crate) struct Bound(Arc<AtomicU64>);

/// What a number of bytes stands for that nobody gave.
const DEFAULT_BOUND: u64 = 0;

/// So many bytes come out at most, where nobody says otherwise: 16 GiB.
const MOST_BYTES: u64 = 16 << 30;

/// And at most so many times of what was read, beyond [`FREE_BYTES`].
const MOST_RATIO: u64 = 1_000;

/// So many bytes may come out whatever they are made from.
const FREE_BYTES: u64 = 64 << 20;

impl Default for Bound {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(DEFAULT_BOUND)))
    }
}

impl Bound {
    /// So many bytes, and no ratio.
    pub(crate) fn set(&self, bytes: u64) {
        self.0.store(bytes.max(1), Ordering::Relaxed);
    }

    /// What may come out of so many bytes that were read.
    fn most(&self, taken: u64) -> u64 {
        match self.0.load(Ordering::Relaxed) {
            DEFAULT_BOUND => taken.saturating_mul(MOST_RATIO).clamp(FREE_BYTES, MOST_BYTES),
            bytes => bytes,
        }
    }
}

/// As [`unpacked`], with a bound that is known to others, and `torn` is set where the last piece breaks off.
pub(crate) fn unpacked_within(
    packed: impl BufRead + Send + 'static,
    bound: &Bound,
    torn: &Arc<AtomicBool>,
) -> io::Result<Box<dyn BufRead + Send>> {
    let taken = Arc::new(AtomicU64::new(0));
    let mut packed = Taken { inner: packed, taken: Arc::clone(&taken) };
    let decoder: Box<dyn Read + Send> = match of(packed.fill_buf()?) {
        Compression::None => return Ok(Box::new(packed)),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
    };
    let inflated = Inflated { inner: decoder, given: 0, taken, bound: bound.clone(), torn: Arc::clone(torn) };
    Ok(Box::new(BufReader::with_capacity(1 << 16, inflated)))
}

/// Counts what was taken for whoever holds the count, too.
struct Taken<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Taken<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Taken<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken.fetch_add(amount as u64, Ordering::Relaxed);
        self.inner.consume(amount);
    }
}

/// Ends where the stream breaks off, and remembers that; gives up what inflates beyond its bounds.
struct Inflated<R> {
    inner: R,
    given: u64,
    taken: Arc<AtomicU64>,
    bound: Bound,
    torn: Arc<AtomicBool>,
}

impl<R: Read> Read for Inflated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.bound.most(self.taken.load(Ordering::Relaxed));
        if self.given > most {
            let what = format!(
                "it inflates to more than {most} bytes, as files do that are made to fill memory; if it is yours, raise `with_max_inflated_bytes`"
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        match self.inner.read(buffer) {
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                self.torn.store(true, Ordering::Relaxed);
                Ok(0)
            }
            Ok(read) => {
                self.given += read as u64;
                Ok(read)
            }
            Err(cause) => Err(cause),
        }
    }
}

/// The pieces in front that are whole, and what ended them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pieces {
    pub(crate) bytes: u64,
    /// Whether the piece behind them is there in part: what a crash leaves. Else it is damaged, or there is none.
    pub(crate) torn: bool,
}

/// How the front of a piece of ours looks.
pub(crate) fn front_of_a_piece(compression: Compression) -> &'static [u8] {
    match compression {
        Compression::None => &[],
        Compression::Gzip => &GZIP_HEADER,
        Compression::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
    }
}

/// How much of whole pieces there is at the front.
pub(crate) fn whole_pieces(packed: impl Read, compression: Compression) -> io::Result<Pieces> {
    let mut counted = Counted { inner: BufReader::with_capacity(1 << 16, packed), used: 0 };
    let mut whole = 0;
    while !counted.fill_buf()?.is_empty() {
        let read = match compression {
            Compression::None => io::copy(&mut counted, &mut io::sink()),
            Compression::Gzip => {
                io::copy(&mut flate2::bufread::GzDecoder::new(&mut counted), &mut io::sink())
            }
            Compression::Zstd => zstd::stream::read::Decoder::with_buffer(&mut counted)
                .and_then(|decoder| io::copy(&mut decoder.single_frame(), &mut io::sink())),
        };
        match read {
            Ok(_) => whole = counted.used,
            // Torn, or something else was written behind: what stands before is whole in any case.
            Err(cause) if is_content(&cause) => {
                let torn = cause.kind() == io::ErrorKind::UnexpectedEof;
                return Ok(Pieces { bytes: whole, torn });
            }
            Err(cause) => return Err(cause),
        }
    }
    Ok(Pieces { bytes: whole, torn: false })
}

/// Whether the trouble is what the file holds, not the disk.
pub(crate) fn is_content(cause: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    matches!(cause.kind(), InvalidData | InvalidInput | Other | UnexpectedEof)
}

/// Counts what was consumed.
struct Counted<R> {
    inner: R,
    used: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.used += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.used += amount as u64;
        self.inner.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(compression: Compression, pieces: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
        let mut packer = Packer::new(compression).unwrap();
        let (mut all, mut ends) = (Vec::new(), vec![0]);
        for piece in pieces {
            all.extend_from_slice(packer.pack(piece).unwrap());
            ends.push(all.len());
        }
        (all, ends)
    }

    fn read(bytes: Vec<u8>) -> Vec<u8> {
        let mut all = Vec::new();
        unpacked(io::Cursor::new(bytes)).unwrap().read_to_end(&mut all).unwrap();
        all
    }

    proptest! {
        #[test]
        fn pieces_read_as_one_and_a_torn_one_loses_none_before_it(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..3_000), 1..5),
            zstd in any::<bool>(), cut in any::<prop::sample::Index>(),
        ) {
            let compression = if zstd { Compression::Zstd } else { Compression::Gzip };
            let (all, ends) = packed(compression, &pieces);
            prop_assert_eq!(of(&all), compression);
            prop_assert_eq!(read(all.clone()), pieces.concat());
            let cut = cut.index(all.len() + 1);
            let whole = ends.iter().rposition(|end| *end <= cut).unwrap();
            prop_assert_eq!(whole_pieces(&all[..cut], compression).unwrap().bytes, ends[whole] as u64);
            if cut >= 4 {
                let back = read(all[..cut].to_vec());
                prop_assert!(back.starts_with(&pieces[..whole].concat()) && pieces.concat().starts_with(&back));
            }
        }
    }

    #[test]
    fn what_else_is_behind_is_no_piece() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            let (mut all, ends) = packed(compression, &[b"one\n".to_vec(), b"two\n".to_vec()]);
            all.extend_from_slice(&[0; 64]);
            let pieces = whole_pieces(&all[..], compression).unwrap();
            assert_eq!(pieces, Pieces { bytes: ends[2] as u64, torn: false }, "{compression}");
        }
    }
}
