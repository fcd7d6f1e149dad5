//! Where lines go.

use std::fmt;
use std::io::{self, Write};

use crate::Memory;
use crate::file::FileSink;

/// One of the places that lines, or records, go to.
pub(crate) enum Sink {
    /// Standard output.
    Stdout(Torn),
    /// Any writer.
    Writer(Box<dyn Write + Send>, Torn),
    /// A file that is appended to.
    File(FileSink),
    /// The memory of this process.
    Memory(Memory),
}

/// Whether the last write ended within a line, so that the next must begin on a new one.
pub(crate) type Torn = bool;

/// A write that ended early: how many bytes had been written, and why.
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) written: usize,
    pub(crate) cause: io::Error,
}

impl Sink {
    /// Writes whole lines, with one call of the system where it takes them at once.
    pub(crate) fn write(&mut self, lines: &[u8]) -> Result<(), Partial> {
        match self {
            Self::Stdout(torn) => write_lines(&mut io::stdout().lock(), torn, lines),
            Self::Writer(writer, torn) => write_lines(writer, torn, lines),
            Self::File(file) => file.write(lines),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Hands on what the process still holds; with `sync`, waits until the disk has it.
    pub(crate) fn flush(&mut self, sync: bool) -> io::Result<()> {
        match self {
            Self::Stdout(_) => io::stdout().lock().flush(),
            Self::Writer(writer, _) => writer.flush(),
            Self::File(file) if sync => file.sync(),
            Self::File(_) | Self::Memory(_) => Ok(()),
        }
    }

    /// Why nothing can be written now, if that is so.
    pub(crate) fn trouble(&mut self) -> Option<String> {
        match self {
            Self::File(file) => file.trouble(),
            Self::Stdout(_) | Self::Writer(..) | Self::Memory(_) => None,
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout(_) => f.write_str("Stdout"),
            Self::Writer(..) => f.write_str("Writer"),
            Self::File(file) => file.fmt(f),
            Self::Memory(memory) => memory.fmt(f),
        }
    }
}

/// Writes all lines; on a new line if the last write broke off within one.
pub(crate) fn write_lines(
    out: &mut (impl Write + ?Sized),
    torn: &mut Torn,
    lines: &[u8],
) -> Result<(), Partial> {
    if *torn {
        write_all(out, b"\n")?;
        *torn = false;
    }
    write_all(out, lines).inspect_err(|partial| *torn = !ends_a_line(&lines[..partial.written]))
}

/// Whether no line is left unfinished behind these bytes.
fn ends_a_line(written: &[u8]) -> bool {
    written.last().is_none_or(|last| *last == b'\n')
}

/// [`Write::write_all`] that says how far it came.
fn write_all(out: &mut (impl Write + ?Sized), bytes: &[u8]) -> Result<(), Partial> {
    let mut written = 0;
    while written < bytes.len() {
        match out.write(&bytes[written..]) {
            Ok(0) => return Err(Partial { written, cause: io::ErrorKind::WriteZero.into() }),
            Ok(count) => written += count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(Partial { written, cause }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes in all, a few at a time.
    struct Full(Vec<u8>, usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.1.saturating_sub(self.0.len()).min(bytes.len()).min(3);
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.extend(&bytes[..room]);
            Ok(room)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_torn_line_is_ended_before_the_next_write() {
        let (mut out, mut torn) = (Full(Vec::new(), 9), false);
        let partial = write_lines(&mut out, &mut torn, b"one\ntwo\nthree\n").unwrap_err();
        assert_eq!((partial.written, torn), (9, true));
        assert_eq!(partial.cause.kind(), io::ErrorKind::StorageFull);
        assert!(
            write_lines(&mut out, &mut torn, b"three\n").is_err() && torn,
            "still no room for the newline"
        );
        out.1 = 100;
        write_lines(&mut out, &mut torn, b"three\n").unwrap();
        assert_eq!(out.0, b"one\ntwo\nt\nthree\n");
        assert!(!torn);
    }

    #[test]
    fn a_write_that_broke_off_between_lines_tears_nothing() {
        let (mut out, mut torn) = (Full(Vec::new(), 4), false);
        assert_eq!(write_lines(&mut out, &mut torn, b"one\ntwo\n").unwrap_err().written, 4);
        assert!(!torn);
    }
}
