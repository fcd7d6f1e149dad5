//! Files that are rendered from the code: written, or held against what would be written.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// What to do with a rendered text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write it.
    Write,
    /// Compare it with the file, and fail at a difference.
    Check,
}

/// Writes `text` to `path` below `root`, or fails with the first line that differs and the `command` that renders it.
pub(crate) fn settle(mode: Mode, root: &Path, path: &Path, text: &str, command: &str) -> Result<()> {
    let shown = path.display();
    let path = root.join(path);
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    if found == text {
        println!("{shown} is up to date");
        return Ok(());
    }
    if mode == Mode::Write {
        std::fs::write(&path, text).with_context(|| format!("{shown} could not be written"))?;
        println!("{shown} written");
        return Ok(());
    }
    let at = found.lines().zip(text.lines()).take_while(|(a, b)| a == b).count();
    let line = text.lines().nth(at).unwrap_or("the end of the file");
    bail!(
        "{shown}:{}: not what the code says, which is: {line}\n    next: run `{command}` and commit",
        at + 1
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_with_its_line_and_command() {
        let dir = tempfile::tempdir().unwrap();
        let check = |text| settle(Mode::Check, dir.path(), Path::new("a.md"), text, "cargo xtask a");
        let message = check("one\n").unwrap_err().to_string();
        assert_eq!(
            message,
            "a.md:1: not what the code says, which is: one\n    next: run `cargo xtask a` and commit"
        );
        settle(Mode::Write, dir.path(), Path::new("a.md"), "one\ntwo\n", "").unwrap();
        check("one\ntwo\n").unwrap();
        assert!(
            check("one\n2\n")
                .unwrap_err()
                .to_string()
                .starts_with("a.md:2: not what the code says, which is: 2")
        );
        assert!(
            check("one\n")
                .unwrap_err()
                .to_string()
                .contains("a.md:2: not what the code says, which is: the end")
        );
    }
}
