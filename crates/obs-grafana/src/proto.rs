//! Protobuf, as far as remote write needs it.

/// Appends a variable-length integer.
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn key(out: &mut Vec<u8>, field: u32, wire: u64) {
    varint(out, u64::from(field) << 3 | wire);
}

/// An integer; zero is the default and left out.
pub(crate) fn uint(out: &mut Vec<u8>, field: u32, value: u64) {
    if value != 0 {
        always_uint(out, field, value);
    }
}

/// An integer that is written even where it is zero, since which field stands there says something.
pub(crate) fn always_uint(out: &mut Vec<u8>, field: u32, value: u64) {
    key(out, field, 0);
    varint(out, value);
}

/// An integer with a sign, as `int64` has it.
pub(crate) fn int(out: &mut Vec<u8>, field: u32, value: i64) {
    uint(out, field, value as u64);
}

/// An integer with a sign, as `sint32` and `sint64` have it.
pub(crate) fn sint(out: &mut Vec<u8>, field: u32, value: i64) {
    uint(out, field, zigzag(value));
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// A number; positive zero is the default and left out.
pub(crate) fn double(out: &mut Vec<u8>, field: u32, value: f64) {
    if value.to_bits() != 0 {
        key(out, field, 1);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// A text; an empty one is the default and left out.
pub(crate) fn string(out: &mut Vec<u8>, field: u32, value: &str) {
    if !value.is_empty() {
        bytes(out, field, value.as_bytes());
    }
}

/// Bytes with their length, as texts and messages have it.
pub(crate) fn bytes(out: &mut Vec<u8>, field: u32, value: &[u8]) {
    key(out, field, 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// A message within one.
pub(crate) fn message(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = Vec::new();
    write(&mut inner);
    bytes(out, field, &inner);
}

/// Integers with signs, one behind the other.
pub(crate) fn packed_sints(out: &mut Vec<u8>, field: u32, values: &[i64]) {
    if !values.is_empty() {
        message(out, field, |inner| values.iter().for_each(|value| varint(inner, zigzag(*value))));
    }
}
