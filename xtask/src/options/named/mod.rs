//! The options that the specification of exporters names, held against what users can set here.
//!
//! [`table::ROWS`] has each of them with its place, so that none is lost when a config struct changes.
//! The specification is no part of the project: where it lies beside the workspace, the list is held against it, too.

mod page;
mod specification;
mod table;

use std::collections::BTreeMap;

use regex::Regex;

use crate::project::Project;
use page::Page;

/// An option as the specification names it, and what it is here.
#[derive(Debug)]
struct Row {
    /// Its class and its keys with dots between; `*` is a key of the user's own, and `**` at the end all that stands below.
    asked: &'static str,
    ours: Ours,
    /// Why it is called otherwise, or is no option; empty where it has its name.
    why: &'static str,
}

/// Where a user finds it.
#[derive(Debug)]
enum Ours {
    /// An option of a struct, which docs/options.md has under its crate.
    Choice { krate: &'static str, of: &'static str, name: &'static str },
    /// A function of a crate, for what is no value that a file could hold.
    Function { krate: &'static str, name: &'static str },
    /// A variable that a crate reads.
    Variable { krate: &'static str, name: &'static str },
    /// A field of what a crate returns.
    Field { krate: &'static str, name: &'static str },
    /// Nowhere, for the reason given.
    Nowhere,
}

impl Row {
    /// Whether this row is that of `path` in the specification.
    fn covers(&self, path: &str) -> bool {
        let mut wanted = self.asked.split('.');
        let mut found = path.split('.');
        loop {
            match (wanted.next(), found.next()) {
                (Some("**"), Some(_)) | (None, None) => return true,
                (Some(a), Some(b)) if a == "*" || a == b => {}
                _ => return false,
            }
        }
    }

    /// What is wrong with the row.
    fn fault(&self, page: &Page<'_>, project: &Project) -> Option<String> {
        let Self { asked, ours, why } = self;
        let last = asked.rsplit('.').next().unwrap_or(asked);
        let named = |name: &str| name == last;
        let fault = match ours {
            Ours::Choice { krate, of, name } if !page.has(krate, of, name) => {
                Some(format!("docs/options.md has no `{name}` below {krate}, {of}"))
            }
            Ours::Function { krate, name } if !says(project, krate, &format!(r"\bfn {name}\b")) => {
                Some(format!("{krate} has no function `{name}`"))
            }
            Ours::Variable { krate, name } if !says(project, krate, &format!("\"{name}\"")) => {
                Some(format!("{krate} reads no variable `{name}`"))
            }
            Ours::Field { krate, name } if !says(project, krate, &format!(r"\bpub {name}:")) => {
                Some(format!("{krate} has no field `{name}`"))
            }
            Ours::Choice { name, .. } if !named(name) && why.is_empty() => {
                Some(format!("it is `{name}` here, and the row does not say why"))
            }
            Ours::Choice { name, .. } if named(name) && !why.is_empty() => {
                Some("it has its name, and the row tells a reason".to_owned())
            }
            Ours::Function { .. } | Ours::Field { .. } | Ours::Nowhere if why.is_empty() => {
                Some("it is no option, and the row does not say why".to_owned())
            }
            _ => None,
        };
        fault.map(|fault| format!("{asked}: {fault}"))
    }
}

/// Whether a source of the crate has the pattern.
fn says(project: &Project, krate: &str, pattern: &str) -> bool {
    let sources = format!("crates/{krate}/src/");
    let pattern = Regex::new(pattern).unwrap();
    project.files_with("rs").any(|file| file.path.starts_with(&sources) && pattern.is_match(&file.text))
}

/// The paths that no row covers, and the rows that cover no path.
fn gaps(rows: &[&Row], paths: &[String]) -> Vec<String> {
    let missing = paths.iter().filter(|path| !rows.iter().any(|row| row.covers(path)));
    let missing = missing.map(|path| format!("{path}: no row has it"));
    let idle = rows.iter().filter(|row| !paths.iter().any(|path| row.covers(path)));
    missing.chain(idle.map(|row| format!("{}: the specification has no such option", row.asked))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::files;
    use crate::project::workspace_root;

    const PAGE: &str =
        "# Options\n\n## obs-a\n\n### AConfig\n\n| option | value |\n|---|---|\n| `size` | x |\n";

    fn row(asked: &'static str, ours: Ours, why: &'static str) -> Row {
        Row { asked, ours, why }
    }

    const fn size() -> Ours {
        Ours::Choice { krate: "obs-a", of: "AConfig", name: "size" }
    }

    #[test]
    fn every_option_that_the_specification_names_is_where_the_table_says() {
        let project = Project::load().unwrap();
        let page = Page::read(&project.file("docs/options.md").unwrap().text);
        let faults: Vec<_> = table::rows().filter_map(|row| row.fault(&page, &project)).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn the_table_has_every_option_of_the_specification_and_no_other() {
        let root = workspace_root();
        let folder = root.parent().unwrap_or(&root).join("shared/seeds");
        let text = std::fs::read_dir(&folder).ok().and_then(|entries| {
            let mut paths = entries.filter_map(Result::ok).map(|entry| entry.path());
            let path = paths.find(|path| path.to_string_lossy().contains("/004_"))?;
            std::fs::read_to_string(path).ok()
        });
        let Some(text) = text else {
            eprintln!("skipped: the specification is not in {}", folder.display());
            return;
        };
        let paths = specification::paths(&text);
        assert!(paths.len() > 100, "the specification was not understood: {paths:?}");
        let rows: Vec<_> = table::rows().collect();
        let gaps = gaps(&rows, &paths);
        assert!(gaps.is_empty(), "{}", gaps.join("\n"));
    }

    #[test]
    fn no_two_rows_are_for_the_same_option() {
        let mut seen = BTreeMap::new();
        for row in table::rows() {
            *seen.entry(row.asked).or_insert(0) += 1;
        }
        let twice: Vec<_> = seen.into_iter().filter(|(_, count)| *count > 1).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[test]
    fn a_row_whose_option_is_gone_or_renamed_without_a_word_is_told() {
        let source = "pub struct A { pub done: usize }\npub fn go() { env.text(\"A_SIZE\") }";
        let project =
            files(&[("crates/obs-a/src/lib.rs", source), ("crates/obs-b/src/lib.rs", "fn stay() {}")]);
        let page = Page::read(PAGE);
        let gone = Ours::Choice { krate: "obs-a", of: "AConfig", name: "sizes" };
        let elsewhere = Ours::Choice { krate: "obs-b", of: "AConfig", name: "size" };
        let function = |krate, name| Ours::Function { krate, name };
        for (row, said) in [
            (row("X.size", size(), ""), None),
            (row("X.bytes", size(), "it is a size"), None),
            (row("X.go", function("obs-a", "go"), "code"), None),
            (row("A_SIZE", Ours::Variable { krate: "obs-a", name: "A_SIZE" }, ""), None),
            (row("X.done", Ours::Field { krate: "obs-a", name: "done" }, "a result"), None),
            (row("X.no", Ours::Nowhere, "it is not built"), None),
            (row("X.sizes", gone, ""), Some("X.sizes: docs/options.md has no `sizes` below obs-a, AConfig")),
            (
                row("X.size", elsewhere, ""),
                Some("X.size: docs/options.md has no `size` below obs-b, AConfig"),
            ),
            (row("X.bytes", size(), ""), Some("X.bytes: it is `size` here, and the row does not say why")),
            (row("X.size", size(), "so"), Some("X.size: it has its name, and the row tells a reason")),
            (row("X.go", function("obs-a", "stay"), "code"), Some("X.go: obs-a has no function `stay`")),
            (
                row("X.go", function("obs-a", "go"), ""),
                Some("X.go: it is no option, and the row does not say why"),
            ),
            (
                row("B", Ours::Variable { krate: "obs-a", name: "B" }, ""),
                Some("B: obs-a reads no variable `B`"),
            ),
            (row("X.n", Ours::Field { krate: "obs-a", name: "n" }, "r"), Some("X.n: obs-a has no field `n`")),
            (row("X.no", Ours::Nowhere, ""), Some("X.no: it is no option, and the row does not say why")),
        ] {
            assert_eq!(row.fault(&page, &project).as_deref(), said);
        }
    }

    #[test]
    fn an_option_without_a_row_and_a_row_without_an_option_are_told() {
        let rows =
            [row("X.size", size(), ""), row("X.map.*.name", size(), "so"), row("X.free.**", size(), "so")];
        let paths = ["X.size", "X.map.mine.name", "X.free.a.b"].map(str::to_owned);
        let rows = rows.each_ref();
        assert_eq!(gaps(&rows, &paths), Vec::<String>::new());
        let more = ["X.size", "X.map.mine", "X.map.mine.name", "X.size.a"].map(str::to_owned);
        let said = [
            "X.map.mine: no row has it",
            "X.size.a: no row has it",
            "X.free.**: the specification has no such option",
        ];
        assert_eq!(gaps(&rows, &more), said);
    }
}
