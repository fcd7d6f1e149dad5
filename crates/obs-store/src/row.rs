//! Putting values into a row and taking them out.

use std::str::FromStr;
use std::sync::Arc;

use obs_core::{Form, Payload, Resource, TraceContext};
use rusqlite::types::{FromSql, ToSql, ToSqlOutput, Type, ValueRef};
use rusqlite::{Row, Statement};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Binds the parameters of a statement, one after the other.
pub(crate) struct Binder<'a, 'c> {
    statement: &'a mut Statement<'c>,
    next: usize,
}

impl<'a, 'c> Binder<'a, 'c> {
    /// Begins with the first parameter.
    pub(crate) fn new(statement: &'a mut Statement<'c>) -> Self {
        Self { statement, next: 1 }
    }

    /// Binds the next parameter.
    pub(crate) fn put(&mut self, value: impl ToSql) -> rusqlite::Result<&mut Self> {
        self.statement.raw_bind_parameter(self.next, value)?;
        self.next += 1;
        Ok(self)
    }

    /// Binds hex digits, as the text they are.
    pub(crate) fn hex(&mut self, digits: Option<&[u8]>) -> rusqlite::Result<&mut Self> {
        self.put(ToSqlOutput::Borrowed(digits.map_or(ValueRef::Null, ValueRef::Text)))
    }

    /// Binds the text of a payload.
    pub(crate) fn payload(&mut self, payload: Option<&Payload>) -> rusqlite::Result<&mut Self> {
        match payload {
            Some(payload) => self.put(payload.settled().as_str()),
            None => self.put(rusqlite::types::Null),
        }
    }
}

/// A count as SQLite has them, at most the greatest it has.
pub(crate) fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The value, where its column, which [`count`] made, does not say it in full.
pub(crate) fn beyond(value: u64) -> Option<u64> {
    (count(value) == i64::MAX).then_some(value)
}

/// Stands in the `rest` for a payload that is JSON, since the column has its text alone.
///
/// It is an empty object, and so reads back as a payload that is JSON.
#[derive(Debug, Serialize)]
pub(crate) struct IsJson {}

impl IsJson {
    /// What stands for this payload.
    pub(crate) fn of(payload: Option<&Payload>) -> Option<Self> {
        payload.filter(|payload| payload.settled().form() == Form::Json).map(|_| Self {})
    }
}

/// The JSON of the value that was asked for last: neighbours in a batch share their context and resource.
#[derive(Debug)]
struct Last<T> {
    value: Option<Arc<T>>,
    json: Option<Box<RawValue>>,
}

impl<T: Serialize + Default + PartialEq> Last<T> {
    const NONE: Self = Self { value: None, json: None };

    /// The JSON of a value; `None` for the default, which is left out.
    fn json(&mut self, value: &Arc<T>) -> serde_json::Result<Option<&RawValue>> {
        if !self.value.as_ref().is_some_and(|known| Arc::ptr_eq(known, value)) {
            self.json =
                if **value == T::default() { None } else { Some(serde_json::value::to_raw_value(&**value)?) };
            self.value = Some(Arc::clone(value));
        }
        Ok(self.json.as_deref())
    }
}

/// What neighbours in a batch share, in JSON.
#[derive(Debug)]
pub(crate) struct Shared {
    contexts: Last<TraceContext>,
    resources: Last<Resource>,
}

/// The context and resource of a record, in JSON; `None` where it is the default.
pub(crate) type Common<'a> = (Option<&'a RawValue>, Option<&'a RawValue>);

impl Shared {
    /// Nothing known yet.
    pub(crate) const NONE: Self = Self { contexts: Last::NONE, resources: Last::NONE };

    /// The JSON of a record's context and resource.
    pub(crate) fn of(
        &mut self,
        context: &Arc<TraceContext>,
        resource: &Arc<Resource>,
    ) -> serde_json::Result<Common<'_>> {
        Ok((self.contexts.json(context)?, self.resources.json(resource)?))
    }
}

/// The service of a record: the context's, else the resource's.
pub(crate) fn service<'a>(context: &'a TraceContext, resource: &'a Resource) -> Option<&'a str> {
    context.service.as_deref().or_else(|| resource.service_name())
}

/// The head of a record's JSON with its time, where the column says it in full; the `rest` has it otherwise.
pub(crate) fn timed(head: &str, key: &str, time: i64) -> String {
    if time == i64::MAX { head.to_owned() } else { format!("{head},\"{key}\":{time}") }
}

/// The head of the JSON of a record with an id of its own, and its time.
pub(crate) fn identified(head: &str, id: &str, time: i64) -> String {
    // What is no id is made no JSON of, so that no row can put fields in.
    let id = if id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') { id } else { "" };
    timed(&format!("\"id\":\"{id}\",{head}"), "time", time)
}

/// Takes the columns of a row, one after the other.
pub(crate) struct Columns<'a, 'r> {
    row: &'a Row<'r>,
    next: usize,
}

impl<'a, 'r> Columns<'a, 'r> {
    /// Begins with the first column.
    pub(crate) fn new(row: &'a Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(crate) fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    /// The next column, a text that stands for something else.
    pub(crate) fn parse<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
        &mut self,
    ) -> rusqlite::Result<T> {
        self.take::<String>()?.parse().map_err(|cause| self.wrong(cause))
    }

    /// As [`Columns::parse`], for a column that may be empty.
    pub(crate) fn parse_optional<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
        &mut self,
    ) -> rusqlite::Result<Option<T>> {
        self.take::<Option<String>>()?.map(|text| text.parse().map_err(|cause| self.wrong(cause))).transpose()
    }

    /// The next column, the text of a payload, which is JSON where the `rest` had something in its place.
    pub(crate) fn payload(&mut self, is_json: Option<&Payload>) -> rusqlite::Result<Option<Payload>> {
        let text = self.take::<Option<String>>()?;
        Ok(text.map(|text| match is_json {
            Some(_) => Payload::from_json(&text).unwrap_or_else(|| Payload::text(text)),
            None => Payload::text(text),
        }))
    }

    /// The next column, a `rest`, as what it becomes with `head` before its own fields.
    ///
    /// The head has the fields without which there is no such record; what they say is set from the columns.
    pub(crate) fn rest<T: DeserializeOwned>(&mut self, head: &str) -> rusqlite::Result<T> {
        let rest = self.take::<String>()?;
        let comma = if rest == "{}" { "" } else { "," };
        let json = format!("{{{head}{comma}{}", rest.get(1..).unwrap_or_default());
        serde_json::from_str(&json).map_err(|cause| self.wrong(cause))
    }

    /// The error that the column taken last is not what it should be.
    fn wrong(&self, cause: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(self.next - 1, Type::Text, Box::new(cause))
    }
}
