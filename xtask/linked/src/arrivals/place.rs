//! Where an exporter sends to, and what came there.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use obs_core::Signal;
use obs_pipeline::DestinationSpec;
use obs_testkit::{CaptureServer, Captured};

use super::ground::Ground;
use super::read::{console, page, store};
use crate::e2e::Api;

/// A record as it arrived, with the ids that stand there, spelled as they stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(super) signal: Signal,
    pub(super) trace: Option<String>,
    pub(super) span: Option<String>,
}

impl Arrival {
    /// Text that is empty is no id.
    pub(super) fn new(signal: Signal, trace: Option<&str>, span: Option<&str>) -> Self {
        let id = |id: Option<&str>| id.filter(|id| !id.is_empty()).map(ToOwned::to_owned);
        Self { signal, trace: id(trace), span: id(span) }
    }
}

/// What came at once: a request, a line, a row, a page.
pub(crate) type Carrier = Vec<Arrival>;

/// An exporter that is ready, and where it sends to.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) destination: DestinationSpec,
    pub(crate) place: Place,
}

impl Stand {
    pub(super) fn new(destination: impl Into<DestinationSpec>, place: Place) -> Self {
        Self { destination: destination.into(), place }
    }
}

/// Where an exporter sends to.
#[derive(Debug)]
pub(crate) enum Place {
    /// A server, and how one request to it is read.
    Server(CaptureServer, fn(&Captured) -> Result<Carrier>),
    /// A file of lines, and how one line is read.
    Lines(PathBuf, fn(&str) -> Result<Carrier>),
    /// A folder of files of lines, closed and open ones, and how one line is read.
    Folder(PathBuf, fn(&str) -> Result<Carrier>),
    /// A store's file.
    Store(PathBuf),
    /// A page of metrics on this port.
    Page(u16),
    /// A screen.
    Screen(Screen),
}

impl Place {
    /// What one of its carriers is called.
    pub(super) fn unit(&self) -> &'static str {
        match self {
            Self::Server(..) => "request",
            Self::Lines(..) | Self::Folder(..) | Self::Screen(..) => "line",
            Self::Store(..) => "row",
            Self::Page(..) => "scrape",
        }
    }

    /// All that came.
    pub(super) fn carriers(&self, ground: &Ground) -> Result<Vec<Carrier>> {
        match self {
            Self::Server(server, read) => {
                let asked = |request: &Captured| format!("{} {}", request.method, request.path);
                let requests = server.requests();
                requests.iter().map(|request| read(request).with_context(|| asked(request))).collect()
            }
            Self::Lines(path, read) => lines(path, *read),
            Self::Folder(folder, read) => {
                let entries = std::fs::read_dir(folder);
                let entries = entries.with_context(|| format!("{} is not readable", folder.display()))?;
                let mut carriers = Vec::new();
                for entry in entries {
                    carriers.extend(lines(&entry?.path(), *read)?);
                }
                Ok(carriers)
            }
            Self::Store(path) => store::rows(path),
            Self::Page(port) => {
                let text = ground.block_on(Api::on(*port)?.page("/metrics", page::ACCEPT))?;
                Ok(vec![page::families(&text)])
            }
            Self::Screen(screen) => Ok(console::lines(&screen.text())),
        }
    }
}

impl Place {
    /// All that left for it since the last time, as bytes and without their compression; of files, all that is in them.
    pub(crate) fn raw(&self, ground: &Ground) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Server(server, _) => {
                let mut raw = Vec::new();
                for request in server.take_requests() {
                    let head = format!(
                        "{} {} {:?} {:?}\n",
                        request.method, request.path, request.query, request.headers
                    );
                    raw.extend(head.into_bytes());
                    raw.extend(request.body);
                }
                raw
            }
            Self::Lines(path, _) => std::fs::read(path).with_context(|| path.display().to_string())?,
            Self::Folder(folder, _) => beside(folder, "")?,
            // The log of what is written, and whatever else SQLite puts beside it.
            Self::Store(path) => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                beside(path.parent().unwrap_or(path), &name.unwrap_or_default())?
            }
            Self::Page(port) => ground.block_on(Api::on(*port)?.page("/metrics", page::ACCEPT))?.into_bytes(),
            Self::Screen(screen) => screen.text().into_bytes(),
        })
    }

    /// Whether `raw` gives only what is new.
    pub(crate) fn forgets(&self) -> bool {
        matches!(self, Self::Server(..))
    }
}

/// What is in the files of a folder whose names begin so.
fn beside(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let mut raw = Vec::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{} is not readable", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.file_name().to_string_lossy().starts_with(name) {
            raw.extend(std::fs::read(entry.path())?);
        }
    }
    Ok(raw)
}

fn lines(path: &Path, read: fn(&str) -> Result<Carrier>) -> Result<Vec<Carrier>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("{} is not readable", path.display()))?;
    text.lines().map(|line| read(line).with_context(|| line.to_owned())).collect()
}

/// What a program would show.
#[derive(Debug, Clone, Default)]
pub(crate) struct Screen(Arc<Mutex<Vec<u8>>>);

impl Screen {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
