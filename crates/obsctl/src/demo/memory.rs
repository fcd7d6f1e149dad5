//! What the demo remembers from run to run: answered questions, in a small file.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::words;

/// The most facts that are kept; the oldest give way.
const MAX_FACTS: usize = 200;

/// The same question, whatever its order of words and its stop words.
const SAME: f64 = 0.999;

/// An answered question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fact {
    /// What was asked.
    pub question: String,
    /// What was answered.
    pub answer: String,
    /// How well the answer was grounded, between 0 and 1.
    pub score: f64,
    /// How often it was asked.
    pub asked: u32,
}

/// A remembered fact and how near it is to what was looked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recalled {
    /// The fact.
    pub fact: Fact,
    /// The share of content words that both questions have, between 0 and 1.
    pub similarity: f64,
}

/// What remembering did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Update {
    /// A question that was never asked before.
    Added,
    /// The same question again; the newer answer stands.
    Replaced,
}

/// The facts, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    facts: Vec<Fact>,
    #[serde(skip)]
    file: PathBuf,
}

impl Memory {
    /// Opens the file, which need not exist.
    pub(crate) fn open(file: &Path) -> io::Result<Self> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { facts: Vec::new(), file: file.to_owned() });
            }
            Err(error) => return Err(in_file(file, &error.to_string())),
        };
        let memory: Self = serde_json::from_str(&text).map_err(|error| {
            in_file(file, &format!("{error}; delete the file to start with an empty memory"))
        })?;
        Ok(Self { file: file.to_owned(), ..memory })
    }

    /// How many facts are remembered.
    pub(crate) fn len(&self) -> usize {
        self.facts.len()
    }

    /// The facts whose question is near, nearest first, at most `limit`.
    pub(crate) fn lookup(&self, question: &str, limit: usize, least: f64) -> Vec<Recalled> {
        let mut found: Vec<_> = self
            .facts
            .iter()
            .map(|fact| Recalled { similarity: similarity(question, &fact.question), fact: fact.clone() })
            .filter(|recalled| recalled.similarity >= least)
            .collect();
        found.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        found.truncate(limit);
        found
    }

    /// Remembers an answer and writes the file; a crash leaves the old file or the new one.
    pub(crate) fn remember(&mut self, question: &str, answer: &str, score: f64) -> io::Result<Update> {
        let known = self.facts.iter().position(|fact| similarity(question, &fact.question) >= SAME);
        let asked = known.map_or(0, |at| self.facts.remove(at).asked) + 1;
        self.facts.push(Fact { question: question.to_owned(), answer: answer.to_owned(), score, asked });
        if self.facts.len() > MAX_FACTS {
            self.facts.drain(..self.facts.len() - MAX_FACTS);
        }
        self.save().map_err(|error| in_file(&self.file, &error.to_string()))?;
        Ok(if known.is_some() { Update::Replaced } else { Update::Added })
    }

    fn save(&self) -> io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.persist(&self.file).map_err(|error| error.error)?;
        Ok(())
    }
}

/// The share of content words that two texts have in common (Jaccard).
fn similarity(a: &str, b: &str) -> f64 {
    let a: BTreeSet<_> = words::content_terms(a).into_iter().collect();
    let b: BTreeSet<_> = words::content_terms(b).into_iter().collect();
    let all = a.union(&b).count();
    if all == 0 { 0.0 } else { a.intersection(&b).count() as f64 / all as f64 }
}

fn in_file(file: &Path, why: &str) -> io::Error {
    io::Error::other(format!("the memory in {}: {why}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_is_found_by_a_new_process() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/memory.json");
        let mut memory = Memory::open(&file).unwrap();
        assert_eq!(memory.remember("What is a ledger?", "A count.", 0.9).unwrap(), Update::Added);
        assert_eq!(memory.remember("What is a queue?", "A line.", 0.8).unwrap(), Update::Added);
        let again = Memory::open(&file).unwrap();
        assert_eq!(again.len(), 2);
        let found = again.lookup("the ledger", 5, 0.2);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].fact.answer.as_str(), found[0].similarity), ("A count.", 1.0));
    }

    #[test]
    fn the_same_question_again_replaces_its_answer_and_counts() {
        let folder = tempfile::tempdir().unwrap();
        let mut memory = Memory::open(&folder.path().join("memory.json")).unwrap();
        memory.remember("What is a ledger?", "old", 0.1).unwrap();
        assert_eq!(memory.remember("a ledger, what is it?", "new", 0.9).unwrap(), Update::Replaced);
        let found = memory.lookup("ledger", 5, 0.5);
        assert_eq!((found[0].fact.answer.as_str(), found[0].fact.asked), ("new", 2));
        assert_eq!(memory.len(), 1);
    }

    #[test]
    fn the_nearest_comes_first_and_the_far_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut memory = Memory::open(&folder.path().join("memory.json")).unwrap();
        for question in ["queue order", "queue order overflow policy", "cats"] {
            memory.remember(question, question, 1.0).unwrap();
        }
        let found: Vec<_> =
            memory.lookup("queue order overflow", 5, 0.1).into_iter().map(|r| r.fact.answer).collect();
        assert_eq!(found, ["queue order overflow policy", "queue order"]);
        assert_eq!(memory.lookup("queue order overflow", 1, 0.1).len(), 1);
    }

    #[test]
    fn the_oldest_give_way() {
        let folder = tempfile::tempdir().unwrap();
        let mut memory = Memory::open(&folder.path().join("memory.json")).unwrap();
        memory.facts = (0..MAX_FACTS)
            .map(|n| Fact { question: format!("q{n}"), answer: String::new(), score: 0.0, asked: 1 })
            .collect();
        memory.remember("newest question", "", 0.0).unwrap();
        assert_eq!(memory.len(), MAX_FACTS);
        assert_eq!(memory.facts[0].question, "q1");
    }

    #[test]
    fn a_damaged_file_is_an_error_that_names_it_and_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memory.json");
        fs::write(&file, "{\"facts\": 3}").unwrap();
        let error = Memory::open(&file).unwrap_err().to_string();
        assert!(error.contains("memory.json") && error.contains("delete the file"), "{error}");
    }
}
