//! A lexical index: Okapi BM25 over passages.

use std::collections::{BTreeMap, HashMap};

use super::chunks::Passage;
use super::words;

/// How soon repeating a term stops helping; the value of the literature.
const K1: f64 = 1.2;

/// How strongly long passages are held back; the value of the literature.
const B: f64 = 0.75;

/// A found passage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hit {
    /// The place of the passage in the slice that was indexed.
    pub passage: usize,
    /// The BM25 score, without an upper bound of its own.
    pub score: f64,
    /// The score as a share of the most that any passage could reach for this query, between 0 and 1.
    pub relevance: f64,
}

/// Which terms stand in which passages, how often.
#[derive(Debug)]
pub(crate) struct Index {
    postings: HashMap<String, Vec<(usize, u32)>>,
    lengths: Vec<u32>,
    mean_length: f64,
}

impl Index {
    /// Indexes the text of passages and their headings.
    pub(crate) fn build(passages: &[Passage]) -> Self {
        let mut postings: HashMap<String, Vec<(usize, u32)>> = HashMap::new();
        let mut lengths = Vec::with_capacity(passages.len());
        for (at, passage) in passages.iter().enumerate() {
            let mut counts: BTreeMap<String, u32> = BTreeMap::new();
            let heading = passage.heading.as_deref().unwrap_or_default();
            for term in words::terms(heading).chain(words::terms(&passage.text)) {
                *counts.entry(term).or_default() += 1;
            }
            lengths.push(counts.values().sum());
            for (term, count) in counts {
                postings.entry(term).or_default().push((at, count));
            }
        }
        let total: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        let mean_length = (total as f64 / lengths.len().max(1) as f64).max(1.0);
        Self { postings, lengths, mean_length }
    }

    /// How many different terms the index knows.
    pub(crate) fn terms(&self) -> usize {
        self.postings.len()
    }

    /// The best passages for a query, best first, at most `top_k`; passages without any term of it never appear.
    pub(crate) fn search(&self, query: &str, top_k: usize) -> Vec<Hit> {
        let terms = words::content_terms(query);
        let mut scores: BTreeMap<usize, f64> = BTreeMap::new();
        let mut bound = 0.0;
        for term in &terms {
            let postings = self.postings.get(term).map(Vec::as_slice).unwrap_or_default();
            let weight = self.weight(postings.len());
            bound += weight * (K1 + 1.0);
            for (passage, count) in postings {
                *scores.entry(*passage).or_default() += weight * self.saturation(*passage, *count);
            }
        }
        let mut hits: Vec<_> = scores
            .into_iter()
            .map(|(passage, score)| Hit { passage, score, relevance: score / bound })
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage)));
        hits.truncate(top_k);
        hits
    }

    /// The inverse document frequency, never negative.
    fn weight(&self, containing: usize) -> f64 {
        let (all, containing) = (self.lengths.len() as f64, containing as f64);
        ((all - containing + 0.5) / (containing + 0.5)).ln_1p()
    }

    /// How much a term counts in a passage, between 0 and `K1 + 1`.
    fn saturation(&self, passage: usize, count: u32) -> f64 {
        let count = f64::from(count);
        let length = f64::from(self.lengths[passage]) / self.mean_length;
        count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages(texts: &[&str]) -> Vec<Passage> {
        texts
            .iter()
            .map(|text| Passage {
                path: "a.md".into(),
                heading: None,
                first_line: 1,
                last_line: 1,
                text: (*text).to_owned(),
            })
            .collect()
    }

    fn found(texts: &[&str], query: &str) -> Vec<usize> {
        Index::build(&passages(texts)).search(query, 10).iter().map(|hit| hit.passage).collect()
    }

    #[test]
    fn the_passage_with_the_rare_term_stands_first_and_those_without_any_are_absent() {
        let texts =
            ["the queue drops records", "the queue, the breaker, the queue", "cats", "queue queue queue"];
        assert_eq!(found(&texts, "breaker queue"), [1, 3, 0]);
    }

    #[test]
    fn a_short_passage_beats_a_long_one_with_the_same_count() {
        let long = format!("ledger {}", "filler ".repeat(200));
        assert_eq!(found(&[&long, "ledger counts", "other"], "ledger"), [1, 0]);
    }

    #[test]
    fn stop_words_alone_find_nothing() {
        assert_eq!(found(&["what is the matter"], "what is the"), Vec::<usize>::new());
        assert_eq!(found(&[], "queue"), Vec::<usize>::new());
    }

    #[test]
    fn the_score_is_bm25_and_the_relevance_its_share_of_the_bound() {
        let index = Index::build(&passages(&["alpha beta", "beta gamma"]));
        let hits = index.search("alpha", 10);
        // ln(1 + (2 - 1 + 0.5) / (1 + 0.5)) = ln 2; one occurrence in a passage of mean length weighs 1.
        assert!((hits[0].score - 2.0_f64.ln()).abs() < 1e-12);
        assert!((hits[0].relevance - 1.0 / 2.2).abs() < 1e-12);
    }

    #[test]
    fn relevance_lies_between_zero_and_one_and_falls() {
        let texts: Vec<String> =
            (1..50).map(|n| format!("{} obs {}", "queue ".repeat(n), "x ".repeat(n % 5))).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let hits = Index::build(&passages(&texts)).search("queue obs", 20);
        assert_eq!(hits.len(), 20);
        assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.relevance)));
        assert!(hits.windows(2).all(|pair| pair[0].relevance >= pair[1].relevance));
    }

    #[test]
    fn the_heading_is_searched_too() {
        let mut one = passages(&["nothing here", "nor here"]);
        one[1].heading = Some("Breaker".to_owned());
        assert_eq!(Index::build(&one).search("breaker", 5)[0].passage, 1);
    }
}
