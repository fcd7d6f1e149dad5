//! Sets of labels, as Prometheus and Loki want them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use obs_core::{Resource, Value, write_json};

use crate::naming;

/// Names and values, sorted by name, each name once, no value empty.
pub(crate) type Labels = Vec<(String, String)>;

/// The label that holds a series's name.
pub(crate) const NAME: &str = "__name__";
/// The most bytes of a value: Mimir and Loki refuse more.
const VALUE: usize = 2_048;

/// Pairs whose names are made fit for labels.
///
/// Of names that become the same, the values stand side by side in the order of the names that were given, as
/// OpenTelemetry has it.
/// A name that is `reserved` gets `exported_` before it, as a scraping Prometheus does.
pub(crate) fn clean<'a>(
    pairs: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>,
    reserved: &[&str],
) -> BTreeMap<String, String> {
    let mut clean = clean_whole(pairs, reserved);
    for value in clean.values_mut() {
        shorten(value);
    }
    clean
}

/// [`clean`], with values of any length.
pub(crate) fn clean_whole<'a>(
    pairs: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>,
    reserved: &[&str],
) -> BTreeMap<String, String> {
    let mut pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    pairs.sort_by_key(|(name, _)| *name);
    let mut clean: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pairs {
        let name = naming::label(name);
        let name = if reserved.contains(&&*name) { format!("exported_{name}") } else { name };
        let known = clean.entry(name).or_default();
        if !known.is_empty() {
            known.push(';');
        }
        known.push_str(&value);
    }
    clean
}

/// Cuts a value that the servers would refuse; what it ended with is told by a hash, so that different ones stay
/// different.
pub(crate) fn shorten(value: &mut String) {
    if value.len() > VALUE {
        let mark = format!("…{:016x}", hash(value));
        value.truncate(value.floor_char_boundary(VALUE - mark.len()));
        value.push_str(&mark);
    }
}

/// FNV-1a, which is the same in every process and every version.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A value as text: a list or a map as JSON.
pub(crate) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Value::I64(value) => Cow::Owned(value.to_string()),
        Value::F64(value) => Cow::Owned(float(*value)),
        Value::Str(text) => Cow::Borrowed(text),
        Value::List(_) | Value::Map(_) => {
            let mut json = Vec::new();
            // No value fails to be written; one that did would be empty, and an empty one is left out.
            let _ = write_json(&mut json, value);
            Cow::Owned(String::from_utf8_lossy(&json).into_owned())
        }
    }
}

/// A number in Prometheus's words.
pub(crate) fn float(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        value.to_string()
    }
}

/// The name among a series's labels.
pub(crate) fn series_name(labels: &Labels) -> &str {
    labels.iter().find(|(name, _)| name == NAME).map_or("", |(_, name)| name)
}

/// What tells targets apart: `job` of the service's namespace and name, `instance` of its instance.
pub(crate) fn target(resource: &Resource) -> Vec<(&'static str, String)> {
    let get = |key| resource.attributes.get(key).map(text).filter(|text| !text.is_empty());
    let job = get("service.name").map(|name| match get("service.namespace") {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.into_owned(),
    });
    let instance = get("service.instance.id").map(Cow::into_owned);
    let mut target: Vec<_> = [("instance", instance), ("job", job)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    for (_, value) in &mut target {
        shorten(value);
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(pairs: &[(&str, &'static str)], reserved: &[&str]) -> Vec<(String, String)> {
        clean(pairs.iter().map(|(name, value)| (*name, Cow::Borrowed(*value))), reserved)
            .into_iter()
            .collect()
    }

    #[test]
    fn names_that_become_the_same_share_their_values_in_the_order_of_the_names() {
        let labels =
            cleaned(&[("a_b", "3"), ("a.b", "2"), ("a-b", "1"), ("empty", ""), ("job", "mine")], &["job"]);
        let labels: Vec<_> = labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(labels, [("a_b", "1;2;3"), ("exported_job", "mine")]);
    }

    #[test]
    fn a_value_that_the_servers_refuse_is_cut_and_stays_different_from_others() {
        let (mut a, mut b) = ("é".repeat(2_000) + "a", "é".repeat(2_000) + "b");
        shorten(&mut a);
        shorten(&mut b);
        assert!(a.len() <= VALUE && b.len() <= VALUE && a != b, "{} {}", a.len(), b.len());
        let mut whole = "x".repeat(VALUE);
        shorten(&mut whole);
        assert_eq!(whole, "x".repeat(VALUE));
    }

    #[test]
    fn a_target_has_its_namespace_before_its_name() {
        let mut resource = Resource::service("chat");
        assert_eq!(target(&resource), [("job", "chat".to_owned())]);
        resource.attributes.push("service.namespace", "shop");
        resource.attributes.push("service.instance.id", "i-1");
        assert_eq!(target(&resource), [("instance", "i-1".to_owned()), ("job", "shop/chat".to_owned())]);
        assert_eq!(target(&Resource::default()), []);
    }

    #[test]
    fn numbers_are_written_in_full() {
        let written: Vec<_> = [0.1, 1.0, 1e21, f64::INFINITY, -0.5].map(float).into();
        assert_eq!(written, ["0.1", "1", "1000000000000000000000", "+Inf", "-0.5"]);
    }
}
