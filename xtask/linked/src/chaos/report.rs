//! What a run measured, said as it goes and once more at the end, for machines.

use std::fmt::Display;
use std::time::Duration;

use serde::Serialize;

/// What a figure says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It is told, and has no limit.
    Shown,
    /// It is within its limit.
    Held,
    /// A time, a rate or a share is beyond its limit; the machine may be to blame.
    Missed,
    /// A count or a bound is wrong: a law is broken.
    Broken,
    /// It could not be measured here.
    Skipped,
}

/// One thing that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    what: String,
    measured: String,
    limit: Option<String>,
    verdict: Verdict,
}

/// What was measured of one law.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    name: &'static str,
    law: &'static str,
    figures: Vec<Figure>,
}

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'a> {
    pub(crate) seed: u64,
    pub(crate) form: &'a str,
    pub(crate) load_average: Option<String>,
    pub(crate) sections: &'a [Section],
}

impl Section {
    pub(crate) fn begin(name: &'static str, law: &'static str) -> Self {
        println!("\n{name} ({law})");
        Self { name, law, figures: Vec::new() }
    }

    /// Tells something that has no limit.
    pub(crate) fn show(&mut self, what: &str, measured: impl Display) {
        self.add(what, measured.to_string(), None, Verdict::Shown);
    }

    /// Tells a time, a rate or a share, which a slow machine may miss.
    pub(crate) fn goal(&mut self, what: &str, measured: impl Display, limit: impl Display, held: bool) {
        let verdict = if held { Verdict::Held } else { Verdict::Missed };
        self.add(what, measured.to_string(), Some(limit.to_string()), verdict);
    }

    /// Tells a count or a bound, which no machine excuses.
    pub(crate) fn law(&mut self, what: &str, measured: impl Display, limit: impl Display, held: bool) {
        let verdict = if held { Verdict::Held } else { Verdict::Broken };
        self.add(what, measured.to_string(), Some(limit.to_string()), verdict);
    }

    /// Tells how many there are of what must not be.
    pub(crate) fn none(&mut self, what: &str, count: u64) {
        self.law(what, count, 0, count == 0);
    }

    /// Tells that something could not be measured here.
    pub(crate) fn skip(&mut self, what: &str, why: impl Display) {
        self.add(what, why.to_string(), None, Verdict::Skipped);
    }

    fn add(&mut self, what: &str, measured: String, limit: Option<String>, verdict: Verdict) {
        let mark = match verdict {
            Verdict::Shown => "",
            Verdict::Held => "ok",
            Verdict::Missed => "MISSED",
            Verdict::Broken => "BROKEN",
            Verdict::Skipped => "SKIPPED",
        };
        let bound = limit.as_ref().map(|limit| format!("(limit {limit})")).unwrap_or_default();
        println!("  {mark:<7} {what}: {measured} {bound}");
        self.figures.push(Figure { what: what.into(), measured, limit, verdict });
    }

    /// Whether some figure of it came to this.
    pub(crate) fn has(&self, verdict: Verdict) -> bool {
        self.figures.iter().any(|figure| figure.verdict == verdict)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn law_name(&self) -> &'static str {
        self.law
    }
}

/// A duration with three digits and the unit that suits it.
pub(crate) fn time(duration: Duration) -> String {
    let nanos = duration.as_nanos() as f64;
    let (value, unit) = match nanos {
        nanos if nanos < 1e3 => (nanos, "ns"),
        nanos if nanos < 1e6 => (nanos / 1e3, "µs"),
        nanos if nanos < 1e9 => (nanos / 1e6, "ms"),
        nanos => (nanos / 1e9, "s"),
    };
    if value < 10.0 { format!("{value:.2} {unit}") } else { format!("{value:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_count_breaks_a_law_and_a_late_answer_does_not() {
        let mut section = Section::begin("isolation", "law 3");
        section.goal("p99.9", "9 µs", "5 µs", false);
        assert!(section.has(Verdict::Missed) && !section.has(Verdict::Broken));
        section.none("lost", 1);
        assert!(section.has(Verdict::Broken));
    }

    #[test]
    fn times_have_the_unit_that_suits_them() {
        let shown = [7, 1_500, 25_000_000, 5_020_000_000].map(|nanos| time(Duration::from_nanos(nanos)));
        assert_eq!(shown, ["7.00 ns", "1.50 µs", "25 ms", "5.02 s"]);
    }
}
