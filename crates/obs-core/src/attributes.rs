//! Free key and value pairs.

use std::fmt;

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Str;
use crate::json::float;

/// The value of an attribute, as OpenTelemetry has them.
///
/// In canonical JSON a non-finite number is its name as a string, and reads back as that string.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer; a larger unsigned one is kept as the nearest float.
    I64(i64),
    /// A float.
    F64(f64),
    /// Text.
    Str(Str),
    /// Values in order.
    List(Vec<Value>),
    /// Named values.
    Map(Attributes),
}

impl Value {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number as a float, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::I64(value) => Some(*value as f64),
            Self::F64(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::I64(value) => Some(*value),
            _ => None,
        }
    }
}

macro_rules! value_from {
    ($($from:ty => |$v:ident| $to:expr),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from($v: $from) -> Self {
                $to
            }
        })*
    };
}

value_from! {
    bool => |v| Self::Bool(v),
    i32 => |v| Self::I64(v.into()),
    u32 => |v| Self::I64(v.into()),
    i64 => |v| Self::I64(v),
    u64 => |v| i64::try_from(v).map_or(Self::F64(v as f64), Self::I64),
    usize => |v| Self::from(v as u64),
    f32 => |v| Self::F64(v.into()),
    f64 => |v| Self::F64(v),
    &'static str => |v| Self::Str(v.into()),
    String => |v| Self::Str(v.into()),
    Str => |v| Self::Str(v),
    Vec<Value> => |v| Self::List(v),
    Attributes => |v| Self::Map(v),
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(value) => match value.as_i64() {
                Some(value) => Self::I64(value),
                None => Self::F64(value.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(value) => Self::Str(value.into()),
            serde_json::Value::Array(values) => Self::List(values.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(values) => Self::Map(
                values.into_iter().map(|(key, value)| (Str::from(key), Self::from(value))).collect(),
            ),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::I64(value) => serializer.serialize_i64(*value),
            Self::F64(value) => float::serialize(value, serializer),
            Self::Str(text) => serializer.serialize_str(text),
            Self::List(values) => values.serialize(serializer),
            Self::Map(values) => values.serialize(serializer),
        }
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::I64(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::F64(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Str(Str::copied(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Attributes::new();
        while let Some((key, value)) = map.next_entry::<Str, Value>()? {
            values.push(key, value);
        }
        Ok(Value::Map(values))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

/// Key and value pairs in the order they were added; an object in JSON.
///
/// A list rather than a map: there are few, and appending must be cheap.
/// [`Attributes::insert`] keeps keys unique; [`Attributes::push`] trusts its caller.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attributes(Vec<(Str, Value)>);

impl Attributes {
    /// No attributes, no allocation.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends a pair whose key is known to be new.
    #[inline]
    pub fn push(&mut self, key: impl Into<Str>, value: impl Into<Value>) {
        self.0.push((key.into(), value.into()));
    }

    /// Sets the value of a key, replacing one that is there.
    pub fn insert(&mut self, key: impl Into<Str>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known.as_str() == key).map(|(_, value)| value)
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known.as_str() == key)?;
        Some(self.0.remove(at).1)
    }

    /// Keeps the first so many.
    pub fn truncate(&mut self, most: usize) {
        self.0.truncate(most);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Str, &Value)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The pairs in order, to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&mut Str, &mut Value)> {
        self.0.iter_mut().map(|(key, value)| (key, value))
    }
}

impl<K: Into<Str>, V: Into<Value>> FromIterator<(K, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl IntoIterator for Attributes {
    type Item = (Str, Value);
    type IntoIter = std::vec::IntoIter<(Str, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Attributes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of attributes")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Attributes, A::Error> {
                match AnyValue.visit_map(map)? {
                    Value::Map(values) => Ok(values),
                    _ => Ok(Attributes::new()),
                }
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insert_replaces_and_keeps_the_order() {
        let mut attributes = Attributes::new();
        attributes.insert("a", 1);
        attributes.insert("b", "two");
        attributes.insert("a", 3.5);
        assert_eq!(serde_json::to_string(&attributes).unwrap(), r#"{"a":3.5,"b":"two"}"#);
        assert_eq!(attributes.get("b").and_then(Value::as_str), Some("two"));
        assert_eq!(attributes.remove("a"), Some(Value::F64(3.5)));
        assert_eq!(attributes.len(), 1);
        attributes.insert("c", 3);
        attributes.truncate(1);
        assert_eq!(serde_json::to_string(&attributes).unwrap(), r#"{"b":"two"}"#);
    }
}
