//! The canonical JSON: how a record is written to files, queues, webhooks and dead letters, and read back.

mod compact;
mod generation;
mod line;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use self::line::Line;
use crate::{Batch, Record, Resource, Signal, TraceContext};

/// The version of the canonical JSON, the `v` of every line.
///
/// It grows when a reader of the version before would misread a record; added optional fields do not count.
pub const SCHEMA_VERSION: u32 = 1;

/// Why a line is no record.
#[derive(Debug)]
pub enum LineError {
    /// The line is not JSON of the expected shape; the message has the column.
    Malformed(serde_json::Error),
    /// The line was written by a newer obs.
    Version {
        /// The version found.
        found: u32,
    },
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(cause) => write!(f, "not a record in obs's canonical JSON: {cause}"),
            Self::Version { found } => write!(
                f,
                "written in version {found} of the canonical JSON, this build reads up to {SCHEMA_VERSION}: update obs"
            ),
        }
    }
}

impl std::error::Error for LineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed(cause) => Some(cause),
            Self::Version { .. } => None,
        }
    }
}

#[derive(Deserialize)]
struct LineIn<'a> {
    v: u32,
    signal: Signal,
    #[serde(borrow)]
    record: &'a RawValue,
}

/// Appends a value as JSON, as `serde_json::to_writer` writes it, byte for byte, and about twice as fast.
///
/// Exporters write their requests with it, straight from structs that borrow from the records.
///
/// # Errors
/// What the value's `Serialize` reports; then nothing is appended.
pub fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), serde_json::Error> {
    let start = out.len();
    compact::write(out, value).inspect_err(|_| out.truncate(start))
}

/// What a line begins with; behind it stand the record, a brace and a newline.
const fn head(signal: Signal) -> &'static [u8] {
    match signal {
        Signal::Traces => br#"{"v":1,"signal":"traces","record":"#,
        Signal::Metrics => br#"{"v":1,"signal":"metrics","record":"#,
        Signal::Logs => br#"{"v":1,"signal":"logs","record":"#,
        Signal::Scores => br#"{"v":1,"signal":"scores","record":"#,
        Signal::Feedback => br#"{"v":1,"signal":"feedback","record":"#,
    }
}

/// Where the shared ends of the last few lines stand.
///
/// Most records of a batch have their context and resource in common with others, and those two are a third of a line:
/// they are copied instead of written anew.
/// The records outlive this, so that an address stands for one context or resource.
#[derive(Debug, Default)]
struct Tails {
    known: [Option<(Shared, Range<usize>)>; Self::KEPT],
    next: usize,
}

/// The addresses of a record's context and resource.
type Shared = (*const TraceContext, *const Resource);

impl Tails {
    /// Enough for a batch in which a few traces take turns.
    const KEPT: usize = 4;

    /// Appends the line of a record; on an error nothing is appended.
    fn push<T: Line>(
        &mut self,
        out: &mut Vec<u8>,
        signal: Signal,
        record: &T,
    ) -> Result<(), serde_json::Error> {
        let start = out.len();
        self.write(out, signal, record).inspect_err(|_| out.truncate(start))
    }

    fn write<T: Line>(
        &mut self,
        out: &mut Vec<u8>,
        signal: Signal,
        record: &T,
    ) -> Result<(), serde_json::Error> {
        let (before, behind) = record.around();
        out.extend_from_slice(head(signal));
        out.extend_from_slice(before);
        record.own(out)?;
        let (context, resource) = record.shared();
        let shared = (Arc::as_ptr(context), Arc::as_ptr(resource));
        if let Some((_, at)) = self.known.iter().flatten().find(|(of, _)| *of == shared) {
            out.extend_from_within(at.clone());
        } else {
            let start = out.len();
            line::push_shared(out, (context, resource))?;
            self.known[self.next] = Some((shared, start..out.len()));
            self.next = (self.next + 1) % Self::KEPT;
        }
        out.push(b'}');
        out.extend_from_slice(behind);
        out.extend_from_slice(b"}\n");
        Ok(())
    }
}

impl Record {
    /// Appends `{"v":1,"signal":"…","record":{…}}` and a newline.
    ///
    /// The line has no other newline.
    /// On an error nothing is appended.
    pub fn write_line(&self, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let mut tails = Tails::default();
        match self {
            Self::Span(record) => tails.push(out, Signal::Traces, record),
            Self::Metric(record) => tails.push(out, Signal::Metrics, record),
            Self::Log(record) => tails.push(out, Signal::Logs, record),
            Self::Score(record) => tails.push(out, Signal::Scores, record),
            Self::Feedback(record) => tails.push(out, Signal::Feedback, record),
        }
    }

    /// Reads what [`Record::write_line`] wrote.
    pub fn from_line(line: &str) -> Result<Self, LineError> {
        let line: LineIn<'_> = serde_json::from_str(line).map_err(LineError::Malformed)?;
        if line.v > SCHEMA_VERSION {
            return Err(LineError::Version { found: line.v });
        }
        let json = line.record.get();
        match line.signal {
            Signal::Traces => serde_json::from_str(json).map(Self::Span),
            Signal::Metrics => serde_json::from_str(json).map(Self::Metric),
            Signal::Logs => serde_json::from_str(json).map(Self::Log),
            Signal::Scores => serde_json::from_str(json).map(Self::Score),
            Signal::Feedback => serde_json::from_str(json).map(Self::Feedback),
        }
        .map_err(LineError::Malformed)
    }
}

impl Batch {
    /// Appends the line of every record; `at` is told the position of one that failed, and the rest goes on.
    pub fn write_lines(&self, out: &mut Vec<u8>, mut failed: impl FnMut(usize, serde_json::Error)) {
        let mut tails = Tails::default();
        macro_rules! each {
            ($records:expr) => {
                for (at, record) in $records.iter().enumerate() {
                    if let Err(cause) = tails.push(out, self.signal(), record) {
                        failed(at, cause);
                    }
                }
            };
        }
        match self {
            Self::Traces(records) => each!(records),
            Self::Metrics(records) => each!(records),
            Self::Logs(records) => each!(records),
            Self::Scores(records) => each!(records),
            Self::Feedback(records) => each!(records),
        }
    }
}

/// Floats, with the non-finite ones as `"NaN"`, `"Infinity"` and `"-Infinity"`.
pub(crate) mod float {
    use std::fmt;

    use serde::de::{self, Visitor};
    use serde::{Deserializer, Serializer};

    /// The name of a non-finite number.
    pub(crate) fn name(value: f64) -> Option<&'static str> {
        if value.is_nan() {
            Some("NaN")
        } else if value == f64::INFINITY {
            Some("Infinity")
        } else if value == f64::NEG_INFINITY {
            Some("-Infinity")
        } else {
            None
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde's `with` asks for")]
    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match name(*value) {
            Some(name) => serializer.serialize_str(name),
            None => serializer.serialize_f64(*value),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        struct Float;
        impl Visitor<'_> for Float {
            type Value = f64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<f64, E> {
                Ok(value)
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<f64, E> {
                Ok(value as f64)
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<f64, E> {
                Ok(value as f64)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<f64, E> {
                match text {
                    "NaN" => Ok(f64::NAN),
                    "Infinity" => Ok(f64::INFINITY),
                    "-Infinity" => Ok(f64::NEG_INFINITY),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Float)
    }
}

/// [`float`] for an optional number.
pub(crate) mod optional_float {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    struct Float(#[serde(with = "super::float")] f64);

    #[expect(clippy::ref_option, reason = "the signature serde's `with` asks for")]
    pub(crate) fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::float::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<Float>::deserialize(deserializer)?.map(|Float(value)| value))
    }
}

/// [`float`] for each of a shared list.
pub(crate) mod floats {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Float(#[serde(with = "super::float")] f64);

    pub(crate) fn serialize<S: Serializer>(values: &Arc<[f64]>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| Float(*value)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[f64]>, D::Error> {
        Ok(Vec::<Float>::deserialize(deserializer)?.into_iter().map(|Float(value)| value).collect())
    }
}

/// An optional duration as whole nanoseconds.
pub(crate) mod nanos {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the signature serde's `with` asks for")]
    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.serialize_u64(u64::try_from(value.as_nanos()).unwrap_or(u64::MAX)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_nanos))
    }
}

/// Serialises text that is known to be JSON as that JSON, as a [`RawValue`] would be.
pub(crate) fn splice<S: Serializer>(json: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if *SPLICES {
        return Spliced(json.trim_ascii()).serialize(serializer);
    }
    match serde_json::from_str::<&RawValue>(json) {
        Ok(raw) => raw.serialize(serializer),
        Err(_) => serializer.serialize_str(json),
    }
}

/// A [`RawValue`] without the check that it is JSON, which costs more than all else that is done to a document.
struct Spliced<'a>(&'a str);

impl Serialize for Spliced<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut raw = serializer.serialize_struct(compact::RAW, 1)?;
        raw.serialize_field(compact::RAW, self.0)?;
        raw.end()
    }
}

/// Whether the `serde_json` of this build takes [`Spliced`] for a [`RawValue`], whose form is its own affair.
static SPLICES: LazyLock<bool> =
    LazyLock::new(|| serde_json::to_string(&Spliced("[1 ]")).is_ok_and(|json| json == "[1 ]"));

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Metric, MetricValue, Timestamp};

    proptest! {
        #[test]
        fn finite_floats_read_back_to_the_last_bit(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
            let metric = Metric::new(Timestamp::default(), "m", MetricValue::Gauge(value));
            let json = serde_json::to_string(&metric).unwrap();
            prop_assert_eq!(serde_json::from_str::<Metric>(&json).unwrap(), metric);
        }
    }

    #[test]
    fn a_document_is_spliced_without_another_look() {
        assert!(*SPLICES, "this serde_json marks raw values in another way: `compact::RAW` is out of date");
        let value = serde_json::to_value(Spliced("{\"a\":[1]}")).unwrap();
        assert_eq!(value, serde_json::json!({"a": [1]}));
    }
}
