//! Every crate has a README, which is also its documentation, so that its example is compiled.

use crate::finding::Finding;
use crate::project::{Member, Project};
use crate::tidy::Rule;

pub(crate) const RULE: Rule = Rule { name: "readmes", check };

/// How a crate takes its README as documentation.
const INCLUDE: &str = "#![doc = include_str!(\"../README.md\")]";

fn check(project: &Project) -> Vec<Finding> {
    project.members.iter().flat_map(|member| check_member(project, member)).collect()
}

fn check_member(project: &Project, member: &Member) -> Vec<Finding> {
    let mut findings = Vec::new();
    let readme = format!("{}/README.md", member.dir);
    match project.file(&readme) {
        None => findings.push(Finding::new(
            &readme,
            1,
            "missing",
            "write what the crate is for and one example that compiles",
        )),
        Some(file) if !file.text.starts_with(&format!("# {}\n", member.name)) => {
            findings.push(Finding::new(
                &readme,
                1,
                "does not start with the crate's name",
                format!("begin it with `# {}`", member.name),
            ));
        }
        Some(_) => {}
    }
    let roots = ["lib.rs", "main.rs"].map(|root| format!("{}/src/{root}", member.dir));
    let root = roots.iter().find_map(|path| project.file(path));
    if let Some(root) = root.filter(|root| !root.text.starts_with(INCLUDE)) {
        findings.push(Finding::new(
            &root.path,
            1,
            "does not take the README as its documentation",
            format!("begin it with `{INCLUDE}`"),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::{files, member};
    use crate::tidy::testing::{holds_here, places};

    fn project(listed: &[(&str, &str)]) -> Project {
        Project { members: vec![member("a", &[])], ..files(listed) }
    }

    #[test]
    fn every_crate_is_documented_by_its_readme() {
        holds_here(RULE);
    }

    #[test]
    fn a_missing_readme_and_a_missing_include_are_found() {
        let good = ("crates/a/README.md", "# a\n\nText.\n");
        let included = format!("{INCLUDE}\nmod b;\n");
        assert!(places(RULE, &project(&[good, ("crates/a/src/lib.rs", &included)])).is_empty());
        assert_eq!(
            places(RULE, &project(&[("crates/a/src/lib.rs", &included)])),
            ["crates/a/README.md:1 missing"]
        );
        assert_eq!(
            places(RULE, &project(&[good, ("crates/a/src/main.rs", "//! Own words.\n")])),
            ["crates/a/src/main.rs:1 does not take the README as its documentation"]
        );
        assert_eq!(
            places(RULE, &project(&[("crates/a/README.md", "# b\n")])),
            ["crates/a/README.md:1 does not start with the crate's name"]
        );
    }
}
