//! JSON objects of known names and free ones.

use obs_core::{Attributes, Str, Value};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// An object whose names are there once: what is known wins over what is free.
#[derive(Debug)]
pub(crate) struct Object<'a, M> {
    map: M,
    names: Vec<&'a str>,
}

impl<'a, M: SerializeMap> Object<'a, M> {
    pub(crate) fn new(map: M) -> Self {
        Self { map, names: Vec::with_capacity(32) }
    }

    pub(crate) fn end(self) -> Result<M::Ok, M::Error> {
        self.map.end()
    }

    pub(crate) fn put<T: Serialize + ?Sized>(&mut self, name: &'a str, value: &T) -> Result<(), M::Error> {
        self.names.push(name);
        self.map.serialize_entry(name, value)
    }

    pub(crate) fn some<T: Serialize + ?Sized>(
        &mut self,
        name: &'a str,
        value: Option<&T>,
    ) -> Result<(), M::Error> {
        value.map_or(Ok(()), |value| self.put(name, value))
    }

    pub(crate) fn list<T: Serialize>(&mut self, name: &'a str, values: &[T]) -> Result<(), M::Error> {
        if values.is_empty() { Ok(()) } else { self.put(name, values) }
    }

    pub(crate) fn number(&mut self, name: &'a str, value: Option<f64>) -> Result<(), M::Error> {
        self.some(name, value.filter(|value| value.is_finite()).as_ref())
    }

    /// Free names beside the others; those that are taken, in an object of their own under `taken`.
    pub(crate) fn free(&mut self, taken: &'a str, attributes: &'a Attributes) -> Result<(), M::Error> {
        let mut hidden = Vec::new();
        for (name, value) in attributes.iter() {
            if self.names.contains(&name.as_str()) {
                hidden.push((name, value));
            } else {
                self.put(name.as_str(), value)?;
            }
        }
        if hidden.is_empty() { Ok(()) } else { self.put(taken, &Pairs(hidden)) }
    }
}

struct Pairs<'a>(Vec<(&'a Str, &'a Value)>);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}
