//! The workspace as the chores see it: its files, its members and the edges between them.
//!
//! Rules work on this value and do no I/O, so that each can be shown a broken project in a test.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{DependencyKind, MetadataCommand};

/// A text file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// Relative to the root, with `/` between its parts.
    pub(crate) path: String,
    /// The whole content.
    pub(crate) text: String,
}

impl SourceFile {
    /// The lines with their numbers, counted from one.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// True when the path ends in `.extension`.
    pub(crate) fn is(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, end)| end == extension)
    }
}

/// How a member uses another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// In the library or program, or in its build script.
    Built,
    /// In tests, examples and benches alone.
    Dev,
}

/// A dependency of a member on any crate.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    /// The crate it goes to.
    pub(crate) to: String,
    /// What for.
    pub(crate) kind: Use,
    /// The version requirement, as cargo prints it; `*` when there is none.
    pub(crate) requirement: String,
    /// True when the dependency is found by path.
    pub(crate) by_path: bool,
}

/// A crate of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// The crate's name.
    pub(crate) name: String,
    /// Its folder, relative to the root.
    pub(crate) dir: String,
    /// What it depends on.
    pub(crate) edges: Vec<Edge>,
    /// The names of its examples.
    pub(crate) examples: Vec<String>,
    /// False for `publish = false`.
    pub(crate) published: bool,
}

impl Member {
    /// The path of the crate's manifest.
    pub(crate) fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.dir)
    }
}

/// The workspace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Project {
    /// Where it lies; empty in a project made for a test.
    pub(crate) root: PathBuf,
    /// Every text file that git knows or would take.
    pub(crate) files: Vec<SourceFile>,
    /// Every member.
    pub(crate) members: Vec<Member>,
}

impl Project {
    /// Reads the workspace that `xtask` was built in.
    pub(crate) fn load() -> Result<Self> {
        let root = workspace_root();
        let files = read_files(&root)?;
        let members = read_members(&root)?;
        Ok(Self { root, files, members })
    }

    /// The file at `path`, if there is one.
    pub(crate) fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// True when `path` names a file, or a folder that holds one.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
            || self.on_disk(path)
    }

    /// The member called `name`.
    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Files that end in `.extension`.
    pub(crate) fn files_with(&self, extension: &'static str) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().filter(move |file| file.is(extension))
    }

    /// Images and other binary files are not in `files`; a link to one is still good.
    fn on_disk(&self, path: &str) -> bool {
        !self.root.as_os_str().is_empty() && self.root.join(path).exists()
    }
}

/// The root of the workspace that cargo runs `xtask` for.
///
/// Cargo says it when it runs us; two clones that share a target directory then never mix.
pub(crate) fn workspace_root() -> PathBuf {
    let manifest_dir =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&manifest_dir).parent().unwrap_or(Path::new(".")).to_path_buf()
}

fn read_files(root: &Path) -> Result<Vec<SourceFile>> {
    let listing = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .context("tidy lists the files with git, which did not start; install git and run it in a clone")?;
    ensure!(listing.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&listing.stderr));
    let mut files = Vec::new();
    for path in String::from_utf8_lossy(&listing.stdout).split_terminator('\0') {
        // A file can be listed and gone (deleted, not yet committed), or not be text.
        if let Ok(text) = std::fs::read_to_string(root.join(path)) {
            files.push(SourceFile { path: path.to_owned(), text });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    Ok(files)
}

fn read_members(root: &Path) -> Result<Vec<Member>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata failed; mend the manifest it names")?;
    let root = metadata.workspace_root.clone();
    let mut members = Vec::new();
    for package in metadata.packages {
        let dir = package.manifest_path.parent().and_then(|dir| dir.strip_prefix(&root).ok());
        let edges = package.dependencies.iter().map(|dependency| Edge {
            to: dependency.name.clone(),
            kind: if dependency.kind == DependencyKind::Development { Use::Dev } else { Use::Built },
            requirement: dependency.req.to_string(),
            by_path: dependency.path.is_some(),
        });
        members.push(Member {
            dir: dir.map(ToString::to_string).unwrap_or_default(),
            edges: edges.collect(),
            examples: package
                .targets
                .iter()
                .filter(|target| target.is_example())
                .map(|target| target.name.clone())
                .collect(),
            published: package.publish.as_ref().is_none_or(|registries| !registries.is_empty()),
            name: package.name.to_string(),
        });
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}

/// Small projects for the tests of the rules.
#[cfg(test)]
pub(crate) mod fixture {
    use super::{Edge, Member, Project, SourceFile, Use};

    /// A project of files alone.
    pub(crate) fn files(files: &[(&str, &str)]) -> Project {
        let files =
            files.iter().map(|(path, text)| SourceFile { path: (*path).into(), text: (*text).into() });
        Project { files: files.collect(), ..Project::default() }
    }

    /// A published member in `crates/`.
    pub(crate) fn member(name: &str, edges: &[Edge]) -> Member {
        Member {
            name: name.into(),
            dir: format!("crates/{name}"),
            edges: edges.to_vec(),
            examples: Vec::new(),
            published: true,
        }
    }

    /// An edge as it should be: by path and exact.
    pub(crate) fn built(to: &str) -> Edge {
        Edge { to: to.into(), kind: Use::Built, requirement: "=0.1.0".into(), by_path: true }
    }

    /// A dev-dependency as it should be: by path alone.
    pub(crate) fn dev(to: &str) -> Edge {
        Edge { to: to.into(), kind: Use::Dev, requirement: "*".into(), by_path: true }
    }
}
