//! Allocations of the calling thread, counted by a second program.

use std::collections::HashMap;
use std::error::Error;
use std::process::Command;

use crate::case::BURST;
use crate::{encode, logs, metrics, spans};

/// Allocations and bytes of one operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allocated {
    pub(crate) count: f64,
    pub(crate) bytes: f64,
}

/// Prints what a burst of every case allocates; `measure` runs a burst and counts allocations and bytes.
///
/// # Errors
/// If a case cannot be made.
pub fn count(measure: impl Fn(&mut dyn FnMut()) -> (u64, u64)) -> Result<(), Box<dyn Error>> {
    let mut cases = spans::cases()?;
    cases.extend(logs::cases()?);
    cases.extend(metrics::cases()?);
    cases.extend(encode::cases()?);
    for case in &mut cases {
        let mut best = (u64::MAX, u64::MAX);
        for round in 0..10 {
            let seen = measure(&mut || (case.burst)(BURST));
            (case.flush)();
            // The first rounds fill pools and tables.
            if round > 1 {
                best = (best.0.min(seen.0), best.1.min(seen.1));
            }
        }
        println!("{} {} {}", case.name, best.0 as f64 / BURST as f64, best.1 as f64 / BURST as f64);
    }
    Ok(())
}

/// Builds and runs the program that counts; by name of the case.
///
/// # Errors
/// If cargo is not at hand, or the program fails.
pub(crate) fn all() -> Result<HashMap<String, Allocated>, Box<dyn Error>> {
    let cargo =
        std::env::var_os("CARGO").ok_or("allocations are counted only under `cargo run --release`")?;
    let output = Command::new(cargo)
        .args(["run", "--release", "--quiet", "--bin", "allocations"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let printed = String::from_utf8(output.stdout)?;
    printed.lines().map(|line| read(line).ok_or_else(|| format!("cannot read `{line}`").into())).collect()
}

fn read(line: &str) -> Option<(String, Allocated)> {
    let mut words = line.split(' ');
    let name = words.next()?.to_owned();
    Some((name, Allocated { count: words.next()?.parse().ok()?, bytes: words.next()?.parse().ok()? }))
}
