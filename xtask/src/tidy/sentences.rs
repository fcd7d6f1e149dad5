//! Markdown has one sentence on each line, so that a change to one sentence is a change to one line.

use std::sync::LazyLock;

use regex::Regex;

use crate::finding::Finding;
use crate::markdown::{Kind, Line, lines, without_code};
use crate::project::{Project, SourceFile};
use crate::tidy::Rule;

pub(crate) const RULE: Rule = Rule { name: "sentences", check };

/// Words that end in a full stop and do not end a sentence.
const ABBREVIATIONS: &[&str] = &["e.g.", "i.e.", "etc.", "vs.", "cf.", "approx.", "no.", "ca."];

/// The end of a sentence, and the beginning of another behind it.
#[expect(clippy::unwrap_used, reason = "a constant pattern, which the tests of this module compile")]
static SECOND: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[.!?…][)”*_]*\s+[(“*_`\[]*[\p{Lu}`]").unwrap());

fn check(project: &Project) -> Vec<Finding> {
    project.files_with("md").flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> Vec<Finding> {
    let lines = lines(&file.text);
    let mut findings = Vec::new();
    for (line, next) in lines.iter().zip(lines.iter().skip(1).map(Some).chain([None])) {
        if line.kind != Kind::Prose {
            continue;
        }
        let text = content(line.text);
        if second_sentence(&text) {
            findings.push(Finding::new(
                &file.path,
                line.at,
                "two sentences on one line",
                "begin each sentence on a line of its own",
            ));
        }
        if next.is_some_and(|next| continues(next)) && !ends(&text) {
            findings.push(Finding::new(
                &file.path,
                line.at,
                "a sentence over two lines",
                "join them: one sentence is one line",
            ));
        }
    }
    findings
}

/// The line without its list mark, quote mark and inline code.
fn content(line: &str) -> String {
    let text = without_code(line.trim().trim_start_matches("> "));
    let text = text.strip_prefix("- ").or_else(|| text.strip_prefix("* ")).unwrap_or(&text);
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let text = if digits > 0 { text[digits..].strip_prefix(". ").unwrap_or(text) } else { text };
    ABBREVIATIONS.iter().fold(text.to_owned(), |text, short| text.replace(short, &short.replace('.', "_")))
}

fn second_sentence(text: &str) -> bool {
    // A bold lead-in ("**Accounting.** Per …") is a title, not a sentence.
    let text = text.strip_prefix("**").and_then(|rest| rest.split_once("** ")).map_or(text, |(_, rest)| rest);
    SECOND.is_match(text)
}

/// True when `line` goes on with the paragraph above it.
fn continues(line: &Line<'_>) -> bool {
    let text = line.text.trim_start();
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let item =
        text.starts_with("- ") || text.starts_with("* ") || (digits > 0 && text[digits..].starts_with(". "));
    line.kind == Kind::Prose && !item && !text.starts_with('[') && !text.starts_with('!')
}

fn ends(text: &str) -> bool {
    text.trim_end()
        .trim_end_matches(['*', '_', ')', '”', '"', '`', '\\'])
        .ends_with(['.', '!', '?', ':', '…'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::files;
    use crate::tidy::testing::{holds_here, places};

    #[track_caller]
    fn check_text(text: &str, expected: &[&str]) {
        assert_eq!(places(RULE, &files(&[("a.md", text)])), expected, "{text}");
    }

    #[test]
    fn our_pages_have_one_sentence_a_line() {
        holds_here(RULE);
    }

    #[test]
    fn two_sentences_on_a_line_are_found() {
        for text in ["One is. Two is.", "- An item. Another.", "3. A step. Then `it`.", "Is it? It is (so)."]
        {
            check_text(text, &["a.md:1 two sentences on one line"]);
        }
    }

    #[test]
    fn a_sentence_over_two_lines_is_found() {
        check_text("It goes\non here.\n", &["a.md:1 a sentence over two lines"]);
        check_text("- It goes\n  on here.\n", &["a.md:1 a sentence over two lines"]);
    }

    #[test]
    fn what_is_no_second_sentence_passes() {
        for text in [
            "A sentence.\nAnother one.\n",
            "- one\n- two\n",
            "1. Step.\n2. Step.\n",
            "**Accounting.** Per destination, one ledger.\n",
            "Vendors, e.g. Langfuse, differ.\n",
            "Call `a. B` once.\n",
            "Version 1.2 Beta is out.\n",
            "| a. B | c. D |\n",
            "```text\nOne. Two.\nthree\n```\n",
            "# A title. Or two.\n",
            "See this:\n- it\n",
        ] {
            check_text(text, &[]);
        }
    }
}
