//! Programs of the registry that a step needs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;

/// The path of the program `name` in `version`, installed first if it is not there yet.
///
/// It is installed below the target directory, so nothing outside the clone (or the shared build cache) changes.
pub(crate) fn ensure(root: &Path, name: &str, version: &str) -> Result<PathBuf> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    let home = target.join("tools").join(format!("{name}-{version}"));
    let program = home.join("bin").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    if !is_version(&program, version) {
        println!("installing {name} {version} into {}, once", home.display());
        let mut install = command::cargo(root);
        install.args(["install", "--quiet", "--locked", name, "--version", version, "--root"]).arg(&home);
        command::run(&mut install)
            .with_context(|| format!("{name} could not be installed; is crates.io reachable?"))?;
    }
    Ok(program)
}

/// True when `program` is there and says that it is `version`.
fn is_version(program: &Path, version: &str) -> bool {
    let said = Command::new(program).arg("--version").output();
    said.is_ok_and(|said| {
        String::from_utf8_lossy(&said.stdout).split_whitespace().any(|word| word == version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stated_version_will_do() {
        let cargo = PathBuf::from(std::env::var_os("CARGO").unwrap());
        let said = Command::new(&cargo).arg("--version").output().unwrap().stdout;
        let version = String::from_utf8(said).unwrap().split_whitespace().nth(1).unwrap().to_owned();
        assert!(is_version(&cargo, &version));
        assert!(!is_version(&cargo, "0.0.1"));
        assert!(!is_version(Path::new("no-such-program-here"), &version));
    }
}
