//! The user's own registry, brought into both formats.

use std::collections::HashSet;
use std::fmt::Write as _;

use prometheus_client::registry::Registry;

use crate::page::Type;
use crate::table::Table;

/// A family of the user's registry, as its own encoder wrote it.
#[derive(Debug)]
pub(crate) struct ForeignFamily {
    name: String,
    ty: String,
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

/// Reads what the registry's encoder wrote, family by family; lines that are none of a family's, such as the rest of a help
/// with a line break, are left out.
fn read(text: &str) -> Vec<ForeignFamily> {
    let mut families: Vec<ForeignFamily> = Vec::new();
    let mut seen = HashSet::new();
    for line in text.lines() {
        if let Some((word, name, rest)) = comment(line) {
            if families.last().is_none_or(|last| last.name != name) {
                let (name, ty) = (name.to_owned(), "unknown".to_owned());
                families.push(ForeignFamily { name, ty, help: None, unit: None, samples: Vec::new() });
            }
            let Some(last) = families.last_mut() else { continue };
            match word {
                "HELP" => last.help = Some(rest.to_owned()),
                "UNIT" => last.unit = Some(rest.to_owned()),
                _ => rest.clone_into(&mut last.ty),
            }
            continue;
        }
        let Some(last) = families.last_mut() else { continue };
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

    /// Writes it as it came for OpenMetrics, else in the words of 0.0.4 and without exemplars.
    pub(crate) fn write(&self, out: &mut String, open_metrics: bool) {
        let name =
            if open_metrics { self.name.clone() } else { format!("{}{}", self.name, self.ty().suffix()) };
        if let Some(help) = &self.help {
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
            if !series.split('{').next().is_some_and(|name| name.ends_with("_created")) {
                let _ = writeln!(out, "{series} {value}");
            }
        }
    }
}
