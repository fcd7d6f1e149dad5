//! Writes exactly what `serde_json` writes, about twice as fast.
//!
//! Records are mostly text, and most text needs no escapes, so it is looked through eight bytes at a time and copied at
//! once. A property test holds the output to that of `serde_json`, byte for byte.

use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Serialize, Serializer};
use serde_json::Error;

/// The name under which `serde_json` hands over text that is JSON already.
pub(super) const RAW: &str = "$serde_json::private::RawValue";

/// Appends the value as JSON; on an error something of it may have been appended.
pub(super) fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    value.serialize(&mut Compact { out, raw: false })
}

#[derive(Debug)]
struct Compact<'a> {
    out: &'a mut Vec<u8>,
    /// Whether the next text is JSON already.
    raw: bool,
}

/// An array or object that is being written.
#[derive(Debug)]
struct Open<'s, 'a> {
    to: &'s mut Compact<'a>,
    first: bool,
    end: &'static [u8],
}

impl<'a> Compact<'a> {
    fn open<'s>(&'s mut self, begin: u8, end: &'static [u8]) -> Open<'s, 'a> {
        self.out.push(begin);
        Open { to: self, first: true, end }
    }

    fn variant(&mut self, name: &str) {
        self.out.push(b'{');
        push_name(self.out, name);
    }

    /// Other numbers are written by `serde_json`.
    fn number<T: Serialize>(&mut self, number: T) -> Result<(), Error> {
        serde_json::to_writer(&mut *self.out, &number)
    }
}

impl Open<'_, '_> {
    fn separate(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.to.out.push(b',');
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.separate();
        value.serialize(&mut *self.to)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        if self.to.raw {
            return value.serialize(&mut *self.to);
        }
        self.separate();
        push_name(self.to.out, name);
        value.serialize(&mut *self.to)
    }

    fn close(self) {
        self.to.raw = false;
        self.to.out.extend_from_slice(self.end);
    }
}

/// The name of a field or variant and a colon; such names need no escapes.
fn push_name(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends a text in quotes.
pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let clean = clean_len(bytes);
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    out.extend_from_slice(&bytes[..clean]);
    if clean < bytes.len() {
        push_escaped(out, &bytes[clean..]);
    }
    out.push(b'"');
}

/// What is left of a text from its first byte that needs an escape.
fn push_escaped(out: &mut Vec<u8>, mut rest: &[u8]) {
    while let Some((byte, behind)) = rest.split_first() {
        push_escape(out, *byte);
        let (copied, from_escape) = behind.split_at(clean_len(behind));
        out.extend_from_slice(copied);
        rest = from_escape;
    }
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
            out.extend_from_slice(b"\\u00");
            return out.extend_from_slice(&digits);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// How many bytes from the front need no escape.
fn clean_len(bytes: &[u8]) -> usize {
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or_default());
    let mut at = 0;
    for block in bytes.chunks_exact(32) {
        // Without a branch in it, the compiler makes vector instructions of this.
        let any = block.iter().fold(0, |any, byte| any | u8::from(needs_escape(*byte)));
        if any != 0 {
            break;
        }
        at += 32;
    }
    for bytes in bytes[at..].chunks_exact(8) {
        let marks = marks(word(bytes));
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    if at == bytes.len() {
        return at;
    }
    let Some(last) = bytes.len().checked_sub(8) else {
        return bytes.iter().position(|byte| needs_escape(*byte)).unwrap_or(bytes.len());
    };
    // The last word overlaps what is known to be clean.
    match marks(word(&bytes[last..])) {
        0 => bytes.len(),
        marks => last + marks.trailing_zeros() as usize / 8,
    }
}

#[expect(clippy::needless_bitwise_bool, reason = "without branches it becomes vector instructions")]
fn needs_escape(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// The high bit of the first byte of the word that is a control character, a quote or a backslash.
///
/// Bits of later bytes may be set by a borrow; only the lowest counts.
fn marks(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = EACH * 0x80;
    let below = |word: u64, bound: u64| word.wrapping_sub(EACH * bound) & !word & HIGH;
    let (quote, backslash) = (word ^ (EACH * 0x22), word ^ (EACH * 0x5c));
    below(word, 0x20) | below(quote, 1) | below(backslash, 1)
}

macro_rules! numbers {
    ($($method:ident: $number:ty,)*) => {
        $(fn $method(self, value: $number) -> Result<(), Error> {
            self.number(value)
        })*
    };
}

impl<'s, 'a> Serializer for &'s mut Compact<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Open<'s, 'a>;
    type SerializeTuple = Open<'s, 'a>;
    type SerializeTupleStruct = Open<'s, 'a>;
    type SerializeTupleVariant = Open<'s, 'a>;
    type SerializeMap = Open<'s, 'a>;
    type SerializeStruct = Open<'s, 'a>;
    type SerializeStructVariant = Open<'s, 'a>;

    numbers! {
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        Ok(())
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        if self.raw {
            self.out.extend_from_slice(text.as_bytes());
        } else {
            push_text(self.out, text);
        }
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        self.collect_seq(bytes)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant);
        value.serialize(&mut *self)?;
        self.out.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'s, 'a>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'s, 'a>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Open<'s, 'a>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Open<'s, 'a>, Error> {
        self.variant(variant);
        Ok(self.open(b'[', b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'s, 'a>, Error> {
        Ok(self.open(b'{', b"}"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Open<'s, 'a>, Error> {
        if name == RAW {
            self.raw = true;
            return Ok(Open { to: self, first: true, end: b"" });
        }
        Ok(self.open(b'{', b"}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Open<'s, 'a>, Error> {
        self.variant(variant);
        Ok(self.open(b'{', b"}}"))
    }
}

macro_rules! elements {
    ($($part:ident: $method:ident,)*) => {
        $(impl $part for Open<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        })*
    };
}

elements! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

macro_rules! fields {
    ($($part:ident,)*) => {
        $(impl $part for Open<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        })*
    };
}

fields! { SerializeStruct, SerializeStructVariant, }

impl SerializeMap for Open<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.separate();
        let start = self.to.out.len();
        key.serialize(&mut *self.to)?;
        if self.to.out.get(start) != Some(&b'"') {
            return Err(Error::custom("the key of an object is no text"));
        }
        self.to.out.push(b':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut *self.to)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    #[track_caller]
    fn same<T: Serialize + ?Sized>(value: &T) {
        let mut out = Vec::new();
        write(&mut out, value).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(value).unwrap());
    }

    #[derive(Serialize)]
    enum Every {
        Unit,
        New(u8),
        Tuple(i8, f32),
        Struct { a: Option<char>, b: () },
    }

    #[derive(Serialize)]
    struct Nested<'a> {
        raw: &'a RawValue,
        bytes: &'a [u8],
        pair: (bool, i128),
        every: Vec<Every>,
        map: BTreeMap<String, u64>,
    }

    #[test]
    fn every_shape_is_written_as_serde_json_writes_it() {
        let raw = RawValue::from_string("{\"a\": [1.0,\"\\u0000\"]}".into()).unwrap();
        let every =
            || vec![Every::Unit, Every::New(7), Every::Tuple(-1, 0.5), Every::Struct { a: Some('"'), b: () }];
        let map = BTreeMap::from([("k\"".to_owned(), u64::MAX)]);
        same(&Nested { raw: &raw, bytes: &[1, 2], pair: (true, i128::MIN), every: every(), map });
        same(&[f64::MAX, f64::NAN, -0.0, 1e-7, 5e20]);
        same("");
        let key = BTreeMap::from([(1, 2)]);
        assert!(write(&mut Vec::new(), &key).unwrap_err().to_string().contains("no text"));
    }

    #[test]
    fn every_byte_at_every_place_is_escaped_as_serde_json_does() {
        for byte in 0..=0x7f_u8 {
            for before in (0..17).chain(40..44) {
                let text = format!(
                    "{}{}{}",
                    "é".repeat(before / 2) + &"x".repeat(before % 2),
                    char::from(byte),
                    "y\u{80}zzz"
                );
                same(&text);
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_written_as_serde_json_writes_it(text in "(?s).{0,90}", control in "[\\x00-\\x22\\\\a-c]{0,40}") {
            same(&text);
            same(&control);
        }
    }
}
