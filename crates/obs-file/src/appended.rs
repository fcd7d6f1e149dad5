//! A file that rows are appended to, and how a write that broke off is undone.

use std::io;

use crate::format::{Handle, Rows};

/// A file of rows.
#[derive(Debug)]
pub(crate) struct Appended {
    out: Box<dyn Handle>,
    /// How much of the file is whole: pieces, or rows where nothing is made smaller.
    len: u64,
    /// Whether there may be more in the file than that, which is cut off before anything else is written.
    torn: bool,
}

/// What becomes of the rows that were written whole when a write breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// They stay.
    WholeRows,
    /// They go, since the rows belong together.
    Nothing,
}

/// A write that broke off: how many rows stay, and why.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) rows: usize,
    pub(crate) cause: io::Error,
}

impl From<io::Error> for Broken {
    fn from(cause: io::Error) -> Self {
        Self { rows: 0, cause }
    }
}

impl Appended {
    /// An empty file.
    pub(crate) fn new(out: Box<dyn Handle>) -> Self {
        Self { out, len: 0, torn: false }
    }

    /// How long the file is.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Appends what was packed, with one call of the system where it takes it at once.
    ///
    /// What is torn when it takes less is cut off at once, or before the next write if that fails, too.
    pub(crate) fn append(
        &mut self,
        packed: &[u8],
        plain: Option<&dyn Rows>,
        keep: Keep,
    ) -> Result<(), Broken> {
        self.mend()?;
        let Err((written, cause)) = write_all(&mut *self.out, packed) else {
            self.len += packed.len() as u64;
            return Ok(());
        };
        // Of a piece that was made smaller, a part is nothing.
        let whole = match (plain, keep) {
            (Some(rows), Keep::WholeRows) => rows.whole(&packed[..written]),
            _ => crate::format::Whole::default(),
        };
        self.len += whole.bytes as u64;
        self.torn = written > whole.bytes;
        let undone = self.mend();
        if let Err(cause) = undone {
            tracing::warn!(target: "obs::file", error = %cause, "a row that broke off cannot be cut off yet");
        }
        Err(Broken { rows: whole.rows, cause })
    }

    /// Takes back what was appended since the file had this length.
    pub(crate) fn cut_back(&mut self, len: u64) -> io::Result<()> {
        (self.len, self.torn) = (len, true);
        self.mend()
    }

    /// Cuts off what is torn.
    pub(crate) fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.out.cut(self.len)?;
            self.torn = false;
        }
        Ok(())
    }

    /// Waits until the disk has it.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.out.sync()
    }
}

/// [`io::Write::write_all`] that says how far it came.
fn write_all(out: &mut dyn Handle, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match out.write(&bytes[written..]) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err((written, cause)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::jsonl::Jsonl;

    /// A disk with so much room, that may refuse to cut.
    #[derive(Debug, Clone, Default)]
    struct Full(Arc<Mutex<(Vec<u8>, usize, bool)>>);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (all, room, _) = &mut *self.0.lock().unwrap();
            let taken = room.saturating_sub(all.len()).min(bytes.len()).min(3);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            all.extend(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Handle for Full {
        fn cut(&mut self, len: u64) -> io::Result<()> {
            let (all, _, cuts) = &mut *self.0.lock().unwrap();
            if !*cuts {
                return Err(io::ErrorKind::StorageFull.into());
            }
            all.truncate(len as usize);
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const LINES: &Jsonl = &Jsonl { serializer: None };

    fn disk(room: usize, cuts: bool) -> (Full, Appended) {
        let full = Full(Arc::new(Mutex::new((Vec::new(), room, cuts))));
        (full.clone(), Appended::new(Box::new(full)))
    }

    fn text(full: &Full) -> String {
        String::from_utf8(full.0.lock().unwrap().0.clone()).unwrap()
    }

    #[test]
    fn a_full_disk_keeps_whole_rows_and_no_part_of_one() {
        let (full, mut file) = disk(9, true);
        let broken = file.append(b"one\ntwo\nthree\n", Some(LINES), Keep::WholeRows).unwrap_err();
        assert_eq!((broken.rows, broken.cause.kind()), (2, io::ErrorKind::StorageFull));
        assert_eq!((text(&full).as_str(), file.len()), ("one\ntwo\n", 8));
        full.0.lock().unwrap().1 = 100;
        file.append(b"three\n", Some(LINES), Keep::WholeRows).unwrap();
        assert_eq!(text(&full), "one\ntwo\nthree\n");
    }

    #[test]
    fn what_cannot_be_cut_off_now_is_cut_off_before_the_next_write() {
        let (full, mut file) = disk(9, false);
        let broken = file.append(b"one\ntwo\nthree\n", Some(LINES), Keep::WholeRows).unwrap_err();
        assert_eq!((broken.rows, text(&full).as_str()), (2, "one\ntwo\nt"));
        full.0.lock().unwrap().1 = 100;
        let broken = file.append(b"three\n", Some(LINES), Keep::WholeRows).unwrap_err();
        assert_eq!(
            (broken.rows, text(&full).as_str()),
            (0, "one\ntwo\nt"),
            "nothing is glued to what is torn"
        );
        full.0.lock().unwrap().2 = true;
        file.append(b"three\n", Some(LINES), Keep::WholeRows).unwrap();
        assert_eq!(text(&full), "one\ntwo\nthree\n");
    }

    #[test]
    fn rows_that_belong_together_and_pieces_stay_whole_or_not_at_all() {
        for plain in [Some(LINES as &dyn Rows), None] {
            let (full, mut file) = disk(9, true);
            file.append(b"a\n", plain, Keep::WholeRows).unwrap();
            let keep = if plain.is_some() { Keep::Nothing } else { Keep::WholeRows };
            let broken = file.append(b"one\ntwo\nthree\n", plain, keep).unwrap_err();
            assert_eq!((broken.rows, text(&full).as_str(), file.len()), (0, "a\n", 2));
        }
    }
}
