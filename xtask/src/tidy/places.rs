//! Nothing that is published names a place where it was made.

use crate::finding::Finding;
use crate::project::Project;
use crate::tidy::Rule;

pub(crate) const RULE: Rule = Rule { name: "places", check };

/// Paths of a workplace, each in two parts so that this file does not break its own rule.
const PLACES: &[(&str, &str)] = &[("/wo", "rk/"), ("../sha", "red"), ("/ro", "ot/"), ("/ho", "me/")];

fn check(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &project.files {
        for (at, line) in file.lines() {
            for place in PLACES.iter().map(|(a, b)| [*a, *b].concat()).filter(|place| begins(line, place)) {
                let next = "say it without the path; nobody else has that folder";
                findings.push(Finding::new(&file.path, at, format!("names the place {place}"), next));
            }
        }
    }
    findings
}

/// True when a path in `line` begins with `place`, so that an address with such a part is not meant.
fn begins(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '/' | '-' | '_' | '~' | '}'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::files;
    use crate::tidy::testing::{holds_here, places};

    #[test]
    fn no_file_names_a_workplace() {
        holds_here(RULE);
    }

    #[test]
    fn each_place_is_found_and_addresses_are_not() {
        for (a, b) in PLACES {
            let found = places(RULE, &files(&[("a.rs", &format!("\n// see {a}{b}notes.md\n"))]));
            assert_eq!(found, [format!("a.rs:2 names the place {a}{b}")]);
        }
        let address = format!("https://example.org{}{}x", PLACES[0].0, PLACES[0].1);
        assert!(places(RULE, &files(&[("a.rs", &address)])).is_empty());
    }
}
