//! Packages of Debian, unpacked instead of installed: that takes no root, starts no daemon and leaves the machine as it is.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::run;

/// A package and the programs in it that we want.
#[derive(Debug)]
pub(super) struct Package {
    name: &'static str,
    /// What the version begins with, as Debian 12 has it; another one is told.
    version: &'static str,
    programs: &'static [&'static str],
}

pub(super) const PROMETHEUS: Package =
    Package { name: "prometheus", version: "2.42.0", programs: &["prometheus", "promtool"] };
pub(super) const PUSHGATEWAY: Package =
    Package { name: "prometheus-pushgateway", version: "1.5.1", programs: &["prometheus-pushgateway"] };
pub(super) const VICTORIA: Package =
    Package { name: "victoria-metrics", version: "1.79.5", programs: &["victoria-metrics"] };

/// The program of a package, unpacked below `home` when it is not there yet.
pub(super) fn ensure(home: &Path, package: &Package, program: &str) -> Result<PathBuf> {
    let place = home.join(package.name);
    if !place.exists() {
        println!("e2e: unpacking {} into {}, once", package.name, place.display());
        unpack(home, package, &place)?;
    }
    let path = place.join(program);
    ensure!(path.exists(), "{} is not there; remove {} and try again", path.display(), place.display());
    Ok(path)
}

/// Downloads and unpacks beside the place, and moves the whole at the end, so that half of it is never taken for all.
fn unpack(home: &Path, package: &Package, place: &Path) -> Result<()> {
    let work = tempfile::tempdir_in(home).context("no folder to unpack into; is the disk full?")?;
    let file = download(work.path(), package)?;
    let version = run(Command::new("dpkg-deb").arg("--field").arg(&file).arg("Version"))?;
    if let Some(told) = unlike(package, &version) {
        println!("e2e: {told}");
    }
    let all = work.path().join("all");
    run(Command::new("dpkg-deb").arg("--extract").arg(&file).arg(&all))?;
    let bin = work.path().join("bin");
    std::fs::create_dir(&bin)?;
    for program in package.programs {
        let from = all.join("usr/bin").join(program);
        std::fs::rename(&from, bin.join(program))
            .with_context(|| format!("{} has no {program}", package.name))?;
    }
    std::fs::write(bin.join("version"), &version)?;
    std::fs::rename(&bin, place).with_context(|| format!("{} cannot be made", place.display()))
}

/// The package's file; where the lists of packages are missing they are read first, which takes root.
fn download(folder: &Path, package: &Package) -> Result<PathBuf> {
    let fetch = || run(Command::new("apt-get").args(["download", package.name]).current_dir(folder));
    if let Err(first) = fetch() {
        run(Command::new("apt-get").args(["update", "--quiet"]).current_dir(folder))
            .with_context(|| format!("{first:#}, and the lists of packages cannot be read anew"))?;
        fetch()?;
    }
    let entries = std::fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path());
    let mut files = entries.filter(|path| path.extension().is_some_and(|end| end == "deb"));
    files.next().with_context(|| format!("apt-get wrote no package {}", package.name))
}

/// What to tell of a version that is not the one this chore was made with.
fn unlike(package: &Package, version: &str) -> Option<String> {
    let same = version.strip_prefix(package.version).is_some_and(|rest| rest.starts_with(['+', '-', '~']));
    let Package { name, version: known, .. } = package;
    (!same).then(|| format!("{name} is {version}, and this chore was made with {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_told_and_another_build_is_not() {
        for same in ["2.42.0+ds-5+deb12u1", "2.42.0-1", "2.42.0~rc1"] {
            assert_eq!(unlike(&PROMETHEUS, same), None, "{same}");
        }
        for other in ["2.42.01", "2.45.0+ds-1", ""] {
            let said = format!("prometheus is {other}, and this chore was made with 2.42.0");
            assert_eq!(unlike(&PROMETHEUS, other), Some(said));
        }
    }

    #[test]
    fn what_is_there_is_not_unpacked_again_and_what_is_missing_is_named() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("prometheus");
        std::fs::create_dir(&place).unwrap();
        std::fs::write(place.join("promtool"), "").unwrap();
        assert_eq!(ensure(home.path(), &PROMETHEUS, "promtool").unwrap(), place.join("promtool"));
        let message = ensure(home.path(), &PROMETHEUS, "prometheus").unwrap_err().to_string();
        assert!(message.contains("prometheus/prometheus is not there; remove "), "{message}");
    }
}
