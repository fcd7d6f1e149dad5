//! Attributes while they are being sorted into fields.

use std::collections::{HashMap, HashSet};

use obs_core::{Attributes, Str, Value};
use opentelemetry_proto::tonic::common::v1::KeyValue;

use super::{MAX_ATTRIBUTES, value};

/// Pairs with unique keys, in order; of a key given twice the first counts.
pub(super) fn pairs(attributes: &[KeyValue]) -> Result<Vec<(Str, Value)>, String> {
    if attributes.len() > MAX_ATTRIBUTES {
        return Err(format!("it has {} attributes, at most {MAX_ATTRIBUTES} are read", attributes.len()));
    }
    let mut seen = HashSet::with_capacity(attributes.len());
    attributes
        .iter()
        .filter(|pair| seen.insert(pair.key.as_str()))
        .map(|pair| {
            let value = value::value(pair.value.as_ref()).map_err(|why| format!("{}: {why}", pair.key))?;
            Ok((Str::copied(&pair.key), value))
        })
        .collect()
}

/// [`pairs`] as attributes.
pub(super) fn attributes(attributes: &[KeyValue]) -> Result<Attributes, String> {
    Ok(pairs(attributes)?.into_iter().collect())
}

/// Pairs that come from several places and may collide.
#[derive(Debug, Default)]
pub(super) struct Unique {
    pairs: Vec<(Str, Value)>,
    at: HashMap<Str, usize>,
}

impl Unique {
    /// Adds a pair; gives the value back if the key has another one already.
    pub(super) fn add(&mut self, key: Str, value: Value) -> Option<Value> {
        if let Some(at) = self.at.get(&key) {
            return (self.pairs[*at].1 != value).then_some(value);
        }
        self.at.insert(key.clone(), self.pairs.len());
        self.pairs.push((key, value));
        None
    }

    /// Adds every pair of a map, or none: `false` if any would collide.
    pub(super) fn add_all(&mut self, map: Attributes) -> bool {
        let fits =
            map.iter().all(|(key, value)| self.at.get(key).is_none_or(|at| self.pairs[*at].1 == *value));
        if fits {
            for (key, value) in map {
                self.add(key, value);
            }
        }
        fits
    }

    /// The pairs as attributes.
    pub(super) fn finish(self) -> Attributes {
        self.pairs.into_iter().collect()
    }
}

/// Fills a field, or gives the value back if it holds another already.
pub(super) fn once<T: PartialEq>(slot: &mut Option<T>, new: Option<T>, value: Value) -> Option<Value> {
    match (slot.as_ref(), new) {
        (_, None) => Some(value),
        (Some(old), Some(new)) => (*old != new).then_some(value),
        (None, Some(new)) => {
            *slot = Some(new);
            None
        }
    }
}
