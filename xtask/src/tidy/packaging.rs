//! What must hold so that the crates on the registry are ours.
//!
//! Strangers own some of our names there. A caret requirement would let cargo compile their crate in place of ours,
//! and a dev-dependency with a version would ask the registry for a crate before it is published.

use crate::finding::Finding;
use crate::project::{Edge, Member, Project, SourceFile, Use};
use crate::tidy::Rule;

pub(crate) const RULE: Rule = Rule { name: "packaging", check };

/// Lines that every manifest has, with the reason.
const INHERITED: &[(&str, &str)] = &[
    ("version.workspace = true", "one version for the whole workspace"),
    ("edition.workspace = true", "one edition"),
    ("rust-version.workspace = true", "one stated Rust version"),
    ("license.workspace = true", "one licence"),
    ("[lints]\nworkspace = true", "the lints of the workspace"),
];

/// Lines that a published crate has besides.
const PUBLISHED: &[(&str, &str)] =
    &[("description = ", "the registry asks for it"), ("readme = \"README.md\"", "the registry shows it")];

fn check(project: &Project) -> Vec<Finding> {
    let manifests = project.members.iter().flat_map(|member| check_member(project, member));
    manifests.chain(strangers(project)).collect()
}

fn check_member(project: &Project, member: &Member) -> Vec<Finding> {
    let path = member.manifest();
    let Some(manifest) = project.file(&path) else { return Vec::new() };
    let mut findings = Vec::new();
    let wanted = INHERITED.iter().chain(if member.published { PUBLISHED } else { &[] });
    for (line, why) in wanted.filter(|(line, _)| !holds(manifest, line)) {
        let what = format!("no `{}`", line.replace('\n', " "));
        findings.push(Finding::new(&path, 1, what, format!("add it: {why}")));
    }
    for edge in member.edges.iter().filter(|edge| project.member(&edge.to).is_some()) {
        if let Some((what, next)) = wrong_requirement(edge) {
            findings.push(Finding::new(&path, line_of_dependency(manifest, &edge.to), what, next));
        }
    }
    findings
}

/// True when `lines` stand in the manifest, from the beginning of a line on.
fn holds(manifest: &SourceFile, lines: &str) -> bool {
    manifest.text.match_indices(lines).any(|(at, _)| at == 0 || manifest.text[..at].ends_with('\n'))
}

/// The line of a manifest where the dependency `name` is declared.
pub(crate) fn line_of_dependency(manifest: &SourceFile, name: &str) -> usize {
    let declares = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    manifest.lines().find(|(_, line)| declares(line)).map_or(1, |(at, _)| at)
}

/// What is wrong with a requirement on a crate of ours, and what to do.
fn wrong_requirement(edge: &Edge) -> Option<(String, String)> {
    let Edge { to, requirement, .. } = edge;
    if !edge.by_path {
        let what = format!("`{to}` is taken from the registry, where a stranger may own the name");
        return Some((
            what,
            format!("write `{to}.workspace = true`, or `{{ path = … }}` for a dev-dependency"),
        ));
    }
    match edge.kind {
        Use::Built if !exact(requirement) => Some((
            format!("the requirement on `{to}` is `{requirement}`, not exact"),
            format!("write `{to}.workspace = true`, and `version = \"=x.y.z\"` in the root manifest"),
        )),
        Use::Dev if requirement != "*" => Some((
            format!("the dev-dependency on `{to}` has the version `{requirement}`"),
            format!(
                "write `{to} = {{ path = \"../{to}\" }}` without a version, which is left out of the package"
            ),
        )),
        _ => None,
    }
}

fn exact(requirement: &str) -> bool {
    requirement
        .strip_prefix('=')
        .is_some_and(|version| version.trim().split('.').count() == 3 && !version.contains(','))
}

/// Entries of a lockfile that have the name of a crate of ours and come from a registry.
fn strangers(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lock in
        project.files.iter().filter(|file| file.path == "Cargo.lock" || file.path.ends_with("/Cargo.lock"))
    {
        for (at, name, source) in locked(&lock.text) {
            if project.member(name).is_some() && source.contains("registry+") {
                let what = format!("`{name}` is locked to the registry's crate of that name");
                findings.push(Finding::new(
                    &lock.path,
                    at,
                    what,
                    "find the requirement without a path, and give it one",
                ));
            }
        }
    }
    findings
}

/// The packages of a lockfile: line, name and source.
fn locked(lock: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut name = None;
    lock.lines().enumerate().filter_map(move |(at, line)| {
        if let Some(found) = value_of(line, "name") {
            name = Some((at + 1, found));
        }
        let source = value_of(line, "source")?;
        name.take().map(|(at, name)| (at, name, source))
    })
}

fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::{built, dev, files, member};
    use crate::tidy::testing::{holds_here, places};

    const GOOD: &str = "[package]\nname = \"a\"\ndescription = \"A\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\nreadme = \"README.md\"\n\n\
        [lints]\nworkspace = true\n\n[dependencies]\nb.workspace = true\n";

    fn project(edge: Edge, manifest: &str, lock: &str) -> Project {
        let members = vec![member("a", &[edge]), member("b", &[])];
        Project { members, ..files(&[("crates/a/Cargo.toml", manifest), ("Cargo.lock", lock)]) }
    }

    #[test]
    fn the_manifests_obey() {
        holds_here(RULE);
    }

    #[test]
    fn exact_edges_and_path_only_dev_edges_pass() {
        assert!(places(RULE, &project(built("b"), GOOD, "")).is_empty());
        assert!(places(RULE, &project(dev("b"), GOOD, "")).is_empty());
    }

    #[test]
    fn requirements_that_let_a_stranger_in_are_found() {
        for requirement in ["^0.1.0", "*", "=0.1", ">=0.1.0, <0.2.0"] {
            let edge = Edge { requirement: requirement.into(), ..built("b") };
            let what = format!("crates/a/Cargo.toml:14 the requirement on `b` is `{requirement}`, not exact");
            assert_eq!(places(RULE, &project(edge, GOOD, "")), [what]);
        }
        let edge = Edge { by_path: false, ..built("b") };
        assert_eq!(places(RULE, &project(edge, GOOD, "")).len(), 1);
        let edge = Edge { requirement: "=0.1.0".into(), ..dev("b") };
        assert_eq!(places(RULE, &project(edge, GOOD, "")).len(), 1);
    }

    #[test]
    fn each_missing_line_is_found() {
        for (line, _) in INHERITED.iter().chain(PUBLISHED) {
            let found = places(RULE, &project(dev("b"), &GOOD.replacen(&format!("\n{line}"), "", 1), ""));
            assert_eq!(found, [format!("crates/a/Cargo.toml:1 no `{}`", line.replace('\n', " "))]);
        }
    }

    #[test]
    fn a_stranger_in_the_lockfile_is_found() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"b\"\nversion = \"0.2.1\"\nsource = \"registry+https://example.org\"\n";
        assert_eq!(
            places(RULE, &project(dev("b"), GOOD, lock)),
            ["Cargo.lock:6 `b` is locked to the registry's crate of that name"]
        );
    }
}
