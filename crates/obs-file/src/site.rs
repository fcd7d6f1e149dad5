//! What all files of an exporter have in common: their folder, their names, and when they end.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use obs_core::{Error, Signal};

use crate::clock::{Clock, Moment};
use crate::csv::Csv;
use crate::disk::{Folder, Names, leads_to};
use crate::format::Rows;
use crate::jsonl::Jsonl;
use crate::retention::Retention;
use crate::rotation::Rotation;
use crate::template::Template;
use crate::{Compression, FileConfig, FileFormat, Fsync, Serializer};

/// Behind the name of a file that is being written.
pub(crate) const OPEN: &str = ".open";

/// Behind the name of a file that a crash left and nobody can read.
pub(crate) const TORN: &str = ".torn";

/// How many files of one name there may be before it is taken for an error.
const MOST_OF_ONE_NAME: u32 = 1_000_000;

/// The place of the files.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) path: PathBuf,
    pub(crate) folder: Folder,
    pub(crate) template: Template,
    pub(crate) format: FileFormat,
    pub(crate) compression: Compression,
    pub(crate) serializer: Option<Serializer>,
    /// None for a format that holds its file itself.
    pub(crate) rows: Option<Box<dyn Rows>>,
    pub(crate) rotation: Rotation,
    pub(crate) retention: Retention,
    pub(crate) fsync: Fsync,
    pub(crate) clock: Box<dyn Clock>,
    /// What is to be told when somebody asks how it is.
    pub(crate) notices: Notices,
}

/// What went wrong.
#[derive(Debug, Default)]
pub(crate) struct Notices(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// The last write failed so.
    trouble: Option<String>,
    /// What was found or lost, to be said once: the last of it.
    once: VecDeque<String>,
    /// How much more there was.
    forgotten: u64,
    /// When a warning was last written, and how many were not since.
    warned: Option<Duration>,
    quiet: u64,
}

/// How many notices wait for somebody who asks.
const MOST_NOTICES: usize = 16;

/// A warning stands in the log at most this often.
const WARNING_INTERVAL: Duration = Duration::from_mins(1);

impl Notices {
    /// The last write came to this.
    pub(crate) fn last_write<T>(&self, outcome: &Result<T, Error>) {
        self.lock().trouble = outcome.as_ref().err().map(|error| error.message().to_owned());
    }

    /// To be said once; also a warning in the log, unless there was one a moment ago.
    fn once(&self, notice: String, elapsed: Duration) {
        let mut told = self.lock();
        if told.warned.is_none_or(|warned| elapsed.saturating_sub(warned) >= WARNING_INTERVAL) {
            let quiet = std::mem::take(&mut told.quiet);
            told.warned = Some(elapsed);
            tracing::warn!(target: "obs::file", suppressed = quiet, "{notice}");
        } else {
            told.quiet += 1;
            tracing::debug!(target: "obs::file", "{notice}");
        }
        told.once.push_back(notice);
        if told.once.len() > MOST_NOTICES {
            told.once.pop_front();
            told.forgotten += 1;
        }
    }

    /// Why the last write failed, if it did.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.lock().trouble.clone()
    }

    /// What is still to be said.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut told = self.lock();
        let forgotten = std::mem::take(&mut told.forgotten);
        let mut said: Vec<String> = told.once.drain(..).collect();
        if forgotten > 0 {
            said.push(format!("{forgotten} notices before these are in the log alone"));
        }
        said
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file that was begun, and its names while it is open and afterwards.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) file: File,
    pub(crate) open_name: String,
    pub(crate) name: String,
}

impl Site {
    /// Makes the folder, and reads the template.
    pub(crate) fn new(config: FileConfig, template: Template, clock: Box<dyn Clock>) -> Result<Self, Error> {
        let path = config.output_directory.clone();
        let folder = Folder::open(&path).map_err(|cause| {
            Error::config("output_directory", format!("{}: {cause}", path.display())).with_source(cause)
        })?;
        let rows: Option<Box<dyn Rows>> = match config.file_format {
            FileFormat::Jsonl => Some(Box::new(Jsonl { serializer: config.serializer.clone() })),
            FileFormat::Csv => Some(Box::new(Csv)),
            FileFormat::Parquet => None,
        };
        Ok(Self {
            path,
            folder,
            template,
            format: config.file_format,
            compression: config.compression,
            rows,
            rotation: Rotation::of(&config),
            retention: Retention::of(&config),
            fsync: config.fsync,
            serializer: config.serializer,
            clock,
            notices: Notices::default(),
        })
    }

    /// To be said once, when somebody asks how it is; also a warning in the log, at most one a minute.
    pub(crate) fn tell(&self, notice: String) {
        self.notices.once(notice, self.clock.elapsed());
    }

    pub(crate) fn now(&self) -> Moment {
        Moment::of(&*self.clock)
    }

    /// Begins a file under a name that nobody has or had, and locks it, so that whoever finds it knows that we live.
    ///
    /// `sequence` is the number to begin with, and becomes the one behind that was found.
    pub(crate) fn begin(&self, signal: Option<Signal>, at: Moment, sequence: &mut u32) -> io::Result<Begun> {
        self.folder.refresh()?;
        while *sequence < MOST_OF_ONE_NAME {
            let name = self.template.name(signal, at.wall, *sequence);
            let open_name = format!("{name}{OPEN}");
            *sequence += 1;
            // Before anything is made, so that no empty file lies beside a closed one, not for a moment.
            if self.folder.is_taken(&name)? {
                continue;
            }
            let file = match self.folder.create(&open_name) {
                Ok(file) => file,
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists => continue,
                Err(cause) => return Err(cause),
            };
            // Somebody who looks for what a crash left may have found it before the lock; then it is theirs.
            if file.try_lock().is_err_and(|cause| matches!(cause, std::fs::TryLockError::WouldBlock))
                || !leads_to(&self.folder, &open_name, &file)
            {
                continue;
            }
            if self.folder.is_taken(&name)? {
                self.folder.remove(&open_name)?;
                continue;
            }
            if self.fsync >= Fsync::OnFlush {
                // What is waited for later is worth nothing without the name.
                self.folder.sync()?;
            }
            return Ok(Begun { file, open_name, name });
        }
        Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "a million files have this name; put {timestamp} into the template",
        ))
    }

    /// Gives a file that ended its name, or the next that is free; returns which.
    pub(crate) fn settle(&self, open_name: &str, name: &str) -> io::Result<String> {
        let end = crate::template::end(self.format, self.compression);
        let stem = name.strip_suffix(end).unwrap_or(name);
        let others = (2..MOST_OF_ONE_NAME).map(|number| format!("{stem}-{number}{end}"));
        for name in std::iter::once(name.to_owned()).chain(others) {
            match self.folder.rename(open_name, &name) {
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(cause),
                Ok(()) => {
                    // It has its name, whether the disk knows that yet or not.
                    if self.fsync >= Fsync::OnRotate
                        && let Err(cause) = self.folder.sync()
                    {
                        self.tell(format!("{name}: the disk may not have the name yet: {cause}"));
                    }
                    return Ok(name);
                }
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_bounded_and_the_last_of_them_are_kept() {
        let notices = Notices::default();
        for nth in 0..100 {
            notices.once(nth.to_string(), Duration::from_secs(nth));
        }
        let said = notices.take();
        assert_eq!((said.len(), said[0].as_str()), (MOST_NOTICES + 1, "84"));
        assert_eq!(said[MOST_NOTICES], "84 notices before these are in the log alone");
        assert_eq!(notices.lock().quiet, 39, "one warning a minute");
        assert_eq!(notices.take(), [""; 0]);
    }
}
