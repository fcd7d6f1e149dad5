//! The table that is printed.

use std::fmt::Write as _;

use obs_core::Signal;

use super::judge::{Count, Judged};
use super::listed::{Carried, Listed};

/// A line for each exporter with what came of each signal, and below what has no ids, and why.
pub(super) fn table(rows: &[(&Listed, &'static str, Judged)]) -> String {
    let head = std::iter::once("exporter".to_owned()).chain(Signal::ALL.iter().map(ToString::to_string));
    let mut lines: Vec<Vec<String>> = vec![head.collect()];
    let mut notes = String::new();
    for (listed, unit, judged) in rows {
        let mut line = vec![listed.name.to_owned()];
        for signal in Signal::ALL {
            let (count, carried) = (judged.counts[signal.index()], &listed.carried[signal.index()]);
            line.push(cell(count, unit, carried));
            if count.records > 0 && !carried.why.is_empty() {
                // Writing to a string does not fail.
                let _ = writeln!(notes, "{}, {signal}: {}", listed.name, carried.why);
            }
        }
        lines.push(line);
    }
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..=Signal::COUNT).map(width).collect();
    let mut out = String::new();
    for line in &lines {
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(out, "{cell:<width$}  ");
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    out + &notes
}

/// So many records in so many carriers, and which ids were compared.
fn cell(count: Count, unit: &str, carried: &Carried) -> String {
    let Count { carriers, records } = count;
    if records == 0 {
        return "–".to_owned();
    }
    let ids = match (carried.trace, carried.span) {
        (Some(_), Some(_)) => "trace and span",
        (Some(_), None) => "trace",
        (None, Some(_)) => "span",
        (None, None) => "no ids",
    };
    let plural = if carriers == 1 { "" } else { "s" };
    format!("{records} in {carriers} {unit}{plural}, {ids}")
}
