//! What the agent decides, each time with the reason and with what it decided against.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::chunks::Passage;
use super::index::Hit;
use super::memory::Recalled;
use super::tools::Call;
use super::words;

/// The most passages that the model reads.
const MAX_PASSAGES: usize = 6;

/// Of one file at most this many, so that one long file does not silence the others.
const MAX_PER_FILE: usize = 3;

/// A passage with less than this share of the best score is left out.
const LEAST_SHARE: f64 = 0.35;

/// A remembered question at least this near is worth a hint to the model.
const NEAR: f64 = 0.5;

/// Something decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision<T> {
    /// What was chosen, in words.
    pub action: String,
    /// Why, with the numbers that decided.
    pub reasoning: String,
    /// What else was possible, and why not.
    pub alternatives: Vec<String>,
    /// What was chosen.
    pub chosen: T,
}

/// Chooses the passages to answer from: the best, but not too many, and not all from one file.
pub(crate) fn choose_passages(hits: &[Hit], passages: &[Passage]) -> Decision<Vec<Hit>> {
    let best = hits.first().map_or(0.0, |hit| hit.score);
    let mut per_file: BTreeMap<&Path, usize> = BTreeMap::new();
    let (mut chosen, mut weak, mut crowded) = (Vec::new(), 0, 0);
    for hit in hits {
        let of_file = per_file.entry(&passages[hit.passage].path).or_default();
        if hit.score < best * LEAST_SHARE {
            weak += 1;
        } else if *of_file == MAX_PER_FILE || chosen.len() == MAX_PASSAGES {
            crowded += 1;
        } else {
            *of_file += 1;
            chosen.push(*hit);
        }
    }
    let files = per_file.values().filter(|count| **count > 0).count();
    let reasoning = if chosen.is_empty() {
        "no passage shares a word with the question".to_owned()
    } else {
        format!(
            "they reach {:.0} % of the best score {best:.2}; {weak} were weaker, {crowded} would have crowded out other files or the limit of {MAX_PASSAGES}",
            LEAST_SHARE * 100.0
        )
    };
    Decision {
        action: format!("answer from {} passages of {files} files", chosen.len()),
        reasoning,
        alternatives: vec![
            format!("read all {} found passages: more to read than the answer needs", hits.len()),
            "read only the best passage: one file may tell half of it".to_owned(),
        ],
        chosen,
    }
}

/// Chooses whether a remembered answer goes into the prompt.
pub(crate) fn choose_memory(recalled: &[Recalled]) -> Decision<Option<usize>> {
    let nearest = recalled.first().map_or(0.0, |recalled| recalled.similarity);
    let (action, reasoning, chosen) = if nearest >= NEAR {
        let why = format!("the nearest remembered question shares {:.0} % of its words", nearest * 100.0);
        ("use the remembered answer as a hint", why, Some(0))
    } else if recalled.is_empty() {
        ("answer without memory", "nothing like it was asked before".to_owned(), None)
    } else {
        let why =
            format!("the nearest remembered question shares only {:.0} % of its words", nearest * 100.0);
        ("answer without memory", why, None)
    };
    Decision {
        action: action.to_owned(),
        reasoning,
        alternatives: vec!["repeat the remembered answer: the files may have changed since".to_owned()],
        chosen,
    }
}

/// Chooses the tools to run: what the passages suggest, and the user's notes if there are any.
pub(crate) fn choose_tools(
    question: &str,
    chosen: &[Hit],
    passages: &[Passage],
    notes: &Path,
) -> Decision<Vec<Call>> {
    let main_file = chosen.first().map_or(PathBuf::new(), |hit| passages[hit.passage].path.clone());
    let term = rarest_term(question, chosen, passages);
    let reasoning = format!(
        "{} holds the best passage, so its size says how much was not read; the lines with \"{term}\" show whether \
         it is told elsewhere too; notes of the user go before the files",
        main_file.display()
    );
    Decision {
        action: "count the main file's words, find the rarest term, read the linked notes".to_owned(),
        reasoning,
        alternatives: vec!["no tools: the passages may be enough, but nobody would know".to_owned()],
        chosen: vec![
            Call::WordCount { path: main_file },
            Call::FindInFiles { term },
            Call::ReadLinkedFile { path: notes.to_owned() },
        ],
    }
}

/// The term of the question that the fewest of the chosen passages hold, but at least one.
fn rarest_term(question: &str, chosen: &[Hit], passages: &[Passage]) -> String {
    let holding = |term: &str| {
        chosen.iter().filter(|hit| words::terms(&passages[hit.passage].text).any(|word| word == term)).count()
    };
    let terms = words::content_terms(question);
    let counted = terms.iter().map(|term| (holding(term), term)).filter(|(count, _)| *count > 0);
    counted
        .min_by_key(|(count, _)| *count)
        .map(|(_, term)| term)
        .or(terms.first())
        .cloned()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::memory::Fact;

    fn passage(path: &str, text: &str) -> Passage {
        Passage { path: path.into(), heading: None, first_line: 1, last_line: 1, text: text.to_owned() }
    }

    fn hits(scores: &[f64]) -> Vec<Hit> {
        scores
            .iter()
            .enumerate()
            .map(|(passage, score)| Hit { passage, score: *score, relevance: 0.5 })
            .collect()
    }

    #[test]
    fn weak_passages_and_a_fourth_of_one_file_are_left_out() {
        let passages: Vec<_> = ["a", "a", "a", "a", "b", "c"].map(|path| passage(path, "")).into();
        let decision = choose_passages(&hits(&[10.0, 9.0, 8.0, 7.0, 5.0, 3.0]), &passages);
        assert_eq!(decision.chosen.iter().map(|hit| hit.passage).collect::<Vec<_>>(), [0, 1, 2, 4]);
        assert_eq!(decision.action, "answer from 4 passages of 2 files");
        assert!(decision.reasoning.contains("1 were weaker, 1 would"), "{}", decision.reasoning);
        assert_eq!(decision.alternatives.len(), 2);
    }

    #[test]
    fn the_number_of_passages_is_bounded() {
        let passages: Vec<_> = (0..20).map(|n| passage(&n.to_string(), "")).collect();
        assert_eq!(choose_passages(&hits(&[1.0; 20]), &passages).chosen.len(), MAX_PASSAGES);
        assert!(choose_passages(&[], &passages).chosen.is_empty());
    }

    #[test]
    fn memory_is_used_only_if_it_is_near() {
        let recalled = |similarity| {
            let fact = Fact { question: "q".into(), answer: "a".into(), score: 1.0, asked: 1 };
            vec![Recalled { fact, similarity }]
        };
        assert_eq!(choose_memory(&recalled(0.6)).chosen, Some(0));
        assert_eq!(choose_memory(&recalled(0.4)).chosen, None);
        assert_eq!(choose_memory(&[]).chosen, None);
    }

    #[test]
    fn the_tools_are_aimed_at_the_best_file_and_the_rarest_term() {
        let passages = [passage("a.md", "queue ledger"), passage("b.md", "queue")];
        let decision = choose_tools(
            "queue and ledger of unicorns",
            &hits(&[2.0, 1.0]),
            &passages,
            Path::new("notes.md"),
        );
        assert_eq!(
            decision.chosen,
            [
                Call::WordCount { path: "a.md".into() },
                Call::FindInFiles { term: "ledger".into() },
                Call::ReadLinkedFile { path: "notes.md".into() }
            ]
        );
    }
}
