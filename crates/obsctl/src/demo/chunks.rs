//! Splits documents into passages, the unit that is indexed, retrieved and cited.

use std::path::PathBuf;

use super::files::Document;

/// A passage is closed once it has this many bytes; one paragraph is never cut below it.
const GOAL_BYTES: usize = 700;

/// A longer paragraph is cut at a line's end.
const MAX_BYTES: usize = 1_800;

/// A stretch of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passage {
    /// The document, relative to the directory.
    pub path: PathBuf,
    /// The nearest heading above it.
    pub heading: Option<String>,
    /// The first line, counted from 1.
    pub first_line: usize,
    /// The last line, inclusive.
    pub last_line: usize,
    /// The text of those lines.
    pub text: String,
}

impl Passage {
    /// How the passage is cited: `file.md:3-9`.
    pub(crate) fn label(&self) -> String {
        format!("{}:{}-{}", self.path.display(), self.first_line, self.last_line)
    }
}

/// Splits a document at headings and empty lines into passages of about 700 bytes.
///
/// Every line that is not blank is in exactly one passage.
pub(crate) fn split(document: &Document) -> Vec<Passage> {
    let mut splitter = Splitter { document, heading: None, open: None, out: Vec::new() };
    for (at, line) in document.text.lines().enumerate() {
        splitter.line(at + 1, line);
    }
    splitter.close();
    splitter.out
}

struct Splitter<'a> {
    document: &'a Document,
    heading: Option<String>,
    open: Option<Passage>,
    out: Vec<Passage>,
}

impl Splitter<'_> {
    fn line(&mut self, number: usize, line: &str) {
        let size = self.open.as_ref().map_or(0, |passage| passage.text.len());
        if let Some(heading) = heading(line) {
            self.close();
            self.heading = Some(heading);
        } else if line.trim().is_empty() {
            if size >= GOAL_BYTES {
                self.close();
            } else if let Some(open) = &mut self.open {
                open.text.push('\n');
            }
            return;
        } else if size > 0 && size + line.len() > MAX_BYTES {
            self.close();
        }
        let open = self.open.get_or_insert_with(|| Passage {
            path: self.document.path.clone(),
            heading: self.heading.clone(),
            first_line: number,
            last_line: number,
            text: String::new(),
        });
        open.text.push_str(line);
        open.text.push('\n');
        open.last_line = number;
    }

    fn close(&mut self) {
        if let Some(mut passage) = self.open.take() {
            passage.text.truncate(passage.text.trim_end().len());
            self.out.push(passage);
        }
    }
}

/// The text of a Markdown heading.
fn heading(line: &str) -> Option<String> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document { path: "a.md".into(), text: text.to_owned() }
    }

    #[test]
    fn a_heading_opens_a_passage_and_names_those_below_it() {
        let passages = split(&document("intro\n\n# One\ntext 1\n\nmore\n## Two\ntext 2\n"));
        let got: Vec<_> = passages
            .iter()
            .map(|p| (p.heading.as_deref(), p.first_line, p.last_line, p.text.as_str()))
            .collect();
        assert_eq!(
            got,
            [
                (None, 1, 1, "intro"),
                (Some("One"), 3, 6, "# One\ntext 1\n\nmore"),
                (Some("Two"), 7, 8, "## Two\ntext 2")
            ]
        );
        assert_eq!(passages[1].label(), "a.md:3-6");
    }

    #[test]
    fn a_rust_attribute_is_no_heading() {
        assert_eq!(heading("#[derive(Debug)]"), None);
        assert_eq!(heading("#!/bin/sh"), None);
        assert_eq!(heading("### Three "), Some("Three".to_owned()));
    }

    #[test]
    fn paragraphs_are_gathered_to_the_goal_and_long_ones_cut() {
        let paragraph = "word ".repeat(100);
        let text = format!("{paragraph}\n\n{paragraph}\n\n{paragraph}\n");
        assert_eq!(split(&document(&text)).iter().map(|p| p.first_line).collect::<Vec<_>>(), [1, 5]);
        let long = "a line of a paragraph without end\n".repeat(200);
        let passages = split(&document(&long));
        assert!(
            passages.len() > 3 && passages.iter().all(|p| p.text.len() <= MAX_BYTES),
            "{}",
            passages.len()
        );
    }

    #[test]
    fn every_line_with_text_is_in_exactly_one_passage() {
        let text: String = (0..500)
            .map(|n| match n % 7 {
                0 => "\n".to_owned(),
                1 if n % 3 == 0 => format!("# heading {n}\n"),
                _ => format!("line {n} {}\n", "x".repeat(n)),
            })
            .collect();
        let passages = split(&document(&text));
        let mut covered = vec![0; 501];
        for passage in &passages {
            for count in &mut covered[passage.first_line..=passage.last_line] {
                *count += 1;
            }
        }
        for (number, line) in text.lines().enumerate() {
            let count = covered[number + 1];
            assert!(
                count == 1 || (line.trim().is_empty() && count == 0),
                "line {} is {count} times",
                number + 1
            );
        }
    }

    #[test]
    fn an_empty_document_has_no_passage() {
        assert!(split(&document("\n \n")).is_empty());
    }
}
