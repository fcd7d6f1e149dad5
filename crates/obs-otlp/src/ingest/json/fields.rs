//! Reading the fields of a JSON object into protobuf's types.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde_json::{Map, Value};

/// The fields of an object; an absent one and `null` are the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    snake: bool,
}

type Read<T> = Result<T, String>;

impl<'a> Fields<'a> {
    pub(super) fn of(value: &'a Value) -> Read<Self> {
        match value {
            Value::Object(object) => Ok(Self { object, snake: object.keys().any(|key| key.contains('_')) }),
            other => Err(format!("it must be an object, it is {}", shape(other))),
        }
    }

    /// The field with this name in camel case, or in the protobuf's own spelling.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        let other = || if self.snake { self.object.get(&snake(name)) } else { None };
        let found = self.object.get(name).or_else(other);
        found.filter(|value| !value.is_null())
    }

    fn read<T: Default>(
        &self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
        wanted: &str,
    ) -> Read<T> {
        self.optional(name, read, wanted).map(Option::unwrap_or_default)
    }

    fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
        wanted: &str,
    ) -> Read<Option<T>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(format!("{name} must be {wanted}, it is {}", shape(value))),
        }
    }

    pub(super) fn text(&self, name: &str) -> Read<&'a str> {
        self.read(name, Value::as_str, "text")
    }

    pub(super) fn string(&self, name: &str) -> Read<String> {
        self.text(name).map(str::to_owned)
    }

    pub(super) fn truth(&self, name: &str) -> Read<bool> {
        let read = |value: &Value| value.as_bool().or_else(|| value.as_str()?.parse().ok());
        self.read(name, read, "true or false")
    }

    pub(super) fn u64(&self, name: &str) -> Read<u64> {
        self.read(name, integer, "a whole number, not negative")
    }

    pub(super) fn u32(&self, name: &str) -> Read<u32> {
        self.read(name, integer, "a whole number, not negative")
    }

    pub(super) fn i32(&self, name: &str) -> Read<i32> {
        self.read(name, integer, "a whole number")
    }

    pub(super) fn optional_i64(&self, name: &str) -> Read<Option<i64>> {
        self.optional(name, integer, "a whole number")
    }

    pub(super) fn optional_f64(&self, name: &str) -> Read<Option<f64>> {
        self.optional(name, float, "a number")
    }

    pub(super) fn f64(&self, name: &str) -> Read<f64> {
        self.read(name, float, "a number")
    }

    /// An id of so many bytes, in hex or base64.
    pub(super) fn id(&self, name: &str, bytes: usize) -> Read<Vec<u8>> {
        let text = self.text(name)?;
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let decoded =
            if text.len() == bytes * 2 { hex(text) } else { base64(text).filter(|id| id.len() == bytes) };
        decoded.ok_or_else(|| format!("{name} must be {} hex digits, it is {text:?}", bytes * 2))
    }

    /// An enum's number, given as such or by its name; names differ in an optional prefix.
    pub(super) fn name_of(&self, name: &str, prefix: &str, names: &[&str]) -> Read<i32> {
        let read = |value: &Value| {
            let by_name = |text: &str| {
                let short = text.strip_prefix(prefix).unwrap_or(text);
                names.iter().position(|known| known.eq_ignore_ascii_case(short)).map(|at| at as i32)
            };
            integer(value).or_else(|| value.as_str().and_then(by_name))
        };
        self.read(name, read, "one of OTLP's numbers or names for it")
    }

    /// A list of messages, each read with its place.
    pub(super) fn list<T>(&self, name: &str, read: impl Fn(&'a Value) -> Read<T>) -> Read<Vec<T>> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let Value::Array(elements) = value else {
            return Err(format!("{name} must be a list, it is {}", shape(value)));
        };
        let element = |(at, element)| read(element).map_err(|why| format!("{name}[{at}].{why}"));
        elements.iter().enumerate().map(element).collect()
    }

    /// A list of whole numbers.
    pub(super) fn u64s(&self, name: &str) -> Read<Vec<u64>> {
        self.list(name, |value| integer(value).ok_or_else(|| "must be a whole number, not negative".into()))
    }

    /// A list of numbers.
    pub(super) fn f64s(&self, name: &str) -> Read<Vec<f64>> {
        self.list(name, |value| float(value).ok_or_else(|| "must be a number".into()))
    }

    /// A message within.
    pub(super) fn message<T>(&self, name: &str, read: impl FnOnce(Fields<'a>) -> Read<T>) -> Read<Option<T>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        Fields::of(value).and_then(read).map(Some).map_err(|why| format!("{name}.{why}"))
    }

    pub(super) fn attributes(&self, name: &str) -> Read<Vec<KeyValue>> {
        self.list(name, pair)
    }

    pub(super) fn value(&self, name: &str) -> Read<Option<AnyValue>> {
        self.get(name).map(any).transpose().map_err(|why| format!("{name}.{why}"))
    }

    pub(super) fn resource(&self, name: &str) -> Read<Option<Resource>> {
        self.message(name, |fields| {
            Ok(Resource {
                attributes: fields.attributes("attributes")?,
                dropped_attributes_count: fields.u32("droppedAttributesCount")?,
                ..Resource::default()
            })
        })
    }

    pub(super) fn scope(&self, name: &str) -> Read<Option<InstrumentationScope>> {
        self.message(name, |fields| {
            Ok(InstrumentationScope {
                name: fields.string("name")?,
                version: fields.string("version")?,
                attributes: fields.attributes("attributes")?,
                dropped_attributes_count: fields.u32("droppedAttributesCount")?,
            })
        })
    }
}

fn pair(value: &Value) -> Read<KeyValue> {
    let fields = Fields::of(value)?;
    Ok(KeyValue { key: fields.string("key")?, value: fields.value("value")?, ..KeyValue::default() })
}

/// A value in OTLP's form, one field that names the type; `serde_json` bounds the depth.
fn any(value: &Value) -> Read<AnyValue> {
    let fields = Fields::of(value)?;
    let bytes = |text: &str| base64(text).map(any_value::Value::BytesValue);
    let value = if let Some(text) = fields.optional("stringValue", Value::as_str, "text")? {
        Some(any_value::Value::StringValue(text.to_owned()))
    } else if fields.get("boolValue").is_some() {
        Some(any_value::Value::BoolValue(fields.truth("boolValue")?))
    } else if let Some(number) = fields.optional_i64("intValue")? {
        Some(any_value::Value::IntValue(number))
    } else if let Some(number) = fields.optional_f64("doubleValue")? {
        Some(any_value::Value::DoubleValue(number))
    } else if let Some(list) = fields.message("arrayValue", |list| list.list("values", any))? {
        Some(any_value::Value::ArrayValue(ArrayValue { values: list }))
    } else if let Some(list) = fields.message("kvlistValue", |list| list.attributes("values"))? {
        Some(any_value::Value::KvlistValue(KeyValueList { values: list }))
    } else {
        fields.optional("bytesValue", |value| bytes(value.as_str()?), "base64")?
    };
    Ok(AnyValue { value })
}

/// A whole number, as a number or as text; a float only if it is whole.
fn integer<T: TryFrom<i128>>(value: &Value) -> Option<T> {
    let number = match value {
        Value::Number(number) => {
            number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)).or_else(|| {
                number.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i128)
            })?
        }
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.try_into().ok()
}

/// A number, as a number or as text, which alone can say `NaN` and `Infinity`.
fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    Some(digits?.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect())
}

fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
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

/// A value for an error message: what it is, and the start of it if it is short.
fn shape(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) if text.chars().count() > 40 => {
            format!("{:?}…", text.chars().take(40).collect::<String>())
        }
        value => value.to_string(),
    }
}
