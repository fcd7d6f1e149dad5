//! What came of each step, as a table.

use std::fmt::Write;
use std::time::Duration;

/// What came of a step.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) took: Duration,
    pub(crate) error: Option<anyhow::Error>,
}

/// One line for each step, and one for all.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    let mut line = |name: &str, took: Duration, said: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:<10} {:>8.1} s  {said}", took.as_secs_f64());
    };
    for outcome in outcomes {
        let said = outcome.error.as_ref().map_or_else(|| "ok".to_owned(), |error| format!("FAILED: {error}"));
        line(outcome.name, outcome.took, &said);
    }
    let failed = outcomes.iter().filter(|outcome| outcome.error.is_some()).count();
    let said = if failed == 0 { "ok".to_owned() } else { format!("{failed} of {} failed", outcomes.len()) };
    line("all", outcomes.iter().map(|outcome| outcome.took).sum(), &said);
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn failures_are_named() {
        let outcomes = [
            Outcome { name: "fmt", took: Duration::from_millis(1500), error: None },
            Outcome {
                name: "deny",
                took: Duration::from_secs(2),
                error: Some(anyhow!("`deny` ended with 1").context("why")),
            },
        ];
        assert_eq!(
            table(&outcomes),
            "fmt             1.5 s  ok\ndeny            2.0 s  FAILED: why\nall             3.5 s  1 of 2 failed\n"
        );
    }
}
