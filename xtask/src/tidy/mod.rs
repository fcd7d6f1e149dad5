//! The rules of the house that no compiler checks.
//!
//! A rule is a pure function from the project to its findings, with a project that breaks it beside it.
//! `cargo xtask tidy` runs them all; so does `cargo test`, one test each.

mod edges;
mod forbidden;
mod laws;
mod links;
mod packaging;
mod places;
mod programs;
mod readmes;
mod sentences;
mod shape;
mod size;

use anyhow::{Result, bail};

use crate::finding::Finding;
use crate::project::Project;

#[cfg(test)]
pub(crate) use shape::REQUIRED as EXPORTER_FILES;

/// A rule, and the proof that it can fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// What findings and messages call it.
    pub(crate) name: &'static str,
    /// Finds every place that breaks it.
    pub(crate) check: fn(&Project) -> Vec<Finding>,
}

/// Every rule, in the order they are reported.
pub(crate) const RULES: &[Rule] = &[
    edges::RULE,
    shape::RULE,
    packaging::RULE,
    readmes::RULE,
    size::RULE,
    forbidden::RULE,
    sentences::RULE,
    links::RULE,
    programs::RULE,
    laws::RULE,
    places::RULE,
];

impl Rule {
    /// The findings of this rule alone, under its name.
    pub(crate) fn findings(&self, project: &Project) -> Vec<Finding> {
        let mut findings = (self.check)(project);
        for finding in &mut findings {
            finding.rule = self.name;
        }
        findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
        findings
    }
}

/// Runs every rule and prints what they find.
pub(crate) fn run() -> Result<()> {
    let project = Project::load()?;
    let findings: Vec<_> = RULES.iter().flat_map(|rule| rule.findings(&project)).collect();
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy found {}; each says what to do next", count(findings.len(), "broken rule"));
    }
    println!("tidy: {} over {}", count(RULES.len(), "rule"), count(project.files.len(), "file"));
    Ok(())
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// For the tests of each rule.
#[cfg(test)]
pub(crate) mod testing {
    use super::Rule;
    use crate::project::Project;

    /// Fails with every finding of `rule` in this repository.
    #[track_caller]
    pub(crate) fn holds_here(rule: Rule) {
        let project = Project::load().expect("the workspace is readable");
        let findings: Vec<_> = rule.findings(&project).iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    }

    /// The places where `rule` is broken in `project`, as `path:line what`.
    pub(crate) fn places(rule: Rule, project: &Project) -> Vec<String> {
        rule.findings(project).iter().map(|f| format!("{}:{} {}", f.path, f.line, f.what)).collect()
    }
}
