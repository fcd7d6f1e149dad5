//! A measured judgement of an answer.

use std::collections::BTreeSet;

use super::words;

/// A sentence is supported if one passage holds this share of its content words.
const SUPPORTED: f64 = 0.6;

/// How good an answer is, each number between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Evaluation {
    /// The share of the answer's sentences that one retrieved passage supports.
    pub groundedness: f64,
    /// The share of the question's content words that the answer takes up.
    pub coverage: f64,
    /// Sentences of the answer.
    pub sentences: usize,
    /// Those among them that are supported.
    pub supported: usize,
}

impl Evaluation {
    /// One number for both: their harmonic mean, so that neither makes up for the other.
    pub(crate) fn overall(&self) -> f64 {
        let sum = self.groundedness + self.coverage;
        if sum == 0.0 { 0.0 } else { 2.0 * self.groundedness * self.coverage / sum }
    }
}

/// Judges an answer by the question and by the passages that it was made from.
pub(crate) fn evaluate(question: &str, answer: &str, passages: &[&str]) -> Evaluation {
    let passages: Vec<BTreeSet<String>> =
        passages.iter().map(|passage| words::terms(passage).collect()).collect();
    let answer = without_citations(answer);
    let sentences = words::sentences(&answer);
    let supported = sentences
        .iter()
        .map(|sentence| words::content_terms(sentence))
        .filter(|terms| passages.iter().any(|passage| words::share(terms, passage) >= SUPPORTED))
        .count();
    let said = words::terms(&answer).collect();
    Evaluation {
        groundedness: if sentences.is_empty() { 0.0 } else { supported as f64 / sentences.len() as f64 },
        coverage: words::share(&words::content_terms(question), &said),
        sentences: sentences.len(),
        supported,
    }
}

/// The answer without its `[1]`, which are not words of it.
fn without_citations(answer: &str) -> String {
    let mut out = String::with_capacity(answer.len());
    let mut rest = answer;
    while let Some(open) = rest.find('[') {
        let inside = &rest[open + 1..];
        let digits = inside.chars().take_while(|c| c.is_ascii_digit() || matches!(c, ',' | ' ')).count();
        let cited = digits > 0 && inside[digits..].starts_with(']');
        out.push_str(&rest[..open]);
        if cited {
            rest = &inside[digits + 1..];
        } else {
            out.push('[');
            rest = inside;
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSAGE: &str =
        "The ledger counts every record. A lost record is counted as dropped, with its reason.";

    #[test]
    fn an_answer_out_of_the_passage_is_grounded() {
        let got = evaluate(
            "How does the ledger count a record?",
            "The ledger counts every record. [1]",
            &[PASSAGE],
        );
        assert_eq!((got.groundedness, got.sentences, got.supported), (1.0, 1, 1));
        assert!(got.coverage > 0.6, "{got:?}");
    }

    #[test]
    fn an_invented_sentence_lowers_groundedness() {
        let answer = "The ledger counts every record [1]. Elephants paint beautiful pictures yearly.";
        assert_eq!(evaluate("ledger?", answer, &[PASSAGE]).groundedness, 0.5);
    }

    #[test]
    fn a_sentence_must_be_supported_by_one_passage_not_by_scraps_of_many() {
        let passages = ["alpha beta", "gamma delta", "epsilon zeta"];
        assert_eq!(evaluate("x", "alpha gamma epsilon.", &passages).groundedness, 0.0);
    }

    #[test]
    fn an_answer_beside_the_question_covers_nothing() {
        let got = evaluate("breaker threshold", "The ledger counts every record.", &[PASSAGE]);
        assert_eq!((got.groundedness, got.coverage, got.overall()), (1.0, 0.0, 0.0));
    }

    #[test]
    fn an_empty_answer_is_worth_nothing() {
        let got = evaluate("ledger", "", &[PASSAGE]);
        assert_eq!((got.groundedness, got.coverage), (0.0, 0.0));
    }

    #[test]
    fn the_overall_score_is_the_harmonic_mean() {
        let got = Evaluation { groundedness: 1.0, coverage: 0.5, sentences: 1, supported: 1 };
        assert!((got.overall() - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn citations_are_no_words_but_other_brackets_stay() {
        assert_eq!(without_citations("a [1] b [2, 3] [x] c[4].["), "a  b  [x] c.[");
    }
}
