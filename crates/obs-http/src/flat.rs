//! Refusing unknown fields of a struct that flattens another.

use std::fmt;

use obs_core::suggest::nearest;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::HttpConfig;
use crate::given::Given;

/// The fields that hold credentials.
const SEALED: [&str; 4] = ["endpoint", "headers", "auth", "proxy"];

const ADDRESS: &str = "`endpoint`";
const CREDENTIAL: &str = r#"`"auth": {"bearer": "…"}`"#;

/// What other clients call a field, and what to write here.
pub(crate) const RENAMED: &[(&str, &str)] = &[
    ("api_key", CREDENTIAL),
    ("token", CREDENTIAL),
    ("url", ADDRESS),
    ("base_url", ADDRESS),
    ("host", ADDRESS),
];

/// A deserializer of a map that refuses every key but an exporter's own and those of [`HttpConfig`].
///
/// serde's `deny_unknown_fields` does not go together with `flatten`; this stands in for it.
/// It is made by [`HttpConfig::beside`].
pub struct KnownFields<D> {
    inner: D,
    own: &'static [&'static str],
}

impl<D> KnownFields<D> {
    pub(crate) fn new(inner: D, own: &'static [&'static str]) -> Self {
        Self { inner, own }
    }
}

impl<D> fmt::Debug for KnownFields<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownFields").field("own", &self.own).finish_non_exhaustive()
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for KnownFields<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_map(Checked { inner: visitor, own: self.own, sealed: false })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Checked<T> {
    inner: T,
    own: &'static [&'static str],
    /// Whether the value that comes next is one of ours that no error may repeat.
    sealed: bool,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Checked<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Checked { inner: map, own: self.own, sealed: false })
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Checked<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(key) = self.inner.next_key::<String>()? else { return Ok(None) };
        if !self.own.iter().chain(HttpConfig::FIELDS).any(|name| *name == key) {
            return Err(A::Error::custom(unknown(&key, self.own)));
        }
        self.sealed = SEALED.contains(&key.as_str()) && !self.own.contains(&key.as_str());
        seed.deserialize(serde::de::value::StringDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        if self.sealed {
            return seed.deserialize(self.inner.next_value::<Given>()?.into_deserializer());
        }
        self.inner.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// What is said of a field that neither the exporter nor [`HttpConfig`] knows.
fn unknown(key: &str, own: &[&str]) -> String {
    if let Some((_, now)) = RENAMED.iter().find(|(old, _)| *old == key) {
        let owns = RENAMED.iter().find(|(old, same)| same == now && own.contains(old));
        let now = owns.map_or_else(|| (*now).to_owned(), |(name, _)| format!("`{name}`"));
        return format!("unknown field `{key}`: write {now} instead");
    }
    let known = || own.iter().chain(HttpConfig::FIELDS).copied();
    let names = known().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match nearest(key, known()) {
        Some(name) => format!("unknown field `{key}`, did you mean `{name}`? Known: {names}"),
        None => format!("unknown field `{key}`, known: {names}"),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::value::{Error, MapDeserializer, U128Deserializer};

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(remote = "Self", default)]
    struct Flat {
        #[serde(flatten)]
        http: HttpConfig,
    }

    impl<'de> Deserialize<'de> for Flat {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Self::deserialize(HttpConfig::beside(&[], deserializer))
        }
    }

    #[test]
    fn law_6_a_number_wider_than_serde_buffers_is_not_repeated() {
        for field in SEALED {
            let map = [(field, U128Deserializer::<Error>::new(u128::MAX))];
            let said = <Flat as Deserialize>::deserialize(MapDeserializer::new(map.into_iter()))
                .unwrap_err()
                .to_string();
            assert!(said.starts_with(&format!("{field}: it is a number; write ")), "{said}");
        }
    }
}
