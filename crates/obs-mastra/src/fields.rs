//! Writes an object of which most fields may be absent.

use serde::Serialize;
use serde::ser::SerializeMap;

/// An object under way: what is absent is left out, as JavaScript leaves out what is `undefined`.
pub(crate) struct Fields<M>(M);

impl<M: SerializeMap> Fields<M> {
    pub(crate) fn new(map: M) -> Self {
        Self(map)
    }

    pub(crate) fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), M::Error> {
        self.0.serialize_entry(name, value)
    }

    pub(crate) fn some<T: Serialize>(&mut self, name: &str, value: Option<T>) -> Result<(), M::Error> {
        value.map_or(Ok(()), |value| self.put(name, &value))
    }

    pub(crate) fn list<T: Serialize>(&mut self, name: &str, values: &[T]) -> Result<(), M::Error> {
        if values.is_empty() { Ok(()) } else { self.put(name, values) }
    }

    pub(crate) fn end(self) -> Result<M::Ok, M::Error> {
        self.0.end()
    }
}
