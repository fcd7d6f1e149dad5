//! Log records.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Attributes, Payload, Resource, SpanRef, Str, Timestamp, TraceContext, payload};

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
    fn levels_map_to_severity_numbers_and_back() {
        for level in Level::ALL {
            assert_eq!(Level::from_severity_number(level.severity_number().into()), level);
            assert_eq!(level.as_str().to_uppercase().parse::<Level>().unwrap(), level);
        }
        assert_eq!(Level::from_severity_number(0), Level::Info);
        assert!("loud".parse::<Level>().unwrap_err().contains("fatal"));
    }
}
