//! The user's own registry, brought into both formats.

use std::collections::HashSet;
use std::fmt::Write as _;

use prometheus_client::registry::Registry;

use crate::page::Type;
use crate::table::Table;
use crate::wire::{open_help, text_help};

/// A family of the user's registry, as its own encoder wrote it.
#[derive(Debug)]
pub(crate) struct ForeignFamily {
    name: String,
    ty: String,
    /// As it was given, without the escapes of a format.
    help: Option<String>,
    unit: Option<String>,
    samples: Vec<String>,
}

/// What the registry's own encoder writes.
pub(crate) fn encoded(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a string fails only where a metric of the user's does: what is written so far is shown.
    if prometheus_client::encoding::text::encode(&mut text, registry).is_err() {
        tracing::warn!(target: "obs::prometheus", "the registry cannot be written as a whole");
    }
    text
}

/// The families of a registry.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    pub(crate) shown: Vec<ForeignFamily>,
    /// The names of those that have a name which is taken.
    pub(crate) left_out: Vec<String>,
}

/// The families of a registry's text.
pub(crate) fn families(text: &str, table: &Table) -> Foreign {
    let (mut foreign, mut taken) = (Foreign::default(), HashSet::new());
    for family in read(text) {
        let names = family.names();
        if names.iter().any(|name| table.is_taken(name) || taken.contains(name)) {
            foreign.left_out.push(family.name);
        } else {
            taken.extend(names);
            foreign.shown.push(family);
        }
    }
    foreign
}

/// Reads what the registry's encoder wrote, family by family; lines that are none of a family's are left out.
///
/// The encoder writes a help as it was given, and the type behind it: what stands between is the rest of the help, and no
/// sample whatever it looks like.
fn read(text: &str) -> Vec<ForeignFamily> {
    let mut families: Vec<ForeignFamily> = Vec::new();
    let (mut seen, mut in_help) = (HashSet::new(), false);
    for line in text.lines() {
        if let Some((word, name, rest)) = comment(line) {
            if families.last().is_none_or(|last| last.name != name) {
                let (name, ty) = (name.to_owned(), "unknown".to_owned());
                families.push(ForeignFamily { name, ty, help: None, unit: None, samples: Vec::new() });
            }
            let Some(last) = families.last_mut() else { continue };
            in_help = word == "HELP";
            match word {
                "HELP" => last.help = Some(rest.to_owned()),
                "UNIT" => last.unit = Some(rest.to_owned()),
                _ => rest.clone_into(&mut last.ty),
            }
            continue;
        }
        let Some(last) = families.last_mut() else { continue };
        if let Some(help) = last.help.as_mut().filter(|_| in_help) {
            help.extend(["\n", line]);
            continue;
        }
        let key = &line[..series_end(line)];
        let name = key.split('{').next().unwrap_or_default();
        if last.names().iter().any(|known| known == name) && seen.insert(key.to_owned()) {
            last.samples.push(line.to_owned());
        }
    }
    families
}

/// The word, the name and the rest of a line about a family.
fn comment(line: &str) -> Option<(&str, &str, &str)> {
    let (word, rest) = line.strip_prefix("# ")?.split_once(' ')?;
    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    matches!(word, "HELP" | "TYPE" | "UNIT").then_some((word, name, rest))
}

/// Where a sample's name and labels end.
fn series_end(line: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ' ' if !quoted => return at,
            _ => {}
        }
    }
    line.len()
}

impl ForeignFamily {
    fn ty(&self) -> Type {
        match self.ty.as_str() {
            "counter" => Type::Counter,
            "histogram" => Type::Histogram,
            "info" => Type::Info,
            "gauge" => Type::Gauge,
            _ => Type::Untyped,
        }
    }

    fn names(&self) -> Vec<String> {
        self.ty().names(&self.name)
    }

    /// Whether a sample tells when the others began, which 0.0.4 has no word for; a gauge may be called the same.
    fn is_creation(&self, name: &str) -> bool {
        matches!(self.ty(), Type::Counter | Type::Histogram)
            && name.strip_suffix("_created").is_some_and(|base| base == self.name)
    }

    /// Writes its samples as they came for OpenMetrics, else in the words of 0.0.4 and without exemplars.
    pub(crate) fn write(&self, out: &mut String, open_metrics: bool) {
        let name =
            if open_metrics { self.name.clone() } else { format!("{}{}", self.name, self.ty().suffix()) };
        if let Some(help) = &self.help {
            let help = if open_metrics { open_help(help) } else { text_help(help) };
            let _ = writeln!(out, "# HELP {name} {help}");
        }
        let _ = writeln!(out, "# TYPE {name} {}", self.ty().word(open_metrics));
        if let (true, Some(unit)) = (open_metrics, &self.unit) {
            let _ = writeln!(out, "# UNIT {name} {unit}");
        }
        for line in &self.samples {
            if open_metrics {
                let _ = writeln!(out, "{line}");
                continue;
            }
            let (series, rest) = line.split_at(series_end(line));
            let value = rest.split_whitespace().next().unwrap_or("NaN");
            if !series.split('{').next().is_some_and(|name| self.is_creation(name)) {
                let _ = writeln!(out, "{series} {value}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creation_samples_stand_in_openmetrics_alone() {
        let text = "# HELP runs Runs.\n# TYPE runs counter\nruns_total 2\nruns_created 1.5\n\
                    # HELP jobs_created Jobs.\n# TYPE jobs_created gauge\njobs_created 3\n# EOF\n";
        let written = |open_metrics| {
            let mut out = String::new();
            for family in families(text, &Table::default()).shown {
                family.write(&mut out, open_metrics);
            }
            out
        };
        assert_eq!(format!("{}# EOF\n", written(true)), text);
        let plain = "# HELP runs_total Runs.\n# TYPE runs_total counter\nruns_total 2\n\
                     # HELP jobs_created Jobs.\n# TYPE jobs_created gauge\njobs_created 3\n";
        assert_eq!(written(false), plain);
    }
}
