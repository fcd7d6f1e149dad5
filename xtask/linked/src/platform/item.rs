//! What a platform has of a record, in words that all platforms share.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// The fields that are times, in milliseconds since 1970; the first is that of a log.
const TIMES: [&str; 4] = [MILLIS, "start", "end", "first_token"];
pub(crate) const MILLIS: &str = "millis";

/// What a platform keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A span, observation or run.
    Span,
    /// A log.
    Log,
    /// A score or feedback; some platforms do not tell them apart.
    Judgement,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Span => "span",
            Self::Log => "log",
            Self::Judgement => "score or feedback",
        })
    }
}

/// What a platform has of a record, or is to have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    /// What it is kept under; for logs their place and words, since platforms give them ids of their own.
    pub(crate) id: String,
    /// What is known of it; of what is expected, only what is compared.
    pub(crate) fields: BTreeMap<&'static str, Value>,
}

impl Item {
    pub(crate) fn new(kind: Kind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into(), fields: BTreeMap::new() }
    }

    /// Adds a field; null is not there.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !value.is_null() {
            self.fields.insert(name, value);
        }
        self
    }

    /// Adds a field that is compared also where it is null.
    #[must_use]
    pub(crate) fn with_or_null(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.insert(name, value.into());
        self
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        self.fields.get(name).and_then(Value::as_f64).unwrap_or_default()
    }
}

/// What is expected and not there, there and not expected, or different, one line each.
pub(crate) fn differences(expected: &[Item], found: &[Item]) -> Vec<String> {
    let mut left = by_id(found);
    let mut lines = Vec::new();
    for (key @ (kind, id), wanted) in by_id(expected) {
        let mut there = left.remove(&key).unwrap_or_default().into_iter();
        for item in wanted {
            match there.next() {
                Some(found) => lines.extend(fields(item, found)),
                None => lines.push(format!("{kind} {id}: not there")),
            }
        }
        lines.extend(there.map(|_| format!("{kind} {id}: there once too often")));
    }
    lines.extend(left.into_keys().map(|(kind, id)| format!("{kind} {id}: there, and not at the source")));
    lines
}

type ById<'a> = BTreeMap<(Kind, &'a str), Vec<&'a Item>>;

fn by_id(items: &[Item]) -> ById<'_> {
    let mut map = ById::new();
    for item in items {
        map.entry((item.kind, &item.id)).or_default().push(item);
    }
    for several in map.values_mut() {
        several.sort_by(|a, b| a.number(MILLIS).total_cmp(&b.number(MILLIS)));
    }
    map
}

fn fields(expected: &Item, found: &Item) -> Vec<String> {
    let different = |(name, wanted): (&&'static str, &Value)| {
        let there = found.fields.get(*name).unwrap_or(&Value::Null);
        let line =
            || format!("{} {}: {name} is {there}, and {wanted} at the source", expected.kind, expected.id);
        (!same(name, wanted, there)).then(line)
    };
    expected.fields.iter().filter_map(different).collect()
}

/// Times are the same within the millisecond that platforms keep, numbers within what a sum in another order changes.
fn same(name: &str, a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) if TIMES.contains(&name) => (a - b).abs() <= 1.0,
        (Some(a), Some(b)) => close(a, b),
        _ => a == b,
    }
}

/// Whether two amounts differ by no more than rounding.
pub(crate) fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// The spans whose parent is no span of these, with that parent.
pub(crate) fn without_parent(items: &[Item]) -> Vec<(&str, &str)> {
    let spans: BTreeMap<_, _> =
        items.iter().filter(|item| item.kind == Kind::Span).map(|item| (item.id.as_str(), item)).collect();
    let lonely = spans.iter().filter_map(|(id, item)| Some((*id, item.text("parent")?)));
    lonely.filter(|(_, parent)| !spans.contains_key(parent)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: &str, parent: Option<&str>, tokens: u64) -> Item {
        Item::new(Kind::Span, id).with_or_null("parent", parent).with("input_tokens", tokens)
    }

    #[test]
    fn what_differs_is_told_with_both_sides() {
        let expected = [span("a", None, 7), span("b", Some("a"), 0)];
        assert_eq!(differences(&expected, &expected), Vec::<String>::new());
        for (found, said) in [
            (vec![span("a", None, 7)], "span b: not there"),
            (
                vec![span("a", None, 8), span("b", Some("a"), 0)],
                "span a: input_tokens is 8, and 7 at the source",
            ),
            (vec![span("a", None, 7), span("b", None, 0)], "span b: parent is null, and \"a\" at the source"),
            (
                vec![span("a", None, 7), span("b", Some("a"), 0), span("b", Some("a"), 0)],
                "span b: there once too often",
            ),
            (
                vec![span("a", None, 7), span("b", Some("a"), 0), Item::new(Kind::Log, "a")],
                "log a: there, and not at the source",
            ),
        ] {
            assert_eq!(differences(&expected, &found), [said]);
        }
    }

    #[test]
    fn what_is_not_expected_of_a_field_is_not_compared() {
        let found = Item::new(Kind::Span, "a").with("name", "chat").with("cost", 0.1 + 0.2);
        let expected = Item::new(Kind::Span, "a").with("cost", 0.3).with("name", Value::Null);
        assert_eq!(differences(&[expected], &[found]), Vec::<String>::new());
        assert!(!close(0.3, 0.300_001));
    }

    #[test]
    fn logs_of_the_same_words_are_told_apart_by_their_time() {
        let log = |millis: f64| Item::new(Kind::Log, "a retried").with(MILLIS, millis);
        let expected = [log(1000.0), log(2000.0)];
        assert_eq!(differences(&expected, &[log(2000.4), log(999.0)]), Vec::<String>::new());
        let said = "log a retried: millis is 1002.0, and 1000.0 at the source";
        assert_eq!(differences(&expected, &[log(2000.0), log(1002.0)]), [said]);
    }

    #[test]
    fn a_tree_is_whole_when_every_parent_is_a_span() {
        let whole = [span("a", None, 0), span("b", Some("a"), 0)];
        assert_eq!(without_parent(&whole), []);
        assert_eq!(without_parent(&whole[1..]), [("b", "a")]);
        let log = [Item::new(Kind::Log, "a"), span("b", Some("a"), 0)];
        assert_eq!(without_parent(&log), [("b", "a")]);
    }
}
