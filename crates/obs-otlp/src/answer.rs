//! What a collector says to an export request that it took: `ExportTraceServiceResponse` and its like.
//!
//! A collector answers 200 also where it refuses a part: it says how many records, not which.
//! By OTLP's rules such a request is never sent again.

use std::borrow::Cow;
use std::fmt;

use obs_core::Signal;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// That a request was taken in part, or taken with a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialSuccess {
    /// How many spans, data points or log records were refused; zero if the message is only a warning.
    pub rejected: u64,
    /// Why, in the collector's words; may be empty where some were refused.
    pub message: String,
}

/// Why an answer cannot be read: the request was taken all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    cause: Cow<'static, str>,
}

impl Unreadable {
    fn new(cause: impl Into<Cow<'static, str>>) -> Self {
        Self { cause: cause.into() }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the answer is no OTLP export response, so that nobody knows whether records were refused: {}",
            self.cause
        )
    }
}

impl std::error::Error for Unreadable {}

/// Reads the body of a successful answer to an export request; `None` if everything was taken without a word.
///
/// The content type decides between protobuf and JSON, and where it says neither, the body itself.
/// JSON is read leniently: counts as numbers or text, names in camel case or the protobuf's own.
/// Scores and feedback go over OTLP as logs.
///
/// ```
/// use obs_core::Signal;
/// use obs_otlp::answer::partial_success;
///
/// let body = br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}"#;
/// let partial = partial_success(Signal::Traces, Some("application/json"), body)?.unwrap();
/// assert_eq!((partial.rejected, partial.message.as_str()), (3, "too old"));
/// assert_eq!(partial_success(Signal::Traces, None, b"")?, None);
/// # Ok::<(), obs_otlp::answer::Unreadable>(())
/// ```
///
/// # Errors
/// The body is no such answer: worth a line in a log, no reason to count the request as failed.
pub fn partial_success(
    signal: Signal,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Option<PartialSuccess>, Unreadable> {
    let says = |word: &str| content_type.is_some_and(|given| given.to_ascii_lowercase().contains(word));
    let looks_like_json = body.trim_ascii().first() == Some(&b'{');
    let partial = if body.trim_ascii().is_empty() && !says("protobuf") {
        PartialSuccess::NONE
    } else if says("json") || looks_like_json && !says("protobuf") {
        json(signal, body)?
    } else {
        // Some answer protobuf with a JSON of their own, under the request's content type.
        protobuf(body).or_else(|cause| if looks_like_json { json(signal, body) } else { Err(cause) })?
    };
    Ok((partial != PartialSuccess::NONE).then_some(partial))
}

impl PartialSuccess {
    const NONE: Self = Self { rejected: 0, message: String::new() };
}

/// The response and its `partial_success`, both with the numbers that all signals share.
fn protobuf(body: &[u8]) -> Result<PartialSuccess, Unreadable> {
    let mut partial = PartialSuccess::NONE;
    let mut response = Reader { rest: body };
    while let Some((number, value)) = response.field()? {
        match (number, value) {
            (1, Part::Bytes(message)) => part(&mut Reader { rest: message }, &mut partial)?,
            (1, Part::Number(_) | Part::Fixed) => {
                return Err(Unreadable::new("partial_success is no message"));
            }
            _ => {}
        }
    }
    Ok(partial)
}

fn part(message: &mut Reader<'_>, partial: &mut PartialSuccess) -> Result<(), Unreadable> {
    while let Some((number, value)) = message.field()? {
        match (number, value) {
            // A count is an int64, of which a negative one says nothing.
            (1, Part::Number(count)) => partial.rejected = i64::max(count as i64, 0) as u64,
            (2, Part::Bytes(text)) => partial.message = String::from_utf8_lossy(text).into_owned(),
            (1, _) => return Err(Unreadable::new("the rejected count is no number")),
            (2, _) => return Err(Unreadable::new("error_message is no text")),
            _ => {}
        }
    }
    Ok(())
}

/// Walks the fields of a protobuf message.
struct Reader<'a> {
    rest: &'a [u8],
}

enum Part<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Four or eight bytes, of which these answers have none.
    Fixed,
}

impl<'a> Reader<'a> {
    fn field(&mut self) -> Result<Option<(u64, Part<'a>)>, Unreadable> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Part::Number(self.varint()?),
            1 => self.take(8).map(|_| Part::Fixed)?,
            2 => {
                let len = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                Part::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Part::Fixed)?,
            _ => return Err(Unreadable::new("not protobuf: a field has no known wire type")),
        };
        match tag >> 3 {
            0 => Err(Unreadable::new("not protobuf: a field has the number 0")),
            number => Ok(Some((number, value))),
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Unreadable> {
        let short = || Unreadable::new("not protobuf, or cut short");
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Unreadable> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Unreadable::new("not protobuf: a number is longer than ten bytes"))
    }
}

#[derive(Deserialize)]
struct Response {
    #[serde(default, rename = "partialSuccess", alias = "partial_success")]
    partial_success: Option<Told>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Told {
    #[serde(alias = "rejected_spans", deserialize_with = "count")]
    rejected_spans: u64,
    #[serde(alias = "rejected_data_points", deserialize_with = "count")]
    rejected_data_points: u64,
    #[serde(alias = "rejected_log_records", deserialize_with = "count")]
    rejected_log_records: u64,
    #[serde(alias = "error_message")]
    error_message: Option<String>,
}

fn json(signal: Signal, body: &[u8]) -> Result<PartialSuccess, Unreadable> {
    if body.trim_ascii().first() != Some(&b'{') {
        return Err(Unreadable::new("not an object of JSON"));
    }
    let response: Response =
        serde_json::from_slice(body).map_err(|cause| Unreadable::new(cause.to_string()))?;
    let told = response.partial_success.unwrap_or_default();
    let rejected = match signal {
        Signal::Traces => told.rejected_spans,
        Signal::Metrics => told.rejected_data_points,
        Signal::Logs | Signal::Scores | Signal::Feedback => told.rejected_log_records,
    };
    Ok(PartialSuccess { rejected, message: told.error_message.unwrap_or_default() })
}

/// A count as a number, as text, or `null` for none; a negative one says nothing.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Count;
    impl Visitor<'_> for Count {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a count, as a number or as text")
        }

        fn visit_u64<E: de::Error>(self, count: u64) -> Result<u64, E> {
            Ok(count)
        }

        fn visit_i64<E: de::Error>(self, _: i64) -> Result<u64, E> {
            Ok(0)
        }

        fn visit_f64<E: de::Error>(self, count: f64) -> Result<u64, E> {
            Ok(count as u64)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
            let count: i64 =
                text.trim().parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))?;
            Ok(count.max(0) as u64)
        }

        fn visit_unit<E: de::Error>(self) -> Result<u64, E> {
            Ok(0)
        }
    }
    deserializer.deserialize_any(Count)
}
