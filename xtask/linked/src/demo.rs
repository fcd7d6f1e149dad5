//! Runs the demo twice and holds its two files against each other and against what the demo promises.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use obs_core::{Record, SpanType};

use crate::files;
use crate::found::{Found, compare, grew};

/// What a run holds at least, and how it is told from the rest.
type Promise = (&'static str, usize, fn(&Record) -> bool);

/// What a run of the demo holds.
const PROMISES: &[Promise] = &[
    ("workflow steps", 12, |record| has(record, |kind| matches!(kind, SpanType::WorkflowStep(_)))),
    ("generations", 2, |record| has(record, |kind| matches!(kind, SpanType::LlmGeneration(_)))),
    ("tool calls", 3, |record| has(record, |kind| matches!(kind, SpanType::ToolCall(_)))),
    ("failed tool calls", 1, |record| {
        has(record, |kind| matches!(kind, SpanType::ToolCall(call) if call.success == Some(false)))
    }),
    ("retrievals", 1, |record| has(record, |kind| matches!(kind, SpanType::RagQuery(_)))),
    ("memory lookups", 1, |record| has(record, |kind| matches!(kind, SpanType::MemoryLookup(_)))),
    ("memory updates", 1, |record| has(record, |kind| matches!(kind, SpanType::MemoryUpdate(_)))),
    ("agent runs with a decision", 1, |record| {
        has(record, |kind| matches!(kind, SpanType::AgentRun(run) if !run.decisions.is_empty()))
    }),
    ("scores", 1, |record| matches!(record, Record::Score(_))),
    ("feedback", 1, |record| matches!(record, Record::Feedback(_))),
];

fn has(record: &Record, wanted: impl Fn(&SpanType) -> bool) -> bool {
    matches!(record, Record::Span(span) if span.ended().is_some_and(|span| wanted(&span.span_type)))
}

/// Runs the demo twice into a new folder; the second run adds to what the first one wrote.
pub(crate) fn run() -> Result<()> {
    let out = tempfile::tempdir().context("no folder for the demo; is the disk full?")?;
    let first = once(out.path())?;
    let second = once(out.path())?;
    grew(&first, &second)?;
    println!("demo: both files hold {second}, after the first run {first}");
    Ok(())
}

/// What one run records; what it shows is not shown.
pub(crate) fn records() -> Result<Vec<Record>> {
    let out = tempfile::tempdir().context("no folder for the demo; is the disk full?")?;
    start(out.path(), Stdio::null())
}

/// One run, and what both files hold after it.
fn once(out: &Path) -> Result<Found> {
    let records = start(out, Stdio::inherit())?;
    keeps(PROMISES, &records)?;
    let (in_lines, in_store) = (Found::in_lines(&records), Found::in_store(&out.join("obs.db"))?);
    compare(&in_lines, &in_store)?;
    Ok(in_store)
}

/// One run, and the lines that it wrote.
fn start(out: &Path, shown: Stdio) -> Result<Vec<Record>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut demo = Command::new(cargo);
    demo.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "obsctl",
        "--",
        "demo",
        "--feedback",
        "up",
        "--out",
    ])
    .arg(out);
    let status = demo.stdout(shown).current_dir(files::root()).status().context("cargo did not start")?;
    ensure!(status.success(), "the demo ended with {status}");
    let lines = out.join("telemetry.jsonl");
    let text =
        std::fs::read_to_string(&lines).with_context(|| format!("{} is not readable", lines.display()))?;
    read(&text)
}

fn read(text: &str) -> Result<Vec<Record>> {
    let records = text.lines().enumerate().map(|(at, line)| {
        Record::from_line(line).with_context(|| format!("telemetry.jsonl:{}: not a record", at + 1))
    });
    records.collect()
}

fn keeps(promises: &[Promise], records: &[Record]) -> Result<()> {
    for (what, least, wanted) in promises {
        let count = records.iter().filter(|record| wanted(record)).count();
        ensure!(count >= *least, "the demo recorded {count} {what}, and promises at least {least}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use obs_core::{Span, SpanRecord, Timestamp};

    use super::*;

    fn span(span_type: SpanType) -> Record {
        let (trace, id) = ("0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7");
        let mut span = Span::new(trace.parse().unwrap(), id.parse().unwrap(), "s", Timestamp::from_nanos(1));
        span.span_type = span_type;
        Record::Span(SpanRecord::Ended(span))
    }

    #[test]
    fn a_promise_that_is_not_kept_is_named() {
        let lookup = || span(SpanType::MemoryLookup(Default::default()));
        let promise = &PROMISES[5..6];
        keeps(promise, &[span(SpanType::Generic), lookup()]).unwrap();
        let message = keeps(promise, &[span(SpanType::Generic)]).unwrap_err().to_string();
        assert_eq!(message, "the demo recorded 0 memory lookups, and promises at least 1");
    }

    #[test]
    fn a_line_that_is_no_record_is_named() {
        let mut line = Vec::new();
        span(SpanType::Generic).write_line(&mut line).unwrap();
        let good = String::from_utf8(line).unwrap();
        assert_eq!(read(&good).unwrap().len(), 1);
        let message = read(&format!("{good}nonsense\n")).unwrap_err().to_string();
        assert_eq!(message, "telemetry.jsonl:2: not a record");
    }
}
