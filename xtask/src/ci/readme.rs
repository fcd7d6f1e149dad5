//! Runs the commands that the READMEs show, so that none of them is a promise that nobody kept.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::markdown::blocks;
use crate::project::Project;

/// Commands that are shown and not run here, by their beginning, each with the reason.
const ELSEWHERE: &[(&str, &str)] = &[
    ("cargo test --workspace", ".ci/run runs it before everything else"),
    ("cargo xtask ci", "it is running"),
    (".ci/", "it runs this"),
    ("cargo xtask new", "the tests of xtask run it in a folder of their own"),
    ("cargo add", "it needs the crates on the registry"),
    ("cargo install", "it would install outside the clone"),
];

/// A command of a README.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    place: String,
    line: String,
}

/// Runs them in the order they are shown, in the root of the workspace, by a shell that stops at an error.
pub(crate) fn run(root: &Path) -> Result<()> {
    let project = Project::load()?;
    let mut failed = Vec::new();
    for shown in project
        .files
        .iter()
        .filter(|file| is_readme(&file.path))
        .flat_map(|file| commands(&file.path, &file.text))
    {
        if let Some((_, why)) = ELSEWHERE.iter().find(|(begin, _)| shown.line.starts_with(begin)) {
            println!("{}: `{}` is not run here: {why}", shown.place, shown.line);
            continue;
        }
        println!("{}: {}", shown.place, shown.line);
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", &shown.line]).current_dir(root).env("PATH", path_with_programs(root)?);
        if let Err(error) = command::run(&mut shell) {
            failed.push(format!("{}: {error}", shown.place));
        }
    }
    if !failed.is_empty() {
        bail!("mend the command or the README:\n  {}", failed.join("\n  "));
    }
    Ok(())
}

/// The root's README and those of the crates.
fn is_readme(path: &str) -> bool {
    path == "README.md" || path.starts_with("crates/") && path.ends_with("/README.md")
}

/// `PATH` with the release programs before it, so that a README can say `obsctl`.
fn path_with_programs(root: &Path) -> Result<std::ffi::OsString> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::iter::once(target.join("release")).chain(std::env::split_paths(&path));
    std::env::join_paths(dirs).context("the target directory's path holds a character that PATH cannot")
}

/// The commands of the shell blocks in `text`: every line of `sh` and `bash`, those behind `$` of `console`.
fn commands(path: &str, text: &str) -> Vec<Shown> {
    let mut shown = Vec::new();
    for block in blocks(text) {
        for (at, line) in block.lines.iter().enumerate() {
            let line = match block.language.as_str() {
                "sh" | "bash" => line.trim(),
                "console" => line.trim().strip_prefix("$ ").unwrap_or_default(),
                _ => "",
            };
            if !line.is_empty() && !line.starts_with('#') {
                shown.push(Shown { place: format!("{path}:{}", block.at + at + 1), line: line.to_owned() });
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_taken_from_shell_blocks() {
        let text = "```sh\n# first\ncargo run -p obsctl -- demo\n\nobsctl traces list\n```\n\n```console\n$ obsctl --help\nUsage\n```\n\n```rust\nfn main() {}\n```\n";
        let found: Vec<_> =
            commands("README.md", text).into_iter().map(|shown| (shown.place, shown.line)).collect();
        let expected = [
            ("README.md:3", "cargo run -p obsctl -- demo"),
            ("README.md:5", "obsctl traces list"),
            ("README.md:9", "obsctl --help"),
        ];
        let expected = expected.map(|(place, line)| (place.to_owned(), line.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn readmes_are_the_roots_and_the_crates() {
        assert!(is_readme("README.md") && is_readme("crates/obs-core/README.md"));
        assert!(!is_readme("docs/architecture.md") && !is_readme("xtask/README.md"));
    }
}
