//! The labels of a series as they stand on the page.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use obs_core::{Attributes, Labels, Resource, Value};

use crate::PrometheusConfig;
use crate::names::safe_label;

/// The labels of a series, sorted, each name once, none without a value: for Prometheus that is no label.
#[derive(Debug, Clone)]
pub(crate) struct LabelSet {
    /// Under names that every reader takes; they tell the series from others.
    pub(crate) safe: Vec<(String, String)>,
    /// Under the names that were recorded, where they are others.
    utf8: Option<Vec<(String, String)>>,
}

impl LabelSet {
    /// The labels for a reader that takes names of any characters, or for the others.
    pub(crate) fn of(&self, utf8: bool) -> &[(String, String)] {
        self.utf8.as_deref().filter(|_| utf8).unwrap_or(&self.safe)
    }
}

/// Series are one where a reader of safe names cannot tell them apart; other readers are shown the names of the first.
impl Ord for LabelSet {
    fn cmp(&self, other: &Self) -> Ordering {
        self.safe.cmp(&other.safe)
    }
}

impl PartialOrd for LabelSet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for LabelSet {
    fn eq(&self, other: &Self) -> bool {
        self.safe == other.safe
    }
}

impl Eq for LabelSet {}

/// Which labels a series gets beside its own.
#[derive(Debug)]
pub(crate) struct Labelling {
    /// On every series, unless it has such a label itself.
    additional: Vec<(String, String)>,
    /// Attributes of the resource that become labels.
    resource: Vec<String>,
    /// Names that the place sets itself; a series' own label of that name gets `exported_` before it.
    reserved: BTreeSet<String>,
}

impl Labelling {
    pub(crate) fn new(config: &PrometheusConfig, grouping: impl IntoIterator<Item = String>) -> Self {
        let additional = config.additional_labels.iter();
        let own = ["le", "quantile"].map(str::to_owned);
        Self {
            additional: additional.map(|(name, value)| (name.clone(), value.clone())).collect(),
            resource: config.resource_labels.clone(),
            reserved: grouping.into_iter().chain(own).collect(),
        }
    }

    /// The labels of a series with these of its own.
    pub(crate) fn series(&self, own: &Labels, resource: &Resource) -> LabelSet {
        // The last of a name wins, as in aggregation; in the order of the names, so that those that become one are joined
        // in the same order always.
        let own: BTreeMap<&str, &str> = own.iter().map(|(key, value)| (&**key, &**value)).collect();
        let mut set = Set::default();
        for (key, value) in own {
            set.join(key, value, &self.reserved);
        }
        for key in &self.resource {
            if let Some(value) = resource.attributes.get(key).and_then(text) {
                set.add(key, &value, &self.reserved);
            }
        }
        for (key, value) in &self.additional {
            set.add(key, value, &self.reserved);
        }
        set.end()
    }

    /// The labels of `target_info`: all that the resource says, or `None` where it says nothing.
    pub(crate) fn target(&self, resource: &Resource) -> Option<LabelSet> {
        let mut set = Set::default();
        for (key, value) in sorted(&resource.attributes) {
            set.join(key, &value, &self.reserved);
        }
        if set.0.is_empty() {
            return None;
        }
        for (key, value) in &self.additional {
            set.add(key, value, &self.reserved);
        }
        Some(set.end())
    }
}

fn sorted(attributes: &Attributes) -> BTreeMap<&str, String> {
    attributes.iter().filter_map(|(key, value)| Some((key.as_str(), text(value)?))).collect()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Str(text) => Some(text.to_string()),
        other => serde_json::to_string(other).ok(),
    }
}

/// Labels by their safe name, with the name that was recorded.
#[derive(Default)]
struct Set(BTreeMap<String, (String, String)>);

impl Set {
    /// Adds a label; with one that has become the same name it shares a value, as OpenTelemetry has it: `a;b`.
    fn join(&mut self, key: &str, value: &str, reserved: &BTreeSet<String>) {
        if value.is_empty() {
            return;
        }
        let (safe, key) = named(key, reserved);
        match self.0.get_mut(&safe) {
            Some((_, known)) => {
                known.push(';');
                known.push_str(value);
            }
            None => drop(self.0.insert(safe, (key, value.to_owned()))),
        }
    }

    /// Adds a label where there is none of its name.
    fn add(&mut self, key: &str, value: &str, reserved: &BTreeSet<String>) {
        let (safe, key) = named(key, reserved);
        if !value.is_empty() && !self.0.contains_key(&safe) {
            self.0.insert(safe, (key, value.to_owned()));
        }
    }

    fn end(self) -> LabelSet {
        let differs = self.0.iter().any(|(safe, (key, _))| safe != key);
        let utf8 = differs.then(|| self.0.values().cloned().collect());
        LabelSet { safe: self.0.into_iter().map(|(safe, (_, value))| (safe, value)).collect(), utf8 }
    }
}

/// The safe name and the recorded one, both out of the way of what the place sets itself.
fn named(key: &str, reserved: &BTreeSet<String>) -> (String, String) {
    let safe = safe_label(key);
    if reserved.contains(&safe) {
        let exported = format!("exported_{safe}");
        return (exported.clone(), exported);
    }
    // Prometheus takes any name but an empty one and its own.
    let key = if key.is_empty() || key.starts_with("__") { safe.clone() } else { key.to_owned() };
    (safe, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelling() -> Labelling {
        let config = PrometheusConfig::default().with_label("env", "prod").with_label("zone", "z1");
        Labelling::new(&config, ["job".to_owned()])
    }

    fn pairs(set: &[(String, String)]) -> Vec<(&str, &str)> {
        set.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }

    #[test]
    fn names_that_become_one_share_a_value_and_empty_values_are_none() {
        let own =
            Labels::from([("b", ""), ("a.b", "1"), ("a_b", "2"), ("le", "3"), ("job", "4"), ("env", "own")]);
        let set = labelling().series(&own, &Resource::service("shop"));
        let expected = [
            ("a_b", "1;2"),
            ("env", "own"),
            ("exported_job", "4"),
            ("exported_le", "3"),
            ("service_name", "shop"),
            ("zone", "z1"),
        ];
        assert_eq!(pairs(set.of(false)), expected);
        let utf8 = pairs(set.of(true));
        assert!(utf8.contains(&("a.b", "1;2")) && utf8.contains(&("service.name", "shop")), "{utf8:?}");
    }

    #[test]
    fn a_target_tells_all_of_its_resource() {
        let mut resource = Resource::service("shop");
        resource.attributes.push("process.pid", 7);
        resource.attributes.push("tags", Value::List(vec!["a".into()]));
        let set = labelling().target(&resource).unwrap();
        let expected = [
            ("env", "prod"),
            ("process_pid", "7"),
            ("service_name", "shop"),
            ("tags", "[\"a\"]"),
            ("zone", "z1"),
        ];
        assert_eq!(pairs(set.of(false)), expected);
        assert_eq!(labelling().target(&Resource::default()), None);
    }
}
