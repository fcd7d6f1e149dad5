//! Words that do not belong in our sources, each with what to write instead.

use crate::finding::Finding;
use crate::project::{Project, SourceFile};
use crate::tidy::Rule;

pub(crate) const RULE: Rule = Rule { name: "forbidden", check };

/// A word, where it is looked for, and what to do about it.
#[derive(Debug)]
struct Word {
    /// Written in two parts, so that this file does not break its own rule.
    parts: (&'static str, &'static str),
    extensions: &'static [&'static str],
    next: &'static str,
}

const SOURCES: &[&str] = &["rs", "toml", "yml", "sh"];

const WORDS: &[Word] = &[
    Word {
        parts: ("#[ig", "nore"),
        extensions: &["rs"],
        next: "make the test fast enough to run always, or move it to a nightly chore",
    },
    Word {
        parts: ("TO", "DO"),
        extensions: SOURCES,
        next: "do it now, or write down the limit where a user reads it",
    },
    Word {
        parts: ("FIX", "ME"),
        extensions: SOURCES,
        next: "fix it now, or write down the limit where a user reads it",
    },
    Word {
        parts: ("thread::", "sleep"),
        extensions: &["rs"],
        next: "wait on a condition with a deadline (condvar, channel)",
    },
    Word { parts: ("allow(dead", "_code)"), extensions: &["rs"], next: "delete the code, or use it" },
    Word {
        parts: ("// ---", "-"),
        extensions: &["rs"],
        next: "drop the banner; a section that needs one is a module",
    },
    Word {
        parts: ("// ===", "="),
        extensions: &["rs"],
        next: "drop the banner; a section that needs one is a module",
    },
    Word {
        parts: ("--all-", "features"),
        extensions: &["rs", "toml", "yml", "sh"],
        next: "name the features; one of them costs gigabytes to build",
    },
];

/// Places where a word is right: the file, the word and the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

fn check(project: &Project) -> Vec<Finding> {
    check_with(project, EXCEPTIONS)
}

fn check_with(project: &Project, exceptions: &[(&str, &str, &str)]) -> Vec<Finding> {
    let words = WORDS.iter().flat_map(|word| {
        project.files.iter().filter(|file| word.extensions.iter().any(|end| file.is(end))).flat_map(
            move |file| {
                let needle = [word.parts.0, word.parts.1].concat();
                let excused = exceptions.iter().any(|(path, what, _)| *path == file.path && *what == needle);
                let lines = file.lines().filter(|(_, line)| !excused && mentions(line, &needle));
                lines
                    .map(|(at, _)| Finding::new(&file.path, at, format!("`{needle}`"), word.next))
                    .collect::<Vec<_>>()
            },
        )
    });
    words.chain(project.files_with("rs").flat_map(real_sleeps)).collect()
}

/// True when `needle` stands in `line` as a word of its own where it is made of letters.
fn mentions(line: &str, needle: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(needle).any(|(at, _)| {
        let lettered = needle.chars().all(char::is_alphabetic);
        !lettered || !(word(line[..at].chars().next_back()) || word(line[at + needle.len()..].chars().next()))
    })
}

/// Tokio's sleep in a test file that never pauses the clock waits for real.
fn real_sleeps(file: &SourceFile) -> Vec<Finding> {
    let paused = file.text.contains("start_paused") || file.text.contains("pause()");
    if paused || !file.path.contains("/tests/") {
        return Vec::new();
    }
    let sleep = ["time::", "sleep("].concat();
    let lines = file.lines().filter(|(_, line)| line.contains(&sleep));
    lines
        .map(|(at, _)| {
            Finding::new(
                &file.path,
                at,
                "a real sleep in a test",
                "use #[tokio::test(start_paused = true)], or wait on a channel",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::files;
    use crate::tidy::testing::{holds_here, places};

    #[test]
    fn no_source_holds_a_forbidden_word() {
        holds_here(RULE);
    }

    #[test]
    fn each_word_is_found_in_each_kind_of_file() {
        for word in WORDS {
            let needle = [word.parts.0, word.parts.1].concat();
            for extension in word.extensions {
                let path = format!("a.{extension}");
                let found = places(RULE, &files(&[(&path, &format!("\n {needle} \n"))]));
                assert_eq!(found, [format!("{path}:2 `{needle}`")]);
            }
        }
    }

    #[test]
    fn a_longer_word_is_another_word() {
        let project = files(&[(
            "a.rs",
            &format!("fn {}S() {{}} // {}_1", ["TO", "DO"].concat(), ["FIX", "ME"].concat()),
        )]);
        assert!(places(RULE, &project).is_empty());
    }

    #[test]
    fn an_exception_holds_for_its_file_alone() {
        let needle = ["thread::", "sleep"].concat();
        let project = files(&[("a.rs", &needle), ("b.rs", &needle)]);
        let found = check_with(&project, &[("a.rs", &needle, "the one place that must block")]);
        assert_eq!(found.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["b.rs"]);
    }

    #[test]
    fn a_sleep_is_real_unless_the_clock_is_paused() {
        let sleep = ["tokio::time::", "sleep(d).await;"].concat();
        let paused = format!("#[tokio::test(start_paused = true)]\n{sleep}");
        let project =
            files(&[("c/tests/it/a.rs", &sleep), ("c/tests/it/b.rs", &paused), ("c/src/a.rs", &sleep)]);
        assert_eq!(places(RULE, &project), ["c/tests/it/a.rs:1 a real sleep in a test"]);
    }
}
