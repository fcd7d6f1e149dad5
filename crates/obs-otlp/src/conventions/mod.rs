//! The conventions that AI telemetry is written in: which attribute stands for which field of a record.
//!
//! [`ATTRIBUTES`] and [`TYPES`] are the only places that know attribute names, beside [`langfuse`], [`mcp`], [`openinference`] and [`own`] for what no record has a field for.
//! Readers go from the name to the field, writers from the field to the name.

mod attributes;
mod field;
pub mod langfuse;
pub mod mcp;
pub mod openinference;
pub mod own;
pub mod tokens;
mod types;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use attributes::ATTRIBUTES;
pub use field::Field;
pub use types::{TYPES, TypeName, type_value};

/// Whose names they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Convention {
    /// OpenTelemetry's general conventions: errors, users, sessions, deployment.
    General,
    /// OpenTelemetry's GenAI conventions.
    GenAi,
    /// OpenInference, as Arize and Phoenix have it.
    OpenInference,
    /// OpenLLMetry, as Traceloop has it, where it goes beyond GenAI.
    OpenLlmetry,
    /// Langfuse's own attributes.
    Langfuse,
    /// Mastra's own attributes.
    Mastra,
}

/// One row of [`ATTRIBUTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Whose name it is.
    pub convention: Convention,
    /// The name.
    ///
    /// A name that ends in `.*` stands for every name with that prefix.
    /// `{type}` stands for one segment, the framework's own name of the span type.
    pub name: &'static str,
    /// What it stands for.
    pub field: Field,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning<'a> {
    /// The position in [`ATTRIBUTES`]: of two names of one field, the lower is preferred.
    pub rank: usize,
    /// The field.
    pub field: Field,
    /// What follows the prefix; empty unless the row's name ends in `.*`.
    pub rest: &'a str,
}

/// What an attribute's name stands for, or `None` for a name of nobody's convention.
pub fn lookup(name: &str) -> Option<Meaning<'_>> {
    let meaning = |rank: usize, rest| Meaning { rank, field: ATTRIBUTES[rank].field, rest };
    if let Some(rank) = INDEX.exact.get(name) {
        return Some(meaning(*rank, ""));
    }
    let mut prefixes = INDEX.prefixes.iter();
    if let Some((rest, rank)) = prefixes.find_map(|(prefix, rank)| Some((name.strip_prefix(prefix)?, rank))) {
        return Some(meaning(*rank, rest)).filter(|meaning| !meaning.rest.is_empty());
    }
    let (framework, rest) = name.split_once('.')?;
    let (_, rest) = rest.split_once('.')?;
    let rank = INDEX.exact.get(format!("{framework}.{{type}}.{rest}").as_str())?;
    Some(meaning(*rank, ""))
}

/// The name that a convention writes a field under: its first row, or `None` if it has none.
pub const fn name_of(convention: Convention, field: Field) -> Option<&'static str> {
    let mut at = 0;
    while at < ATTRIBUTES.len() {
        let row = &ATTRIBUTES[at];
        if row.convention as u8 == convention as u8 && row.field as u8 == field as u8 {
            return Some(row.name);
        }
        at += 1;
    }
    None
}

/// [`name_of`] for constants: a convention without a name for the field does not compile.
///
/// ```
/// use obs_otlp::conventions::{Convention, Field, name};
///
/// const INPUT: &str = name(Convention::Langfuse, Field::Input);
/// assert_eq!(INPUT, "langfuse.observation.input");
/// ```
///
/// # Panics
/// Outside of a constant, where the convention has no name for the field.
pub const fn name(convention: Convention, field: Field) -> &'static str {
    match name_of(convention, field) {
        Some(name) => name,
        None => panic!("the convention has no name for this field"),
    }
}

/// The first name of a field that begins so, where a convention has one for each kind of span; for constants, as [`name`].
///
/// # Panics
/// Outside of a constant, where no name of the field begins so.
pub const fn name_within(prefix: &str, field: Field) -> &'static str {
    let mut at = 0;
    while at < ATTRIBUTES.len() {
        let row = &ATTRIBUTES[at];
        if row.field as u8 == field as u8 && begins(row.name, prefix) {
            return row.name;
        }
        at += 1;
    }
    panic!("no name of this field begins so");
}

const fn begins(text: &str, prefix: &str) -> bool {
    match text.as_bytes().split_at_checked(prefix.len()) {
        Some((beginning, _)) => equal(beginning, prefix.as_bytes()),
        None => false,
    }
}

pub(crate) const fn equal(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

struct Index {
    exact: HashMap<&'static str, usize>,
    prefixes: Vec<(&'static str, usize)>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index { exact: HashMap::new(), prefixes: Vec::new() };
    for (rank, row) in ATTRIBUTES.iter().enumerate() {
        match row.name.strip_suffix('*') {
            Some(prefix) => index.prefixes.push((prefix, rank)),
            None => {
                index.exact.insert(row.name, rank);
            }
        }
    }
    index
});

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_stands_once_and_finds_its_own_row() {
        let mut names = HashSet::new();
        for (rank, row) in ATTRIBUTES.iter().enumerate() {
            assert!(names.insert(row.name), "{} stands twice", row.name);
            let name = row.name.replace("{type}", "agent_run").replace('*', "rest");
            let meaning = lookup(&name).unwrap_or_else(|| panic!("{name} is not found"));
            assert_eq!(meaning.rank, rank, "{name} finds another row");
            assert_eq!(meaning.rest.is_empty(), !row.name.ends_with('*'));
        }
    }

    #[test]
    fn the_first_row_of_a_convention_is_the_name_to_write() {
        assert_eq!(name_of(Convention::GenAi, Field::Provider), Some("gen_ai.provider.name"));
        assert_eq!(name_of(Convention::OpenInference, Field::Model), Some("llm.model_name"));
        assert_eq!(name_of(Convention::General, Field::Model), None);
        assert_eq!(name(Convention::Langfuse, Field::Output), "langfuse.observation.output");
        assert_eq!(name_within("gen_ai.retrieval.", Field::Query), "gen_ai.retrieval.query.text");
    }

    #[test]
    fn foreign_names_mean_nothing() {
        for name in ["", ".", "http.route", "gen_ai.request.", "mastra.", "mastra.agent_run.unheard_of"] {
            assert_eq!(lookup(name), None, "{name}");
        }
    }
}
