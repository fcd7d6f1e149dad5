//! What a tidy rule says when it is broken.

use std::fmt;

/// One broken rule at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, relative to the workspace root, with `/` between its parts.
    pub(crate) path: String,
    /// The line, counted from one; 1 when the whole file is meant.
    pub(crate) line: usize,
    /// The rule that is broken.
    pub(crate) rule: &'static str,
    /// What is wrong there.
    pub(crate) what: String,
    /// What to do next.
    pub(crate) next: String,
}

impl Finding {
    /// A finding at `path:line`; the rule's name is filled in by the runner.
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, rule: "", what: what.into(), next: next.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: [{}] {}\n    next: {}", self.path, self.line, self.rule, self.what, self.next)
    }
}
