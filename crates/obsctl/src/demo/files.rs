//! The files a question is asked about: listed and read within limits.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the demo reads; everything else is skipped with a reason.
const EXTENSIONS: [&str; 3] = ["md", "txt", "rs"];

/// Folders that hold no text of their own: build output and other people's packages.
const PASSED_OVER: [&str; 2] = ["target", "node_modules"];

/// How much of a directory the demo is willing to take in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// At most this many files.
    pub files: usize,
    /// A larger file is skipped, in bytes.
    pub file_bytes: u64,
    /// The sum of all files, in bytes.
    pub total_bytes: u64,
    /// Folders below the root.
    pub depth: usize,
}

impl Default for Limits {
    /// Enough for the documents of a large repository, little enough to answer within a second or two.
    fn default() -> Self {
        Self { files: 400, file_bytes: 1 << 20, total_bytes: 16 << 20, depth: 16 }
    }
}

/// One file that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileEntry {
    /// Relative to the directory that was listed.
    pub path: PathBuf,
    /// Its size when it was listed.
    pub bytes: u64,
}

/// Why a file was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skip {
    /// Larger than the limit for one file.
    TooLarge,
    /// The limit for the number of files or their sum was reached before it.
    LimitReached,
    /// A symbolic link; following links could leave the directory or never end.
    Link,
    /// A folder deeper than the limit.
    TooDeep,
    /// The system refused to list it.
    Unreadable,
}

impl Skip {
    /// The reason in words.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too large",
            Self::LimitReached => "limit reached",
            Self::Link => "symbolic link",
            Self::TooDeep => "too deep",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What a directory holds, in the order of its paths.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listing {
    /// The files to read.
    pub files: Vec<FileEntry>,
    /// Text files and folders left out, with the reason.
    pub skipped: Vec<(PathBuf, Skip)>,
}

impl Listing {
    /// The sum of the sizes, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// A file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// Relative to the directory that was listed.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

/// Lists the text files below `root`, sorted by path, hidden folders and links left out.
///
/// Fails only if `root` itself cannot be listed.
pub(crate) fn list(root: &Path, limits: Limits) -> io::Result<Listing> {
    let mut listing = Listing::default();
    let mut found = Vec::new();
    let mut folders = vec![(PathBuf::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(error),
            Err(_) => {
                listing.skipped.push((folder, Skip::Unreadable));
                continue;
            }
        };
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            let Ok(kind) = entry.file_type() else {
                listing.skipped.push((path, Skip::Unreadable));
                continue;
            };
            if kind.is_dir() && is_visible(&path) {
                if depth < limits.depth {
                    folders.push((path, depth + 1));
                } else {
                    listing.skipped.push((path, Skip::TooDeep));
                }
            } else if is_text(&path) && kind.is_symlink() {
                listing.skipped.push((path, Skip::Link));
            } else if is_text(&path) && kind.is_file() {
                found.push(FileEntry { path, bytes: entry.metadata().map_or(0, |meta| meta.len()) });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    admit(found, limits, &mut listing);
    listing.skipped.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(listing)
}

/// Takes files in their order until a limit is reached, and names the rest.
fn admit(found: Vec<FileEntry>, limits: Limits, listing: &mut Listing) {
    let mut total = 0;
    for file in found {
        if file.bytes > limits.file_bytes {
            listing.skipped.push((file.path, Skip::TooLarge));
        } else if listing.files.len() == limits.files || total + file.bytes > limits.total_bytes {
            listing.skipped.push((file.path, Skip::LimitReached));
        } else {
            total += file.bytes;
            listing.files.push(file);
        }
    }
}

/// Reads one listed file; bytes that are not UTF-8 become replacement characters.
///
/// A file that grew past `limits` since it was listed is an error, so that the memory stays bounded.
pub(crate) fn read(root: &Path, file: &FileEntry, limits: Limits) -> io::Result<Document> {
    use io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(root.join(&file.path))?.take(limits.file_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limits.file_bytes {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "the file grew past the limit while it was read",
        ));
    }
    Ok(Document { path: file.path.clone(), text: String::from_utf8_lossy(&bytes).into_owned() })
}

fn is_visible(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or(".");
    !name.starts_with('.') && !PASSED_OVER.contains(&name)
}

fn is_text(path: &Path) -> bool {
    is_visible(path)
        && path.extension().and_then(|extension| extension.to_str()).is_some_and(|e| EXTENSIONS.contains(&e))
}

/// A folder of the demo's own, removed when it is dropped, with a link in it that points nowhere.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// The name of the link.
    pub(crate) const LINK: &str = "notes.md";

    /// Makes the folder and the link.
    ///
    /// Where the system lets nobody make links the name is simply missing, and reading it fails all the same.
    pub(crate) fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("obs-demo-").tempdir()?;
        link(Path::new("moved-away.md"), &folder.path().join(Self::LINK))?;
        Ok(Self { folder })
    }

    /// Where the folder is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(unix)]
fn link(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn link(_target: &Path, _at: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn paths(listing: &Listing) -> Vec<&str> {
        listing.files.iter().map(|file| file.path.to_str().unwrap()).collect()
    }

    #[test]
    fn only_visible_text_files_are_listed_in_the_order_of_their_paths() {
        let root = tempfile::tempdir().unwrap();
        for path in ["b.md", "a/c.txt", "a/d.rs", "e.png", ".git/f.md", "target/g.md", ".h.md"] {
            write(root.path(), path, "text");
        }
        let listing = list(root.path(), Limits::default()).unwrap();
        assert_eq!(paths(&listing), ["a/c.txt", "a/d.rs", "b.md"]);
        assert_eq!(listing.bytes(), 12);
        assert!(listing.skipped.is_empty());
    }

    #[test]
    fn what_exceeds_a_limit_is_named_with_its_reason() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "a.md", "1234");
        write(root.path(), "b.md", "12345678");
        write(root.path(), "c.md", "1234");
        write(root.path(), "d.md", "1234");
        write(root.path(), "deep/er/e.md", "1");
        let limits = Limits { files: 2, file_bytes: 4, total_bytes: 100, depth: 1 };
        let listing = list(root.path(), limits).unwrap();
        assert_eq!(paths(&listing), ["a.md", "c.md"]);
        let skipped: Vec<_> =
            listing.skipped.iter().map(|(path, why)| (path.to_str().unwrap(), *why)).collect();
        assert_eq!(
            skipped,
            [("b.md", Skip::TooLarge), ("d.md", Skip::LimitReached), ("deep/er", Skip::TooDeep)]
        );
    }

    #[test]
    fn the_sum_of_all_files_is_bounded() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "a.md", "1234");
        write(root.path(), "b.md", "1234");
        let listing = list(root.path(), Limits { total_bytes: 7, ..Limits::default() }).unwrap();
        assert_eq!(paths(&listing), ["a.md"]);
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let error = list(&root.path().join("gone"), Limits::default()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_file_that_is_not_utf8_is_read_with_replacements_and_one_that_grew_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.md"), b"one \xff two").unwrap();
        let file = FileEntry { path: "a.md".into(), bytes: 9 };
        assert_eq!(read(root.path(), &file, Limits::default()).unwrap().text, "one \u{fffd} two");
        let error = read(root.path(), &file, Limits { file_bytes: 8, ..Limits::default() }).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    #[cfg(unix)]
    fn the_scratch_link_exists_but_leads_nowhere_and_listing_names_it() {
        let scratch = Scratch::new().unwrap();
        let link = scratch.path().join(Scratch::LINK);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&link).unwrap_err().kind(), io::ErrorKind::NotFound);
        let listing = list(scratch.path(), Limits::default()).unwrap();
        assert_eq!(listing.skipped, [(PathBuf::from(Scratch::LINK), Skip::Link)]);
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(!path.exists());
    }
}
