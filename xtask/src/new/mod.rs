//! Writes the skeleton of an exporter crate, in the shape that every exporter has.
//!
//! The skeleton compiles and passes the conformance suite: it writes its requests to a file, which stands in for the
//! vendor's endpoint until there is one.

mod proof;
mod templates;

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::command;
use crate::project::workspace_root;

pub(crate) use proof::prove;

/// The name of an exporter in the forms that its files need.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    /// `new-vendor`.
    kebab: String,
}

impl Name {
    /// Takes `new-vendor` or `obs-new-vendor`.
    fn parse(name: &str) -> Result<Self> {
        let kebab = name.strip_prefix("obs-").unwrap_or(name);
        let parts = kebab.split('-').all(|part| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        });
        ensure!(
            parts,
            "`{name}` is no name for an exporter; write small letters and digits with single dashes, such as `new-vendor`"
        );
        Ok(Self { kebab: kebab.to_owned() })
    }

    /// `new_vendor`.
    fn snake(&self) -> String {
        self.kebab.replace('-', "_")
    }

    /// `NEW_VENDOR`.
    fn upper(&self) -> String {
        self.snake().to_uppercase()
    }

    /// `NewVendor`.
    fn pascal(&self) -> String {
        let parts = self.kebab.split('-').map(|part| part[..1].to_uppercase() + &part[1..]);
        parts.collect()
    }

    /// `template` with the name in its places.
    fn fill(&self, template: &str) -> String {
        template
            .replace("{{name}}", &self.kebab)
            .replace("{{snake}}", &self.snake())
            .replace("{{UPPER}}", &self.upper())
            .replace("{{Name}}", &self.pascal())
    }
}

/// Writes the skeleton below `crates/` and prints what is left to do by hand.
pub(crate) fn run(name: &str) -> Result<()> {
    let name = Name::parse(name)?;
    let root = workspace_root();
    write(&root, &name)?;
    format(&root, &name)?;
    println!("crates/obs-{} written. Now add:", name.kebab);
    for (file, line) in lines(&name) {
        println!("  {file}: {line}");
    }
    println!("Then run `cargo xtask matrix`, `cargo xtask options` and `cargo test -p obs-{}`.", name.kebab);
    Ok(())
}

fn write(root: &Path, name: &Name) -> Result<()> {
    let dir = root.join("crates").join(format!("obs-{}", name.kebab));
    ensure!(!dir.exists(), "{} is there already; choose another name or remove it", dir.display());
    for (path, template) in templates::FILES {
        let path = dir.join(path);
        let folder = path.parent().unwrap_or(&dir);
        std::fs::create_dir_all(folder).with_context(|| format!("{} could not be made", folder.display()))?;
        std::fs::write(&path, name.fill(template))
            .with_context(|| format!("{} could not be written", path.display()))?;
    }
    Ok(())
}

/// Formats the new crate, since where lines break depends on the length of its name.
fn format(root: &Path, name: &Name) -> Result<()> {
    command::run(command::cargo(root).args(["fmt", "--package"]).arg(format!("obs-{}", name.kebab)))
}

/// The lines that tie a new exporter to the rest, with their files.
fn lines(name: &Name) -> Vec<(&'static str, String)> {
    let Name { kebab } = name;
    vec![
        (
            "Cargo.toml, [workspace.dependencies]",
            format!(
                "obs-{kebab} = {{ path = \"crates/obs-{kebab}\", version = \"={}\" }}",
                env!("CARGO_PKG_VERSION")
            ),
        ),
        ("xtask/linked/Cargo.toml", format!("obs-{kebab}.workspace = true")),
        (
            "xtask/linked/src/exporters.rs, EXPORTERS",
            format!("Listed {{ name: \"obs-{kebab}\", descriptor: &obs_{}::DESCRIPTOR }},", name.snake()),
        ),
        (
            "xtask/src/tidy/edges.rs, HOUSE",
            format!(
                "room(\"obs-{kebab}\", 3, Kind::Exporter, &[\"obs-core\"]), and the name in BELOW_FIVE and BELOW_SIX"
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_every_form() {
        let name = Name::parse("obs-new-vendor2").unwrap();
        assert_eq!(name, Name::parse("new-vendor2").unwrap());
        assert_eq!(
            name.fill("{{name}} {{snake}} {{UPPER}} {{{Name}}X}"),
            "new-vendor2 new_vendor2 NEW_VENDOR2 {NewVendor2X}"
        );
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_form() {
        for name in ["", "Acme", "acme-", "-acme", "ac_me", "obs-", "2nd", "a--b", "../x"] {
            let message = Name::parse(name).unwrap_err().to_string();
            assert!(message.contains("such as `new-vendor`"), "{message}");
        }
    }

    #[test]
    fn the_skeleton_has_the_shape_of_every_exporter() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), &Name::parse("acme").unwrap()).unwrap();
        let dir = root.path().join("crates/obs-acme");
        for path in crate::tidy::EXPORTER_FILES.iter().chain(&["src/wire.rs", "src/traces.rs"]) {
            let text = std::fs::read_to_string(dir.join(path)).unwrap();
            assert!(!text.contains("{{"), "{path} has an open place");
        }
        assert!(std::fs::read_to_string(dir.join("src/lib.rs")).unwrap().contains("AcmeExporter"));
        assert!(std::fs::read_to_string(dir.join("tests/it/main.rs")).unwrap().contains("mod conformance;"));
        assert!(std::fs::read_to_string(dir.join("Cargo.toml")).unwrap().contains("name = \"obs-acme\""));
    }

    #[test]
    fn an_exporter_that_is_there_is_not_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let name = Name::parse("acme").unwrap();
        write(root.path(), &name).unwrap();
        assert!(write(root.path(), &name).unwrap_err().to_string().contains("is there already"));
    }

    #[test]
    fn every_line_to_add_names_the_crate() {
        let lines = lines(&Name::parse("new-vendor").unwrap());
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|(_, line)| line.contains("obs-new-vendor")), "{lines:?}");
    }
}
