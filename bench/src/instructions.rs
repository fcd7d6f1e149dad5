//! Instructions of an operation, counted by callgrind where it is installed.

use std::process::Command;

use crate::case::{BURST, Case};
use crate::{encode, logs, metrics, spans};

/// Runs one case in this process, for callgrind to watch.
pub(crate) const FLAG: &str = "--instructions-of";

/// Runs one case for some seconds.
pub(crate) const PROFILE: &str = "--profile";

/// Instructions that the calling thread executes for one operation; `None` without valgrind.
///
/// The figure hardly depends on the machine's load, so that it can guard against regressions.
pub(crate) fn of(case: &str) -> Option<f64> {
    let program = std::env::current_exe().ok()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*measured_loop*"])
        .arg(program)
        .args([FLAG, case])
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let collected = said.lines().find_map(|line| line.split("Collected :").nth(1))?;
    Some(collected.trim().parse::<f64>().ok()? / BURST as f64)
}

/// Runs a case warm, then once more under the name that callgrind looks for.
pub(crate) fn run_case(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut case = find(name)?;
    for _ in 0..3 {
        (case.burst)(BURST);
        (case.flush)();
    }
    measured_loop(&mut case);
    (case.flush)();
    Ok(())
}

/// Runs a case for some seconds, for a profiler to watch.
pub(crate) fn profile(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut case = find(name)?;
    for _ in 0..5_000 {
        measured_loop(&mut case);
        (case.flush)();
    }
    Ok(())
}

fn find(name: &str) -> Result<Case, Box<dyn std::error::Error>> {
    let mut cases = spans::cases()?;
    cases.extend(logs::cases()?);
    cases.extend(metrics::cases()?);
    cases.extend(encode::cases()?);
    let names: Vec<&str> = cases.iter().map(|case| case.name).collect();
    let unknown = format!("there is no case `{name}`; the cases are {}", names.join(", "));
    cases.into_iter().find(|case| case.name == name).ok_or_else(|| unknown.into())
}

#[inline(never)]
fn measured_loop(case: &mut Case) {
    (case.burst)(BURST);
}
