//! Renders docs/options.md from the config structs, so that the list users read is the list the code reads.
//!
//! A public struct is a config struct if its name ends in `Config`, or if a file may hold any part of it and nothing else,
//! whatever source file it is in; the structs that its fields are made of are shown behind it.
//! Names and types are its fields', the description is their doc comment, and the default is taken from the code of
//! `Default` or `new`, so none of it is written twice.

#[cfg(test)]
mod named;
mod read;
#[cfg(test)]
mod tests;
mod values;
mod words;

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use crate::project::{Project, workspace_root};
use crate::rendered::{self, Mode};

/// A config struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// The type's name.
    pub(crate) name: String,
    /// Whether it is one by itself, or only as a part of another.
    pub(crate) is_config: bool,
    /// The first paragraph of its doc comment.
    pub(crate) doc: String,
    /// Its fields.
    pub(crate) options: Vec<Choice>,
}

/// A field of a config struct: something that a user can set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What it is called in a file.
    pub(crate) name: String,
    /// The name of its type, without `Option`, lists and maps around it.
    pub(crate) of: String,
    /// What may stand there.
    pub(crate) value: String,
    /// What holds when nothing stands there.
    pub(crate) default: String,
    /// What it does.
    pub(crate) doc: String,
}

/// The rendered file.
const PAGE: &str = "docs/options.md";

/// Writes the page, or compares it.
pub(crate) fn run(mode: Mode) -> Result<()> {
    let text = render(&crates(&Project::load()?)?);
    rendered::settle(mode, &workspace_root(), Path::new(PAGE), &text, "cargo xtask options")
}

/// The crates that have config structs, by name.
fn crates(project: &Project) -> Result<Vec<(String, Vec<Config>)>> {
    let mut crates = Vec::new();
    for member in project.members.iter().filter(|member| member.published) {
        let sources = format!("{}/src/", member.dir);
        let files: Vec<_> = project.files_with("rs").filter(|file| file.path.starts_with(&sources)).collect();
        let configs = read::configs(&files)?;
        let configs = chosen(configs);
        if !configs.is_empty() {
            crates.push((member.name.clone(), configs));
        }
    }
    Ok(crates)
}

/// The config structs among `structs`, and those that their fields are made of.
fn chosen(structs: Vec<Config>) -> Vec<Config> {
    let parts: Vec<_> =
        structs.iter().filter(|found| found.is_config).flat_map(|found| &found.options).collect();
    let parts: Vec<_> = parts.into_iter().map(|option| option.of.clone()).collect();
    let mut chosen: Vec<_> =
        structs.into_iter().filter(|found| found.is_config || parts.contains(&found.name)).collect();
    // Configs first, then what they are made of.
    chosen.sort_by_key(|found| !found.is_config);
    chosen
}

fn render(crates: &[(String, Vec<Config>)]) -> String {
    let mut text = String::from(
        "# Options\n\nRendered by `cargo xtask options` from the config structs; edit those.\n\
         Each struct is the shape in a file and the builder in code.\n",
    );
    for (name, configs) in crates {
        // Writing to a string does not fail.
        let _ = write!(text, "\n## {name}\n");
        for config in configs {
            let _ = write!(text, "\n### {}\n\n{}\n\n", config.name, sentences(&config.doc));
            text.push_str("| option | value | default | what it does |\n|---|---|---|---|\n");
            for Choice { name, value, default, doc, .. } in &config.options {
                let cells = [value, default, doc].map(|cell| cell.replace('|', "\\|"));
                let _ = writeln!(text, "| `{name}` | {} | {} | {} |", cells[0], cells[1], cells[2]);
            }
        }
    }
    text
}

/// A paragraph with each sentence on a line of its own.
fn sentences(paragraph: &str) -> String {
    paragraph.replace(". ", ".\n")
}

#[cfg(test)]
mod page_tests {
    use super::*;
    use crate::project::fixture::{files, member};

    #[test]
    fn the_page_is_what_the_structs_say() {
        run(Mode::Check).unwrap();
    }

    #[test]
    fn a_struct_becomes_a_table() {
        let source = "/// What a user can set. More.\n#[derive(Deserialize)]\npub struct AConfig {\n    /// How many. 1 | 2.\n    pub many: usize,\n}\nimpl Default for AConfig { fn default() -> Self { Self { many: 8 } } }\n";
        let project =
            Project { members: vec![member("a", &[])], ..files(&[("crates/a/src/config.rs", source)]) };
        let page = render(&crates(&project).unwrap());
        let expected = "\n## a\n\n### AConfig\n\nWhat a user can set.\nMore.\n\n| option | value | default | what it does |\n|---|---|---|---|\n| `many` | integer | `8` | How many. 1 \\| 2. |\n";
        assert!(page.ends_with(expected), "{page}");
    }
    #[test]
    fn what_a_file_may_hold_in_part_is_a_config_whatever_its_name() {
        let source = "#[derive(Deserialize)] #[serde(remote = \"Self\", default, deny_unknown_fields)] pub struct Sampling { pub many: usize }\n#[derive(Deserialize)] #[serde(deny_unknown_fields)] pub struct Row { pub one: usize }\n";
        let project = Project { members: vec![member("a", &[])], ..files(&[("crates/a/src/a.rs", source)]) };
        let page = render(&crates(&project).unwrap());
        assert!(page.contains("### Sampling") && !page.contains("### Row"), "{page}");
    }

    #[test]
    fn lists_and_constants_of_other_files_are_shown_as_values() {
        let config = "#[derive(Deserialize)] pub struct AConfig { pub prefix: String, pub marks: Vec<Mark> }\nimpl Default for AConfig { fn default() -> Self { Self { prefix: PREFIX.to_owned(), marks: vec![Mark::OneTwo, Mark::Three] } } }\n";
        let other = "pub const PREFIX: &str = \"mastra_\";\n#[serde(rename_all = \"snake_case\")] pub enum Mark { OneTwo, Three }\n";
        let sources = [("crates/a/src/a.rs", config), ("crates/a/src/b.rs", other)];
        let project = Project { members: vec![member("a", &[])], ..files(&sources) };
        let page = render(&crates(&project).unwrap());
        assert!(
            page.contains("| text | `\"mastra_\"` |") && page.contains("| `one_two`, `three` |"),
            "{page}"
        );
    }
}
