//! A writer that remembers.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Debug, Clone, Default)]
pub(crate) struct Paper(Arc<Mutex<Sheet>>);

#[derive(Debug, Default)]
struct Sheet {
    written: Vec<u8>,
    writes: usize,
    broken: bool,
}

impl Paper {
    fn sheet(&self) -> MutexGuard<'_, Sheet> {
        self.0.lock().unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.sheet().written.clone()).unwrap()
    }

    pub(crate) fn writes(&self) -> usize {
        self.sheet().writes
    }

    /// Makes every write fail, or work again.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.sheet().broken = broken;
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut sheet = self.sheet();
        if sheet.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        sheet.writes += 1;
        sheet.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
