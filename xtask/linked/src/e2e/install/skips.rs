//! What may be missing, and where.

use anyhow::{Result, bail};

use super::Program;

/// A program that is not at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) program: Program,
    pub(crate) why: String,
}

/// Whether a run with these gaps counts: anywhere but in CI it does; there only the collector may be missing, which is an
/// early version.
pub(crate) fn judge(skipped: &[Skipped], ci: Option<&str>) -> Result<()> {
    if ci != Some("true") {
        return Ok(());
    }
    let missing: Vec<_> = skipped
        .iter()
        .filter(|skipped| skipped.program != Program::Rotel)
        .map(|skipped| skipped.program.name())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "CI=true, and not installed: {}; without CI=true the parts that need it are skipped",
        missing.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_ci_only_the_collector_may_be_missing() {
        let skipped = |program| Skipped { program, why: "no network".into() };
        let (rotel, agent) = (skipped(Program::Rotel), skipped(Program::Agent));
        let both = [rotel.clone(), agent, skipped(Program::Prometheus)];
        for ci in [None, Some(""), Some("false"), Some("1")] {
            judge(&both, ci).unwrap();
        }
        judge(&[], Some("true")).unwrap();
        judge(&[rotel], Some("true")).unwrap();
        let message = judge(&both, Some("true")).unwrap_err().to_string();
        assert!(
            message.starts_with("CI=true, and not installed: ddapm-test-agent, prometheus; "),
            "{message}"
        );
    }
}
