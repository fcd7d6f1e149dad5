//! Programs of the Python index, each set in an environment of its own with every version pinned.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::run;

/// What is installed together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Set {
    folder: &'static str,
    requirements: &'static str,
}

/// The test agent, and what it needs; Prometheus' reader of its formats is among that.
pub(super) const AGENT: Set = Set { folder: "agent", requirements: include_str!("../requirements.txt") };

/// It is no more than one program in a wheel, and stands alone, since it may be missing where the others may not.
pub(super) const ROTEL: Set = Set { folder: "rotel", requirements: include_str!("../rotel.txt") };

/// DuckDB and pyarrow, which read files; they need nothing else, and are large.
pub(super) const TABLES: Set = Set { folder: "tables", requirements: include_str!("../tables.txt") };

/// The folder of the set's programs, installed below `home` when it is not there yet or was made of other versions.
pub(super) fn ensure(home: &Path, set: Set) -> Result<PathBuf> {
    let place = home.join(set.folder);
    let bin = place.join("bin");
    if is_done(&place, set.requirements) {
        return Ok(bin);
    }
    println!(
        "e2e: installing {} Python packages into {}, once",
        set.requirements.lines().count(),
        place.display()
    );
    let _ = std::fs::remove_dir_all(&place);
    run(Command::new("python3").args(["-m", "venv"]).arg(&place))
        .context("no Python environment; install python3 with venv")?;
    let wanted = place.join("wanted.txt");
    std::fs::write(&wanted, set.requirements)?;
    let mut install = Command::new(bin.join("python3"));
    install.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--requirement"]);
    run(install.arg(&wanted)).context("the Python packages cannot be installed")?;
    std::fs::rename(&wanted, done(&place))?;
    Ok(bin)
}

fn done(place: &Path) -> PathBuf {
    place.join("installed.txt")
}

fn is_done(place: &Path, requirements: &str) -> bool {
    std::fs::read_to_string(done(place)).is_ok_and(|installed| installed == requirements)
}

/// The collector itself: the wheel's own starter only looks for it and runs it.
pub(super) fn rotel(bin: &Path) -> Result<PathBuf> {
    let place = "import rotel, pathlib; print(pathlib.Path(rotel.__file__).with_name('rotel-agent'))";
    run(Command::new(bin.join("python3")).args(["-c", place])).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_is_pinned_and_no_index_is_named() {
        for line in [AGENT, ROTEL, TABLES].iter().flat_map(|set| set.requirements.lines()) {
            let pinned =
                line.split_once("==").is_some_and(|(name, version)| !name.is_empty() && !version.is_empty());
            assert!(pinned && !line.contains([':', '/', ' ', '@']), "{line}");
        }
        assert!(
            AGENT.requirements.contains("\nddapm-test-agent==")
                && AGENT.requirements.contains("\nprometheus_client==")
        );
        assert!(ROTEL.requirements.starts_with("rotel=="));
    }

    #[test]
    fn only_the_same_versions_count_as_installed() {
        let place = tempfile::tempdir().unwrap();
        assert!(!is_done(place.path(), ROTEL.requirements));
        std::fs::write(done(place.path()), ROTEL.requirements).unwrap();
        assert!(is_done(place.path(), ROTEL.requirements));
        assert!(!is_done(place.path(), "rotel==0.0.2\n"));
    }
}
