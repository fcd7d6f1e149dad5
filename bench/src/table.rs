//! The table: ratios and figures against their goals.

use std::fmt::Write;

use crate::case::{Case, Cost};

/// What a row is held to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// Told for comparison.
    None,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    what: String,
    measured: String,
    /// What the goal is held against.
    value: f64,
    goal: Goal,
}

impl Row {
    /// A figure of obs, or a peer's for comparison.
    pub(crate) fn figure(what: impl Into<String>, value: f64, unit: &str, goal: Goal) -> Self {
        Self { what: what.into(), measured: format!("{} {unit}", short(value)), value, goal }
    }

    /// Nanoseconds of obs over those of a peer.
    pub(crate) fn ratio(what: impl Into<String>, ours: f64, peer: &str, theirs: f64, goal: Goal) -> Self {
        let value = ours / theirs;
        let measured = format!("{} ns / {peer} {} ns = {}", short(ours), short(theirs), short(value));
        Self { what: what.into(), measured, value, goal }
    }

    /// How many times as quick as a peer obs is.
    pub(crate) fn times(what: impl Into<String>, ours: f64, peer: &str, theirs: f64, goal: Goal) -> Self {
        let value = theirs / ours;
        let measured = format!("{} ns / {peer} {} ns = {} ×", short(ours), short(theirs), short(value));
        Self { what: what.into(), measured, value, goal }
    }

    /// A row whose measured text says more than its value.
    pub(crate) fn told(what: impl Into<String>, measured: String, value: f64, goal: Goal) -> Self {
        Self { what: what.into(), measured, value, goal }
    }
}

/// The cost of a case, by its name.
pub(crate) fn of(cases: &[Case], costs: &[Cost], name: &str) -> Cost {
    let found = cases.iter().zip(costs).find(|(case, _)| case.name == name);
    found.map_or_else(|| panic!("there is no case `{name}`"), |(_, cost)| *cost)
}

/// Three significant digits, as far as they say something.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

const HOW_TO_READ: &str = "
How to read it: ns are CPU time of the calling thread for one operation, the best of many bursts of 2,000, measured in turns
with the peers; a ratio is obs over the peer in the same run, and below 1 obs is cheaper. Allocations are the calling
thread's. Instructions are counted by callgrind and hardly depend on the load. Rows without a goal are for comparison.
Absolute figures move with the machine and its load: compare ratios.
";

/// The table in Markdown, and how to read it.
pub(crate) fn render(rows: &[Row]) -> String {
    let mut out = String::from("| what | measured | goal | |\n|---|---|---|---|\n");
    let mut missed = 0;
    for Row { what, measured, value, goal } in rows {
        let (goal, holds) = match goal {
            Goal::AtMost(most) => (format!("≤ {}", short(*most)), Some(value <= most)),
            Goal::AtLeast(least) => (format!("≥ {}", short(*least)), Some(value >= least)),
            Goal::None => (String::new(), None),
        };
        missed += usize::from(holds == Some(false));
        let verdict = match holds {
            Some(true) => "pass",
            Some(false) => "**miss**",
            None => "",
        };
        let _ = writeln!(out, "| {what} | {measured} | {goal} | {verdict} |");
    }
    let held = rows.iter().filter(|row| !matches!(row.goal, Goal::None)).count();
    let _ = writeln!(out, "\n{} of {held} goals reached.", held - missed);
    out + HOW_TO_READ
}
