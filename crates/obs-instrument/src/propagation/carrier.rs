//! What a context travels in.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use serde_json::{Map, Value};

/// Headers, or any map of text that goes along with a request.
///
/// Implemented for maps of strings, for lists of pairs, for a [`serde_json::Map`] (MCP's `_meta`), and with the feature
/// `http` for `http::HeaderMap`; implement it for what your queue or protocol has.
pub trait Carrier {
    /// The value under a name, whatever the case of its letters; several are joined by commas.
    fn get(&self, name: &str) -> Option<Cow<'_, str>>;

    /// Puts a value under a name, in place of any there.
    fn set(&mut self, name: &'static str, value: String);

    /// Takes away what is under a name.
    fn remove(&mut self, name: &str);
}

/// How long a value may be that others are still joined to: more than any header of ours can be of use with.
///
/// Callers choose how many there are, and joining all would copy their bytes again and again.
/// It bounds no single value: one alone is not copied, and how much of it is read is up to its reader.
const JOINED: usize = 16 * 1024;

/// Joins values by commas; those that follow once there are more than [`JOINED`] bytes are left out, and a line says so.
pub(crate) fn joined<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<Cow<'a, str>> {
    let mut all = Cow::Borrowed(values.next()?);
    for value in values {
        if all.len() > JOINED {
            tracing::debug!(
                target: "obs::context",
                "a caller's header came more than once: what is after its first {} bytes was not read",
                all.len(),
            );
            break;
        }
        let all = all.to_mut();
        all.push(',');
        all.push_str(value);
    }
    Some(all)
}

/// Joins what is under a name in pairs.
fn named<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, name: &str) -> Option<Cow<'a, str>> {
    joined(pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

macro_rules! maps {
    ($($(#[$doc:meta])* [$($generics:tt)*] $map:ty, $key:ident, $value:ident, $text:expr, $make:expr;)*) => {
        $(
            $(#[$doc])*
            impl<$($generics)*> Carrier for $map {
                fn get(&self, name: &str) -> Option<Cow<'_, str>> {
                    named(self.iter().filter_map(|($key, $value)| $text), name)
                }

                fn set(&mut self, name: &'static str, value: String) {
                    self.remove_all(name);
                    self.extend([(name.to_owned(), $make(value))]);
                }

                fn remove(&mut self, name: &str) {
                    self.remove_all(name);
                }
            }

            impl<$($generics)*> RemoveAll for $map {
                fn remove_all(&mut self, name: &str) {
                    self.retain(|$key, _| !$key.eq_ignore_ascii_case(name));
                }
            }
        )*
    };
}

/// Maps are found by exact keys, but names of headers come in any case.
trait RemoveAll {
    fn remove_all(&mut self, name: &str);
}

maps! {
    [S: BuildHasher] HashMap<String, String, S>, key, value, Some((key.as_str(), value.as_str())), String::from;
    [] BTreeMap<String, String>, key, value, Some((key.as_str(), value.as_str())), String::from;
    /// The `_meta` of a request of MCP, whose keys are the names of the headers.
    [] Map<String, Value>, key, value, Some((key.as_str(), value.as_str()?)), Value::from;
}

impl Carrier for Vec<(String, String)> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        named(self.iter().map(|(key, value)| (key.as_str(), value.as_str())), name)
    }

    fn set(&mut self, name: &'static str, value: String) {
        Carrier::remove(self, name);
        self.push((name.to_owned(), value));
    }

    fn remove(&mut self, name: &str) {
        self.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut carrier: impl Carrier) {
        carrier.set("tracestate", "a=1".into());
        carrier.set("tracestate", "b=2".into());
        assert_eq!(carrier.get("TraceState").as_deref(), Some("b=2"));
        carrier.remove("TRACESTATE");
        assert_eq!(carrier.get("tracestate"), None);
    }

    #[test]
    fn every_map_keeps_one_value_whatever_the_case_of_its_name() {
        check(HashMap::<String, String>::new());
        check(HashMap::from([("TraceState".to_owned(), "old=1".to_owned())]));
        check(BTreeMap::new());
        check(Map::from_iter([("TRACESTATE".to_owned(), Value::from(7))]));
        check(vec![
            ("tracestate".to_owned(), "old=1".to_owned()),
            ("Tracestate".to_owned(), "old=2".to_owned()),
        ]);
    }

    #[test]
    fn several_values_are_joined_in_order() {
        let list = vec![("Baggage".to_owned(), "a=1".to_owned()), ("baggage".to_owned(), "b=2".to_owned())];
        assert_eq!(Carrier::get(&list, "baggage").as_deref(), Some("a=1,b=2"));
        let many = vec![("baggage".to_owned(), "x".repeat(4 * 1024)); 100];
        let joined = Carrier::get(&many, "baggage").unwrap();
        assert_eq!(joined.len(), JOINED + 3, "what follows is left out");
        let number = Map::from_iter([("baggage".to_owned(), Value::from(7))]);
        assert_eq!(Carrier::get(&number, "baggage"), None);
    }
}
