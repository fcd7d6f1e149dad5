//! Every relative link in a Markdown file leads somewhere.

use std::sync::LazyLock;

use regex::Regex;

use crate::finding::Finding;
use crate::markdown::{Kind, lines, slug, without_code};
use crate::project::{Project, SourceFile};
use crate::tidy::Rule;

pub(crate) const RULE: Rule = Rule { name: "links", check };

/// `[text](target)`, with or without a title.
#[expect(clippy::unwrap_used, reason = "a constant pattern, which the tests of this module compile")]
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)"#).unwrap());

fn check(project: &Project) -> Vec<Finding> {
    project.files_with("md").flat_map(|file| check_file(project, file)).collect()
}

fn check_file(project: &Project, file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for line in lines(&file.text).into_iter().filter(|line| line.kind != Kind::Code) {
        for target in LINK
            .captures_iter(&without_code(line.text))
            .filter_map(|found| found.get(1).map(|m| m.as_str().to_owned()))
        {
            if let Some((what, next)) = broken(project, file, &target) {
                findings.push(Finding::new(&file.path, line.at, what, next));
            }
        }
    }
    findings
}

/// What is wrong with a link from `file`, and what to do.
fn broken(project: &Project, file: &SourceFile, target: &str) -> Option<(String, String)> {
    // Addresses are not followed, since tidy works without a network; `a::b` is rustdoc's to check.
    if target.contains("://") || target.starts_with("mailto:") || target.contains("::") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { file.path.clone() } else { resolve(&file.path, path) };
    if !project.has(&path) {
        return Some((
            format!("the link to {target} leads to {path}, which is not there"),
            "mend the link or add the file".into(),
        ));
    }
    let page = project.file(&path).filter(|page| page.is("md") && !anchor.is_empty())?;
    let named =
        lines(&page.text).into_iter().any(|line| line.kind == Kind::Heading && slug(line.text) == anchor);
    (!named).then(|| {
        (
            format!("{path} has no heading #{anchor}"),
            "mend the anchor; it is the heading in small letters with dashes".into(),
        )
    })
}

/// `target` as seen from the folder of `from`, relative to the root.
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." if parts.pop().is_none() => return format!("outside the repository ({target})"),
            "" | "." | ".." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::files;
    use crate::tidy::testing::{holds_here, places};

    #[test]
    fn every_link_leads_somewhere() {
        holds_here(RULE);
    }

    #[test]
    fn links_are_followed_from_the_folder_of_their_file() {
        let page = "See [one](../README.md), [two](decisions/), [three](#here-it-is), [four](b.md#part-two), \
            [five](https://example.org/x), [six](crate::Exporter), `[seven](not/a/link)`.\n\n## Here it is\n";
        let project = files(&[
            ("docs/a.md", page),
            ("docs/b.md", "## Part two\n"),
            ("README.md", ""),
            ("docs/decisions/1.md", ""),
        ]);
        assert!(places(RULE, &project).is_empty());
    }

    #[test]
    fn broken_links_and_anchors_are_found() {
        let page =
            "[one](gone.md)\n[two](b.md#nowhere)\n[three](../../up.md)\n![four](picture.png \"title\")\n";
        let found = places(RULE, &files(&[("docs/a.md", page), ("docs/b.md", "# Part\n")]));
        assert_eq!(
            found,
            [
                "docs/a.md:1 the link to gone.md leads to docs/gone.md, which is not there",
                "docs/a.md:2 docs/b.md has no heading #nowhere",
                "docs/a.md:3 the link to ../../up.md leads to outside the repository (../../up.md), which is not there",
                "docs/a.md:4 the link to picture.png leads to docs/picture.png, which is not there",
            ]
        );
    }
}
