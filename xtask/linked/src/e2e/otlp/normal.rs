//! One form of what the test agent gives back: requests in JSON come back as they were sent, and those in protobuf with
//! other names, ids in base64 and enums by their names.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

/// The names of enums' values that protobuf's own JSON writes, and the numbers that they stand for.
const ENUMS: [(&str, &[&str]); 4] = [
    ("SPAN_KIND_", &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]),
    ("STATUS_CODE_", &["UNSET", "OK", "ERROR"]),
    ("AGGREGATION_TEMPORALITY_", &["UNSPECIFIED", "DELTA", "CUMULATIVE"]),
    (
        "SEVERITY_NUMBER_",
        &[
            "UNSPECIFIED",
            "TRACE",
            "TRACE2",
            "TRACE3",
            "TRACE4",
            "DEBUG",
            "DEBUG2",
            "DEBUG3",
            "DEBUG4",
            "INFO",
            "INFO2",
            "INFO3",
            "INFO4",
            "WARN",
            "WARN2",
            "WARN3",
            "WARN4",
            "ERROR",
            "ERROR2",
            "ERROR3",
            "ERROR4",
            "FATAL",
            "FATAL2",
            "FATAL3",
            "FATAL4",
        ],
    ),
];

/// The request with names in snake case, ids in small hex, and every number a number.
///
/// A float that is none of JSON's numbers is an object that names it, so that it is not taken for text.
pub(super) fn normal(value: Value) -> Value {
    walk("", value)
}

fn walk(name: &str, value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let name = snake(&name);
                let value = walk(&name, value);
                (name, value)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(|value| walk(name, value)).collect()),
        scalar => self::scalar(name, scalar),
    }
}

fn scalar(name: &str, value: Value) -> Value {
    match name {
        "trace_id" | "span_id" | "parent_span_id" => id(value),
        "double_value" | "as_double" | "sum" | "min" | "max" | "explicit_bounds" | "zero_threshold" => {
            float(value)
        }
        "kind" | "code" | "severity_number" | "aggregation_temporality" => by_number(value),
        "int_value" | "as_int" | "count" | "zero_count" | "bucket_counts" => integer(value),
        _ if name.ends_with("_unix_nano") => integer(value),
        _ => value,
    }
}

fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// Ids of OTLP have 16 or 32 digits in hex, and 12 or 24 in base64.
fn id(value: Value) -> Value {
    let Some(text) = value.as_str() else { return value };
    let hex = match text.len() {
        12 | 24 => base64(text).map(|bytes| hex(&bytes)),
        _ => Some(text.to_ascii_lowercase()),
    };
    hex.map_or(value, Value::String)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The bytes of a text in base64, if it is that.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut held, mut bits) = (0_u32, 0);
    for digit in digits.bytes() {
        let digit = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

fn float(value: Value) -> Value {
    let known = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    known.map_or(value, of_float)
}

/// A float as this form has it.
pub(super) fn of_float(float: f64) -> Value {
    let name = if float.is_nan() {
        "NaN"
    } else if float > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    };
    Number::from_f64(float).map_or_else(|| serde_json::json!({ "float": name }), Value::Number)
}

fn integer(value: Value) -> Value {
    let Some(text) = value.as_str() else { return value };
    let number = text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from));
    number.map_or(value, Value::Number)
}

fn by_number(value: Value) -> Value {
    let Some(text) = value.as_str() else { return value };
    let number = ENUMS.iter().find_map(|(prefix, names)| {
        let name = text.strip_prefix(prefix)?;
        names.iter().position(|known| *known == name)
    });
    number.map_or(value, Value::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_come_to_the_same() {
        let sent = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [{
            "traceId": "0AF7651916CD43DD8448EB211C80319C", "spanId": "00f067aa0ba902b7",
            "kind": 3, "startTimeUnixNano": "1768471200000000001", "status": { "code": 2 },
            "attributes": [{ "key": "intValue", "value": { "intValue": "-7" } },
                { "key": "f", "value": { "doubleValue": 1 } }, { "key": "n", "value": { "doubleValue": "NaN" } }],
        }] }] }] });
        let decoded = json!({ "resource_spans": [{ "scope_spans": [{ "spans": [{
            "trace_id": "CvdlGRbNQ92ESOshHIAxnA==", "span_id": "APBnqgupArc=",
            "kind": "SPAN_KIND_CLIENT", "start_time_unix_nano": "1768471200000000001",
            "status": { "code": "STATUS_CODE_ERROR" },
            "attributes": [{ "key": "intValue", "value": { "int_value": "-7" } },
                { "key": "f", "value": { "double_value": 1.0 } }, { "key": "n", "value": { "double_value": "NaN" } }],
        }] }] }] });
        let one = normal(sent);
        assert_eq!(one, normal(decoded));
        let span = &one["resource_spans"][0]["scope_spans"][0]["spans"][0];
        assert_eq!(span["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(
            (&span["start_time_unix_nano"], &span["kind"]),
            (&json!(1_768_471_200_000_000_001_u64), &json!(3))
        );
        assert_eq!(span["attributes"][2]["value"]["double_value"], json!({ "float": "NaN" }));
    }

    #[test]
    fn points_and_logs_come_to_numbers() {
        let read = normal(
            json!({ "histogram": { "aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA", "dataPoints":
            [{ "count": "6", "sum": 4, "bucketCounts": ["1", "5"], "explicitBounds": [1], "asInt": "-3" }] },
            "severity_number": "SEVERITY_NUMBER_WARN2" }),
        );
        assert_eq!(
            read,
            json!({ "histogram": { "aggregation_temporality": 1, "data_points":
            [{ "count": 6, "sum": 4.0, "bucket_counts": [1, 5], "explicit_bounds": [1.0], "as_int": -3 }] },
            "severity_number": 14 })
        );
    }

    #[test]
    fn what_is_not_understood_stays_and_so_differs() {
        let odd = json!({ "trace_id": "!!!!!!!!!!!=", "kind": "SPAN_KIND_ODD", "int_value": "x", "double_value": "y" });
        assert_eq!(normal(odd.clone()), odd);
    }
}
