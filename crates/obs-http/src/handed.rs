//! Handing on what stands in a field of credentials, so that serde's own buffer sees no value it could quote.

use std::marker::PhantomData;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::given::Given;

/// A deserializer of texts and maps as they are, and of everything else as something of its kind.
pub(crate) struct Handed<E> {
    given: Given,
    error: PhantomData<E>,
}

impl<E: Error> IntoDeserializer<'_, E> for Given {
    type Deserializer = Handed<E>;

    fn into_deserializer(self) -> Handed<E> {
        Handed { given: self, error: PhantomData }
    }
}

impl<'de, E: Error> Deserializer<'de> for Handed<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.given {
            Given::Text(text) => visitor.visit_str(text.expose()),
            Given::Map(entries) => visitor.visit_map(MapDeserializer::new(entries.into_iter())),
            Given::Number => visitor.visit_u64(0),
            Given::Switch => visitor.visit_bool(false),
            Given::List => visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<Given>())),
            Given::Bytes => visitor.visit_bytes(&[]),
            Given::Empty => visitor.visit_unit(),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
