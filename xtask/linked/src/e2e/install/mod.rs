//! Where the programs come from: all of them lie in a folder of their own below the target directory, and nothing outside it changes.

mod debian;
mod python;
mod skips;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

pub(crate) use skips::{Skipped, judge};

use crate::files;

/// A program that a part needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    /// Datadog's test agent, which takes OTLP in every form and gives it back.
    Agent,
    /// A collector, which stands between.
    Rotel,
    /// Python with Prometheus' own reader of its text formats.
    Reader,
    /// Python with DuckDB and pyarrow.
    Tables,
    Prometheus,
    Promtool,
    Pushgateway,
    Victoria,
}

impl Program {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Agent => "ddapm-test-agent",
            Self::Rotel => "rotel",
            Self::Reader => "prometheus_client",
            Self::Tables => "duckdb and pyarrow",
            Self::Prometheus => "prometheus",
            Self::Promtool => "promtool",
            Self::Pushgateway => "prometheus-pushgateway",
            Self::Victoria => "victoria-metrics",
        }
    }
}

/// The programs that are at hand, and why the others are not.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    found: BTreeMap<Program, PathBuf>,
    pub(crate) skipped: Vec<Skipped>,
}

impl Shelf {
    /// Has each of these programs there, installing what is not there yet.
    pub(crate) fn stocked(wanted: &[Program]) -> Result<Self> {
        let home = home();
        std::fs::create_dir_all(&home).with_context(|| format!("{} cannot be made", home.display()))?;
        let mut shelf = Self::default();
        for program in wanted {
            let found = match program {
                Program::Agent => {
                    python::ensure(&home, python::AGENT).map(|bin| bin.join("ddapm-test-agent"))
                }
                Program::Reader => python::ensure(&home, python::AGENT).map(|bin| bin.join("python3")),
                Program::Tables => python::ensure(&home, python::TABLES).map(|bin| bin.join("python3")),
                Program::Rotel => python::ensure(&home, python::ROTEL).and_then(|bin| python::rotel(&bin)),
                Program::Prometheus | Program::Promtool => {
                    debian::ensure(&home, &debian::PROMETHEUS, program.name())
                }
                Program::Pushgateway => debian::ensure(&home, &debian::PUSHGATEWAY, program.name()),
                Program::Victoria => debian::ensure(&home, &debian::VICTORIA, program.name()),
            };
            match found {
                Ok(path) => drop(shelf.found.insert(*program, path)),
                Err(why) => shelf.skipped.push(Skipped { program: *program, why: format!("{why:#}") }),
            }
        }
        Ok(shelf)
    }

    pub(crate) fn has(&self, program: Program) -> bool {
        self.found.contains_key(&program)
    }

    /// Where a program lies.
    pub(crate) fn path(&self, program: Program) -> Result<&Path> {
        self.found
            .get(&program)
            .map(PathBuf::as_path)
            .with_context(|| format!("{} is not at hand", program.name()))
    }
}

/// The folder of everything that this chore keeps from one run to the next.
pub(crate) fn home() -> PathBuf {
    let root = files::root();
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    target.join("e2e")
}

/// Runs a command to its end; what it said goes into the error.
fn run(command: &mut Command) -> Result<String> {
    let shown = Path::new(command.get_program()).display().to_string();
    let output = command.output().with_context(|| format!("`{shown}` is not there"))?;
    let told = [&*output.stdout, b"\n", &*output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    let last = told.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("and said nothing");
    ensure!(output.status.success(), "`{shown}` ended with {}: {last}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
