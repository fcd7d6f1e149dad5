//! A model that runs here: it writes nothing of its own but picks and orders sentences of the sources.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tokio::time::Instant;

use super::model::{Generation, Model, ModelError, OnText, Prompt, Source, Task, Tokens};
use super::words;

/// The most sentences of an answer.
const SENTENCES: usize = 4;

/// The most words of a search query.
const SEARCH_WORDS: usize = 8;

/// A sentence with less than this share of the best one's score is beside the point.
const LEAST_SHARE: f64 = 0.3;

/// A sentence that shares more than this with one already chosen says nothing new.
const REPETITION: f64 = 0.7;

/// The local model: extractive, deterministic, without weights and without a network.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LocalExtractive;

#[async_trait]
impl Model for LocalExtractive {
    fn name(&self) -> &'static str {
        "extractive-1"
    }

    fn provider(&self) -> &'static str {
        "local"
    }

    async fn generate(&self, prompt: &Prompt, on_text: &mut OnText<'_>) -> Result<Generation, ModelError> {
        let begun = Instant::now();
        let pieces = match prompt.task {
            Task::Rewrite => search_words(prompt),
            Task::Answer => answer(prompt),
        };
        let mut written = Generation { finish: Some("stop".to_owned()), ..Generation::default() };
        let mut output = 0;
        for piece in pieces {
            let tokens = words::count_tokens(&piece);
            if output + tokens > u64::from(prompt.max_tokens) {
                written.finish = Some("length".to_owned());
                break;
            }
            output += tokens;
            written.first_token.get_or_insert_with(|| begun.elapsed());
            on_text(&piece);
            written.text.push_str(&piece);
        }
        let input = words::count_tokens(prompt.instructions()) + words::count_tokens(&prompt.message());
        written.tokens = Some(Tokens { input, output, ..Tokens::default() });
        Ok(written)
    }
}

/// The words of the question that carry meaning, then words of headings that share one with it.
fn search_words(prompt: &Prompt) -> Vec<String> {
    let mut chosen = words::content_terms(&prompt.question);
    let asked: BTreeSet<_> = chosen.iter().cloned().collect();
    let mut related: BTreeMap<String, usize> = BTreeMap::new();
    for source in &prompt.sources {
        let heading = words::content_terms(&source.text);
        if heading.iter().any(|term| asked.contains(term)) {
            for term in heading.into_iter().filter(|term| !asked.contains(term) && !is_number(term)) {
                *related.entry(term).or_default() += 1;
            }
        }
    }
    let mut related: Vec<_> = related.into_iter().filter(|(_, count)| *count > 1).collect();
    related.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    chosen.extend(related.into_iter().take(2).map(|(term, _)| term));
    chosen.truncate(SEARCH_WORDS);
    chosen.into_iter().enumerate().map(|(at, term)| if at == 0 { term } else { format!(" {term}") }).collect()
}

/// A sentence that could be part of the answer.
struct Candidate {
    source: usize,
    place: usize,
    text: String,
    terms: BTreeSet<String>,
    score: f64,
}

/// The best sentences in the order of the sources, each with its citation.
fn answer(prompt: &Prompt) -> Vec<String> {
    let mut candidates = candidates(&prompt.question, &prompt.sources);
    candidates.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then(a.source.cmp(&b.source)).then(a.place.cmp(&b.place))
    });
    let least = candidates.first().map_or(0.0, |best| best.score * LEAST_SHARE);
    candidates.retain(|candidate| candidate.score >= least);
    let mut chosen: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let repeats = |other: &Candidate| overlap(&candidate.terms, &other.terms) > REPETITION;
        if chosen.len() < SENTENCES && !chosen.iter().any(repeats) {
            chosen.push(candidate);
        }
    }
    if chosen.is_empty() {
        return vec!["No sentence of these files answers the question.".to_owned()];
    }
    chosen.sort_by_key(|candidate| (candidate.source, candidate.place));
    chosen
        .iter()
        .enumerate()
        .map(|(at, candidate)| {
            let gap = if at == 0 { "" } else { " " };
            let stop = if candidate.text.ends_with(['.', '!', '?']) { "" } else { "." };
            format!("{gap}{}{stop} [{}]", candidate.text, candidate.source + 1)
        })
        .collect()
}

/// The sentences that share a term with the question, weighed by how rare the term is among all of them.
fn candidates(question: &str, sources: &[Source]) -> Vec<Candidate> {
    let asked = words::content_terms(question);
    let mut all = Vec::new();
    for (source, text) in sources.iter().map(|source| words::sentences(&source.text)).enumerate() {
        for (place, text) in text.into_iter().enumerate() {
            let terms = words::content_terms(&text).into_iter().collect();
            all.push(Candidate { source, place, text, terms, score: 0.0 });
        }
    }
    all.retain(|candidate| is_prose(&candidate.text));
    let count = all.len() as f64;
    let weights: Vec<f64> = asked
        .iter()
        .map(|term| all.iter().filter(|candidate| candidate.terms.contains(term)).count() as f64)
        .map(|containing| (count / (1.0 + containing)).ln_1p())
        .collect();
    for candidate in &mut all {
        let held = asked.iter().zip(&weights).filter(|(term, _)| candidate.terms.contains(*term));
        let shared: Vec<f64> = held.map(|(_, weight)| *weight).collect();
        // Two terms together say more than each of them alone.
        let together = (shared.len() as f64).sqrt();
        // Long enough to say something, short enough to read; sources come best first.
        let length = candidate.terms.len() as f64;
        let shape = if length < 4.0 { 0.3 } else { (14.0 / length.max(14.0)).sqrt() };
        candidate.score =
            shared.iter().sum::<f64>() * together * shape / (1.0 + 0.15 * candidate.source as f64);
    }
    all.retain(|candidate| candidate.score > 0.0);
    all
}

fn is_number(term: &str) -> bool {
    term.chars().all(|c| c.is_ascii_digit())
}

/// Whether a sentence reads as one: not a table row, not code.
fn is_prose(sentence: &str) -> bool {
    let signs = sentence.chars().filter(|c| "(){}[]<>=&|_;\"\\/#".contains(*c)).count();
    let all = sentence.chars().count();
    signs * 12 <= all && !sentence.contains(" | ") && !sentence.ends_with(['{', '}', ';', ','])
}

/// The share of the smaller set that both hold.
fn overlap(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    a.intersection(b).count() as f64 / a.len().min(b.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { label: "a.md:1-2".to_owned(), text: text.to_owned() }
    }

    fn prompt(task: Task, question: &str, sources: &[&str]) -> Prompt {
        let sources = sources.iter().map(|text| source(text)).collect();
        Prompt { task, question: question.to_owned(), sources, facts: Vec::new(), max_tokens: 400 }
    }

    async fn run(prompt: &Prompt) -> (Generation, Vec<String>) {
        let mut pieces = Vec::new();
        let written =
            LocalExtractive.generate(prompt, &mut |piece| pieces.push(piece.to_owned())).await.unwrap();
        (written, pieces)
    }

    #[tokio::test]
    async fn the_answer_is_made_of_sentences_of_the_sources_in_their_order_and_cites_them() {
        let prompt = prompt(
            Task::Answer,
            "What does the ledger say of lost records?",
            &[
                "Every destination has its own ledger of records. Cats sleep.",
                "A lost record is accounted for as dropped, with its reason. Weather is nice.",
            ],
        );
        let (written, pieces) = run(&prompt).await;
        assert_eq!(
            written.text,
            "Every destination has its own ledger of records. [1] \
             A lost record is accounted for as dropped, with its reason. [2]"
        );
        assert_eq!(pieces.concat(), written.text);
        assert_eq!(pieces.len(), 2);
        assert_eq!(written.finish.as_deref(), Some("stop"));
        assert!(written.first_token.is_some());
    }

    #[tokio::test]
    async fn the_tokens_are_those_read_and_written() {
        let prompt = prompt(Task::Answer, "What is a ledger?", &["A ledger counts every record once."]);
        let (written, _) = run(&prompt).await;
        let tokens = written.tokens.unwrap();
        assert_eq!(tokens.output, words::count_tokens(&written.text));
        assert_eq!(
            tokens.input,
            words::count_tokens(prompt.instructions()) + words::count_tokens(&prompt.message())
        );
    }

    #[tokio::test]
    async fn the_limit_of_tokens_ends_the_answer_at_a_sentence() {
        let mut prompt = prompt(
            Task::Answer,
            "ledger queue",
            &["The ledger counts records exactly. The queue holds batches for a destination."],
        );
        prompt.max_tokens = 12;
        let (written, _) = run(&prompt).await;
        assert_eq!(written.text, "The ledger counts records exactly. [1]");
        assert_eq!(written.finish.as_deref(), Some("length"));
    }

    #[tokio::test]
    async fn without_a_matching_sentence_it_says_so() {
        let (written, _) = run(&prompt(Task::Answer, "unicorns?", &["The ledger counts."])).await;
        assert_eq!(written.text, "No sentence of these files answers the question.");
    }

    #[tokio::test]
    async fn the_same_is_not_said_twice() {
        let sentence = "The ledger counts every record that a destination was offered.";
        let (written, _) = run(&prompt(Task::Answer, "ledger record", &[sentence, sentence])).await;
        assert_eq!(written.text, format!("{sentence} [1]"));
    }

    #[tokio::test]
    async fn code_and_table_rows_are_no_sentences() {
        let source = "let ledger = Ledger::new();\n\n| ledger | counts |\n\nfn ledger(&self) -> &Ledger {\n\nA ledger counts.";
        let (written, _) = run(&prompt(Task::Answer, "ledger", &[source])).await;
        assert_eq!(written.text, "A ledger counts. [1]");
    }

    #[tokio::test]
    async fn a_question_becomes_its_words_and_related_words_of_headings() {
        let headings = ["Delivery queue", "The queue and its delivery", "Breaker"];
        let (written, _) = run(&prompt(Task::Rewrite, "How does the queue work?", &headings)).await;
        assert_eq!(written.text, "queue work delivery");
    }
}
