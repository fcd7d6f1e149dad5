//! No Rust file is over 500 lines without a reason.

use crate::finding::Finding;
use crate::project::Project;
use crate::tidy::Rule;

pub(crate) const RULE: Rule = Rule { name: "size", check };

/// The length over which a file needs a reason. The length of functions is clippy's (`too_many_lines`).
const LIMIT: usize = 500;

/// Files that may be longer, each with its reason.
const REASONS: &[(&str, &str)] = &[];

fn check(project: &Project) -> Vec<Finding> {
    check_with(project, REASONS)
}

fn check_with(project: &Project, reasons: &[(&str, &str)]) -> Vec<Finding> {
    let long = project.files_with("rs").filter_map(|file| {
        let lines = file.text.lines().count();
        let excused = reasons.iter().any(|(path, _)| *path == file.path);
        (lines > LIMIT && !excused).then(|| {
            let what = format!("{lines} lines, over the {LIMIT} a reader can hold");
            Finding::new(
                &file.path,
                LIMIT + 1,
                what,
                "split it by subject, or add it with its reason to xtask/src/tidy/size.rs",
            )
        })
    });
    let stale = reasons.iter().filter_map(|(path, _)| {
        let needed = project.file(path).is_some_and(|file| file.text.lines().count() > LIMIT);
        (!needed).then(|| {
            Finding::new(
                path,
                1,
                "excused from the size rule and no longer long",
                "drop it from xtask/src/tidy/size.rs",
            )
        })
    });
    long.chain(stale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::files;
    use crate::tidy::testing::{holds_here, places};

    #[test]
    fn every_file_is_short_or_excused() {
        holds_here(RULE);
    }

    #[test]
    fn a_long_file_is_found_and_one_at_the_limit_is_not() {
        let project = files(&[
            ("a.rs", &"\n".repeat(LIMIT)),
            ("b.rs", &"\n".repeat(LIMIT + 1)),
            ("c.md", &"\n".repeat(900)),
        ]);
        assert_eq!(places(RULE, &project), ["b.rs:501 501 lines, over the 500 a reader can hold"]);
    }

    #[test]
    fn an_excuse_holds_and_a_stale_one_is_found() {
        let project = files(&[("b.rs", &"\n".repeat(LIMIT + 1))]);
        assert!(check_with(&project, &[("b.rs", "a table")]).is_empty());
        assert_eq!(check_with(&project, &[("b.rs", "a table"), ("gone.rs", "why")]).len(), 1);
    }
}
