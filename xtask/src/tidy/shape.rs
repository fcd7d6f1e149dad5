//! Every exporter crate has the same files under the same names, every crate one test binary, every example its own name.
//!
//! Which of the five signal files exist is held against the descriptor by `cargo xtask matrix --check`,
//! since that needs the product; here it is enough that there is one.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::project::{Member, Project};
use crate::tidy::Rule;
use crate::tidy::edges::{Kind, room_of};

pub(crate) const RULE: Rule = Rule { name: "shape", check };

/// What every exporter has.
pub(crate) const REQUIRED: &[&str] = &[
    "Cargo.toml",
    "README.md",
    "src/lib.rs",
    "src/config.rs",
    "src/exporter.rs",
    "tests/it/main.rs",
    "examples/send.rs",
];

/// The files that map a signal; one exists exactly if its signal is supported.
const SIGNALS: &[&str] = &["traces", "metrics", "logs", "scores", "feedback"];

fn check(project: &Project) -> Vec<Finding> {
    let members = project.members.iter().flat_map(|member| check_member(project, member));
    members.chain(clashing_examples(project)).collect()
}

/// Examples of one name overwrite each other's programs, since cargo puts them all into one folder.
fn clashing_examples(project: &Project) -> Vec<Finding> {
    let mut owners: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
    for member in &project.members {
        for example in &member.examples {
            owners.entry(example).or_default().push(member);
        }
    }
    let clashes = owners.into_iter().filter(|(_, members)| members.len() > 1);
    let findings = clashes.flat_map(|(example, members)| {
        members.into_iter().map(move |member| {
            let own = member.name.trim_start_matches("obs-");
            let what =
                format!("the example `{example}` of `{}` has the name of another crate's", member.name);
            let next = format!(
                "write `[[example]]`, `name = \"{own}-{example}\"`, `path = \"examples/{example}.rs\"`"
            );
            Finding::new(&member.manifest(), 1, what, next)
        })
    });
    findings.collect()
}

fn check_member(project: &Project, member: &Member) -> Vec<Finding> {
    let mut findings = Vec::new();
    if room_of(&member.name).is_some_and(|room| room.kind == Kind::Exporter) {
        findings.extend(missing_files(project, member));
    }
    let tests = format!("{}/tests/", member.dir);
    for file in project.files_with("rs").filter(|file| file.path.starts_with(&tests)) {
        let rest = &file.path[tests.len()..];
        if !rest.starts_with("it/") && (!rest.contains('/') || rest.ends_with("/main.rs")) {
            let next =
                format!("make it a module of {tests}it/main.rs, so that the crate links one test binary");
            findings.push(Finding::new(&file.path, 1, "a second test binary", next));
        }
    }
    findings
}

fn missing_files(project: &Project, member: &Member) -> Vec<Finding> {
    let dir = &member.dir;
    let mut findings = Vec::new();
    for required in REQUIRED {
        if project.file(&format!("{dir}/{required}")).is_none() {
            let what = format!("exporter `{}` has no {required}", member.name);
            findings.push(Finding::new(
                &format!("{dir}/{required}"),
                1,
                what,
                "write it; `cargo xtask new` shows the shape",
            ));
        }
    }
    let maps = |signal: &&str| {
        project.has(&format!("{dir}/src/{signal}.rs")) || project.has(&format!("{dir}/src/{signal}"))
    };
    if !SIGNALS.iter().any(maps) {
        let what = format!("exporter `{}` maps no signal", member.name);
        findings.push(Finding::new(
            &format!("{dir}/src"),
            1,
            what,
            format!("add one of {}.rs", SIGNALS.join(".rs, ")),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::{files, member};
    use crate::tidy::testing::{holds_here, places};

    fn exporter(extra: &[&str], without: &str) -> Project {
        let names = REQUIRED.iter().chain(extra).filter(|name| **name != without);
        let paths: Vec<_> = names.map(|name| format!("crates/obs-json/{name}")).collect();
        let listed: Vec<_> = paths.iter().map(|path| (path.as_str(), "")).collect();
        Project { members: vec![member("obs-json", &[])], ..files(&listed) }
    }

    #[test]
    fn the_exporters_have_one_shape() {
        holds_here(RULE);
    }

    #[test]
    fn a_whole_exporter_passes() {
        assert!(places(RULE, &exporter(&["src/traces.rs", "tests/it/wire.rs"], "")).is_empty());
    }

    #[test]
    fn each_missing_file_is_found() {
        for name in REQUIRED {
            let found = places(RULE, &exporter(&["src/logs.rs"], name));
            assert_eq!(found, [format!("crates/obs-json/{name}:1 exporter `obs-json` has no {name}")]);
        }
    }

    #[test]
    fn an_exporter_without_a_signal_is_found() {
        assert_eq!(
            places(RULE, &exporter(&[], "")),
            ["crates/obs-json/src:1 exporter `obs-json` maps no signal"]
        );
    }

    #[test]
    fn examples_of_one_name_are_found() {
        let with = |name: &str, example: &str| Member { examples: vec![example.into()], ..member(name, &[]) };
        let project =
            |second| Project { members: vec![with("a", "send"), with("b", second)], ..Project::default() };
        assert!(places(RULE, &project("b-send")).is_empty());
        let what = |name| {
            format!(
                "crates/{name}/Cargo.toml:1 the example `send` of `{name}` has the name of another crate's"
            )
        };
        assert_eq!(places(RULE, &project("send")), [what("a"), what("b")]);
    }

    #[test]
    fn a_second_test_binary_is_found() {
        let project = exporter(&["src/logs.rs", "tests/more.rs"], "");
        assert_eq!(places(RULE, &project), ["crates/obs-json/tests/more.rs:1 a second test binary"]);
    }
}
