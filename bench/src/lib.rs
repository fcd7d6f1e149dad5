//! Side-by-side benchmarks of obs and its peers: `cargo run --release`, in this folder.
//!
//! `--quick` runs a tenth of it, `--only PART` one part of `spans`, `logs`, `metrics`, `encode`, `export`, `fanout`, `store`,
//! `file` and `step`; `--profile CASE` runs one case for some seconds, for a profiler.

mod allocations;
mod case;
mod encode;
mod export;
mod fanout;
mod file;
mod instructions;
mod logs;
mod metrics;
mod ours;
mod ours_tracing;
mod payload;
mod peers;
mod sink;
mod spans;
mod step;
mod store;
mod table;

use std::error::Error;

pub use allocations::count;
use table::Row;

/// How much of everything is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Rounds of a burst for each case.
    pub(crate) rounds: usize,
    /// Pairs of steps.
    pub(crate) pairs: usize,
    /// Rows put into a store.
    pub(crate) rows: usize,
    /// Runs of each side of an export.
    pub(crate) runs: usize,
}

const FULL: Effort = Effort { rounds: 400, pairs: 200, rows: 50_000, runs: 5 };
const QUICK: Effort = Effort { rounds: 40, pairs: 20, rows: 5_000, runs: 1 };

type Part = fn(Effort) -> Result<Vec<Row>, Box<dyn Error>>;

const PARTS: [(&str, Part); 9] = [
    ("spans", spans::run),
    ("logs", logs::run),
    ("metrics", metrics::run),
    ("encode", encode::run),
    ("export", export::run),
    ("fanout", fanout::run),
    ("store", store::run),
    ("file", file::run),
    ("step", step::run),
];

/// Runs what the arguments ask for and prints the table.
///
/// # Errors
/// An argument that is not known, or a part that could not be run.
pub fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    match arguments {
        [flag, case] if flag == instructions::FLAG => return instructions::run_case(case),
        [flag, case] if flag == instructions::PROFILE => return instructions::profile(case),
        [flag, side, port, spans] if flag == export::SIDE => return export::run_side(side, port, spans),
        [flag] if flag == export::SINK => return export::run_sink(),
        _ => {}
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let only = arguments.iter().skip_while(|argument| *argument != "--only").nth(1);
    if let Some(unknown) = only.filter(|only| PARTS.iter().all(|(name, _)| name != only)) {
        let names = PARTS.map(|(name, _)| name).join(", ");
        return Err(format!("there is no part `{unknown}`; the parts are {names}").into());
    }
    let mut rows = Vec::new();
    for (name, part) in PARTS {
        if only.is_none_or(|only| only == name) {
            eprintln!("{name} …");
            rows.extend(part(if quick { QUICK } else { FULL })?);
        }
    }
    print!("{}", table::render(&rows));
    Ok(())
}
