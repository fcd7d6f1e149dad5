//! Reading the fields that hold credentials: whatever stands there, no error repeats it.

use std::collections::BTreeMap;
use std::fmt;

use obs_core::Secret;
use serde::de::{Deserialize, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};

/// What stands in such a field: texts, and of everything else only that it is there.
///
/// serde's own errors quote what they find, so that these fields are read in two steps: first anything, which fails
/// for nothing, then the form that is meant, where nothing of serde's is left to speak.
#[derive(Debug)]
pub(crate) enum Given {
    Text(Secret),
    /// Names stand as values do, as a user may have put a key there.
    Map(Vec<(Given, Given)>),
    Number,
    Switch,
    List,
    Bytes,
    Empty,
}

impl Given {
    /// What it is, for an error.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Map(_) => "a map",
            Self::Number => "a number",
            Self::Switch => "true or false",
            Self::List => "a list",
            Self::Bytes => "no text but bytes",
            Self::Empty => "empty",
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.expose()),
            _ => None,
        }
    }

    /// The text, or what stands there instead.
    pub(crate) fn into_text(self) -> Result<Secret, &'static str> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(other.kind()),
        }
    }
}

/// The error of a field: its name, what is wrong, and the form that is meant.
pub(crate) fn refuse<E: Error>(field: &str, cause: impl fmt::Display, form: &str) -> E {
    E::custom(format_args!("{field}: {cause}; write {form}"))
}

pub(crate) fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = Given::deserialize(deserializer)?.into_text();
    text.map(|text| text.expose().to_owned())
        .map_err(|kind| refuse("endpoint", format!("it is {kind}"), r#""https://HOST""#))
}

pub(crate) fn proxy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    match Given::deserialize(deserializer)? {
        Given::Empty => Ok(None),
        given => given
            .into_text()
            .map(Some)
            .map_err(|kind| refuse("proxy", format!("it is {kind}"), r#""http://HOST:PORT" or "none""#)),
    }
}

pub(crate) fn headers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Secret>, D::Error> {
    let wrong = |cause| refuse("headers", cause, r#"{"NAME": "VALUE"}, each value a text"#);
    match Given::deserialize(deserializer)? {
        Given::Map(entries) => entries
            .into_iter()
            .map(|(name, value)| {
                let name = name.into_text().map_err(|kind| wrong(format!("a name is {kind}")))?;
                let value = value.into_text().map_err(|kind| wrong(format!("a value is {kind}")))?;
                Ok((name.expose().to_owned(), value))
            })
            .collect(),
        other => Err(wrong(format!("it is {}", other.kind()))),
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

/// Takes everything: what a visitor does not take, serde quotes.
impl<'de> Visitor<'de> for Anything {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Given, E> {
        Ok(Given::Switch)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Given, E> {
        Ok(Given::Number)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Given, E> {
        Ok(Given::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Given, E> {
        Ok(Given::Number)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Given, E> {
        Ok(Given::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Given, E> {
        Ok(Given::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Given, E> {
        Ok(Given::Text(Secret::new(text)))
    }

    fn visit_string<E>(self, text: String) -> Result<Given, E> {
        Ok(Given::Text(Secret::new(text)))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Given, E> {
        Ok(Given::Bytes)
    }

    fn visit_none<E>(self) -> Result<Given, E> {
        Ok(Given::Empty)
    }

    fn visit_unit<E>(self) -> Result<Given, E> {
        Ok(Given::Empty)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Given, D::Error> {
        Given::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Given, D::Error> {
        Given::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Given, A::Error> {
        while list.next_element::<Given>()?.is_some() {}
        Ok(Given::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Given::Map(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<Given, A::Error> {
        let (name, value) = variant.variant()?;
        Ok(Given::Map(vec![(name, value.newtype_variant()?)]))
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::{BytesDeserializer, Error, I128Deserializer, U128Deserializer};

    use super::*;

    #[test]
    fn law_6_what_other_formats_have_is_taken_too() {
        let numbers: [Result<String, Error>; 2] = [
            endpoint(U128Deserializer::<Error>::new(u128::MAX)),
            endpoint(I128Deserializer::<Error>::new(i128::MIN)),
        ];
        for said in numbers {
            assert_eq!(said.unwrap_err().to_string(), r#"endpoint: it is a number; write "https://HOST""#);
        }
        let said = proxy(BytesDeserializer::<Error>::new(b"hunter2")).unwrap_err().to_string();
        assert!(said.starts_with("proxy: it is no text but bytes; write "), "{said}");
        let map = BTreeMap::from([(7_u64, "hunter2")]);
        let said = headers(IntoDeserializer::<Error>::into_deserializer(map)).unwrap_err().to_string();
        assert!(said.starts_with("headers: a name is a number; write "), "{said}");
    }
}
