//! Log records.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Attributes, Payload, Records, Resource, SpanRef, Str, Timestamp, TraceContext, payload, write_json,
};

/// The namespace of ids that are made of what a log says.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f62_735f_6c6f_675f_8d1e_5f0a_93c2_4b71);

/// A log record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// When it was made.
    pub time: Timestamp,
    /// How severe it is.
    pub level: Level,
    /// What it says.
    pub message: Str,
    /// The name of the event, for records that are events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_name: Option<Str>,
    /// Structured fields.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// One structured document.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "payload::present")]
    pub data: Option<Payload>,
    /// The span or trace it was made under; absent outside sampled traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<SpanRef>,
    /// What is known of the trace.
    #[serde(default)]
    pub context: Arc<TraceContext>,
    /// What produced it.
    #[serde(default)]
    pub resource: Arc<Resource>,
}

impl Log {
    /// A record with everything optional left out.
    pub fn new(time: Timestamp, level: Level, message: impl Into<Str>) -> Self {
        Self::new_in(time, level, message, TraceContext::none(), Resource::none())
    }

    /// [`Log::new`] with what it shares with others, so that nothing is allocated.
    pub fn new_in(
        time: Timestamp,
        level: Level,
        message: impl Into<Str>,
        context: Arc<TraceContext>,
        resource: Arc<Resource>,
    ) -> Self {
        Self {
            time,
            level,
            message: message.into(),
            event_name: None,
            attributes: Attributes::new(),
            data: None,
            span: None,
            context,
            resource,
        }
    }

    /// An id made of what the log says, for backends that want one: the same log has the same id in every process, so
    /// that sending it again overwrites itself.
    ///
    /// `nth` tells logs apart that say the same at the same nanosecond: the first of a batch is 0, its twin 1.
    /// The context and the resource do not count.
    pub fn derived_id(&self, nth: usize) -> Uuid {
        let mut said = Vec::new();
        let own = (self.time, self.level, &self.message, &self.event_name);
        if write_json(&mut said, &(own, &self.attributes, &self.data, self.span, nth)).is_err() {
            // What has no JSON, which no field of a log can be, is told apart by its time.
            said = self.time.as_nanos().to_be_bytes().into();
        }
        Uuid::new_v5(&NAMESPACE, &said)
    }
}

impl Records<Log> {
    /// The [`derived_id`](Log::derived_id) of each; logs that say the same at the same nanosecond are told apart by their
    /// order.
    ///
    /// Their order is that of the segment that they were sealed in, so that a batch that is cut, halved or sent in part
    /// has the ids that it had before.
    /// Twins of different segments have the same id.
    pub fn derived_ids(&self) -> Vec<Uuid> {
        let mut ids = Vec::with_capacity(self.len());
        for (segment, range) in self.segments() {
            let mut seen: HashMap<(Timestamp, &Str), Vec<&Log>> = HashMap::with_capacity(range.end);
            for (at, log) in segment[..range.end].iter().enumerate() {
                let before = seen.entry((log.time, &log.message)).or_default();
                if range.contains(&at) {
                    let id = log.derived_id(0);
                    let twins = before.iter().filter(|twin| twin.derived_id(0) == id).count();
                    ids.push(if twins == 0 { id } else { log.derived_id(twins) });
                }
                before.push(log);
            }
        }
        ids
    }
}

/// How severe a log record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The finest detail.
    Trace,
    /// For debugging.
    Debug,
    /// Normal operation.
    Info,
    /// Something odd.
    Warn,
    /// Something failed.
    Error,
    /// The application cannot go on.
    Fatal,
}

impl Level {
    /// All levels, the finest first.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];

    /// The name in files and options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// OpenTelemetry's severity number: 1, 5, 9, 13, 17 or 21.
    pub const fn severity_number(self) -> u8 {
        self as u8 * 4 + 1
    }

    /// The level of OpenTelemetry's severity number; zero, which means unspecified, is `Info`, and beyond 24 is `Fatal`.
    pub const fn from_severity_number(number: i32) -> Self {
        match number {
            1..=4 => Self::Trace,
            5..=8 => Self::Debug,
            13..=16 => Self::Warn,
            17..=20 => Self::Error,
            21.. => Self::Fatal,
            _ => Self::Info,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = String;

    /// Reads a level's name in any case, and `warning`.
    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let name = if lower == "warning" { "warn" } else { &lower };
        Self::ALL.into_iter().find(|level| level.as_str() == name).ok_or_else(|| {
            format!("\"{text}\" is no log level: use one of trace, debug, info, warn, error, fatal")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_5_the_same_log_has_the_same_id_and_another_has_another() {
        let log = Log::new(Timestamp::from_nanos(7), Level::Info, "m");
        assert_eq!(log.derived_id(0).to_string(), "b4fe7785-1c1b-519c-9544-03de1ec53864");
        assert_eq!(log.derived_id(0), log.clone().derived_id(0));
        let mut others = vec![log.derived_id(0), log.derived_id(1)];
        others.push(Log { level: Level::Warn, ..log.clone() }.derived_id(0));
        others.push(Log { time: Timestamp::from_nanos(8), ..log.clone() }.derived_id(0));
        others.push(Log { data: Some(Payload::text("m")), ..log }.derived_id(0));
        others.sort();
        others.dedup();
        assert_eq!(others.len(), 5);
        let batch: Records<Log> = vec![Log::new(Timestamp::from_nanos(7), Level::Info, "m"); 3].into();
        let ids = batch.derived_ids();
        assert_eq!(ids, batch.derived_ids());
        assert_eq!(ids[0], batch.get(0).unwrap().derived_id(0));
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
        assert_eq!(batch.slice(1..3).derived_ids(), ids[1..]);
        assert_eq!(batch.select(&[2]).derived_ids(), ids[2..]);
    }

    #[test]
    fn levels_map_to_severity_numbers_and_back() {
        for level in Level::ALL {
            assert_eq!(Level::from_severity_number(level.severity_number().into()), level);
            assert_eq!(level.as_str().to_uppercase().parse::<Level>().unwrap(), level);
        }
        assert_eq!(Level::from_severity_number(0), Level::Info);
        assert!("loud".parse::<Level>().unwrap_err().contains("fatal"));
    }
}
