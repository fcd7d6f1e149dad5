//! A program that our pages show is one that the compiler has seen.
//!
//! The README of a crate is its documentation, so its programs are doctests.
//! What the other pages show must stand, line by line, in such a README, an example or a doc comment.

use crate::finding::Finding;
use crate::markdown::{Block, blocks};
use crate::project::{Project, SourceFile};
use crate::tidy::Rule;

pub(crate) const RULE: Rule = Rule { name: "programs", check };

fn check(project: &Project) -> Vec<Finding> {
    let compiled: Vec<Vec<&str>> =
        project.files.iter().filter(|file| is_compiled(file)).map(lines_of).collect();
    let mut findings = Vec::new();
    for page in project.files_with("md").filter(|page| !is_compiled(page)) {
        for block in blocks(&page.text).into_iter().filter(is_program) {
            if !compiled.iter().any(|lines| holds(lines, &block)) {
                let next = "take it line by line from a crate's README or example, where it is compiled";
                findings.push(Finding::new(&page.path, block.at, "a program that nothing compiles", next));
            }
        }
    }
    findings
}

/// Rust, with or without words for rustdoc behind it (`rust,no_run`).
fn is_program(block: &Block) -> bool {
    block.language.split(',').next() == Some("rust")
}

fn is_compiled(file: &SourceFile) -> bool {
    file.is("rs") || (file.path.starts_with("crates/") && file.path.ends_with("/README.md"))
}

/// The lines that say something, without the marks of a doc comment.
fn lines_of(file: &SourceFile) -> Vec<&str> {
    file.text.lines().map(bare).filter(|line| !line.is_empty()).collect()
}

fn bare(line: &str) -> &str {
    let line = line.trim();
    line.strip_prefix("/// ").or_else(|| line.strip_prefix("//! ")).unwrap_or(line).trim()
}

fn holds(lines: &[&str], block: &Block) -> bool {
    let wanted: Vec<_> = block.lines.iter().map(|line| bare(line)).filter(|line| !line.is_empty()).collect();
    !wanted.is_empty() && lines.windows(wanted.len()).any(|found| found == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::files;
    use crate::tidy::testing::{holds_here, places};

    const PAGE: &str = "# A\n\n```rust,no_run\nlet a = 1;\n\n    let b = a;\n```\n\n```text\nlet c;\n```\n";

    #[test]
    fn every_program_is_compiled() {
        holds_here(RULE);
    }

    #[test]
    fn a_program_is_found_in_an_example_a_readme_or_a_doc_comment() {
        for (path, text) in [
            ("crates/a/examples/x.rs", "fn main() {\n    let a = 1;\n    let b = a;\n}\n"),
            ("crates/a/README.md", "```rust\nlet a = 1;\nlet b = a;\n# Ok(())\n```\n"),
            ("crates/a/src/lib.rs", "/// ```\n/// let a = 1;\n/// let b = a;\n/// ```\n"),
        ] {
            assert!(places(RULE, &files(&[("README.md", PAGE), (path, text)])).is_empty(), "{path}");
        }
    }

    #[test]
    fn a_program_that_nothing_compiles_is_found() {
        let project =
            files(&[("README.md", PAGE), ("crates/a/examples/x.rs", "let a = 1;\nlet c = 2;\nlet b = a;\n")]);
        assert_eq!(places(RULE, &project), ["README.md:3 a program that nothing compiles"]);
    }
}
