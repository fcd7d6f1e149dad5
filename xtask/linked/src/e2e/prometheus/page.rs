//! The page, read by programs that are not ours.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::samples::{Sample, sample};

/// What is passed to Python as a program.
const READER: &str = include_str!("read.py");

/// The samples of a page, as Prometheus' own client for Python reads it.
pub(super) fn read(python: &Path, format: &str, page: &str) -> Result<Vec<Sample>> {
    let told = pipe(Command::new(python).args(["-c", READER, format]), page)?;
    if told.code != Some(0) {
        let last = told.errors.lines().last().unwrap_or_default();
        bail!("Prometheus' client does not read the page as {format}: {last}");
    }
    let samples: Vec<(Value, String)> =
        serde_json::from_str(&told.output).context("the reader wrote no JSON")?;
    samples.iter().map(|(labels, value)| sample(labels, &Value::from(value.as_str()))).collect()
}

/// What promtool says of a page, one line each; it is refused where promtool cannot read it.
pub(super) fn lint(promtool: &Path, page: &str) -> Result<Vec<String>> {
    let told = pipe(Command::new(promtool).args(["check", "metrics"]), page)?;
    match told.code {
        // Three stands for findings, and one for what cannot be read.
        Some(0 | 3) => Ok(told
            .errors
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(ToOwned::to_owned)
            .collect()),
        _ => bail!("promtool does not read the page: {}", told.errors.trim()),
    }
}

/// What a program came to.
#[derive(Debug)]
struct Told {
    code: Option<i32>,
    output: String,
    errors: String,
}

/// Runs a program to its end with this as its input.
fn pipe(command: &mut Command, input: &str) -> Result<Told> {
    let shown = Path::new(command.get_program()).display().to_string();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{shown} did not start"))?;
    let mut stdin = child.stdin.take().context("it has no input")?;
    let text = input.to_owned();
    // On a thread of its own, since a program may write before it has read all.
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().with_context(|| format!("{shown} did not end"))?;
    // A program that ends before it has read all says why itself.
    let _ = writer.join();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Told { code: output.status.code(), output: text(&output.stdout), errors: text(&output.stderr) })
}

/// Lint that is not excused; and excuses that nothing needs, which are as wrong.
pub(super) fn unexcused(lint: &[String], excused: &[&str]) -> Vec<String> {
    let new =
        lint.iter().filter(|line| !excused.contains(&line.as_str())).map(|line| format!("promtool: {line}"));
    let stale = excused.iter().filter(|line| !lint.iter().any(|told| told == *line));
    new.chain(stale.map(|line| format!("promtool says no more: {line}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lint_is_excused_word_by_word_and_no_excuse_outlives_it() {
        let lint = ["a no help text".to_owned(), "b no help text".to_owned()];
        assert_eq!(unexcused(&lint, &["a no help text", "b no help text"]), Vec::<String>::new());
        assert_eq!(unexcused(&lint, &["a no help text"]), ["promtool: b no help text"]);
        assert_eq!(unexcused(&lint[..1], &["a no help text", "c"]), ["promtool says no more: c"]);
    }

    #[test]
    fn a_program_gets_its_input_and_is_told_by_its_code() {
        let told = pipe(Command::new("sh").args(["-c", "cat; echo no >&2; exit 3"]), "page").unwrap();
        assert_eq!((told.code, &*told.output, &*told.errors), (Some(3), "page", "no\n"));
    }
}
