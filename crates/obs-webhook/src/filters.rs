//! The filters that templates have, each bounded in what it makes.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, Write};

use minijinja::value::{Kwargs, Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, filters, tests};
use obs_core::Timestamp;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

thread_local! {
    /// How many bytes the rendering under way may still make; rendering is done on one thread without a break.
    static ROOM: Cell<usize> = const { Cell::new(0) };
}

/// Begins a rendering that may make so many bytes.
pub(crate) fn begin(room: usize) {
    ROOM.set(room);
}

/// Whether the rendering that ended has used its room up.
pub(crate) fn is_used_up() -> bool {
    ROOM.get() == 0
}

/// Takes room for so many bytes.
fn take(bytes: usize) -> Result<(), Error> {
    match ROOM.get().checked_sub(bytes) {
        Some(left) if left > 0 => {
            ROOM.set(left);
            Ok(())
        }
        _ => {
            ROOM.set(0);
            Err(Error::new(ErrorKind::InvalidOperation, "it makes more than `max_output`"))
        }
    }
}

/// A writer that takes room for what it writes.
pub(crate) struct Bounded<W>(pub(crate) W);

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        take(bytes.len()).map_err(io::Error::other)?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A value as JSON, in which nothing is a text that was not one, but numbers that JSON has not: they are named.
pub(crate) fn json(value: &Value) -> Result<String, Error> {
    is_defined(value)?;
    let mut bytes = Vec::new();
    serde_json::to_writer(Bounded(&mut bytes), &Json(value)).map_err(|cause| {
        Error::new(ErrorKind::BadSerialization, format!("it cannot be written as JSON: {cause}"))
    })?;
    String::from_utf8(bytes).map_err(|_| Error::from(ErrorKind::BadSerialization))
}

/// Names what is infinite or no number as the canonical JSON does, where a writer of JSON would write `null`.
struct Json<'a>(&'a Value);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let refuse = serde::ser::Error::custom::<Error>;
        match self.0.kind() {
            ValueKind::Number => match f64::try_from(self.0.clone()) {
                Ok(number) if number.is_nan() => to.serialize_str("NaN"),
                Ok(number) if number.is_infinite() => {
                    to.serialize_str(if number > 0.0 { "Infinity" } else { "-Infinity" })
                }
                _ => self.0.serialize(to),
            },
            ValueKind::Seq | ValueKind::Iterable => {
                let mut list = to.serialize_seq(self.0.len())?;
                for part in self.0.try_iter().map_err(refuse)? {
                    list.serialize_element(&Json(&part))?;
                }
                list.end()
            }
            ValueKind::Map => {
                let mut map = to.serialize_map(self.0.len())?;
                for name in self.0.try_iter().map_err(refuse)? {
                    map.serialize_entry(&name, &Json(&self.0.get_item(&name).map_err(refuse)?))?;
                }
                map.end()
            }
            _ => self.0.serialize(to),
        }
    }
}

/// Refuses what is undefined, also within lists and maps, where minijinja writes `null` for it.
fn is_defined(value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.try_for_each(|part| is_defined(&part)),
        ValueKind::Map => {
            value.try_iter()?.try_for_each(|name| value.get_item(&name).and_then(|part| is_defined(&part)))
        }
        _ => Ok(()),
    }
}

/// Adds the filters and tests; there are no others, and no functions.
pub(crate) fn add(environment: &mut Environment<'static>) {
    let e = environment;
    e.add_filter("abs", filters::abs);
    e.add_filter("attr", filters::attr);
    e.add_filter("bool", filters::bool);
    e.add_filter("count", filters::length);
    e.add_filter("d", filters::default);
    e.add_filter("default", filters::default);
    e.add_filter("first", filters::first);
    e.add_filter("float", filters::float);
    e.add_filter("int", filters::int);
    e.add_filter("last", filters::last);
    e.add_filter("length", filters::length);
    e.add_filter("round", filters::round);
    for (name, filter) in of_lists() {
        e.add_filter(name, move |state: &mut State, list: Value, rest: Rest<ValueOrKwargs>| {
            is_list(&list)?;
            take_list(&list)?;
            let given: Vec<Value> = std::iter::once(list).chain(rest.into_values()).collect();
            filter.call(state, &given)
        });
    }
    e.add_filter("join", join);
    e.add_filter("lower", |value: Value| made(text(&value)?.to_lowercase()));
    e.add_filter("millis", |time: u64| time / 1_000_000);
    e.add_filter("replace", replace);
    e.add_filter("rfc3339", |time: u64| Timestamp::from_nanos(time).rfc3339().to_string());
    e.add_filter("seconds", |time: u64| time / 1_000_000_000);
    e.add_filter("string", |value: Value| made(text(&value)?.into_owned()));
    e.add_filter("times", |one: f64, other: f64| one * other);
    e.add_filter("tojson", |value: Value| json(&value).map(Value::from_safe_string));
    e.add_filter("trim", |value: Value| made(text(&value)?.trim().to_owned()));
    e.add_filter("truncate", truncate);
    e.add_filter("upper", |value: Value| made(text(&value)?.to_uppercase()));
    add_tests(e);
}

/// The filters that go through a list, most of which make another; minijinja bounds neither.
fn of_lists() -> [(&'static str, Value); 14] {
    [
        ("dictsort", Value::from_function(filters::dictsort)),
        ("groupby", Value::from_function(filters::groupby)),
        ("items", Value::from_function(filters::items)),
        ("list", Value::from_function(filters::list)),
        ("map", Value::from_function(filters::map)),
        ("max", Value::from_function(filters::max)),
        ("min", Value::from_function(filters::min)),
        ("reject", Value::from_function(filters::reject)),
        ("rejectattr", Value::from_function(filters::rejectattr)),
        ("select", Value::from_function(filters::select)),
        ("selectattr", Value::from_function(filters::selectattr)),
        ("sort", Value::from_function(filters::sort)),
        ("sum", Value::from_function(sum)),
        ("unique", Value::from_function(filters::unique)),
    ]
}

/// As minijinja's, without a start: texts that are added one by one are copied as often.
fn sum(state: &State, list: Value, attribute: Option<&str>, named: Kwargs) -> Result<Value, Error> {
    if named.has("start") {
        return Err(Error::new(ErrorKind::InvalidOperation, "can only sum numbers, without a start"));
    }
    filters::sum(state, list, attribute, None, named)
}

/// Refuses texts, of which a list would be one of their characters, each many times as large as in the text.
fn is_list(value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::String => Err(Error::new(ErrorKind::InvalidOperation, "a text is no list")),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        _ => Ok(()),
    }
}

/// Takes room for as many values as a list has.
fn take_list(list: &Value) -> Result<(), Error> {
    take(list.len().unwrap_or(1).saturating_mul(size_of::<Value>()))
}

fn add_tests(e: &mut Environment<'static>) {
    e.add_test("defined", tests::is_defined);
    e.add_test("undefined", tests::is_undefined);
    e.add_test("none", tests::is_none);
    e.add_test("boolean", tests::is_boolean);
    e.add_test("number", tests::is_number);
    e.add_test("string", tests::is_string);
    e.add_test("sequence", tests::is_sequence);
    e.add_test("mapping", tests::is_mapping);
    e.add_test("startingwith", tests::is_startingwith);
    e.add_test("endingwith", tests::is_endingwith);
    for name in ["eq", "==", "equalto"] {
        e.add_test(name, tests::is_eq);
    }
    for name in ["ne", "!="] {
        e.add_test(name, tests::is_ne);
    }
    for name in ["lt", "<"] {
        e.add_test(name, tests::is_lt);
    }
    for name in ["le", "<="] {
        e.add_test(name, tests::is_le);
    }
    for name in ["gt", ">"] {
        e.add_test(name, tests::is_gt);
    }
    for name in ["ge", ">="] {
        e.add_test(name, tests::is_ge);
    }
    e.add_test("in", tests::is_in);
}

/// A value as text: a text as it is, and anything else as it is printed.
fn text(value: &Value) -> Result<Cow<'_, str>, Error> {
    is_defined(value)?;
    match value.as_str() {
        Some(text) => Ok(Cow::Borrowed(text)),
        None => made(value.to_string()).map(Cow::Owned),
    }
}

fn made(text: String) -> Result<String, Error> {
    take(text.len())?;
    Ok(text)
}

fn join(values: &Value, between: Option<Cow<'_, str>>) -> Result<String, Error> {
    is_defined(values)?;
    let between = between.unwrap_or_default();
    let mut text = String::new();
    for (at, value) in values.try_iter()?.enumerate() {
        let before = text.len();
        if at > 0 {
            text.push_str(&between);
        }
        match value.as_str() {
            Some(part) => text.push_str(part),
            None => text.push_str(&value.to_string()),
        }
        take(text.len() - before)?;
    }
    Ok(text)
}

fn replace(value: &Value, from: &str, to: &str) -> Result<String, Error> {
    let text = text(value)?;
    if from.is_empty() {
        return Err(Error::new(ErrorKind::InvalidOperation, "`replace` of nothing; name a text"));
    }
    take(text.len().saturating_add(text.matches(from).count().saturating_mul(to.len())))?;
    Ok(text.replace(from, to))
}

/// At most so many characters, the last of which is `…` where something is left out.
fn truncate(value: &Value, most: usize) -> Result<String, Error> {
    let text = text(value)?;
    if text.char_indices().nth(most).is_none() {
        return made(text.into_owned());
    }
    let kept = text.char_indices().nth(most.saturating_sub(1)).map_or(0, |(at, _)| at);
    made(format!("{}…", &text[..kept]))
}
