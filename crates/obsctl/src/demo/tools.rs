//! The tools of the agent. They do what they say, on real files.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};

use super::files::Document;
use super::words;

/// The most matches that `find_in_files` gives back.
const MAX_MATCHES: usize = 20;

/// A tool and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    /// Counts lines, words and bytes of one file.
    WordCount { path: PathBuf },
    /// Finds the lines that hold a term, whatever its case.
    FindInFiles { term: String },
    /// Reads the file that a link points to.
    ReadLinkedFile { path: PathBuf },
}

impl Call {
    /// The tool's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::WordCount { .. } => "word_count",
            Self::FindInFiles { .. } => "find_in_files",
            Self::ReadLinkedFile { .. } => "read_linked_file",
        }
    }

    /// What the tool does, in a sentence.
    pub(crate) fn description(&self) -> &'static str {
        match self {
            Self::WordCount { .. } => "Counts lines, words and bytes of one file",
            Self::FindInFiles { .. } => "Finds the lines that hold a term",
            Self::ReadLinkedFile { .. } => "Reads the file that a link points to",
        }
    }

    /// The arguments as JSON.
    pub(crate) fn arguments(&self) -> Value {
        match self {
            Self::WordCount { path } | Self::ReadLinkedFile { path } => {
                json!({ "path": path.to_string_lossy() })
            }
            Self::FindInFiles { term } => json!({ "term": term }),
        }
    }
}

/// Why a tool failed.
#[derive(Debug)]
pub(crate) enum ToolError {
    /// The path leads out of the folder that the tool may read.
    Outside(PathBuf),
    /// The system's answer.
    Io { path: PathBuf, source: io::Error },
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside(path) => write!(f, "{} is outside the folder that tools may read", path.display()),
            Self::Io { path, .. } => write!(f, "cannot read {}", path.display()),
        }
    }
}

impl std::error::Error for ToolError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Outside(_) => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}

/// What tools may see.
#[derive(Debug)]
pub(crate) struct Workbench {
    /// The directory that the question is about.
    pub root: PathBuf,
    /// The demo's own folder, where its link is.
    pub scratch: PathBuf,
    /// The files, already read.
    pub documents: Vec<Document>,
}

impl Workbench {
    /// Runs a tool; its result is JSON.
    pub(crate) fn run(&self, call: &Call) -> Result<Value, ToolError> {
        match call {
            Call::WordCount { path } => read(&self.root, path).map(|text| count(&text)),
            Call::FindInFiles { term } => Ok(find(&self.documents, term)),
            Call::ReadLinkedFile { path } => {
                read(&self.scratch, path).map(|text| json!({ "bytes": text.len(), "text": text }))
            }
        }
    }
}

fn read(folder: &Path, path: &Path) -> Result<String, ToolError> {
    if !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(ToolError::Outside(path.to_owned()));
    }
    match fs::read(folder.join(path)) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(source) => Err(ToolError::Io { path: path.to_owned(), source }),
    }
}

fn count(text: &str) -> Value {
    json!({ "lines": text.lines().count(), "words": text.split_whitespace().count(), "bytes": text.len() })
}

fn find(documents: &[Document], term: &str) -> Value {
    let term: Vec<_> = words::terms(term).collect();
    let holds = |line: &str| {
        let line: Vec<_> = words::terms(line).collect();
        !term.is_empty() && line.windows(term.len()).any(|window| window == term)
    };
    let mut matches = Vec::new();
    let mut total = 0;
    for document in documents {
        for (at, line) in document.text.lines().enumerate().filter(|(_, line)| holds(line)) {
            total += 1;
            if matches.len() < MAX_MATCHES {
                let path = document.path.to_string_lossy();
                matches.push(json!({ "path": path, "line": at + 1, "text": line.trim() }));
            }
        }
    }
    json!({ "total": total, "matches": matches })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::files::Scratch;

    fn bench(root: &Path, scratch: &Scratch, documents: &[Document]) -> Workbench {
        Workbench { root: root.to_owned(), scratch: scratch.path().to_owned(), documents: documents.to_vec() }
    }

    #[test]
    fn words_of_a_file_are_counted() {
        let (root, scratch) = (tempfile::tempdir().unwrap(), Scratch::new().unwrap());
        fs::write(root.path().join("a.md"), "one two\nthree größe\n").unwrap();
        let call = Call::WordCount { path: "a.md".into() };
        let result = bench(root.path(), &scratch, &[]).run(&call).unwrap();
        assert_eq!(result, json!({ "lines": 2, "words": 4, "bytes": 22 }));
        assert_eq!(call.arguments(), json!({ "path": "a.md" }));
    }

    #[test]
    fn lines_are_found_by_whole_words_and_all_of_them_counted() {
        let scratch = Scratch::new().unwrap();
        let text = "The dead letters.\nDeadline\n".to_owned() + &"a dead-letter file\n".repeat(30);
        let documents = [Document { path: "a.md".into(), text }];
        let call = Call::FindInFiles { term: "Dead letter".to_owned() };
        let result = bench(scratch.path(), &scratch, &documents).run(&call).unwrap();
        assert_eq!(result["total"], 31);
        assert_eq!(result["matches"].as_array().unwrap().len(), MAX_MATCHES);
        assert_eq!(result["matches"][0], json!({ "path": "a.md", "line": 1, "text": "The dead letters." }));
        assert_eq!(find(&documents, "!")["total"], 0);
    }

    #[test]
    fn the_dangling_link_fails_with_the_error_of_the_system() {
        let scratch = Scratch::new().unwrap();
        let call = Call::ReadLinkedFile { path: Scratch::LINK.into() };
        let error = bench(scratch.path(), &scratch, &[]).run(&call).unwrap_err();
        assert_eq!(error.to_string(), "cannot read notes.md");
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(source.unwrap().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn no_tool_reads_outside_its_folder() {
        let scratch = Scratch::new().unwrap();
        for path in ["../secret", "/etc/hostname", "a/../../b"] {
            let error =
                bench(scratch.path(), &scratch, &[]).run(&Call::WordCount { path: path.into() }).unwrap_err();
            assert!(matches!(error, ToolError::Outside(_)), "{path}: {error}");
        }
    }
}
