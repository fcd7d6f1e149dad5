//! How far an import is, on a terminal.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::say;

/// A bar on standard error if that is a terminal, else nothing.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar over the bytes of all files.
    pub(super) fn over(files: &[PathBuf]) -> Self {
        let bytes = files.iter().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum();
        let bar = ProgressBar::new(bytes);
        let template = "reading {wide_bar} {bytes}/{total_bytes} {eta}";
        Self(bar.with_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        ))
    }

    /// So many bytes more were read.
    pub(super) fn read(&self, bytes: usize) {
        self.0.inc(bytes as u64);
    }

    /// A message above the bar.
    pub(super) fn tell(&self, message: &str) {
        self.0.suspend(|| say(message));
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
