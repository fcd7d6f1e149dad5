//! OTLP's JSON, as far as it is not `obs_core`'s.

use serde::Serialize;

/// Appends a value as JSON; an error, which appends nothing, is returned in words.
pub(super) fn value<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), String> {
    obs_core::write_json(out, value).map_err(|cause| cause.to_string())
}

/// Appends text in quotes, escaped.
#[inline]
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    // Text always serialises.
    let _ = obs_core::write_json(out, text);
}

/// Appends a number of 64 bits, in quotes as the proto3 form of JSON has it.
pub(super) fn quoted(out: &mut Vec<u8>, number: impl Into<i128>) {
    out.push(b'"');
    let _ = obs_core::write_json(out, &number.into());
    out.push(b'"');
}

/// Appends a small number.
pub(super) fn number(out: &mut Vec<u8>, number: u32) {
    let _ = obs_core::write_json(out, &number);
}

/// Appends a small number with a sign.
pub(super) fn signed(out: &mut Vec<u8>, number: i32) {
    let _ = obs_core::write_json(out, &number);
}

/// Appends a float; one that is not finite is its name in quotes, as the proto3 form of JSON has it.
pub(super) fn float(out: &mut Vec<u8>, number: f64) {
    if number.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else if number.is_infinite() {
        out.extend_from_slice(if number > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    } else {
        let _ = obs_core::write_json(out, &number);
    }
}

/// Appends a comma, the name of a field and a colon; such names need no escapes.
#[inline]
pub(super) fn name(out: &mut Vec<u8>, name: &str) {
    if !matches!(out.last(), Some(b'{')) {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends a field of text, unless it is empty: that is the default, which stays unsaid.
#[inline]
pub(super) fn field(out: &mut Vec<u8>, name: &str, text: &str) {
    if !text.is_empty() {
        self::name(out, name);
        self::text(out, text);
    }
}

/// Appends an id's hex digits in quotes.
#[inline]
pub(super) fn hex(out: &mut Vec<u8>, digits: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(digits);
    out.push(b'"');
}
