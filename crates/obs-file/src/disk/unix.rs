//! A folder that is held open.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use rustix::fs::{AtFlags, Mode, OFlags};

use super::{Names, make, tidy};

/// Everybody may write, and the sticky bit, which keeps people from each other's names.
const ALL_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    held: RwLock<OwnedFd>,
}

impl Folder {
    /// Opens the folder, and makes it where it is not there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let path = tidy(path);
        let held = RwLock::new(hold(&path)?.into());
        Ok(Self { path, held })
    }

    /// Opens the folder anew where its path leads to another one by now, or to none.
    pub(crate) fn refresh(&self) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt;
        let identity = |found: std::fs::Metadata| (found.dev(), found.ino());
        let known = rustix::fs::openat(&*self.held(), ".", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(io::Error::from)
            .and_then(|known| File::from(known).metadata())
            .map(identity);
        let now = std::fs::symlink_metadata(&self.path).map(identity);
        if !matches!((known, now), (Ok(known), Ok(now)) if known == now) {
            let held = hold(&self.path)?.into();
            *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
        }
        Ok(())
    }

    fn held(&self) -> RwLockReadGuard<'_, OwnedFd> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, name: &str, flags: OFlags) -> io::Result<File> {
        // Not blocking, since a pipe in the place of a file would wait for its other end for ever.
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        Ok(rustix::fs::openat(&*self.held(), name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }
}

/// Whether it is us, or root.
fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::geteuid().as_raw()
}

/// Whether this file is our own.
pub(super) fn is_own(found: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(found) == rustix::process::geteuid().as_raw()
}

/// Opens the folder, makes it where it is not there, and refuses one in which names are not safe.
fn hold(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    make(path)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let found = folder.metadata()?;
    // Whoever owns a folder may put other files into the place of ours.
    if !is_trusted(found.uid()) {
        let what = format!(
            "it belongs to the user {}, who could exchange the files in it; give it to the user {} who writes, or name another",
            found.uid(),
            rustix::process::geteuid().as_raw()
        );
        return Err(io::Error::new(ErrorKind::PermissionDenied, what));
    }
    let mode = found.permissions().mode();
    if mode & ALL_WRITE != 0 && mode & STICKY == 0 {
        let what =
            format!("everybody may replace files in it (mode {:o}); take that right away", mode & 0o7777);
        return Err(io::Error::new(ErrorKind::PermissionDenied, what));
    }
    Ok(folder)
}

impl Names for Folder {
    fn create(&self, name: &str) -> io::Result<File> {
        self.at(name, OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL)
    }

    fn reopen(&self, name: &str) -> io::Result<File> {
        self.at(name, OFlags::RDWR | OFlags::APPEND)
    }

    fn look(&self, name: &str) -> io::Result<File> {
        self.at(name, OFlags::RDONLY)
    }

    fn is_taken(&self, name: &str) -> io::Result<bool> {
        match rustix::fs::statat(&*self.held(), name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(cause) => Err(cause.into()),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        {
            use rustix::io::Errno;
            let flags = rustix::fs::RenameFlags::NOREPLACE;
            let held = self.held();
            match rustix::fs::renameat_with(&*held, from, &*held, to, flags) {
                // A file system that has no such step.
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                done => return Ok(done?),
            }
        }
        if self.is_taken(to)? {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let held = self.held();
        Ok(rustix::fs::renameat(&*held, from, &*held, to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&*self.held(), name, AtFlags::empty())?)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&*self.held())? {
            if let Ok(name) = entry?.file_name().to_str()
                && name != "."
                && name != ".."
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&*self.held())?)
    }

    fn room(&self) -> Option<u64> {
        let found = rustix::fs::fstatvfs(&*self.held()).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }
}
