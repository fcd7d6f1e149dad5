//! Words and sentences: the one way in which index, model, memory and evaluation look at text.

use std::collections::BTreeSet;

/// Words that say nothing about a subject.
const STOP_WORDS: [&str; 86] = [
    "a", "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "before",
    "but", "by", "can", "could", "did", "do", "does", "each", "every", "for", "from", "had", "happens",
    "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "just", "many", "may", "me", "more",
    "most", "much", "must", "my", "no", "not", "of", "on", "one", "only", "or", "other", "our", "own", "per",
    "should", "so", "some", "such", "than", "that", "the", "their", "them", "then", "there", "these", "they",
    "this", "those", "to", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will",
    "with", "would", "you",
];

/// The terms of a text in order: lower case, letters and digits, plurals folded to the singular.
pub(crate) fn terms(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| fold(&word.to_lowercase()))
}

/// The terms that carry meaning, each once, in their order.
pub(crate) fn content_terms(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    terms(text).filter(|term| !is_stop_word(term) && seen.insert(term.clone())).collect()
}

/// Whether a term says nothing about a subject.
pub(crate) fn is_stop_word(term: &str) -> bool {
    term.chars().count() < 2 || STOP_WORDS.binary_search(&term).is_ok()
}

/// Folds the English plural, nothing more: a wrong stem does more harm than a missed one.
fn fold(word: &str) -> String {
    let stem = if STOP_WORDS.binary_search(&word).is_ok() || word.len() < 4 {
        return word.to_owned();
    } else if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}y");
    } else if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        word
    } else {
        word.strip_suffix('s').unwrap_or(word)
    };
    stem.to_owned()
}

/// Counts the tokens of a text: every run of letters and digits, and every other visible character, is one.
///
/// This is the vocabulary of the local model, so its usage is counted, not estimated.
pub(crate) fn count_tokens(text: &str) -> u64 {
    let mut count = 0;
    let mut in_word = false;
    for c in text.chars() {
        let word = c.is_alphanumeric();
        let begins = !word || !in_word;
        if begins && !c.is_whitespace() {
            count += 1;
        }
        in_word = word;
    }
    count
}

/// The sentences of a text, trimmed, Markdown markers at a line's start removed.
///
/// A sentence ends at `.`, `!` or `?` before white space, at an empty line, and at the end of a list item,
/// heading or table row; fenced code and comment markers carry no sentences.
pub(crate) fn sentences(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut open = String::new();
    let (mut fenced, mut comment) = (false, false);
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("```") {
            fenced = !fenced;
            close(&mut open, &mut out);
            continue;
        }
        if fenced {
            continue;
        }
        if std::mem::replace(&mut comment, line.starts_with("//")) != line.starts_with("//") {
            close(&mut open, &mut out);
        }
        let bare = line.trim_start_matches("//").trim_start_matches(['/', '!', '>', ' ']);
        let item = without_number(bare.trim_start_matches(['#', '*', '-', '|', '+']).trim_start());
        if bare.is_empty() || item.len() != bare.len() {
            close(&mut open, &mut out);
        }
        append(&item.replace("**", ""), &mut open, &mut out);
        if bare.starts_with(['#', '|']) {
            close(&mut open, &mut out);
        }
    }
    close(&mut open, &mut out);
    out
}

/// An item of a numbered list without its number.
fn without_number(item: &str) -> &str {
    let text = item.trim_start_matches(|c: char| c.is_ascii_digit());
    if text.len() == item.len() { item } else { text.strip_prefix(". ").unwrap_or(item) }
}

fn append(line: &str, open: &mut String, out: &mut Vec<String>) {
    let mut characters = line.chars().peekable();
    if !open.is_empty() {
        open.push(' ');
    }
    while let Some(c) = characters.next() {
        open.push(c);
        if matches!(c, '.' | '!' | '?') && characters.peek().is_none_or(|next| next.is_whitespace()) {
            close(open, out);
        }
    }
}

fn close(open: &mut String, out: &mut Vec<String>) {
    let sentence = open.trim();
    if sentence.chars().any(char::is_alphanumeric) {
        out.push(sentence.to_owned());
    }
    open.clear();
}

/// The share of `wanted` that `found` holds, between 0 and 1; nothing wanted is wholly found.
pub(crate) fn share(wanted: &[String], found: &BTreeSet<String>) -> f64 {
    if wanted.is_empty() {
        return 1.0;
    }
    wanted.iter().filter(|term| found.contains(*term)).count() as f64 / wanted.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stop_words_are_sorted_for_the_binary_search() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn terms_are_lower_case_split_at_signs_and_singular() {
        let got: Vec<_> = terms("Batches' policies: OBS-core, status! It is 3rd class; größe").collect();
        assert_eq!(got, ["batche", "policy", "obs", "core", "status", "it", "is", "3rd", "class", "größe"]);
    }

    #[test]
    fn content_terms_come_once_and_without_stop_words() {
        assert_eq!(content_terms("What is the queue, and why is the Queue full?"), ["queue", "full"]);
    }

    #[test]
    fn tokens_are_words_and_signs() {
        assert_eq!(count_tokens(""), 0);
        assert_eq!(count_tokens("  Hello, world!  "), 4);
        assert_eq!(count_tokens("a-b"), 3);
        assert_eq!(count_tokens("🦀🦀"), 2);
    }

    #[test]
    fn sentences_end_at_signs_items_headings_and_empty_lines_and_skip_code() {
        let text = "# Title\nFirst one. Second\ngoes on!\n- item 1.5 here\n- item two\n2. **Item** three\n\n```\ncode. code\n```\n/// Doc line\nlet x = 1\n| a | b |\n***";
        assert_eq!(
            sentences(text),
            [
                "Title",
                "First one.",
                "Second goes on!",
                "item 1.5 here",
                "item two",
                "Item three",
                "Doc line",
                "let x = 1",
                "a | b |"
            ]
        );
    }

    #[test]
    fn the_share_is_one_if_nothing_is_wanted() {
        let found = BTreeSet::from(["a".to_owned()]);
        assert_eq!(share(&[], &found), 1.0);
        assert_eq!(share(&["a".to_owned(), "b".to_owned()], &found), 0.5);
    }
}
