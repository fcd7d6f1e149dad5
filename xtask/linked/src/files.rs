//! Reading and writing rendered files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// The root of the workspace that cargo runs this crate for.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here).ancestors().nth(2).unwrap_or(Path::new(".")).to_path_buf()
}

/// [`settle_by`] for what `cargo xtask matrix` renders.
pub(crate) fn settle(check: bool, root: &Path, path: &str, text: &str) -> Result<()> {
    settle_by(check, root, path, text, "cargo xtask matrix")
}

/// Writes `text` to `path` below `root`, or with `check` fails with the first line that differs and the `command` that
/// renders it.
pub(crate) fn settle_by(check: bool, root: &Path, path: &str, text: &str, command: &str) -> Result<()> {
    let file = root.join(path);
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    if found == text {
        println!("{path} is up to date");
        return Ok(());
    }
    if check {
        let at = found.lines().zip(text.lines()).take_while(|(a, b)| a == b).count();
        let line = text.lines().nth(at).unwrap_or("the end of the file");
        bail!(
            "{path}:{}: not what the code says, which is: {line}\n    next: run `{command}` and commit",
            at + 1
        );
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("no folder for {path}"))?;
    }
    std::fs::write(&file, text).with_context(|| format!("{path} could not be written"))?;
    println!("{path} written");
    Ok(())
}

/// `text` with what stands between its marks replaced by `part`.
pub(crate) fn between(text: &str, path: &str, mark: &str, part: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let found = text
        .split_once(&begin)
        .and_then(|(before, rest)| rest.split_once(&end).map(|(_, after)| (before, after)));
    ensure!(
        found.is_some(),
        "{path} has no place for the {mark}; write `<!-- {mark} -->` and `<!-- /{mark} -->` on lines of their own"
    );
    let (before, after) = found.unwrap_or_default();
    Ok(format!("{before}{begin}{part}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_replaced_between_its_marks() {
        let text = "a\n<!-- matrix -->\nold\n<!-- /matrix -->\nb\n";
        assert_eq!(
            between(text, "p", "matrix", "new\n").unwrap(),
            "a\n<!-- matrix -->\nnew\n<!-- /matrix -->\nb\n"
        );
        assert!(
            between("a\n", "README.md", "matrix", "")
                .unwrap_err()
                .to_string()
                .starts_with("README.md has no place")
        );
    }

    #[test]
    fn a_check_writes_nothing_and_names_the_line() {
        let dir = tempfile::tempdir().unwrap();
        let message = settle(true, dir.path(), "a.md", "one\n").unwrap_err().to_string();
        assert!(message.starts_with("a.md:1: not what the code says, which is: one"), "{message}");
        assert!(!dir.path().join("a.md").exists());
        settle(false, dir.path(), "a.md", "one\n").unwrap();
        settle(true, dir.path(), "a.md", "one\n").unwrap();
    }
}
