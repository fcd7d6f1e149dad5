//! A folder by its path, where the system has no better.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Names, make, tidy};

/// A folder by its path.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder where it is not there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let path = tidy(path);
        make(&path)?;
        Ok(Self(path))
    }

    /// Makes the folder where it is gone.
    #[cfg(not(unix))]
    pub(crate) fn refresh(&self) -> io::Result<()> {
        make(&self.0)
    }

    /// The path of a name that no link has.
    fn at(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no plain file"));
        }
        Ok(path)
    }
}

impl Names for Folder {
    fn create(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).append(true).create_new(true).open(self.0.join(name))
    }

    fn reopen(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).append(true).open(self.at(name)?)
    }

    fn look(&self, name: &str) -> io::Result<File> {
        File::open(self.at(name)?)
    }

    fn is_taken(&self, name: &str) -> io::Result<bool> {
        match fs::symlink_metadata(self.0.join(name)) {
            Ok(_) => Ok(true),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(cause),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if self.is_taken(to)? {
            return Err(ErrorKind::AlreadyExists.into());
        }
        fs::rename(self.0.join(from), self.0.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn room(&self) -> Option<u64> {
        None
    }
}
