//! Each of the nine laws names the tests that carry it, and those tests exist.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::finding::Finding;
use crate::project::{Project, SourceFile};
use crate::tidy::Rule;

pub(crate) const RULE: Rule = Rule { name: "laws", check };

/// Where the laws are written down.
const PAGE: &str = "docs/architecture.md";

/// How many there are.
const LAWS: usize = 9;

/// A test's name in the page, or in the source.
#[expect(clippy::unwrap_used, reason = "a constant pattern, which the tests of this module compile")]
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\blaw_([1-9])_[a-z0-9_]+\b").unwrap());

/// A function that carries a law, in a Rust file.
#[expect(clippy::unwrap_used, reason = "a constant pattern, which the tests of this module compile")]
static FUNCTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bfn (law_[1-9]_[a-z0-9_]+)").unwrap());

fn check(project: &Project) -> Vec<Finding> {
    let Some(page) = project.file(PAGE) else {
        return vec![Finding::new(
            PAGE,
            1,
            "missing",
            "write the code map and the laws, each with its tests",
        )];
    };
    let tests: BTreeSet<_> = project.files_with("rs").flat_map(functions).collect();
    let mut findings = Vec::new();
    let mut named = [false; LAWS + 1];
    for (at, line) in page.lines() {
        for name in NAME.captures_iter(line) {
            named[name[1].parse::<usize>().unwrap_or(0)] = true;
            if !tests.contains(&name[0]) {
                let what = format!("names the test `{}`, which is nowhere", &name[0]);
                findings.push(Finding::new(
                    PAGE,
                    at,
                    what,
                    "write the test, or name the one that carries the law",
                ));
            }
        }
    }
    for law in (1..=LAWS).filter(|law| !named[*law]) {
        let what = format!("law {law} names no test");
        findings.push(Finding::new(
            PAGE,
            1,
            what,
            format!("write a test called law_{law}_… and name it beside the law"),
        ));
    }
    findings
}

fn functions(file: &SourceFile) -> Vec<&str> {
    FUNCTION.captures_iter(&file.text).filter_map(|found| found.get(1)).map(|name| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::files;
    use crate::tidy::testing::{holds_here, places};

    /// A name that the repository's own check does not take for a test.
    fn test_of(law: usize) -> String {
        format!("law_{law}_holds")
    }

    fn project(page: &str, laws: &[usize]) -> Project {
        let tests: Vec<_> = laws.iter().map(|law| format!("fn {}() {{}}", test_of(*law))).collect();
        files(&[(PAGE, page), ("a.rs", &tests.join("\n"))])
    }

    fn page(laws: &[usize]) -> String {
        let lines: Vec<_> = laws.iter().map(|law| format!("Law {law}: `{}`.", test_of(*law))).collect();
        lines.join(
            "
",
        )
    }

    #[test]
    fn every_law_has_its_tests() {
        holds_here(RULE);
    }

    #[test]
    fn nine_laws_with_their_tests_pass() {
        let all: Vec<_> = (1..=LAWS).collect();
        assert!(places(RULE, &project(&page(&all), &all)).is_empty());
    }

    #[test]
    fn a_law_without_a_test_and_a_test_that_is_nowhere_are_found() {
        let all: Vec<_> = (1..=LAWS).collect();
        let found = places(RULE, &project(&page(&all[1..]), &all[..8]));
        assert_eq!(
            found,
            [
                "docs/architecture.md:1 law 1 names no test",
                "docs/architecture.md:8 names the test `law_9_holds`, which is nowhere"
            ]
        );
    }

    #[test]
    fn a_missing_page_is_found() {
        assert_eq!(places(RULE, &files(&[])), ["docs/architecture.md:1 missing"]);
    }
}
