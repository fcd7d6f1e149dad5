//! The folder and what lies in it: made for its owner only, and never led out of by a link.
//!
//! On Unix the folder is held open and files are named relative to it, so that nobody can put another in its place
//! between two steps; elsewhere by its path.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

#[cfg(any(not(unix), test))]
mod portable;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use portable::Folder;
#[cfg(unix)]
pub(crate) use unix::Folder;

/// What each kind of folder can do; every name is one within it, without separators, and no link is followed.
pub(crate) trait Names {
    /// Makes a file that nobody has, open for appending, readable by its owner only.
    fn create(&self, name: &str) -> io::Result<File>;

    /// Opens a file to go on with it.
    fn reopen(&self, name: &str) -> io::Result<File>;

    /// Opens a file to read it.
    fn look(&self, name: &str) -> io::Result<File>;

    /// Whether anything has this name.
    fn is_taken(&self, name: &str) -> io::Result<bool>;

    /// Gives a file another name, in one step; what has that name already stays, as an error.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Takes a name away.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// All names that are text, in no order.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Waits until the disk has the names.
    fn sync(&self) -> io::Result<()>;

    /// How many bytes may still be written, where the system says so.
    fn room(&self) -> Option<u64>;
}

/// Whether the name leads to this very file.
pub(crate) fn leads_to(folder: &impl Names, name: &str, file: &File) -> bool {
    folder.look(name).and_then(|found| same(&found, file)).unwrap_or(false)
}

#[cfg(unix)]
fn same(a: &File, b: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (a, b) = (a.metadata()?, b.metadata()?);
    Ok((a.dev(), a.ino()) == (b.dev(), b.ino()))
}

/// Elsewhere an open file can be neither moved nor removed.
#[cfg(not(unix))]
fn same(_: &File, _: &File) -> io::Result<bool> {
    Ok(true)
}

/// Whether the file has no name any more.
pub(crate) fn is_gone(file: &File) -> bool {
    #[cfg(unix)]
    return file.metadata().is_ok_and(|found| std::os::unix::fs::MetadataExt::nlink(&found) == 0);
    #[cfg(not(unix))]
    return {
        let _ = file;
        false
    };
}

/// Whether it is a plain file of one name, and no link to a file of somebody else.
pub(crate) fn is_plain(file: &File) -> bool {
    #[cfg(unix)]
    let one_name = |found: &fs::Metadata| std::os::unix::fs::MetadataExt::nlink(found) == 1;
    #[cfg(not(unix))]
    let one_name = |_: &fs::Metadata| true;
    file.metadata().is_ok_and(|found| found.is_file() && one_name(&found))
}

/// Whether the file is our own; where users own nothing, each is.
pub(crate) fn is_own(file: &File) -> bool {
    #[cfg(unix)]
    return file.metadata().is_ok_and(|found| unix::is_own(&found));
    #[cfg(not(unix))]
    return {
        let _ = file;
        true
    };
}

/// The path without what stands at its end for nothing, so that a link cannot hide behind a slash.
fn tidy(path: &Path) -> PathBuf {
    let tidy: PathBuf = path.components().collect();
    if tidy.as_os_str().is_empty() { PathBuf::from(".") } else { tidy }
}

/// Makes the folder, and those above it, where they are not there.
fn make(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(found) if found.is_symlink() => {
            let target = fs::read_link(path)?;
            let what = format!("it is a link to {}; name the folder itself", target.display());
            return Err(io::Error::new(ErrorKind::InvalidInput, what));
        }
        Ok(_) => return Err(io::Error::new(ErrorKind::NotADirectory, "it is a file; name a folder")),
        Err(cause) if cause.kind() == ErrorKind::NotFound => {}
        Err(cause) => return Err(cause),
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    // The deepest folder that is there: the disk has to have the names below it.
    let above = path.ancestors().skip(1).find(|above| above.is_dir()).map(Path::to_owned);
    builder.create(path)?;
    #[cfg(unix)]
    for parent in path.ancestors().skip(1).take_while(|_| above.is_some()) {
        File::open(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?.sync_all()?;
        if Some(parent) == above.as_deref() {
            break;
        }
    }
    #[cfg(not(unix))]
    drop(above);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    type Open = dyn Fn(&Path) -> io::Result<Box<dyn Names>>;

    fn each(check: impl Fn(&Path, &Open)) {
        let kinds: [&Open; 2] =
            [&|path| Folder::open(path).map(|folder| Box::new(folder) as Box<dyn Names>), &|path| {
                portable::Folder::open(path).map(|folder| Box::new(folder) as Box<dyn Names>)
            }];
        for open in kinds {
            let place = tempfile::tempdir().unwrap();
            check(place.path(), open);
        }
    }

    #[test]
    fn a_file_is_made_once_appended_to_and_renamed_over_nothing() {
        each(|place, open| {
            let folder = open(&place.join("made/here/")).unwrap();
            let mut file = folder.create("a").unwrap();
            file.write_all(b"one").unwrap();
            assert_eq!(folder.create("a").unwrap_err().kind(), ErrorKind::AlreadyExists);
            folder.reopen("a").unwrap().write_all(b" two").unwrap();
            folder.create("b").unwrap();
            assert_eq!(folder.rename("a", "b").unwrap_err().kind(), ErrorKind::AlreadyExists);
            folder.rename("a", "c").unwrap();
            let mut text = String::new();
            folder.look("c").unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "one two");
            assert!(folder.is_taken("c").unwrap() && !folder.is_taken("a").unwrap());
            folder.remove("b").unwrap();
            assert_eq!(folder.names().unwrap(), ["c"]);
            folder.sync().unwrap();
            assert_ne!(folder.room(), Some(0));
        });
    }

    #[cfg(unix)]
    #[test]
    fn links_are_refused_wherever_they_stand() {
        use std::os::unix::fs::symlink;
        each(|place, open| {
            fs::create_dir(place.join("real")).unwrap();
            symlink(place.join("real"), place.join("link")).unwrap();
            for path in ["link", "link/", "link/."] {
                let error = open(&place.join(path)).err().map(|error| error.to_string()).unwrap_or_default();
                assert!(error.contains("it is a link to") && error.contains("/real"), "{path}: {error}");
            }
            let folder = open(&place.join("real")).unwrap();
            fs::write(place.join("secret"), "hush").unwrap();
            symlink(place.join("secret"), place.join("real/a")).unwrap();
            assert!(folder.create("a").is_err() && folder.reopen("a").is_err() && folder.look("a").is_err());
            assert!(folder.is_taken("a").unwrap(), "the link has the name");
            folder.create("b").unwrap();
            assert!(folder.rename("b", "a").is_err());
            folder.remove("a").unwrap();
            assert_eq!(fs::read_to_string(place.join("secret")).unwrap(), "hush");
        });
    }

    #[cfg(unix)]
    #[test]
    fn what_is_made_is_its_owner_s_alone() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(&place.path().join("a/b")).unwrap();
        folder.create("f").unwrap();
        let mode = |path: &str| fs::metadata(place.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("a"), mode("a/b"), mode("a/b/f")), (0o700, 0o700, 0o600));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_all_may_change_is_refused_unless_names_are_safe_in_it() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        for (mode, taken) in [(0o777, false), (0o1777, true), (0o775, true), (0o700, true)] {
            fs::set_permissions(place.path(), fs::Permissions::from_mode(mode)).unwrap();
            let opened = Folder::open(place.path());
            assert_eq!(opened.is_ok(), taken, "{mode:o}: {opened:?}");
        }
    }

    #[test]
    fn a_file_where_the_folder_should_be_is_said() {
        each(|place, open| {
            fs::write(place.join("f"), "").unwrap();
            let error = open(&place.join("f")).err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), Some("it is a file; name a folder"));
            assert!(open(&place.join("f/under")).is_err());
        });
    }
}
