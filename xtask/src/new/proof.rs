//! The proof that the skeleton compiles and passes, in a copy of the workspace.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Name, format, write};
use crate::command;
use crate::project::Project;

/// What the skeleton must pass.
const CHECKS: &[&[&str]] = &[
    &["clippy", "--package", "obs-acme", "--all-targets", "--", "-D", "warnings"],
    &["test", "--package", "obs-acme"],
    &["run", "--package", "obs-acme", "--example", "acme-send"],
];

/// Copies the workspace, writes an exporter into the copy, and runs what it must pass.
pub(crate) fn prove() -> Result<()> {
    let project = Project::load()?;
    let copy = tempfile::tempdir().context("no folder for a copy of the workspace; is the disk full?")?;
    for file in &project.files {
        let path = copy.path().join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        std::fs::write(&path, &file.text).with_context(|| format!("{} could not be copied", file.path))?;
    }
    let name = Name::parse("acme")?;
    write(copy.path(), &name)?;
    format(copy.path(), &name)?;
    let target = project.root.join("target/new");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or(target, |dir| project.root.join(dir).join("new"));
    for check in CHECKS {
        let mut cargo = command::cargo(copy.path());
        command::run(cargo.args(*check).env("CARGO_TARGET_DIR", &target).env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}
