//! The figures of a run, as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use obs_core::{Record, Signal};
use obs_testkit::Captured;

use super::judge::Sums;
use crate::platform::{Item, Kind};

/// What one source came to at one platform.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Figures {
    spans: usize,
    logs: usize,
    judgements: usize,
    /// Spans, logs, scores with feedback at the source.
    source: [usize; 3],

    sums: Sums,
    requests: usize,
    bytes: usize,
    pub(crate) takes_logs: bool,
    /// What the platform has no place for, and why.
    pub(crate) unresolvable: Vec<(Signal, &'static str)>,
}

impl Figures {
    pub(crate) fn of(records: &[Record], items: &[Item], requests: &[Captured]) -> Self {
        let count = |kind| items.iter().filter(|item| item.kind == kind).count();
        let of =
            |signals: &[Signal]| records.iter().filter(|record| signals.contains(&record.signal())).count();
        Self {
            spans: count(Kind::Span),
            logs: count(Kind::Log),
            judgements: count(Kind::Judgement),
            source: [of(&[Signal::Traces]), of(&[Signal::Logs]), of(&[Signal::Scores, Signal::Feedback])],
            sums: Sums::of_items(items),
            requests: requests.len(),
            bytes: requests.iter().map(|request| request.body.len()).sum(),
            ..Self::default()
        }
    }
}

const HEAD: [&str; 10] =
    ["source", "platform", "spans", "logs", "judged", "input", "output", "dollars", "requests", "bytes"];

/// A line for each source and platform, each count with that of the source behind it; then what has no place where.
pub(crate) fn table(rows: &[(&str, &str, Figures)]) -> String {
    let lines: Vec<[String; 10]> =
        rows.iter().map(|(source, platform, figures)| line(source, platform, figures)).collect();
    let head = HEAD.map(ToOwned::to_owned);
    let mut out = String::new();
    for line in std::iter::once(&head).chain(&lines) {
        for (at, cell) in line.iter().enumerate() {
            let width =
                lines.iter().map(|line| line[at].chars().count()).chain([HEAD[at].len()]).max().unwrap_or(0);
            let _ = if at < 2 { write!(out, "{cell:<width$}  ") } else { write!(out, "{cell:>width$}  ") };
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    for (source, platform, figures) in rows {
        let mut reasons = BTreeMap::<_, usize>::new();
        for (signal, why) in &figures.unresolvable {
            *reasons.entry((signal.as_str(), *why)).or_default() += 1;
        }
        for ((signal, why), count) in reasons {
            let _ = writeln!(out, "{source} to {platform}: {count} of {signal} have no place there: {why}");
        }
    }
    out
}

fn line(source: &str, platform: &str, figures: &Figures) -> [String; 10] {
    let [spans, logs, judged] = figures.source;
    let Sums { input, output, cost } = figures.sums;
    [
        source.to_owned(),
        platform.to_owned(),
        format!("{}/{spans}", figures.spans),
        if figures.takes_logs { format!("{}/{logs}", figures.logs) } else { "–".to_owned() },
        format!("{}/{judged}", figures.judgements),
        input.to_string(),
        output.to_string(),
        format!("{cost:.6}"),
        figures.requests.to_string(),
        figures.bytes.to_string(),
    ]
}
