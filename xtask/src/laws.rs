//! The tests that carry each of the nine laws: found in the sources by their names, written beside the law.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use anyhow::{Context, Result, bail};
use regex::Regex;

use crate::finding::Finding;
use crate::project::{Project, SourceFile, workspace_root};

/// Where the laws are written down.
const PAGE: &str = "docs/architecture.md";

/// How many there are.
const LAWS: usize = 9;

/// A function that carries a law.
#[expect(clippy::unwrap_used, reason = "a constant pattern, which the tests of this module compile")]
static FUNCTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bfn (law_([1-9])_[a-z0-9_]+)").unwrap());

/// Writes the names of the tests beside their laws.
pub(crate) fn run() -> Result<()> {
    let project = Project::load()?;
    let page = project.file(PAGE).with_context(|| format!("{PAGE} is missing"))?;
    let mut text = page.text.clone();
    for (law, list) in lists(&project) {
        let Some(written) = replaced(&text, law, &list) else {
            bail!(
                "{PAGE} has no place for law {law}; write `{}` and `{}` on lines of their own",
                begin(law),
                end(law)
            );
        };
        text = written;
    }
    std::fs::write(workspace_root().join(PAGE), text)
        .with_context(|| format!("{PAGE} could not be written"))?;
    println!("{PAGE} written");
    Ok(())
}

/// Laws without a test, and laws whose tests are not those that the page names.
pub(crate) fn check(project: &Project) -> Vec<Finding> {
    let Some(page) = project.file(PAGE) else {
        return vec![Finding::new(
            PAGE,
            1,
            "missing",
            "write the code map and the laws, each with its tests",
        )];
    };
    let mut findings = Vec::new();
    for (law, list) in lists(project) {
        let at = page.lines().find(|(_, line)| *line == begin(law)).map_or(1, |(at, _)| at);
        if list.is_empty() {
            let next = format!("write a test called law_{law}_…, then run `cargo xtask laws`");
            findings.push(Finding::new(PAGE, at, format!("law {law} has no test"), next));
        } else if replaced(&page.text, law, &list).as_ref() != Some(&page.text) {
            let what = format!("the tests of law {law} are not those in the sources");
            findings.push(Finding::new(
                PAGE,
                at,
                what,
                "run `cargo xtask laws` and look whether a test went missing",
            ));
        }
    }
    findings
}

/// For each law the list of its tests: a line for each crate.
fn lists(project: &Project) -> Vec<(usize, String)> {
    let mut found: BTreeMap<(usize, &str), BTreeSet<&str>> = BTreeMap::new();
    for file in project.files_with("rs") {
        let Some(owner) = owner(project, file) else { continue };
        for name in FUNCTION.captures_iter(&file.text) {
            let (Some(test), Some(law)) = (name.get(1), name.get(2)) else { continue };
            found.entry((law.as_str().parse().unwrap_or_default(), owner)).or_default().insert(test.as_str());
        }
    }
    let list = |law: usize| {
        let lines = found.iter().filter(|((of, _), _)| *of == law).map(|((_, owner), tests)| {
            let tests: Vec<_> = tests.iter().map(|test| format!("`{test}`")).collect();
            format!("- {owner}: {}\n", tests.join(", "))
        });
        (law, lines.collect())
    };
    (1..=LAWS).map(list).collect()
}

/// The crate that a file belongs to: that with the longest folder around it.
fn owner<'a>(project: &'a Project, file: &SourceFile) -> Option<&'a str> {
    let around = project.members.iter().filter(|member| file.path.starts_with(&format!("{}/", member.dir)));
    around.max_by_key(|member| member.dir.len()).map(|member| member.name.as_str())
}

fn begin(law: usize) -> String {
    format!("<!-- tests of law {law} -->")
}

fn end(law: usize) -> String {
    format!("<!-- end of law {law} -->")
}

/// `text` with `list` between the marks of `law`; none when they are not there.
fn replaced(text: &str, law: usize, list: &str) -> Option<String> {
    let (begin, end) = (begin(law), end(law));
    let (before, rest) = text.split_once(&format!("{begin}\n"))?;
    let (_, after) = rest.split_once(&end)?;
    // A list of Markdown is set off by blank lines.
    Some(format!("{before}{begin}\n\n{list}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::{files, member};

    fn project(page: &str, source: &str) -> Project {
        Project { members: vec![member("a", &[])], ..files(&[(PAGE, page), ("crates/a/src/lib.rs", source)]) }
    }

    /// A test of each of these laws, under names that this repository's own check does not take for tests.
    fn sources(laws: &[usize]) -> String {
        laws.iter().map(|law| ["#[test] fn la", &format!("w_{law}_holds() {{}}\n")].concat()).collect()
    }

    fn page(laws: &[usize]) -> String {
        let part = |law: &usize| {
            format!(
                "## {law}\n\n{}\n\n- a: `{}{law}_holds`\n\n{}\n",
                begin(*law),
                ["la", "w_"].concat(),
                end(*law)
            )
        };
        laws.iter().map(part).collect()
    }

    #[track_caller]
    fn finds(page: &str, source: &str, expected: &[&str]) {
        let found: Vec<_> =
            check(&project(page, source)).iter().map(|f| format!("{}:{}", f.line, f.what)).collect();
        assert_eq!(found, expected);
    }

    const ALL: &[usize] = &[1, 2, 3, 4, 5, 6, 7, 8, 9];

    #[test]
    fn nine_laws_with_their_tests_pass() {
        finds(&page(ALL), &sources(ALL), &[]);
    }

    #[test]
    fn a_law_without_a_test_is_found() {
        finds(&page(ALL), &sources(&ALL[1..]), &["3:law 1 has no test"]);
    }

    #[test]
    fn a_page_that_names_other_tests_is_found() {
        let renamed = sources(ALL).replace("9_holds", "9_is_held");
        finds(&page(ALL), &renamed, &["59:the tests of law 9 are not those in the sources"]);
        finds(&page(&ALL[..8]), &sources(ALL), &["1:the tests of law 9 are not those in the sources"]);
    }

    #[test]
    fn a_missing_page_is_found() {
        assert_eq!(check(&files(&[]))[0].what, "missing");
    }
}
