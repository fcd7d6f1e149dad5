//! What signal-matrix.md says.

use anyhow::{Context, Result, ensure};
use obs_core::Signal;

pub(super) const PAGE: &str = "signal-matrix.md";

/// Whether each signal is taken by an exporter, as the page's first table has it.
pub(super) fn row(page: &str, exporter: &str) -> Result<[bool; Signal::COUNT]> {
    let begin = format!("| [{exporter}](");
    let row = page.lines().find(|line| line.starts_with(&begin));
    let row = row.with_context(|| format!("{PAGE} has no row for {exporter}"))?;
    let cells: Vec<_> = row.trim_matches('|').split('|').skip(1).map(str::trim).collect();
    ensure!(cells.len() == Signal::COUNT, "{PAGE}: {exporter} has {} cells", cells.len());
    let mut taken = [false; Signal::COUNT];
    for (taken, cell) in taken.iter_mut().zip(cells) {
        ensure!(cell.starts_with(['✅', '❌']), "{PAGE}: {exporter} has a cell `{cell}`");
        *taken = cell.starts_with('✅');
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_which_signals_are_taken() {
        let page = "| exporter | traces |\n|---|---|\n| [obs-a](crates/obs-a) | ✅ | ❌ | ✅ as events | ✅ when x | ❌ |\n\
                    | [obs-b](crates/obs-b) | ✅ | yes | ✅ | ✅ | ✅ |\n| [obs-c](crates/obs-c) | ✅ |\n";
        assert_eq!(row(page, "obs-a").unwrap(), [true, false, true, true, false]);
        for (exporter, said) in [
            ("obs-b", "signal-matrix.md: obs-b has a cell `yes`"),
            ("obs-c", "signal-matrix.md: obs-c has 1 cells"),
            ("obs-d", "signal-matrix.md has no row for obs-d"),
        ] {
            assert_eq!(row(page, exporter).unwrap_err().to_string(), said);
        }
    }
}
