//! What a backend has of a record, and whether that is what was recorded.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// What a backend has of a record, or is to have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fact {
    /// What it is: a span, a log, a series.
    pub(crate) kind: &'static str,
    /// What it is known by.
    pub(crate) key: String,
    /// All that is compared: nothing may be missing, different or too much.
    pub(crate) fields: BTreeMap<&'static str, Value>,
    /// Those that are expected must be there, with the same value; there may be others.
    pub(crate) attributes: BTreeMap<String, Value>,
}

impl Fact {
    pub(crate) fn new(kind: &'static str, key: impl Into<String>) -> Self {
        Self { kind, key: key.into(), fields: BTreeMap::new(), attributes: BTreeMap::new() }
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.insert(name, value.into());
        self
    }

    /// Adds an attribute; one of no value is not expected.
    #[must_use]
    pub(crate) fn with_attribute(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !value.is_null() {
            self.attributes.insert(name.into(), value);
        }
        self
    }

    fn name(&self) -> String {
        let said = self.fields.get("name").and_then(Value::as_str).unwrap_or_default();
        let said = if said.is_empty() { String::new() } else { format!(" `{said:.60}`") };
        format!("{} {}{said}", self.kind, self.key)
    }
}

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Compared {
    /// How many were expected.
    pub(crate) expected: usize,
    /// How many of them are there as they should be.
    pub(crate) equal: usize,
    /// What is wrong, one line each, each naming the record.
    pub(crate) wrong: Vec<String>,
}

/// Holds what was found against what was expected; each is one of its own, also where two are known by the same.
pub(crate) fn compare(expected: &[Fact], found: &[Fact]) -> Compared {
    let mut left = by_key(found);
    let mut compared = Compared { expected: expected.len(), ..Compared::default() };
    for (key, wanted) in by_key(expected) {
        let mut there = left.remove(&key).unwrap_or_default();
        for fact in wanted {
            let Some(nearest) = nearest(fact, &there) else {
                compared.wrong.push(format!("{}: not there", fact.name()));
                continue;
            };
            let wrong = differences(fact, there.remove(nearest));
            compared.equal += usize::from(wrong.is_empty());
            compared.wrong.extend(wrong);
        }
        compared.wrong.extend(there.iter().map(|fact| format!("{}: there once too often", fact.name())));
    }
    let unknown = left.into_values().flatten();
    compared.wrong.extend(unknown.map(|fact| format!("{}: there, and nobody recorded it", fact.name())));
    compared
}

type ByKey<'a> = BTreeMap<(&'static str, &'a str), Vec<&'a Fact>>;

fn by_key(facts: &[Fact]) -> ByKey<'_> {
    let mut map = ByKey::new();
    for fact in facts {
        map.entry((fact.kind, &fact.key)).or_default().push(fact);
    }
    map
}

/// Of several that are known by the same, the one that differs least.
fn nearest(wanted: &Fact, there: &[&Fact]) -> Option<usize> {
    (0..there.len()).min_by_key(|at| differences(wanted, there[*at]).len())
}

fn differences(wanted: &Fact, found: &Fact) -> Vec<String> {
    let name = wanted.name();
    let mut lines = Vec::new();
    for (field, value) in &wanted.fields {
        match found.fields.get(field) {
            None => lines.push(format!("{name}: no {field}, and {} was recorded", short(value))),
            Some(there) if there != value => {
                lines.push(format!("{name}: {field} is {}, and {} was recorded", short(there), short(value)));
            }
            Some(_) => {}
        }
    }
    let too_much = found.fields.iter().filter(|(field, _)| !wanted.fields.contains_key(*field));
    lines.extend(
        too_much.map(|(field, value)| format!("{name}: {field} is {}, and none was recorded", short(value))),
    );
    for (attribute, value) in &wanted.attributes {
        match found.attributes.get(attribute) {
            None => {
                lines.push(format!("{name}: no attribute {attribute}, and {} was recorded", short(value)));
            }
            Some(there) if there != value => {
                let (there, value) = (short(there), short(value));
                lines.push(format!("{name}: attribute {attribute} is {there}, and {value} was recorded"));
            }
            Some(_) => {}
        }
    }
    lines
}

/// Enough of a value to know it again.
fn short(value: &Value) -> String {
    const ENOUGH: usize = 300;
    let text = value.to_string();
    let Some((cut, _)) = text.char_indices().nth(ENOUGH) else { return text };
    let mut short = text[..cut].to_owned();
    let _ = write!(short, "… of {} bytes", text.len());
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn span(key: &str, end: u64) -> Fact {
        Fact::new("span", key).with("name", "chat").with("end", end).with_attribute("a", 1)
    }

    #[test]
    fn every_wrong_value_is_told() {
        let expected = [span("a", 7), span("b", 8)];
        let told = |found: &[Fact]| compare(&expected, found);
        assert_eq!(told(&expected), Compared { expected: 2, equal: 2, wrong: Vec::new() });
        let (good, other) = (span("a", 7), span("b", 9));
        let more = span("b", 8).with("message", "no");
        let mut less = span("b", 8);
        less.fields.remove("end");
        let mut bare = span("b", 8);
        bare.attributes.clear();
        let float = Fact { attributes: BTreeMap::from([("a".into(), json!(1.0))]), ..span("b", 8) };
        for (found, said) in [
            (vec![], "span b `chat`: not there"),
            (vec![other], "span b `chat`: end is 9, and 8 was recorded"),
            (vec![more], "span b `chat`: message is \"no\", and none was recorded"),
            (vec![less], "span b `chat`: no end, and 8 was recorded"),
            (vec![bare], "span b `chat`: no attribute a, and 1 was recorded"),
            (vec![float], "span b `chat`: attribute a is 1.0, and 1 was recorded"),
            (vec![span("b", 8), span("b", 8)], "span b `chat`: there once too often"),
            (vec![span("b", 8), Fact::new("log", "b")], "log b: there, and nobody recorded it"),
        ] {
            let found = [vec![good.clone()], found].concat();
            assert_eq!(told(&found).wrong, [said]);
        }
    }

    #[test]
    fn attributes_that_nobody_expects_are_left_alone() {
        let found = span("a", 7).with_attribute("more", true);
        assert_eq!(compare(&[span("a", 7)], &[found]).equal, 1);
    }

    #[test]
    fn of_those_known_by_the_same_each_meets_its_own() {
        let expected = [span("a", 7), span("a", 8)];
        assert_eq!(compare(&expected, &[span("a", 8), span("a", 7)]).equal, 2);
        let compared = compare(&expected, &[span("a", 8), span("a", 8)]);
        assert_eq!((compared.equal, compared.wrong.len()), (1, 1));
    }

    #[test]
    fn a_long_value_is_told_in_part() {
        let told = short(&json!("é".repeat(400)));
        assert!(told.ends_with("… of 802 bytes") && told.len() < 700, "{told}");
    }
}
